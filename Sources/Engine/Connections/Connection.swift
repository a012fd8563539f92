// One HTTP/1.1 connection (RFC 9112 §9): from its dial over the exchanges it carries to its end.
// Owned by the pool; reactor thread. The stream tells it of events; it tells the road of what they
// mean. What happens between a request's first and a response's last byte is in `Exchange.swift`.
//
// Time: a connection has one entry on the wheel. `deadline` moves with every phase, and mostly
// away; the entry is only touched when the deadline comes nearer, and looks again when it fires.
// A keep-alive exchange therefore costs no wheel operation at all.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
internal import FetchTLS
internal import FetchTime
internal import FetchTransport

final class Connection: TimerHandler, DialHandler, HandshakeHandler, ByteStreamHandler {
    enum State: Equatable {
        /// Can transition to `active` and `closed`.
        case connecting
        /// Carries an exchange, or is about to. Can transition to `idle` and `closed`.
        case active
        /// Watched: any event closes it. Can transition to `active` and `closed`.
        case idle
        /// Final.
        case closed
    }

    let id: ConnectionID
    let record: OriginRecord
    let road: Road
    let reactor: Reactor
    private(set) var state = State.connecting
    private var dial: Dial?
    var stream: (any ByteStream)?
    private(set) var peer: SocketAddress?
    /// The call for which it is being opened.
    var intended: Call?
    /// Exchanges begun on it.
    var uses = 0
    /// It was idle before, if only between its opening and its first use.
    private(set) var hasRested = false
    private let openedAt: Instant
    /// How long the name and the connecting took.
    private(set) var dialTimes = DialTimes()
    /// How far the dial has come, or had when it failed: `dns`, `connect` or `tls`.
    private(set) var dialPhase = CallPhase.dns
    private var clocks: SharedClocks
    /// The handshake that is under way over the dialled stream.
    private var securing: TLSStream?
    private var securingSince = Instant(nanoseconds: 0)
    private(set) var tlsNanoseconds: Int64 = 0

    // The exchange under way, and whose it is; see Exchange.swift.
    var exchange = Exchange()
    var currentCall: Uncounted<Call>?
    var current: Call? { currentCall?.object }
    @ThreadBound var parser: ResponseParser
    // The road's own, shared by all connections.
    let encoder: RequestEncoder
    let inputBuffer: ByteBuffer
    let outputBuffer: ByteBuffer
    /// Bytes of an incomplete head or chunk line.
    var leftover: ByteBuffer?
    /// What the kernel has not yet taken of the request.
    var output: ByteBuffer?
    /// What a write met; nothing is sent any more, and the connection ends with its exchange.
    var brokenBy: SystemError?

    private var deadline = Instant.farFuture
    private var timer: TimerID?
    private var timerAt = Instant.farFuture

    init(_ id: ConnectionID, _ record: OriginRecord, road: Road, for call: Call) {
        self.id = id
        self.record = record
        self.road = road
        reactor = road.reactor
        intended = call
        openedAt = reactor.now
        clocks = call.clocks
        encoder = road.encoder
        inputBuffer = road.inputBuffer
        outputBuffer = road.outputBuffer
        parser = ResponseParser(limits: road.settings.parserLimits)
    }

    deinit {
        _parser.deallocate()
    }

    /// Begins to connect. The outcome is told to the road, never before this returns.
    func open(_ destination: Destination) {
        let dial = road.dialer.dial(destination, handler: self)
        self.dial = dial
        dialPhase = dial.isResolving ? .dns : .connect
        restartClock(clocks)
    }

    /// The clock of the phase begins anew, as these clocks say.
    func restartClock(_ clocks: SharedClocks) {
        self.clocks = clocks
        let nanoseconds =
            switch dialPhase {
            case .dns: clocks.clocks.dns
            case .tls: clocks.clocks.tls
            default: clocks.clocks.connect
            }
        setDeadline(reactor.now.after(nanoseconds))
    }

    private var clockOfPhase: ClockName {
        switch dialPhase {
        case .dns: .dns
        case .tls: .tls
        default: .connect
        }
    }

    private func enter(_ phase: CallPhase) {
        dialPhase = phase
        if let intended { intended.lastPhase = phase }
        restartClock(clocks)
    }

    func dialResolved() {
        enter(.connect)
    }

    func dialConnected(_ stream: any ByteStream, _ times: DialTimes) {
        dial = nil
        dialTimes = times
        if record.target.isSecure { secure(stream) } else { stands(stream) }
    }

    private func secure(_ stream: any ByteStream) {
        enter(.tls)
        securingSince = reactor.now
        do throws(TLSFailure) {
            let context = try road.tlsContext(of: record)
            securing = road.connector.secure(
                stream, with: context, host: record.target.host, port: record.target.port,
                handler: self)
        } catch {
            stream.close()
            road.connectFailed(self, .handshake(.tls(error)))
        }
    }

    func handshakeDone(_ stream: TLSStream) {
        securing = nil
        tlsNanoseconds = reactor.now.nanoseconds(since: securingSince)
        road.counters.tlsHandshakes += 1
        if stream.tls?.isResumed ?? false { road.counters.tlsResumptions += 1 }
        road.eventBegan()
        stands(stream)
        road.eventEnded()
    }

    func handshakeFailed(_ failure: HandshakeFailure) {
        securing = nil
        road.connectFailed(self, .handshake(failure))
    }

    /// Requests can be sent.
    private func stands(_ stream: any ByteStream) {
        self.stream = stream
        peer = stream.peer
        stream.handler = self
        state = .active
        clearDeadline()
        road.connected(self)
    }

    func dialFailed(_ error: ConnectError, _ times: DialTimes) {
        dial = nil
        dialTimes = times
        road.connectFailed(self, .connect(error))
    }

    /// Not used while a stream is being dialled: the dial listens then.
    func streamConnected() {}
    func streamFailed(_ error: ConnectFailure) {}

    func streamReady(_ readiness: Readiness) {
        switch state {
        case .active:
            road.eventBegan()
            exchangeReady(readiness)
            road.eventEnded()
        case .idle:
            // TLS has words of its own between two exchanges: new session tickets, new keys.
            if stream?.isQuiet() ?? false { return }
            // The end, an error or bytes that nobody asked for: whichever, it is of no more use,
            // and what came must never be taken for the next response.
            road.idleEnded(self)
        case .connecting, .closed:
            break
        }
    }

    /// One read without waiting, just before an idle connection is used again: what came behind
    /// the last response must never be taken for the next one, however short the time between.
    func isAliveBeforeUse() -> Bool {
        stream?.isQuiet() ?? false
    }

    /// Whether, after this exchange, it may carry another by its age and uses.
    var mayBeReused: Bool {
        let limits = road.settings.pool
        if let most = limits.usesPerConnection, uses >= most { return false }
        return reactor.now < endOfLife
    }

    /// When it is too old to be used again.
    var endOfLife: Instant { road.settings.pool.lifetime.map { openedAt.after($0) } ?? .farFuture }

    func used() {
        state = .active
    }

    /// Its call has another connection; this one will be kept for who comes next.
    func forget(_ call: Call) {
        if intended === call { intended = nil }
    }

    /// Rests until it is used again or `expiry` has come.
    func rest(until expiry: Instant) {
        state = .idle
        hasRested = true
        setDeadline(expiry)
    }

    /// Ends it at once. Idempotent; the road hears nothing of it.
    func close(resetting: Bool = false) {
        guard state != .closed else { return }
        state = .closed
        dial?.cancel()
        dial = nil
        securing?.close()
        securing = nil
        if resetting { stream?.reset() } else { stream?.close() }
        stream = nil
        intended = nil
        if let timer { reactor.cancel(timer) }
        timer = nil
        if let leftover { road.buffers.give(leftover) }
        leftover = nil
        if let output { road.buffers.give(output) }
        output = nil
        exchange = Exchange()
        currentCall = nil
    }

    // MARK: Time

    func setDeadline(_ instant: Instant) {
        deadline = instant
        if instant < timerAt { arm() }
    }

    func clearDeadline() {
        deadline = .farFuture
    }

    private func arm() {
        if let timer { reactor.cancel(timer) }
        timer = reactor.schedule(self, token: 0, at: deadline)
        timerAt = deadline
    }

    func timerFired(_ token: Int) {
        timer = nil
        timerAt = .farFuture
        guard state != .closed else { return }
        guard deadline <= reactor.now else {
            if deadline != .farFuture { arm() }
            return
        }
        switch state {
        case .connecting:
            road.connectFailed(self, .timedOut(clockOfPhase))
        case .active: exchangeTimedOut()
        case .idle: road.idleEnded(self)
        case .closed: break
        }
    }
}
