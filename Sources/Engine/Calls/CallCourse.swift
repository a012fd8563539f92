// What the policies know of one call while it is under way. A value inside the call; touched only
// where the call's origin has policies.

internal import FetchPolicy
internal import FetchTime

struct CallCourse {
    // Large ones first: there is one of these for every call that waits.
    /// The policies of the call's origin. Kept by its record, which is kept as long as it has
    /// calls.
    var origin: Uncounted<OriginPolicies>?
    /// When its token and slots were taken.
    var admittedAt = Instant(nanoseconds: 0)
    /// Why there is no further attempt.
    var refusal: RetryRefusal?
    /// The answer that comes is not the one wanted; the next attempt is made then.
    var retryAt: Instant?
    /// The attempt's token and slots are taken.
    var isAdmitted = false
    /// A retry of the budget was spent on the back-off that is under way.
    var hasPaidRetry = false
    /// It asks what nobody else asks, and could be followed.
    var isSoloist = false
    /// It leads, and somebody has followed.
    var isFollowed = false
    /// The head of the answer that it gets has come: who asks now asks for himself.
    var hasAnswer = false
    /// The status of the answer that comes, as far as it is known.
    var status: Int16?
    /// Of a soloist's question.
    var mark: UInt16 = 0
    /// The breaker let the attempt pass and waits to hear how it ended.
    var permit: CircuitBreaker.Permit?
    /// Where token and slots were taken, and are given back: an origin's limits may be found
    /// elsewhere since.
    var keys = AdmissionKeys()
    /// The question that it leads or follows.
    var flight: FlightID?
    /// Its place among those who follow; nil for who leads.
    var following: WaitingTicket?
    /// Of a soloist that was sent: how many unsafe requests to its origin had ended by then.
    var unsafeEndedWhenSent: UInt32?

    /// Where it goes and what goes beside it, where that is a question.
    var spread: CallSpread?

    /// As it was made. In place: a new value would be moved here at ten times the cost.
    mutating func reset() {
        origin = nil
        refusal = nil
        retryAt = nil
        isAdmitted = false
        hasPaidRetry = false
        isSoloist = false
        isFollowed = false
        hasAnswer = false
        status = nil
        permit = nil
        flight = nil
        following = nil
        unsafeEndedWhenSent = nil
        // Asking first is cheaper than releasing nothing.
        if spread != nil { spread = nil }
    }

    /// Whoever asked leaves the other exchange and comes over to this one, with those who follow.
    mutating func takeQuestion(of other: inout CallCourse) {
        (flight, other.flight) = (other.flight, nil)
        (isSoloist, other.isSoloist) = (other.isSoloist, false)
        (isFollowed, other.isFollowed) = (other.isFollowed, false)
        mark = other.mark
        unsafeEndedWhenSent = other.unsafeEndedWhenSent
    }

    /// Whether the breaker waits for its attempt's end, or slots do.
    var holdsAttempt: Bool { isAdmitted || permit != nil }

    /// Whether others may be told what it is told.
    var leads: Bool { flight != nil && following == nil }
}
