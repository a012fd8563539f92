// One request on its way: what was asked, where it stands, and who is told. Owned by the call
// table, which uses the object again when the call is over; reactor thread.
//
// References are moved, not copied, wherever a call hands one on (`take`): counting one costs 40
// instructions, and a request has few enough of them.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime
internal import FetchTransport

@safe final class Call {
    private(set) var slot: UInt32
    var generation: UInt32 = 0

    // The plan.
    private(set) var target: Target? { didSet { lentTarget = target.map { Uncounted($0) } } }
    /// The same, not counted: the call keeps it.
    private(set) var lentTarget: Uncounted<Target>?
    private(set) var details: CallDetails?
    private(set) var clocks: SharedClocks
    private(set) var bodyLimit = 0

    // Who is told: exactly one of these.
    private(set) var continuation: UnsafeContinuation<WholeResponse, any Error>?
    private(set) var streamReceiver: (any StreamReceiver)?
    @ThreadBound var attempt = Attempt(
        isIdempotent: true, isReplayable: true, retriesReuseRace: true)
    var times = CallTimes()
    var totalDeadline = Instant.farFuture

    // Where it stands: in a line of its origin's record, or on a connection.
    var record: OriginRecord?
    /// Among those for whom a connection is opened.
    var dialingPlace: WaitingTicket?
    /// Among those who wait for what they need.
    var waitingPlace: PriorityTicket?
    var standsInLine: Bool { dialingPlace != nil || waitingPlace != nil }
    /// What the policies know of it; touched only where its origin has policies.
    var course: CallCourse {
        // The box lives as long as the call.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(lentCourse.address) }
        @inline(__always) unsafeMutableAddress { unsafe lentCourse.address }
    }
    private var madeCourse: ThreadBound<CallCourse>?
    /// What it has to do with the client's cache, where that is more than a miss.
    var caching: CallCaching?
    /// When its request was sent; known where it has to do with the cache.
    var sentAt = Instant(nanoseconds: 0)
    /// The connection that carries it or is being opened for it.
    var connection: ConnectionID?
    /// Until when it may stand in the line for room.
    var lineEnd = Instant.farFuture
    /// While it stands in a line, follows another or backs off.
    var timer: TimerID?
    /// What failed last, for when the attempt gives up.
    var lastError: CallError?
    var lost: [LostAttempt] = []
    /// Attempts that were lost, those included that `lost` no longer holds.
    var lostCount = 0

    // What has come of the response.
    var head: ResponseHead?
    @ThreadBound var body: [UInt8] = []
    // The end: one of these.
    var response: WholeResponse?
    var failure: CallFailure?
    var peer: SocketAddress?

    // Small ones, side by side: each would take a word between larger ones, and calls are many.
    /// Between `open` and its end.
    var isLive = false
    /// The plan is there: the call is on its road.
    var isStarted = false
    /// The caller gave up before the call was started.
    var isCancelledEarly = false
    private var hasOwnClocks = false
    /// Whether anything is sent behind the head.
    private(set) var hasContent = false
    /// Whether the client's receiver is told.
    private(set) var hasReceiver = false
    /// Whether the body goes to a receiver piece by piece.
    private(set) var isStreamed = false
    /// Whether the policies know of it.
    var hasCourse = false
    /// What it has to do with the client's cache.
    var cacheUse = CacheUse.none
    /// Follows another or backs off, and is counted among those.
    var isOnHold = false
    var lastPhase = CallPhase.none
    var pausedReading = false
    var abandoned = false

    init(slot: UInt32, _ defaults: CallDefaults) {
        self.slot = slot
        clocks = defaults.clocks
    }

    deinit {
        _attempt.deallocate()
        madeCourse?.deallocate()
        _body.deallocate()
    }

    /// The same, for whoever looks at it several times. Made when it is first wanted: where no
    /// policy is on, thousands of calls have none.
    @inline(__always) var lentCourse: ThreadBound<CallCourse> { madeCourse ?? makeCourse() }

    @inline(never)
    private func makeCourse() -> ThreadBound<CallCourse> {
        let made = ThreadBound(wrappedValue: CallCourse())
        madeCourse = made
        return made
    }

    var id: CallID { CallID(slot: slot, generation: generation) }

    var method: Method { details?.method ?? .get }

    /// What is sent behind the head.
    var content: RequestContent { details?.content ?? .none }

    /// Takes over what is asked.
    func take(
        _ target: consuming Target, _ details: consuming CallDetails?, _ defaults: CallDefaults
    ) {
        isStarted = true
        self.target = target
        if let asked = details {
            hasContent = asked.length != .none
            clocks = asked.clocks
            hasOwnClocks = true
            bodyLimit = asked.bodyLimit
            self.details = asked
        } else {
            if hasOwnClocks { clocks = defaults.clocks }
            hasOwnClocks = false
            bodyLimit = defaults.bodyLimit
        }
    }

    /// Takes over who is to be told.
    func take(_ completion: consuming Completion) {
        switch consume completion {
        case .receiver: hasReceiver = true
        // Resumed once, where the call ends.
        case .continuation(let continuation): unsafe self.continuation = continuation
        case .stream(let receiver):
            streamReceiver = receiver
            isStreamed = true
        }
    }

    /// Asks the same as another call, under its clocks and for nobody.
    func take(sameAs call: Call, _ target: Target, _ defaults: CallDefaults) {
        take(target, call.details, defaults)
        bodyLimit = call.bodyLimit
        totalDeadline = call.totalDeadline
        times.started = call.times.started
    }

    /// Whether only a connection never used before will do.
    var wantsFresh: Bool { attempt.next() == .wait(fresh: true) }

    /// Whoever asked for this call is told of the other one, and the other way round.
    func exchangeCaller(with other: Call) {
        // Not with `swap`: two accesses at once would be checked for exclusivity, and from then on
        // every other access to the same properties too.
        (slot, other.slot) = (other.slot, slot)
        (generation, other.generation) = (other.generation, generation)
        (hasReceiver, other.hasReceiver) = (other.hasReceiver, hasReceiver)
        // Each is still resumed once, by the call that has it.
        unsafe (continuation, other.continuation) = (other.continuation, continuation)
        (totalDeadline, other.totalDeadline) = (other.totalDeadline, totalDeadline)
        (streamReceiver, other.streamReceiver) = (other.streamReceiver, streamReceiver)
        (isStreamed, other.isStreamed) = (other.isStreamed, isStreamed)
        (bodyLimit, other.bodyLimit) = (other.bodyLimit, bodyLimit)
        (times.started, other.times.started) = (other.times.started, times.started)
    }

    /// Another request than its caller's goes out: with conditions of the cache's.
    func send(_ details: CallDetails) { self.details = details }

    /// The target, which the call needs no more.
    func takeTarget() -> Target? { target.take() }

    /// All of the body, and the call keeps nothing of it.
    func takeBody() -> Bytes {
        guard !body.isEmpty else { return Bytes() }
        var taken: [UInt8] = []
        swap(&taken, &body)
        return Bytes(taken)
    }

    /// What came of an answer that nobody wants.
    func dropBody() { body = [] }

    /// Keeps body bytes of a whole-body call; false when they would be more than its limit.
    func collect(_ bytes: Span<UInt8>) -> Bool {
        guard body.count + bytes.count <= bodyLimit else { return false }
        if body.isEmpty, case .length(let length) = head?.framing {
            // A peer's promise reserves a mebibyte at most; more is paid for as it comes.
            body.reserveCapacity(min(length, 1 << 20))
        }
        body.append(copying: bytes)
        return true
    }

    /// Lets go of everything, so that the object can serve another call.
    func clear() {
        generation &+= 1
        isLive = false
        isStarted = false
        isCancelledEarly = false
        // It was resumed before the call was closed.
        unsafe continuation = nil
        connection = nil
        dialingPlace = nil
        waitingPlace = nil
        timer = nil
        isOnHold = false
        if hasCourse { course.reset() }
        hasCourse = false
        cacheUse = .none
        isStreamed = false
        hasReceiver = false
        hasContent = false
        pausedReading = false
        abandoned = false
        lastPhase = .none
        peer = nil
        times.dnsNanoseconds = 0
        times.tlsNanoseconds = 0
        times.connectNanoseconds = 0
        totalDeadline = .farFuture
        // Asking first is cheaper than releasing nothing.
        if target != nil { target = nil }
        if details != nil { details = nil }
        if streamReceiver != nil { streamReceiver = nil }
        if record != nil { record = nil }
        if caching != nil { caching = nil }
        if lastError != nil { lastError = nil }
        if !lost.isEmpty { lost = [] }
        lostCount = 0
        if head != nil { head = nil }
        if !body.isEmpty { body = [] }
        if response != nil { response = nil }
        if failure != nil { failure = nil }
    }
}
