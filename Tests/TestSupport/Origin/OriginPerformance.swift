// How a connection of the scripted origin obeys the steps of a script. Reactor thread.

internal import FetchBytes
internal import FetchReactor
internal import FetchTransport

extension OriginConnection {
    /// Obeys steps until one must wait: those that only say something join in the outbox, any
    /// other begins when the outbox is empty.
    func performSteps() {
        while !isClosed, waiting == .no, let step = exchange?.steps?.first {
            if let message = message(of: step) {
                exchange?.steps?.removeFirst()
                message(self)
                continue
            }
            guard outbox.isEmpty else { return }
            // A swallow stays first while it waits, so that the request's end finds it.
            if case .swallow = step, exchange?.request.isComplete == false {
                waiting = .requestEnd
                return
            }
            exchange?.steps?.removeFirst()
            act(step)
        }
    }

    /// What a step that only says something says; nil for the others.
    private func message(of step: Step) -> ((OriginConnection) -> Void)? {
        switch step {
        case .respond(let status, let fields, let body):
            return { $0.respond(status, fields, body) }
        case .head(let status, let fields):
            return { $0.sayHead(status, fields) }
        case .informational(let status, let fields):
            return { $0.outbox.append(originHead(status, fields)) }
        case .chunked(let chunks, let fields, let trailers):
            return { $0.sayChunks(chunks, fields, trailers) }
        case .generate(let count, let fields):
            return {
                $0.sayHead(200, [("Content-Length", "\(count)")] + fields)
                $0.sayPattern(count)
            }
        case .pattern(let count):
            return { $0.sayPattern(count) }
        case .echo:
            return { $0.sayJSON(originEcho($0.exchange?.request)) }
        case .tally:
            return { $0.sayJSON(originTally($0.exchange?.request)) }
        case .raw(let bytes):
            return { $0.outbox.append(bytes) }
        case .keepAliveHint(let seconds):
            return { $0.keepAliveHint = seconds }
        case .closeDelimited, .truncate, .drip, .delay, .swallow, .stopReading, .resumeReading,
            .close, .reset, .hang:
            return nil
        }
    }

    private func act(_ step: Step) {
        switch step {
        case .closeDelimited(let body, let fields):
            sayHead(200, fields + [("Connection", "close")])
            outbox.append(body)
            next([.close])
        case .truncate(let body, let count):
            sayHead(200, [("Content-Length", "\(body.count)")])
            outbox.append(body.slice(0..<min(count, body.count)))
            next([.close])
        case .drip(let bytes, let interval):
            guard let first = bytes.first else { return }
            outbox.append(Bytes([first]))
            if bytes.count > 1 {
                let rest = bytes.slice(1..<bytes.count)
                next([.delay(interval), .drip(rest, every: interval)])
            }
        case .delay(let duration):
            hold(for: duration)
        case .stopReading:
            isReadingStopped = true
        case .resumeReading:
            isReadingStopped = false
        case .close:
            end { $0.close() }
        case .reset:
            end { $0.reset() }
        case .hang:
            waiting = .forEver
        case .swallow, .respond, .head, .informational, .chunked, .generate, .pattern, .echo,
            .tally, .raw, .keepAliveHint:
            break
        }
    }

    private func next(_ steps: [Step]) {
        let later = exchange?.steps ?? []
        exchange?.steps = steps + later
    }

    // MARK: Saying

    private func sayHead(_ status: Int, _ fields: [(String, String)]) {
        var fields = fields
        if let seconds = keepAliveHint {
            fields.append(("Keep-Alive", "timeout=\(seconds)"))
            keepAliveHint = nil
        }
        let says = fields.contains { $0.0.lowercased() == "connection" }
        if exchange?.closesAfterwards == true, !says {
            fields.append(("Connection", "close"))
        }
        outbox.append(originHead(status, fields))
    }

    private func respond(_ status: Int, _ fields: [(String, String)], _ body: Bytes) {
        // RFC 9110 §8.6: no Content-Length with 1xx and 204; a 304's would be that of the content
        // it does not have.
        let hasContent = status >= 200 && status != 204 && status != 304
        let says = fields.contains { $0.0.lowercased() == "content-length" }
        let length = hasContent && !says ? [("Content-Length", "\(body.count)")] : []
        sayHead(status, fields + length)
        if hasContent, exchange?.request.method != "HEAD" { outbox.append(body) }
    }

    private func sayChunks(
        _ chunks: [Bytes], _ fields: [(String, String)], _ trailers: [(String, String)]
    ) {
        sayHead(200, [("Transfer-Encoding", "chunked")] + fields)
        guard exchange?.request.method != "HEAD" else { return }
        for chunk in chunks where !chunk.isEmpty {
            outbox.append(String(chunk.count, radix: 16) + "\r\n")
            outbox.append(chunk)
            outbox.append("\r\n")
        }
        outbox.append("0\r\n" + originFieldLines(trailers) + "\r\n")
    }

    private func sayPattern(_ count: Int) {
        if exchange?.request.method != "HEAD" { outbox.appendPattern(count) }
    }

    private func sayJSON(_ text: String) {
        respond(200, [("Content-Type", "application/json")], Bytes(text))
    }
}

private func originHead(_ status: Int, _ fields: [(String, String)]) -> String {
    "HTTP/1.1 \(status) \(originReason(status))\r\n" + originFieldLines(fields) + "\r\n"
}

private func originFieldLines(_ fields: [(String, String)]) -> String {
    fields.map { "\($0.0): \($0.1)\r\n" }.joined()
}
