// One connection of the scripted origin: reads requests, asks the script, obeys its steps. Owned
// by the origin until it ends; reactor thread.
//
// One loop, `advance`, does what can be done and returns when it must wait for bytes, room or a
// timer; each of these calls it again.

internal import FetchBytes
internal import FetchReactor
internal import FetchTime
internal import FetchTransport

final class OriginConnection: ByteStreamHandler, TimerHandler {
    /// A request being read or answered.
    struct Exchange {
        var request: SeenRequest
        /// What the script wants done; nil while it waits for all of the request.
        var steps: ArraySlice<Step>?
        var closesAfterwards: Bool
    }

    /// What the next step waits for.
    enum Waiting {
        case no
        case timer
        case requestEnd
        case forEver
    }

    private static let readSize = 65_536
    /// Requests that wait behind one being answered are buffered up to here.
    private static let highWater = 262_144

    let index: Int
    let stream: any ByteStream
    let origin: ScriptedOrigin
    var exchange: Exchange?
    var outbox = OriginOutbox()
    var waiting = Waiting.no
    var isReadingStopped = false
    var keepAliveHint: Int?
    private let input = ByteBuffer(capacity: readSize)
    private var parser = OriginRequestParser()
    private var requestCount = 0
    private var timer: TimerID?
    private var isReading = true
    private var isWriting = false
    private(set) var isClosed = false

    init(index: Int, stream: any ByteStream, origin: ScriptedOrigin) {
        self.index = index
        self.stream = stream
        self.origin = origin
    }

    // MARK: Events

    func streamConnected() {}

    func streamFailed(_ failure: ConnectFailure) {
        end { $0.close() }
    }

    func streamReady(_ readiness: Readiness) {
        if isReadingStopped, !readiness.isDisjoint(with: [.error, .hangup]) {
            return end { $0.close() }
        }
        if !isReadingStopped,
            !readiness.isDisjoint(with: [.readable, .readClosed, .error, .hangup])
        {
            read()
        }
        advance()
    }

    func timerFired(_ token: Int) {
        timer = nil
        waiting = .no
        advance()
    }

    /// Takes what has come, a bounded share of it; readiness is told again while more is there.
    private func read() {
        for _ in 0..<16 where !isClosed && input.readableCount < OriginConnection.highWater {
            switch stream.read(into: input, atMost: OriginConnection.readSize) {
            case .bytes:
                if isSwallowing { takeRequestBytes() }
            case .wouldBlock:
                return
            case .end, .failed:
                // What came before the end may still hold a whole request worth recording.
                takeRequestBytes()
                return end { $0.close() }
            }
        }
    }

    /// Content that nobody keeps need not wait for `advance`.
    private var isSwallowing: Bool {
        guard let exchange else { return false }
        return exchange.steps != nil && !exchange.request.isComplete
    }

    // MARK: The loop

    func advance() {
        while !isClosed {
            takeRequestBytes()
            guard !isClosed, flush() else { return }
            guard let exchange, exchange.steps != nil, waiting == .no else { break }
            if exchange.steps?.isEmpty == true {
                guard exchange.request.isComplete else { break }
                finishExchange()
            } else {
                performSteps()
            }
        }
        updateReading()
    }

    /// Sends what is due; false if the rest must wait or the stream has failed.
    func flush() -> Bool {
        if isClosed { return false }
        let progress = outbox.flush(to: stream)
        if progress == .failed {
            end { $0.close() }
            return false
        }
        let blocked = progress == .blocked
        if blocked != isWriting {
            isWriting = blocked
            stream.setWriting(blocked)
        }
        if blocked { updateReading() }
        return !blocked
    }

    private func updateReading() {
        if isClosed { return }
        let wanted = !isReadingStopped && input.readableCount < OriginConnection.highWater
        if wanted != isReading {
            isReading = wanted
            stream.setReading(wanted)
        }
    }

    private func finishExchange() {
        guard let done = exchange else { return }
        exchange = nil
        if done.closesAfterwards { end { $0.close() } }
    }

    func hold(for duration: Duration) {
        waiting = .timer
        timer = origin.reactor.schedule(self, token: 0, at: origin.reactor.now + duration)
    }

    /// Leaves by `goodbye`, once; nothing is done here afterwards.
    func end(_ goodbye: (any ByteStream) -> Void) {
        if isClosed { return }
        isClosed = true
        if let timer { origin.reactor.cancel(timer) }
        timer = nil
        goodbye(stream)
        if let exchange, !exchange.request.isComplete { origin.remember(exchange.request) }
        exchange = nil
        origin.connectionEnded(index)
    }

    // MARK: Reading requests

    /// Parses until bytes run out or a whole request waits for its answer.
    private func takeRequestBytes() {
        while !isClosed {
            if let exchange, exchange.request.isComplete { return }
            if exchange == nil, input.isEmpty { return }
            let event = parser.next(input)
            record(parser.consumed)
            switch event {
            case .needsMore:
                return
            case .head(let head):
                begin(head, raw: parser.consumed)
            case .content(let count):
                takeContent(count)
            case .end(let trailers):
                requestEnded(trailers)
            case .malformed(let reason):
                refuse(reason)
            }
        }
    }

    private func begin(_ head: OriginRequestHead, raw: [UInt8]) {
        // What came before it in this turn may have taken long.
        origin.reactor.refreshNow()
        let request = SeenRequest(
            connection: index, numberOnConnection: requestCount,
            number: origin.requestArrived(on: index), method: head.method, target: head.target,
            minorVersion: head.minorVersion, fields: head.fields,
            raw: Array(raw.prefix(origin.limits.raw)), arrived: origin.reactor.now)
        requestCount += 1
        let closes = !request.allowsReuse || requestCount == origin.closesAfter
        exchange = Exchange(request: request, steps: nil, closesAfterwards: closes)
        origin.remember(request)
        if let early = origin.script.early(request) {
            exchange?.steps = early[...]
        }
    }

    private func takeContent(_ count: Int) {
        let seen = exchange?.request.upload.bytes ?? 0
        let keeps = exchange?.steps == nil
        exchange?.request.upload.bytes += count
        let follows = exchange?.request.upload.followsPattern == true
        // The pointer is used during the call only; what is not kept is not copied.
        unsafe input.withReadable { readable in
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: readable.prefix(count))
            unsafe record(bytes)
            if follows, unsafe !BodyPattern.matches(bytes, at: seen) {
                exchange?.request.upload.followsPattern = false
            }
            if keeps, seen + count <= origin.limits.body {
                unsafe exchange?.request.body.append(contentsOf: bytes)
            }
        }
        input.consume(count)
        if keeps, seen + count > origin.limits.body {
            refuse("more content than the origin keeps")
        }
    }

    private func record(_ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty, let kept = exchange?.request.raw.count else { return }
        exchange?.request.raw.append(contentsOf: bytes.prefix(max(0, origin.limits.raw - kept)))
    }

    private func requestEnded(_ trailers: [(name: String, value: String)]) {
        exchange?.request.trailers = trailers
        exchange?.request.isComplete = true
        guard let exchange else { return }
        origin.remember(exchange.request)
        if exchange.steps == nil {
            self.exchange?.steps = origin.script.whole(exchange.request)[...]
        } else if waiting == .requestEnd {
            waiting = .no
        }
    }

    private func refuse(_ reason: String) {
        origin.complain("connection \(index): \(reason)")
        let body = reason + "\n"
        outbox.append(
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        _ = outbox.flush(to: stream)
        end { $0.close() }
    }
}
