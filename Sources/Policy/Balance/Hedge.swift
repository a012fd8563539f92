// Hedging (Dean, Barroso 2013): a safe request that takes unusually long is asked a second time,
// and the first answer counts. The life of one hedged request as a value; reads no clock.

package import FetchTime

/// When a request is asked a second time.
public struct HedgeRules: Sendable, Hashable {
    /// After so many of a hundred responses would have come. Default 95.
    public var percentile: Double
    /// Never earlier than this. Default 10 ms.
    public var minDelay: Duration
    /// Never while fewer responses of the origin are known. Default 20.
    public var minSamples: Int

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
        return minSamples < 1 ? InvalidSetting("minSamples", "must be 1 or more") : nil
    }

    /// How long after its dispatch a request is asked once more, in nanoseconds; nil when never:
    /// only safe methods (RFC 9110 §9.2.1) without a body that could be sent once only.
    package func delay(
        isSafe: Bool, isReplayable: Bool, _ latencies: LatencyEstimator
    ) -> Int64? {
        guard isSafe, isReplayable, latencies.samples >= minSamples,
            let usual = latencies.nanoseconds(percentile: percentile)
        else { return nil }
        return max(usual, minDelay.saturatingNanoseconds)
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
