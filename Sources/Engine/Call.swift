// One request on its way: what was asked, where it stands, and who is told. Owned by the call
// table, which uses the object again when the call is over; reactor thread.

package import FetchBytes
package import FetchHTTP
package import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
package import FetchTime
package import FetchTransport

/// A call's name outside: slot and generation, two integers that any thread may hold.
package struct CallID: Hashable, Sendable {
    package let slot: UInt32
    package let generation: UInt32
}

/// What is asked. Validated before it gets here.
package struct CallPlan: Sendable {
    package let method: Method
    package let target: Target
    /// Nil for the many requests that are nothing but method and target.
    let extras: CallExtras?
    let clocks: SharedClocks
    /// The largest whole body that is accepted; ignored for a streamed one.
    let bodyLimit: Int

    /// The plan of a request without fields and content.
    package init(_ method: Method, _ target: Target, clocks: SharedClocks, bodyLimit: Int) {
        self.method = method
        self.target = target
        extras = nil
        self.clocks = clocks
        self.bodyLimit = bodyLimit
    }

    package init(
        head: RequestHead, content: RequestContent, clocks: SharedClocks, bodyLimit: Int
    ) {
        method = head.method
        target = head.target
        extras =
            head.headers.isEmpty && head.body == .none
            ? nil
            : CallExtras(
                headers: head.headers, length: head.body, saysClose: head.saysClose,
                content: content)
        self.clocks = clocks
        self.bodyLimit = bodyLimit
    }
}

/// What a request has beside method and target.
final class CallExtras: Sendable {
    let headers: Headers
    let length: RequestBodyLength
    /// `Connection: close` was asked for.
    let saysClose: Bool
    let content: RequestContent

    init(headers: Headers, length: RequestBodyLength, saysClose: Bool, content: RequestContent) {
        self.headers = headers
        self.length = length
        self.saysClose = saysClose
        self.content = content
    }
}

/// When things happened to a call, on the reactor's clock.
package struct CallTimes: Equatable, Sendable {
    package var started = Instant(nanoseconds: 0)
    /// How long finding the host's addresses took; zero where they were known, and on a connection
    /// that was used before.
    package var dnsNanoseconds: Int64 = 0
    /// How long connecting to them took; zero on a connection that was used before.
    package var connectNanoseconds: Int64 = 0
    package var firstByte = Instant(nanoseconds: 0)
    package var ended = Instant(nanoseconds: 0)

    package init() {}
}

/// A response with all of its body; for a streamed call, with none of it. An object for the same
/// reason as the plan.
package final class WholeResponse: Sendable {
    package let head: ResponseHead
    package let body: Bytes
    package let trailers: FieldSection?
    package let target: Target
    package let times: CallTimes
    package let dispatches: Int
    package let peer: SocketAddress?

    init(
        head: ResponseHead, body: Bytes, trailers: FieldSection?, target: Target,
        times: CallTimes, dispatches: Int, peer: SocketAddress?
    ) {
        self.head = head
        self.body = body
        self.trailers = trailers
        self.target = target
        self.times = times
        self.dispatches = dispatches
        self.peer = peer
    }
}

/// An attempt that failed and was followed by another.
package struct LostAttempt: Sendable {
    package let error: CallError
    package let phase: CallPhase
    package let elapsedNanoseconds: Int64
}

/// A failure with all that is known of it.
package final class CallFailure: Error {
    package let error: CallError
    package let phase: CallPhase
    package let method: Method
    package let target: Target?
    package let dispatches: Int
    /// The attempts before this one.
    package let lost: [LostAttempt]
    package let elapsedNanoseconds: Int64

    init(
        _ error: CallError, phase: CallPhase, method: Method, target: Target?, dispatches: Int,
        lost: [LostAttempt], elapsedNanoseconds: Int64
    ) {
        self.error = error
        self.phase = phase
        self.method = method
        self.target = target
        self.dispatches = dispatches
        self.lost = lost
        self.elapsedNanoseconds = elapsedNanoseconds
    }

    /// The caller's own doing, which is told as `CancellationError`.
    package var isCancellation: Bool {
        if case .cancelled = error { true } else { false }
    }
}

/// How far a call had come.
package enum CallPhase: String, Sendable, CaseIterable {
    case none, queue, dns, connect, tls, write
    case firstByte = "first-byte"
    case body
}

/// Who takes a response piece by piece. Its methods are called on the reactor thread and must not
/// call back into the engine.
package protocol StreamReceiver: AnyObject {
    func headArrived(_ response: WholeResponse)
    /// Takes body bytes; false asks the exchange to stop reading until `resume`.
    func bodyArrived(_ bytes: Bytes) -> Bool
    func bodyEnded(trailers: FieldSection?)
    func callFailed(_ failure: CallFailure)
}

/// Who is told of the end.
@safe package enum Completion {
    case callback((Result<WholeResponse, CallFailure>) -> Void)
    case continuation(UnsafeContinuation<WholeResponse, any Error>)
    case stream(any StreamReceiver)
}

@safe final class Call {
    let slot: UInt32
    var generation: UInt32 = 0
    /// Between `open` and its end.
    var isLive = false
    /// The caller gave up before the call was started.
    var isCancelledEarly = false

    // The plan.
    private(set) var method = Method.get
    private(set) var target: Target?
    private(set) var extras: CallExtras?
    private(set) var clocks = SharedClocks(Clocks())
    private(set) var bodyLimit = 0

    // Who is told: exactly one of these.
    private(set) var callback: ((Result<WholeResponse, CallFailure>) -> Void)?
    private(set) var continuation: UnsafeContinuation<WholeResponse, any Error>?
    private(set) var receiver: (any StreamReceiver)?
    let attempt = Cell(
        Attempt(isIdempotent: true, isReplayable: true, retriesReuseRace: true))
    var times = CallTimes()
    var totalDeadline = Instant.farFuture

    // Where it stands: in a line of its origin's record, or on a connection.
    var record: OriginRecord?
    var place: WaitingTicket?
    var isDialing = false
    var connection: Connection?
    /// While it stands in a line.
    var timer: TimerID?
    /// What failed last, for when the attempt gives up.
    var lastError: CallError?
    var lastPhase = CallPhase.none
    var lost: [LostAttempt] = []

    // What has come of the response.
    var head: ResponseHead?
    let body = Cell<[UInt8]>([])
    // The end: one of these.
    var response: WholeResponse?
    var failure: CallFailure?
    var peer: SocketAddress?
    var pausedReading = false
    var abandoned = false

    init(slot: UInt32) {
        self.slot = slot
    }

    var id: CallID { CallID(slot: slot, generation: generation) }

    /// What is sent behind the head.
    var content: RequestContent { extras?.content ?? .none }

    /// Whether anything is.
    var hasContent: Bool { extras.map { $0.length != .none } ?? false }

    /// Takes over who is to be told.
    func tell(_ completion: Completion) {
        switch completion {
        case .callback(let callback): self.callback = callback
        // Resumed once, where the call ends.
        case .continuation(let continuation): unsafe self.continuation = continuation
        case .stream(let receiver):
            self.receiver = receiver
            isStreamed = true
        }
    }

    /// Takes over what is asked.
    func take(_ plan: CallPlan) {
        method = plan.method
        target = plan.target
        if let asked = plan.extras { extras = asked }
        if clocks !== plan.clocks { clocks = plan.clocks }
        bodyLimit = plan.bodyLimit
    }

    /// Whether the body goes to a receiver piece by piece.
    var isStreamed = false

    /// Whether only a connection never used before will do.
    var wantsFresh: Bool { attempt.value.next() == .wait(fresh: true) }

    /// All of the body, and the call keeps nothing of it.
    func takeBody() -> Bytes {
        guard !body.value.isEmpty else { return Bytes() }
        var taken: [UInt8] = []
        swap(&taken, &body.value)
        return Bytes(taken)
    }

    /// Keeps body bytes of a whole-body call; false when they would be more than its limit.
    func collect(_ bytes: Span<UInt8>) -> Bool {
        guard body.value.count + bytes.count <= bodyLimit else { return false }
        if body.value.isEmpty, case .length(let length) = head?.framing {
            // A peer's promise reserves a mebibyte at most; more is paid for as it comes.
            body.value.reserveCapacity(min(length, 1 << 20))
        }
        body.value.append(copying: bytes)
        return true
    }

    /// Lets go of everything, so that the object can serve another call.
    func clear() {
        generation &+= 1
        isLive = false
        isCancelledEarly = false
        target = nil
        if extras != nil { extras = nil }
        callback = nil
        // It was resumed before the call was closed.
        unsafe continuation = nil
        receiver = nil
        failure = nil
        isStreamed = false
        record = nil
        place = nil
        isDialing = false
        connection = nil
        timer = nil
        lastError = nil
        lastPhase = .none
        if !lost.isEmpty { lost = [] }
        head = nil
        if !body.value.isEmpty { body.value = [] }
        response = nil
        peer = nil
        pausedReading = false
        abandoned = false
        times.dnsNanoseconds = 0
        times.connectNanoseconds = 0
        totalDeadline = .farFuture
    }
}

/// Calls by slot; a freed slot's object serves the next call.
struct CallTable {
    private var calls: [Call] = []
    private var free: [UInt32] = []
    private(set) var live = 0

    mutating func open() -> Call {
        live += 1
        let call: Call
        if let slot = free.popLast() {
            call = calls[Int(slot)]
        } else {
            call = Call(slot: UInt32(calls.count))
            calls.append(call)
        }
        call.isLive = true
        return call
    }

    mutating func close(_ call: Call) {
        live -= 1
        call.clear()
        free.append(call.slot)
    }

    /// Nil for a call that is over.
    subscript(id: CallID) -> Call? {
        guard id.slot < calls.count else { return nil }
        let call = calls[Int(id.slot)]
        return call.isLive && call.generation == id.generation ? call : nil
    }

    /// The call in that slot; nil for a free one.
    func live(at slot: Int) -> Call? {
        let call = calls[slot]
        return call.isLive ? call : nil
    }

    var liveCalls: [Call] { calls.filter(\.isLive) }
}
