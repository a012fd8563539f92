// What a retry is decided from, and what the decision is. Values; any thread.

public import FetchTime

/// Why a call is not tried again.
public enum RetryRefusal: Sendable, Hashable {
    /// No retry is configured.
    case off
    /// As many attempts were made as are allowed.
    case attemptsSpent(limit: Int)
    /// The outcome is none that the rules retry.
    case outcomeIsFinal
    /// The method is not idempotent (RFC 9110 §9.2.2), and something may have been done already.
    case methodIsNotIdempotent
    /// The body is a stream that can't be sent again from its start.
    case bodyIsNotReplayable
    /// The caller has the response's head already.
    case responseBegan
    /// The server asks for a longer wait than is granted.
    case retryAfterTooLong(Duration)
    /// The next attempt would begin after the call's deadline.
    case pastDeadline
    /// The origin's retries of the last 10 s are spent.
    case budgetSpent
    /// A strategy of the user's says so.
    case refusedByStrategy
}

/// Whether and when a call is tried again.
public enum RetryDecision: Sendable, Hashable {
    /// What happened last is the call's result.
    case giveUp(RetryRefusal)
    /// Another attempt after this time; `parksDomain` when the server asked for it, so that
    /// nobody else of this client asks earlier.
    case retry(after: Duration, parksDomain: Bool)
}

/// What is known when an attempt has failed.
public struct RetryContext: Sendable {
    /// No strategy gets more attempts than this, whatever it decides: 1,000.
    public static var mostAttempts: Int { 1_000 }

    /// Attempts that were made, the one that just ended included: 1 after the first.
    public var attempt: Int
    /// How that attempt ended.
    public var outcome: AttemptOutcome
    /// The request's method.
    public var method: String
    /// Whether a second attempt does no harm by the method's definition (RFC 9110 §9.2.2).
    public var isIdempotent: Bool
    /// Whether the request carries an Idempotency-Key field.
    public var hasIdempotencyKey: Bool
    /// Whether the body can be sent again from its start; true without a body.
    public var isReplayable: Bool
    /// Whether not one byte of the request left for the peer in this attempt.
    public var nothingSent: Bool
    /// Whether the caller has been handed the response's head.
    public var responseBegan: Bool
    /// From the call's start to the attempt's end.
    public var elapsed: Duration
    /// When the attempt ended.
    public var now: Instant
    /// When the call must have ended.
    public var deadline: Instant
    /// 64 bits of chance, all alike.
    public var random: UInt64

    /// What is known, with the values of a replayable GET that has all the time in the world.
    public init(
        attempt: Int, outcome: AttemptOutcome, method: String = "GET", isIdempotent: Bool = true,
        hasIdempotencyKey: Bool = false, isReplayable: Bool = true, nothingSent: Bool = false,
        responseBegan: Bool = false, elapsed: Duration = .zero, now: Instant,
        deadline: Instant = .distantFuture, random: UInt64
    ) {
        self.attempt = attempt
        self.outcome = outcome
        self.method = method
        self.isIdempotent = isIdempotent
        self.hasIdempotencyKey = hasIdempotencyKey
        self.isReplayable = isReplayable
        self.nothingSent = nothingSent
        self.responseBegan = responseBegan
        self.elapsed = elapsed
        self.now = now
        self.deadline = deadline
        self.random = random
    }

    /// Whether the peer cannot have acted on the attempt: not a byte of it left.
    public var wasNeverSeen: Bool {
        if case .failed = outcome { nothingSent } else { false }
    }

    /// What the server asks for, if it does.
    public var retryAfter: Duration? {
        if case .responded(_, let wait) = outcome { wait } else { nil }
    }
}

/// An algorithm of the user's that decides on retries.
///
/// It is asked after what no strategy may overrule: a response that the caller has, a body that
/// can't be sent again and ``RetryContext/mostAttempts`` end a call without it. Its answer is held
/// against the call's deadline and the origin's budget. Called on the reactor's thread: it must not
/// block.
public protocol RetryStrategy: Sendable {
    /// Whether and when the call is tried again.
    func decide(_ context: RetryContext) -> RetryDecision
}
