// Hedging (Dean, Barroso 2013): a safe request that takes unusually long is asked a second time,
// and the first answer counts. The life of one hedged request as a value; reads no clock.

package import FetchTime

/// When a safe request (RFC 9110 §9.2.1) that is not answered is asked a second time.
///
/// The first usable answer is the call's; the other exchange is cancelled in the same turn. One
/// second exchange a call, and each is paid for like a retry: no more than the origin's
/// ``RetryAllowance`` bears.
public struct HedgeRules: Sendable, Hashable {
    /// After so long, whatever the origin's latencies; nil, the default, to go by them.
    public var fixedDelay: Duration?
    /// After so many of a hundred of the origin's recent responses would have come. Default 95.
    public var percentile: Double
    /// Never earlier than this. Default 10 ms.
    public var minDelay: Duration
    /// Never while fewer responses of the origin are known. Default 20.
    public var minSamples: Int

    /// Rules that ask again after this time.
    public static func after(_ delay: Duration) -> HedgeRules {
        var rules = HedgeRules()
        rules.fixedDelay = delay
        return rules
    }

    /// Rules of these values.
    public init(
        percentile: Double = 95, minDelay: Duration = .milliseconds(10), minSamples: Int = 20
    ) {
        self.percentile = percentile
        self.minDelay = minDelay
        self.minSamples = minSamples
    }

    package var invalidSetting: InvalidSetting? {
        if !(percentile > 0 && percentile < 100) {
            return InvalidSetting("percentile", "must be between 0 and 100")
        }
        if minDelay < .zero { return InvalidSetting("minDelay", "must not be negative") }
        if let fixedDelay, fixedDelay <= .zero {
            return InvalidSetting("fixedDelay", "must be more than zero")
        }
        return minSamples < 1 ? InvalidSetting("minSamples", "must be 1 or more") : nil
    }

    /// How long after its dispatch a request is asked once more, in nanoseconds; nil when never:
    /// only safe methods (RFC 9110 §9.2.1) without a body that could be sent once only.
    package func delay(
        isSafe: Bool, isReplayable: Bool, _ latencies: LatencyEstimator
    ) -> Int64? {
        guard isSafe, isReplayable else { return nil }
        if let fixedDelay { return fixedDelay.saturatingNanoseconds }
        guard latencies.samples >= minSamples,
            let usual = latencies.nanoseconds(percentile: percentile)
        else { return nil }
        return max(usual, minDelay.saturatingNanoseconds)
    }
}

/// How long an origin takes to answer, and when a request to it is asked a second time: found anew
/// after every sixteenth answer, because finding it costs more than an answer's record. A value in
/// the origin's record.
package struct HedgeTiming: Sendable {
    private static var answersBetween: Int { 16 }
    /// What was learnt is worth its memory for so long after the last answer.
    private static var remembered: Int64 { 30_000_000_000 }

    private let rules: HedgeRules
    private var latencies = LatencyEstimator()
    private var known: Int64?
    private var answers = 0
    private var restsAt = Instant(nanoseconds: .min)

    package init(_ rules: HedgeRules) {
        self.rules = rules
        findDelay()
    }

    /// How long after its dispatch a safe, replayable request is asked once more, in nanoseconds;
    /// nil while too little is known.
    package var delay: Int64? { known }

    /// An answer's head came after so long; or none had come after so long, and none will.
    package mutating func record(nanoseconds: Int64, now: Instant) {
        latencies.record(nanoseconds: nanoseconds)
        restsAt = now.adding(nanoseconds: Self.remembered)
        answers += 1
        if known == nil || answers >= Self.answersBetween { findDelay() }
    }

    package func isAtRest(now: Instant) -> Bool { restsAt <= now }

    private mutating func findDelay() {
        answers = 0
        known = rules.delay(isSafe: true, isReplayable: true, latencies)
    }
}

/// The two exchanges of a hedged request.
package struct Hedge: Equatable, Sendable {
    package enum Exchange: Equatable, Sendable {
        case first
        case second
    }

    package enum State: Equatable, Sendable {
        /// The first is under way. Can transition to `both`, `alone` and `ended`.
        case first
        /// Both are under way. Can transition to `alone` and `ended`.
        case both
        /// One is under way, and no other will be. Can transition to `ended`.
        case alone(Exchange)
        /// Final.
        case ended
    }

    package enum Action: Equatable, Sendable {
        /// Nothing: what is under way goes on.
        case proceed
        /// Ask a second time.
        case sendSecond
        /// This one's answer is the call's; the other, if there is one, is cancelled.
        case answer(Exchange, cancel: Exchange?)
        /// Neither gave an answer: the attempt has failed as this one did, which failed last.
        case fail(Exchange)
        /// Whatever is under way is cancelled.
        case cancel([Exchange])
    }

    package private(set) var state: State = .first

    package init() {}

    /// The delay has passed without an answer. A second request is a retry of the origin's budget:
    /// where that is spent, the first one goes on alone.
    package mutating func delayPassed(
        _ allowance: RetryAllowance, _ budget: inout RetryBudget, now: Instant
    ) -> Action {
        switch state {
        case .first:
            guard budget.spend(allowance, now: now) else {
                state = .alone(.first)
                return .proceed
            }
            state = .both
            return .sendSecond
        case .both, .alone, .ended:
            return .proceed
        }
    }

    /// The head of an answer has come that is good enough to be the call's.
    package mutating func answered(_ exchange: Exchange) -> Action {
        switch state {
        case .first:
            guard exchange == .first else { return .proceed }
            state = .ended
            return .answer(.first, cancel: nil)
        case .both:
            state = .ended
            return .answer(exchange, cancel: exchange == .first ? .second : .first)
        case .alone(let only):
            guard exchange == only else { return .proceed }
            state = .ended
            return .answer(only, cancel: nil)
        case .ended:
            return .proceed
        }
    }

    /// An exchange has failed, or answered with what would be retried.
    package mutating func failed(_ exchange: Exchange) -> Action {
        switch state {
        case .first:
            guard exchange == .first else { return .proceed }
            state = .ended
            return .fail(.first)
        case .both:
            state = .alone(exchange == .first ? .second : .first)
            return .proceed
        case .alone(let only):
            guard exchange == only else { return .proceed }
            state = .ended
            return .fail(only)
        case .ended:
            return .proceed
        }
    }

    /// The call was cancelled or ran out of time.
    package mutating func cancelled() -> Action {
        defer { state = .ended }
        return switch state {
        case .first: .cancel([.first])
        case .both: .cancel([.first, .second])
        case .alone(let only): .cancel([only])
        case .ended: .proceed
        }
    }
}
