// The rules by which calls are tried again. A value; any thread.

/// Which methods are tried again when the peer may have acted on the first attempt.
public enum RetryMethods: Sendable, Hashable {
    /// Those of RFC 9110 §9.2.2 (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) and QUERY, and any request
    /// with an Idempotency-Key.
    case idempotent
    /// These, by name, whatever they do.
    case only(Set<String>)
    /// Every one, POST and PATCH included: what is asked may be done twice.
    case all
}

/// What a Retry-After field does.
public enum RetryAfterRule: Sendable, Hashable {
    /// The next attempt comes no earlier than it says; a longer wait than this is not waited: the
    /// call ends with the response.
    case upTo(Duration)
    /// Nothing.
    case ignored
}

/// An exception from a policy for some outcomes.
public struct RetryRule: Sendable, Hashable {
    /// What the rule does.
    public enum Effect: Sendable, Hashable {
        /// The outcome is final.
        case giveUp
        /// The outcome is retried with a back-off and a number of attempts of its own.
        case retry(Backoff, maxAttempts: Int)
    }

    /// Responses that it is about.
    public var statuses: StatusSet
    /// Failures that it is about.
    public var causes: FailureCauses
    /// What it does.
    public var effect: Effect

    /// A rule for these statuses and causes.
    public init(statuses: StatusSet = [], causes: FailureCauses = [], _ effect: Effect) {
        self.statuses = statuses
        self.causes = causes
        self.effect = effect
    }

    func isAbout(_ outcome: AttemptOutcome) -> Bool {
        switch outcome {
        case .responded(let status, _): statuses.contains(status)
        case .failed(let cause): causes.contains(FailureCauses(cause))
        }
    }
}

/// When a call is tried again, and how long after.
///
/// One knob counts: ``maxAttempts``, the first one included. N retries are N + 1 attempts.
public struct RetryPolicy: RetryStrategy, Hashable {
    /// The most rules that a policy holds: 32.
    public static var mostRules: Int { 32 }

    /// Attempts in all, the first one included.
    public var maxAttempts: Int
    /// The delays between them.
    public var backoff: Backoff
    /// Responses that are tried again.
    public var statuses: StatusSet
    /// Failures that are tried again.
    public var causes: FailureCauses
    /// Methods that are tried again when the peer may have acted.
    public var methods: RetryMethods
    /// What a Retry-After field does.
    public var retryAfter: RetryAfterRule
    /// Exceptions, looked at in order: the first that is about an outcome decides.
    public var rules: [RetryRule]

    /// A policy of these values; the defaults are those of ``standard``.
    public init(
        maxAttempts: Int, backoff: Backoff = Backoff(), statuses: StatusSet = .transient,
        causes: FailureCauses = .transient, methods: RetryMethods = .idempotent,
        retryAfter: RetryAfterRule = .upTo(.seconds(60)), rules: [RetryRule] = []
    ) {
        self.maxAttempts = maxAttempts
        self.backoff = backoff
        self.statuses = statuses
        self.causes = causes
        self.methods = methods
        self.retryAfter = retryAfter
        self.rules = rules
    }

    /// A policy of that many attempts after the first.
    public init(maxRetries: Int, backoff: Backoff = Backoff()) {
        let (attempts, overflow) = maxRetries.addingReportingOverflow(1)
        self.init(maxAttempts: overflow ? .max : attempts, backoff: backoff)
    }

    /// Three attempts, 200 ms · 2ⁿ up to 60 s, ±10 %; 408, 429, 500, 502, 503, 504 and what the
    /// network does; idempotent methods; Retry-After up to 60 s.
    public static var standard: RetryPolicy { RetryPolicy(maxAttempts: 3) }

    /// One attempt.
    public static var none: RetryPolicy {
        RetryPolicy(maxAttempts: 1, statuses: [], causes: [])
    }

    /// One attempt, or more with these delays.
    public static func exponential(
        base: Duration, factor: Double = 2, cap: Duration = .seconds(60), maxAttempts: Int,
        jitter: Jitter = .proportional(0.1)
    ) -> RetryPolicy {
        RetryPolicy(
            maxAttempts: maxAttempts,
            backoff: Backoff(base: base, factor: factor, cap: cap, jitter: jitter))
    }

    /// Decides by the rules, in the order in which the reasons to give up are told.
    public func decide(_ context: RetryContext) -> RetryDecision {
        guard let plan = plan(for: context.outcome) else { return .giveUp(.outcomeIsFinal) }
        guard context.attempt < plan.maxAttempts else {
            return .giveUp(.attemptsSpent(limit: plan.maxAttempts))
        }
        guard mayRepeat(context) else { return .giveUp(.methodIsNotIdempotent) }
        let delay = plan.backoff.delay(afterFailures: context.attempt, random: context.random)
        guard let asked = context.retryAfter, case .upTo(let most) = retryAfter else {
            return .retry(after: delay, parksDomain: false)
        }
        guard asked <= most else { return .giveUp(.retryAfterTooLong(asked)) }
        return .retry(
            after: max(delay, asked), parksDomain: Parking.isAskedFor(by: context.outcome))
    }

    private func plan(for outcome: AttemptOutcome) -> (backoff: Backoff, maxAttempts: Int)? {
        if let rule = rules.first(where: { $0.isAbout(outcome) }) {
            switch rule.effect {
            case .giveUp: return nil
            case .retry(let backoff, let maxAttempts): return (backoff, maxAttempts)
            }
        }
        let isRetried =
            switch outcome {
            case .responded(let status, _): statuses.contains(status)
            case .failed(let cause): causes.contains(FailureCauses(cause))
            }
        return isRetried ? (backoff, maxAttempts) : nil
    }

    /// What never left this machine was never acted on, whatever the method.
    private func mayRepeat(_ context: RetryContext) -> Bool {
        if context.wasNeverSeen { return true }
        return switch methods {
        case .all: true
        case .only(let names): names.contains(context.method)
        case .idempotent: context.isIdempotent || context.hasIdempotencyKey
        }
    }

    package var invalidSetting: InvalidSetting? {
        if maxAttempts < 1 { return InvalidSetting("maxAttempts", "must be 1 or more") }
        if case .upTo(let most) = retryAfter, most < .zero {
            return InvalidSetting("retryAfter", "must not be negative")
        }
        if rules.count > Self.mostRules {
            return InvalidSetting("rules", "must be \(Self.mostRules) or fewer")
        }
        for case .retry(let backoff, let attempts) in rules.map(\.effect) {
            if attempts < 1 { return InvalidSetting("rules.maxAttempts", "must be 1 or more") }
            if let invalid = backoff.invalidSetting { return invalid.within("rules.backoff") }
        }
        return backoff.invalidSetting?.within("backoff")
    }
}
