// One request and its response on one connection (RFC 9112): what is remembered of it, its start,
// its end and its clocks. Writing and reading stand in `Exchange+Writing.swift` and
// `Exchange+Reading.swift`. Reading never waits for writing; a final response ends an upload.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
internal import FetchRoad
internal import FetchTime
internal import FetchTransport

/// What is remembered while a connection carries a request.
struct Exchange {
    /// Bytes of a body of known bytes that the kernel has taken, or that wait in the buffer.
    var contentOffset = 0
    /// Bytes that an upload gave so far.
    var uploaded = 0
    /// The upload said that it gave all.
    var uploadEnded = false
    /// The kernel has taken the request's last byte.
    var requestWritten = false
    /// The kernel has taken at least one byte of the request.
    var anythingWritten = false
    /// At least one byte of a response has come.
    var anythingReceived = false
    /// Nothing more is written: a response came early, or the peer takes nothing any more.
    var writingEnded = false
    /// The caller has left a streamed response; so many more bytes are read for the connection's
    /// sake before it is closed instead.
    var drainBudget: Int?
    /// Much comes at once: what is body for certain is read straight into pieces.
    var readsPieces = false
    /// The last piece went to a reader who had waited for it.
    var readerRuns = false
    /// The clock that runs now beside the total one.
    var clock = ClockName.writeIdle
    /// When that runs out.
    var clockEnd = Instant.farFuture
}

extension Connection {
    /// Sends `call`'s request. The connection is active and carries nothing.
    func start(_ call: Call) {
        guard let stream else { return }
        uses += 1
        exchange = Exchange()
        currentCall = Uncounted(call)
        call.connection = id
        call.peer = peer
        call.times.dnsNanoseconds = hasRested ? 0 : dialTimes.dns
        call.times.connectNanoseconds = hasRested ? 0 : dialTimes.connect
        call.times.tlsNanoseconds = hasRested ? 0 : tlsNanoseconds
        parser.begin(isHead: call.method.isHead)
        let buffer = outputBuffer
        encodeHead(of: call, into: buffer)
        guard call.hasContent else {
            sendHead(buffer, of: call, to: stream)
            return
        }
        prepareContent(of: call, buffer)
        write()
    }

    private func encodeHead(of call: Call, into buffer: ByteBuffer) {
        guard let target = call.sentTarget else { return }
        if let details = call.details {
            encoder.encode(
                details.method, target.object, details.headers, details.length, into: buffer)
        } else {
            // The call keeps its target; nobody else is asked meanwhile.
            target.with { encoder.encodeGet($0, into: buffer) }
        }
    }

    /// The whole request is a head: nearly always one write takes it.
    private func sendHead(_ buffer: ByteBuffer, of call: Call, to stream: any ByteStream) {
        let count: Int
        switch stream.write(buffer) {
        case .taken(let taken):
            count = taken
        case .failed(let error):
            buffer.removeAll()
            writingBroke(error)
            return
        }
        road.counters.bytesSent += count
        exchange.anythingWritten = count > 0
        if buffer.isEmpty {
            exchange.requestWritten = true
            run(.firstByte, of: call)
        } else {
            write()
        }
    }

    /// Puts short content behind the head, and ties an upload to the connection.
    private func prepareContent(of call: Call, _ buffer: ByteBuffer) {
        switch call.content {
        case .none:
            break
        case .bytes(let bytes):
            if bytes.count <= road.settings.inlineContent {
                buffer.append(bytes)
                exchange.contentOffset = bytes.count
            }
        case .file, .pipe:
            // A cycle, until the call's end stops the upload.
            call.content.upload?.moreArrived = { [self] in
                if isCarrying(call) { uploadWentOn(call) }
            }
        }
    }

    /// The last byte of the response is there.
    func finish(
        _ call: Call, _ head: consuming ResponseHead, body: consuming Bytes,
        trailers: consuming FieldSection?, extraBytes: Bool
    ) {
        let reusable =
            exchange.requestWritten && !extraBytes && !(call.details?.saysClose ?? false)
            && head.closeReason == nil && mayBeReused
        currentCall = nil
        clearDeadline()
        if call.pausedReading {
            // The reader was full when the last bytes came: an idle connection is watched.
            call.pausedReading = false
            stream?.setReading(true)
        }
        if let kept = leftover, kept.isEmpty {
            road.buffers.give(kept)
            leftover = nil
        }
        road.exchangeEnded(
            self, call, head, body: body, trailers: trailers, reusable: reusable)
    }

    /// Whether the call's exchange is under way here.
    func isCarrying(_ call: Call) -> Bool { currentCall?.with { $0 === call } ?? false }

    /// What would be lost if the connection broke now.
    var loss: Loss {
        Loss(
            onReusedConnection: hasRested,
            nothingWritten: !exchange.anythingWritten && exchange.uploaded == 0,
            nothingReceived: !exchange.anythingReceived)
    }

    // MARK: Clocks

    /// Runs `clock` from now on; the call's total clock goes on beside it.
    func run(_ clock: ClockName, of call: Call) {
        let clocks = call.clocks.clocks
        exchange.clock = clock
        let nanoseconds =
            switch clock {
            case .queue: clocks.queue
            case .dns: clocks.dns
            case .connect: clocks.connect
            case .tls: clocks.tls
            case .writeIdle: clocks.writeIdle
            case .firstByte: clocks.firstByte
            case .readIdle: clocks.readIdle
            case .total: clocks.total
            }
        exchange.clockEnd = reactor.now.after(nanoseconds)
        setDeadline(min(exchange.clockEnd, call.totalDeadline))
    }

    /// The exchange has another caller, with another total clock; its own clock goes on.
    func goOn(for call: Call) {
        setDeadline(min(exchange.clockEnd, call.totalDeadline))
    }

    /// No clock against the peer: it is our side that is slow. The total clock goes on.
    func runTotalOnly(of call: Call) {
        exchange.clock = .total
        exchange.clockEnd = .farFuture
        setDeadline(call.totalDeadline)
    }

    func exchangeTimedOut() {
        guard let call = current else { return }
        if call.totalDeadline <= reactor.now {
            road.withdraw(call, .timedOut(.total))
        } else {
            road.exchangeFailed(self, .timedOut(exchange.clock))
        }
    }
}
