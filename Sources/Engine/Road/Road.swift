// The road of a request, from the call to the answer. This file is the essay: read it first.
//
// A call comes in validated. It finds its origin's record, and from then on its life is decided by
// its `Attempt`, a value that knows no socket and no clock, and obeyed here:
//
//     wait      a connection is wanted. `admit` finds one: an idle one is taken at once; a new one
//               is dialled where the caps leave room; else the call stands in its origin's line.
//     proceed   the exchange runs. Its connection reports one of three ends (`Road+Events.swift`):
//               a response, a loss that the attempt may answer with another `wait`, or a failure.
//     answer    the caller gets the response,
//     fail      or what failed last.
//
// Nothing here awaits. Every event of the network, every timer and every call enters from the
// reactor's thread, changes what is known, and lets `follow` go on. Two things happen later in the
// same turn instead of at once, so that no event handler is ever re-entered while it runs: who
// waits is served (`Road+Settling.swift`), and callers' callbacks are run.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime
internal import FetchTransport

final class Road {
    let reactor: Reactor
    let dialer: Dialer
    let connector: TLSConnector
    let settings: EngineSettings
    let defaults: CallDefaults
    let encoder: RequestEncoder
    let pool: Pool
    let policies: ClientPolicies
    /// Stored responses; nil where the client keeps none.
    var cache: ClientCache? { didSet { lentCache = cache.map { Uncounted($0) } } }
    private(set) var lentCache: Uncounted<ClientCache>?
    @ThreadBound var calls: CallTable
    @ThreadBound var origins = OriginTable()
    var counters = Counters()
    var isClosed = false
    /// Nobody runs anything on this thread any more.
    var reactorHasEnded = false

    // Shared by all connections, each empty between two events.
    let inputBuffer: ByteBuffer
    let outputBuffer: ByteBuffer
    let uploadBuffer: ByteBuffer
    /// For what outlives an event: incomplete heads, unsent requests.
    let buffers = ByteBufferPool(capacityEach: 4096, mostKept: 64)

    /// Who waits for what; see Road+Settling.swift.
    @ThreadBound var lines = Lines()
    /// Who is told of calls without a continuation or stream of their own.
    var receiver: (any CallReceiver)?
    /// The ended calls of which it is to be told: the first `endedCount`. The table keeps them.
    @ThreadBound private var ended: [Uncounted<Call>] = []
    private var endedCount = 0
    /// Somebody will run them: the event that is under way, or an action of this turn.
    private var callbacksAreDue = false
    /// Told when the last call has ended; set by a shutdown that waits for that.
    var whenQuiet: (() -> Void)?

    init(reactor: Reactor, network: any Network, settings: EngineSettings) {
        self.reactor = reactor
        self.settings = settings
        dialer = Dialer(
            reactor: reactor, network: network,
            names: Names(settings.names, hosts: settings.hosts, reactor: reactor),
            policy: settings.addressPolicy, delays: settings.raceDelays,
            memory: settings.addressMemory)
        connector = TLSConnector(on: reactor)
        encoder = settings.encoder
        pool = Pool(limits: settings.pool)
        policies = ClientPolicies(settings.policies)
        calls = CallTable(settings.calls)
        defaults = settings.calls
        inputBuffer = ByteBuffer(capacity: settings.bytesPerRead)
        outputBuffer = ByteBuffer(capacity: 16 << 10)
        uploadBuffer = ByteBuffer(capacity: settings.uploadPiece)
    }

    deinit {
        _calls.deallocate()
        _origins.deallocate()
        _lines.deallocate()
        _ended.deallocate()
    }

    // MARK: The road

    /// Sets a call on its way.
    ///
    /// - Parameter isMissed: a glance has told that nothing is stored for it.
    func start(
        _ call: Call, _ target: consuming Target, _ details: consuming CallDetails?,
        isMissed: Bool = false
    ) {
        counters.callsStarted += 1
        // The caller may have computed for long, or be a host between turns: its clocks begin now.
        reactor.refreshNow()
        let refused = isClosed || call.isCancelledEarly
        if !refused { call.record = record(for: target, tls: details?.tls) }
        call.take(target, details, defaults)
        call.times.started = reactor.now
        call.totalDeadline = call.times.started.after(call.clocks.clocks.total)
        call.attempt = Attempt(
            isIdempotent: call.method.isIdempotent,
            isReplayable: !call.hasContent || call.content.isReplayable,
            retriesReuseRace: settings.retriesReuseRace, stages: stages(of: call, isMissed))
        if call.record != nil {
            if call.hasContent, !watchUpload(of: call) { return }
            followHere(call)
        } else if refused {
            fail(call, call.isCancelledEarly ? .cancelled : .clientClosed)
        } else {
            fail(call, .tooManyOrigins(limit: settings.trackedOrigins))
        }
    }

    /// The stages that the call passes, by what is switched on.
    @inline(__always)
    private func stages(of call: Call, _ isMissed: Bool) -> Stages {
        if !policies.areOn, call.details == nil, cache == nil { return [] }
        return stagesOfPolicies(call, isMissed)
    }

    @inline(never)
    private func stagesOfPolicies(_ call: Call, _ isMissed: Bool) -> Stages {
        guard call.record != nil else { return [] }
        var stages: Stages = []
        if cache != nil, looksUp(call, isMissed) { stages.insert(.lookUp) }
        if call.record?.lentPolicies == nil, policies.areOn || call.details?.policy != nil {
            call.record.map { equip($0) }
        }
        guard let origin = call.record?.lentPolicies else { return stages }
        call.hasCourse = true
        call.course.origin = origin
        if call.details == nil, !call.isStreamed, !policies.spread {
            return stages.union(origin.with { $0.plainStages })
        }
        if mayJoin(call) { stages.insert(.joining) }
        if origin.with({ $0.hasBreaker || $0.balance != nil }) { stages.insert(.breaker) }
        return stages
    }

    /// A producer that fails ends its call at once, wherever that stands; false if it has failed
    /// already.
    private func watchUpload(of call: Call) -> Bool {
        guard case .pipe(let pipe) = call.content else { return true }
        if let error = pipe.value.failure {
            fail(call, .uploadFailed(error))
            return false
        }
        // A cycle, until the call's end stops the upload.
        pipe.value.whenFailed = { [self] error in withdraw(call, .uploadFailed(error)) }
        return true
    }

    /// Does what the call's attempt says, until it is time to wait for an event.
    func follow(_ call: Call) { followHere(call) }

    /// The same, for the two places that every call comes by: there it is part of what calls it.
    @inline(__always)
    func followHere(_ call: Call) {
        while true {
            switch call.attempt.next() {
            case .lookUp:
                guard lookUp(call) else { return }
            case .join:
                join(call)
            case .askBreaker:
                askBreaker(call)
            case .wait(let fresh):
                guard let connection = admit(call, fresh: fresh) else { return }
                dispatch(call, on: connection)
            case .backOff:
                wait(call, until: call.attempt.nextBegins)
                return
            case .proceed:
                return
            case .answer:
                end(call, nil)
                return
            case .fail:
                end(call, failure(of: call))
                return
            }
        }
    }

    /// Finds a connection for the call now, or lets it stand in its origin's line.
    private func admit(_ call: Call, fresh: Bool) -> Connection? {
        guard let record = call.record else { return nil }
        // Room that came free in this turn is theirs who wait for it.
        let mustWait = !record.waiting.isEmpty
        // Whoever waits already comes first, and where more is wanted than a connection, whoever
        // waits may want just that.
        if record.isUnsettled || (mustWait && record.policies != nil) {
            wait(call, record)
            return nil
        }
        while true {
            switch pool.capacity(for: record, fresh: fresh, now: reactor.now) {
            case .reuse(let id):
                guard let connection = quiet(id) else { continue }
                guard goes(call, record) else { return nil }
                pool.reuse(connection)
                return connection
            case .open where mustWait, .evictThenOpen where mustWait:
                wait(call, record)
                return nil
            case .open:
                if goes(call, record) { dial(call, record) }
                return nil
            case .evictThenOpen(let id):
                guard goes(call, record) else { return nil }
                if let idle = pool[id] { idleEnded(idle) }
                dial(call, record)
                return nil
            case .originFull:
                wait(call, record)
                return nil
            case .clientFull:
                lines.starve(record)
                wait(call, record)
                return nil
            }
        }
    }

    /// Whether the call has all it needs beside the connection; else it waits, or has ended.
    @inline(__always)
    private func goes(_ call: Call, _ record: OriginRecord) -> Bool {
        if record.policies == nil { return true }
        switch passage(of: call, record) {
        case .free: return true
        case .ended: return false
        case .notYet:
            wait(call, record)
            return false
        }
    }

    /// The idle connection, if one read finds it quiet; else it is closed, and nil.
    func quiet(_ id: ConnectionID) -> Connection? {
        guard let connection = pool[id] else { return nil }
        guard connection.isAliveBeforeUse() else {
            close(connection)
            return nil
        }
        return connection
    }

    /// Opens a connection for the call, which stands among its origin's dialling ones until then.
    @inline(never)
    func dial(_ call: Call, _ record: OriginRecord) {
        let connection = pool.open(record, road: self, for: call)
        counters.connectionsOpened += 1
        stand(call, record, dialing: true)
        call.connection = connection.id
        connection.open(destination(of: record))
        call.lastPhase = connection.dialPhase
    }

    /// Puts the request on the wire.
    func dispatch(_ call: Call, on connection: Connection) {
        counters.exchanges += 1
        if connection.uses > 0 { counters.reuses += 1 }
        call.attempt.dispatched()
        if call.cacheUse != .none { call.sentAt = reactor.now }
        if call.hasCourse { flightSent(call) }
        if policies.hedges { hedgeLater(call) }
        connection.start(call)
    }

    // MARK: Ends

    /// Ends the call with a failure that no retry mends.
    func fail(_ call: Call, _ error: CallError) {
        call.lastError = error
        if call.cacheUse != .looked || !standsIn(for: error, call) { call.attempt.failed() }
        follow(call)
    }

    /// The call leaves the road, and its caller is told: a continuation only makes its task
    /// runnable and is resumed at once; a callback is the caller's code and waits for the end of
    /// the event.
    func end(_ call: Call, _ failure: CallFailure?) {
        if call.standsInLine { leaveLine(call) }
        if call.hasCourse, endCourse(call, failure) { return }
        if call.hasContent { call.content.stop() }
        counters.callEnded(failure)
        if let record = call.record.take() {
            record.calls -= 1
            forgetIfUnused(record)
        }
        if call.hasReceiver {
            call.isLive = false
            call.failure = failure
            if endedCount == ended.count {
                ended.append(Uncounted(call))
            } else {
                ended[endedCount] = Uncounted(call)
            }
            endedCount += 1
            if !callbacksAreDue { callbacksLater() }
            return
        }
        let receiver = call.streamReceiver
        // The table drops the call first: nobody else can resume its continuation.
        let continuation = unsafe call.continuation
        let response = call.response
        calls.close(call)
        if let failure {
            receiver?.callFailed(failure)
            unsafe continuation?.resume(throwing: failure)
        } else if let response {
            unsafe continuation?.resume(returning: response)
        }
        quietIfDone()
    }

    private func quietIfDone() {
        if calls.live == 0, let quiet = whenQuiet {
            whenQuiet = nil
            quiet()
        }
    }

    /// Receivers of calls that end in an event are told when it is over, one event at a time: what
    /// one call leaves behind is then still warm for the next.
    func eventBegan() { callbacksAreDue = true }

    func eventEnded() {
        runCallbacks()
        callbacksAreDue = false
    }

    /// Outside an event, callers are told later in the turn.
    private func callbacksLater() {
        callbacksAreDue = true
        reactor.enqueue { [self] in eventEnded() }
    }

    private func runCallbacks() {
        var next = 0
        // A callback may end further calls; they are told behind it.
        while next < endedCount {
            let call = ended[next]
            next += 1
            call.with { tell($0) }
        }
        endedCount = 0
        if next > 0 { quietIfDone() }
    }

    /// Frees the call for the next one, then tells its caller.
    private func tell(_ call: Call) {
        let id = call.id
        if let response = call.response.take() {
            calls.close(call)
            receiver?.callEnded(id, response)
        } else if let failure = call.failure.take() {
            calls.close(call)
            receiver?.callFailed(id, failure)
        }
    }
}
