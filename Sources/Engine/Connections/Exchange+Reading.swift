// The reading half of an exchange: bytes to the parser, steps to the call, and what the end of the
// input means (RFC 9112 §6.3, §8).

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
internal import FetchTLS
internal import FetchTransport

extension Connection {
    func exchangeReady(_ readiness: Readiness) {
        if readiness.contains(.writable) { write() }
        // A failed write has ended the exchange, or a paused reader wants nothing: then the loop
        // in `read` does nothing.
        read()
    }

    /// Reads and parses what is there, up to the turn's budget.
    func read() {
        var budget = road.settings.bytesPerTurn
        // Calls live as long as their table, which the road keeps.
        while budget > 0, let currentCall, currentCall.with({ readSome(for: $0, &budget) }) {}
    }

    /// One read, and what it brings about; false when that was all for now.
    private func readSome(for call: Call, _ budget: inout Int) -> Bool {
        guard let stream, !call.pausedReading else { return false }
        if exchange.readsPieces { return readPiece(for: call, from: stream, &budget) }
        let wanted = road.settings.bytesPerRead
        let outcome: ReadOutcome
        if let leftover {
            outcome = stream.read(into: leftover, atMost: wanted)
            if case .bytes = outcome { received(leftover, for: call) }
        } else {
            outcome = stream.read(into: inputBuffer, atMost: wanted)
            if case .bytes = outcome { received(inputBuffer, for: call) }
            inputBuffer.removeAll()
        }
        guard case .bytes(let count) = outcome else {
            nothingRead(outcome, for: call)
            return false
        }
        budget -= count
        road.counters.bytesReceived += count
        // A short read emptied the socket; its end, if any, is reported by the next poll.
        guard count == wanted || count >= Connection.pieceLeast else { return false }
        exchange.readsPieces = true
        return count == wanted && !exchange.readerRuns
    }

    /// What it means to the call that no bytes came.
    @inline(never)
    func nothingRead(_ outcome: ReadOutcome, for call: Call) {
        switch outcome {
        case .bytes, .wouldBlock: break
        case .end: inputEnded(call)
        case .failed(let error): inputFailed(call, error)
        }
    }

    func received(_ buffer: ByteBuffer, for call: Call) {
        if !exchange.anythingReceived {
            exchange.anythingReceived = true
            call.times.firstByte = reactor.now
        }
        do throws(MessageError) {
            try parse(buffer, for: call)
        } catch {
            road.exchangeFailed(self, .malformed(error))
        }
    }

    private func parse(_ buffer: ByteBuffer, for call: Call) throws(MessageError) {
        while isCarrying(call) {
            let (step, consumed) = try parser.parse(buffer.readable, &record.rememberedHead)
            switch consume step {
            case .needMore:
                buffer.consume(consumed)
                keep(buffer)
                guard announcedBytesFit(call) else { return }
                // While the request is sent its own clock rules; an interim response changes
                // nothing.
                if !call.pausedReading, exchange.requestWritten || exchange.writingEnded {
                    run(.readIdle, of: call)
                }
                return
            case .informational:
                buffer.consume(consumed)
            case .head(let head):
                buffer.consume(consumed)
                headArrived(head, call)
            case .complete(let head, let body):
                buffer.consume(consumed)
                completed(head, body, call, extraBytes: !buffer.isEmpty)
                return
            case .body(let range):
                bodyArrived(buffer.readable.extracting(range), call)
                // Too much of a body has closed the connection, and the buffer may be given back.
                guard isCarrying(call) else { return }
                buffer.consume(consumed)
            case .end(let trailers):
                buffer.consume(consumed)
                bodyEnded(call, trailers: trailers, extraBytes: !buffer.isEmpty)
                return
            }
        }
    }

    /// A chunk that can't fit is refused when its size is known, not when the memory is full.
    private func announcedBytesFit(_ call: Call) -> Bool {
        guard !call.isStreamed,
            parser.bodyBytesAnnounced > call.bodyLimit - call.body.count
        else { return true }
        road.exchangeFailed(self, .bodyTooLarge(limit: call.bodyLimit))
        return false
    }

    /// What the parser could not use yet moves out of the buffer that all connections share.
    private func keep(_ buffer: ByteBuffer) {
        if buffer === leftover {
            guard buffer.isEmpty else { return }
            road.buffers.give(buffer)
            leftover = nil
        } else if !buffer.isEmpty {
            let own = road.buffers.take()
            own.append(buffer.readable)
            leftover = own
        }
    }

    private func headArrived(_ head: ResponseHead, _ call: Call) {
        endWriting()
        call.head = head
        if isUnwanted(head, call) {
            dropRest(of: call)
        } else if call.isStreamed {
            streamHeadArrived(head, call)
        } else if case .length(let length) = head.framing, length > call.bodyLimit {
            road.exchangeFailed(self, .bodyTooLarge(limit: call.bodyLimit))
        }
    }

    /// Whether the caller gets something else than this answer: first the policies are asked, then
    /// the cache.
    @inline(__always)
    private func isUnwanted(_ head: ResponseHead, _ call: Call) -> Bool {
        record.policies != nil && road.isRetried(call, head)
            || call.cacheUse != .none && road.isReplaced(call, head)
    }

    /// Another attempt is made, or a stored response takes its place: a short rest is read for the
    /// connection's sake.
    private func dropRest(of call: Call) {
        guard canDrain(atMost: road.settings.drainBytes) else {
            road.answerDropped(self)
            return
        }
        call.abandoned = true
        exchange.drainBudget = road.settings.drainBytes
    }

    private func streamHeadArrived(_ head: ResponseHead, _ call: Call) {
        call.totalDeadline = .farFuture
        road.streamHeadArrived(call, head)
    }

    /// Head and whole body came at once.
    private func completed(
        _ head: consuming ResponseHead, _ body: consuming Bytes, _ call: Call, extraBytes: Bool
    ) {
        endWriting()
        if isUnwanted(head, call) {
            // Its body is not looked at.
        } else if call.isStreamed, let receiver = call.streamReceiver {
            streamHeadArrived(head, call)
            if !body.isEmpty { _ = receiver.bodyArrived(body) }
        } else if body.count > call.bodyLimit {
            road.exchangeFailed(self, .bodyTooLarge(limit: call.bodyLimit))
            return
        }
        finish(call, head, body: body, trailers: nil, extraBytes: extraBytes)
    }

    /// The body's end, after a head that came before.
    private func bodyEnded(_ call: Call, trailers: FieldSection?, extraBytes: Bool) {
        guard let head = call.head else { return }
        finish(call, head, body: call.takeBody(), trailers: trailers, extraBytes: extraBytes)
    }

    private func bodyArrived(_ bytes: Span<UInt8>, _ call: Call) {
        if call.abandoned {
            drained(bytes.count)
        } else if call.isStreamed, let receiver = call.streamReceiver {
            pieceArrived(Bytes(copying: bytes), receiver, call)
        } else if !call.collect(bytes) {
            road.exchangeFailed(self, .bodyTooLarge(limit: call.bodyLimit))
        } else if call.hasCourse {
            road.shareLength(of: call, call.body.count)
        }
    }

    func inputEnded(_ call: Call) {
        if let brokenBy {
            road.exchangeLost(self, .broken(brokenBy, duringBody: call.head != nil))
            return
        }
        do throws(MessageError) {
            // The body that ends where the connection ends: the only step without an error. TLS has
            // an end of its own, and without it somebody may have cut the rest off.
            _ = try parser.endOfInput()
            if let tls = stream?.tls, tls.isTruncated { throw .truncatedBody }
            bodyEnded(call, trailers: nil, extraBytes: true)
        } catch .closedBeforeResponse {
            road.exchangeLost(self, .closedBeforeResponse)
        } catch {
            road.exchangeFailed(self, .truncated(error))
        }
    }

    func inputFailed(_ call: Call, _ error: SystemError) {
        if let failure = stream?.tls?.failure {
            // An alert, or bytes that TLS can't make sense of: another attempt would meet the same.
            road.exchangeFailed(self, .handshake(.tls(failure)))
        } else {
            road.exchangeLost(self, .broken(error, duringBody: call.head != nil))
        }
    }

    // MARK: Back-pressure

    /// The reader is full. What was read already is still delivered, one read's worth at most.
    func pauseReading(_ call: Call) {
        call.pausedReading = true
        stream?.setReading(false)
        // The reader is ours, not the peer's: no clock runs against the peer.
        clearDeadline()
    }

    func resumeReading(_ call: Call) {
        guard call.pausedReading, current === call else { return }
        call.pausedReading = false
        stream?.setReading(true)
        run(.readIdle, of: call)
    }

    private func drained(_ count: Int) {
        let budget = (exchange.drainBudget ?? 0) - count
        exchange.drainBudget = budget
        if budget < 0 { road.drainedTooMuch(self) }
    }
}
