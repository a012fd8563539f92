// What the policies know of one call while it is under way. A value inside the call; touched only
// where the call's origin has policies.

internal import FetchPolicy
internal import FetchTime

struct CallCourse {
    /// The breaker let the attempt pass and waits to hear how it ended.
    var permit: CircuitBreaker.Permit?
    /// The attempt's token and slots are taken.
    var isAdmitted = false
    /// Where they were taken, and are given back: an origin's limits may be found elsewhere since.
    var keys = AdmissionKeys()
    /// When they were.
    var admittedAt = Instant(nanoseconds: 0)
    /// The question that it leads or follows.
    var flight: FlightID?
    /// Its place among those who follow; nil for who leads.
    var following: WaitingTicket?
    /// The answer that comes is not the one wanted; the next attempt is made then.
    var retryAt: Instant?
    /// The status of the answer that comes, as far as it is known.
    var status: Int?
    /// Why there is no further attempt.
    var refusal: RetryRefusal?
    /// A retry of the budget was spent on the back-off that is under way.
    var hasPaidRetry = false

    /// Where it goes and what goes beside it, where that is a question.
    var spread: CallSpread?

    /// Whether others may be told what it is told.
    var leads: Bool { flight != nil && following == nil }
}
