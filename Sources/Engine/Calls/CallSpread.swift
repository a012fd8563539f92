// What is known of a call that may go to several endpoints or be asked twice, and of the origins of
// such calls. Reactor thread.

internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchTLS
internal import FetchTime

/// Of one call. An object, because most calls are neither.
final class CallSpread {
    /// The record of the origin that was asked for, where the call goes to an endpoint's. Counted
    /// there as long as it is known here.
    var name: OriginRecord?
    /// The endpoint of the attempt that is under way.
    var endpoint: Int?
    /// Those at which an attempt of the call has ended.
    var tried = EndpointSet()
    /// What is asked of the endpoint, where that has a name of its own.
    var target: Target?
    /// The pair of exchanges that it belongs to, or may.
    var hedge: CallHedge?
    /// Of the two exchanges, the one that has no caller.
    var isShadow = false
    /// It was asked twice once, and is not again.
    var wasHedged = false
}

/// An origin's several endpoints, as long as the client lives: who is next does not depend on who
/// remembers the origin.
final class Balance {
    let origin: BalancedOrigin
    var balancer: Balancer

    init(_ origin: BalancedOrigin) {
        self.origin = origin
        balancer = Balancer(origin.rule, weights: origin.endpoints.map(\.weight))
    }
}

/// The records of an origin's endpoints, beside its own.
final class OriginBalance {
    let shared: Balance
    /// As they were found last. One that the table has forgotten is found anew.
    var records: [OriginRecord?]
    /// How connections to endpoints are secured that keep the origin's name.
    var tls: TLSChoice?

    init(_ shared: Balance) {
        self.shared = shared
        records = Array(repeating: nil, count: shared.origin.targets.count)
    }
}

/// How long an origin takes to answer. An object, because it is half a kilobyte.
final class OriginHedging {
    var timing: HedgeTiming

    init(_ rules: HedgeRules) {
        timing = HedgeTiming(rules)
    }
}

/// A request's exchange that may get a second one beside it, and that one when it has. Each is a
/// call of the table; the caller belongs to one of them, and moves.
final class CallHedge: TimerHandler {
    private unowned let road: Road
    private var machine = Hedge()
    /// Sent first.
    let first: Call
    private(set) var second: Call?
    private let firstSent: Instant
    private var secondSent: Instant?
    private var timer: TimerID?

    init(_ first: Call, _ road: Road) {
        self.road = road
        self.first = first
        firstSent = road.reactor.now
    }

    var state: Hedge.State { machine.state }

    func arm(after nanoseconds: Int64) {
        timer = road.reactor.schedule(self, token: 0, at: road.reactor.now.after(nanoseconds))
    }

    func stopTimer() {
        if let timer { road.reactor.cancel(timer) }
        timer = nil
    }

    func timerFired(_ token: Int) {
        timer = nil
        road.hedgeIsDue(self)
    }

    /// Whether the budget bears a second exchange.
    func delayPassed(_ allowance: RetryAllowance, _ origin: OriginPolicies) -> Bool {
        let now = road.reactor.now
        return machine.delayPassed(allowance, &origin.budget, now: now) == .sendSecond
    }

    func began(_ second: Call) { self.second = second }

    func sent(_ call: Call) {
        if call === second { secondSent = road.reactor.now }
    }

    /// How long the call's exchange is under way; nil while it is not.
    func elapsed(_ call: Call) -> Int64? {
        let sent = call === first ? firstSent : secondSent
        return sent.map { road.reactor.now.nanoseconds(since: $0) }
    }

    /// The other exchange; nil where there is none.
    func other(than call: Call) -> Call? { call === first ? second : first }

    /// A usable answer has come. True when the other exchange is to be cancelled.
    func answered(_ call: Call) -> Bool {
        switch machine.answered(call === first ? .first : .second) {
        case .answer(_, .some): true
        case .answer(_, nil), .proceed, .sendSecond, .fail, .cancel: false
        }
    }

    /// An exchange has failed.
    func failed(_ call: Call) { _ = machine.failed(call === first ? .first : .second) }

    /// The call is over. True when the other exchange is to be cancelled.
    func cancelled() -> Bool {
        switch machine.cancelled() {
        case .cancel(let exchanges): exchanges.count == 2
        case .answer, .proceed, .sendSecond, .fail: false
        }
    }
}

extension Call {
    /// Whether it is the exchange of a pair that has no caller.
    var isShadow: Bool { course.spread?.isShadow ?? false }

    /// What is asked on the wire: the URL's authority, or that of an endpoint with its own.
    @inline(__always)
    var sentTarget: Uncounted<Target>? {
        if hasCourse, let other = course.spread?.target { return Uncounted(other) }
        return lentTarget
    }

    /// Made when it is first wanted.
    var spread: CallSpread {
        if let spread = course.spread { return spread }
        let spread = CallSpread()
        hasCourse = true
        course.spread = spread
        return spread
    }
}
