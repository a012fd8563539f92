// Whether a call is tried again: RETRY-06 to RETRY-13, ERR-06. Pure.

import FetchPolicy
import FetchTime
import Testing

struct RetryPolicyTests {
    private func context(
        _ outcome: AttemptOutcome, attempt: Int = 1, method: String = "GET",
        isIdempotent: Bool = true, hasKey: Bool = false, isReplayable: Bool = true,
        nothingSent: Bool = false, responseBegan: Bool = false,
        deadline: Instant = .distantFuture
    ) -> RetryContext {
        RetryContext(
            attempt: attempt, outcome: outcome, method: method, isIdempotent: isIdempotent,
            hasIdempotencyKey: hasKey, isReplayable: isReplayable, nothingSent: nothingSent,
            responseBegan: responseBegan, now: .at(100), deadline: deadline, random: 1 << 63)
    }

    private func status(_ status: Int, retryAfter: Duration? = nil) -> AttemptOutcome {
        .responded(status: status, retryAfter: retryAfter)
    }

    private func decide(_ retries: Retries, _ context: RetryContext) -> RetryDecision {
        var budget = RetryBudget()
        return retries.decide(context, RetryAllowance(), &budget)
    }

    private let standard = Retries.policy(.standard)

    private func isRetry(_ decision: RetryDecision) -> Bool {
        if case .retry = decision { true } else { false }
    }

    @Test(arguments: 400...599)
    func `RETRY-06 exactly the statuses of the set are tried again`(code: Int) {
        let listed = [408, 429, 500, 502, 503, 504].contains(code)
        #expect(isRetry(decide(standard, context(status(code)))) == listed)
        var policy = RetryPolicy.standard
        policy.statuses = .serverErrors
        #expect(isRetry(policy.decide(context(status(code)))) == (code >= 500))
    }

    @Test(arguments: [100, 200, 204, 301, 304, 399, 600, 999, -1, Int.max, Int.min])
    func `a status that is no error is none of the set`(code: Int) {
        #expect(!StatusSet(Array(-10...1_000) + [code]).contains(code))
        #expect(decide(standard, context(status(code))) == .giveUp(.outcomeIsFinal))
    }

    @Test func `RETRY-07 POST is tried again with a key, with the switch, or if it never left`() {
        let failed = context(status(503), method: "POST", isIdempotent: false)
        #expect(decide(standard, failed) == .giveUp(.methodIsNotIdempotent))
        let keyed = context(status(503), method: "POST", isIdempotent: false, hasKey: true)
        #expect(isRetry(decide(standard, keyed)))
        var policy = RetryPolicy.standard
        policy.methods = .all
        #expect(isRetry(policy.decide(failed)))
        policy.methods = .only(["POST"])
        #expect(isRetry(policy.decide(failed)))
        #expect(policy.decide(context(status(503))) == .giveUp(.methodIsNotIdempotent))
        let refused = context(
            .failed(.connect), method: "POST", isIdempotent: false, nothingSent: true)
        #expect(isRetry(decide(standard, refused)))
        let lost = context(.failed(.reset), method: "POST", isIdempotent: false)
        #expect(decide(standard, lost) == .giveUp(.methodIsNotIdempotent))
    }

    @Test(arguments: FailureCause.allCases)
    func `RETRY-08 what the network does is tried again, what is wrong is not`(
        cause: FailureCause
    ) {
        let transient: Set<FailureCause> = [.dns, .connect, .reset, .timeout, .truncated]
        #expect(
            isRetry(decide(standard, context(.failed(cause)))) == transient.contains(cause))
        var policy = RetryPolicy.standard
        policy.causes = FailureCauses(cause)
        for other in FailureCause.allCases {
            #expect(isRetry(policy.decide(context(.failed(other)))) == (other == cause))
        }
    }

    @Test func `RETRY-09 the wait a server asks for is kept, and parks its domain`() {
        #expect(
            decide(standard, context(status(503, retryAfter: .seconds(2))))
                == .retry(after: .seconds(2), parksDomain: true))
        // Shorter than the back-off: that holds.
        #expect(
            decide(standard, context(status(429, retryAfter: .milliseconds(5))))
                == .retry(after: .milliseconds(200), parksDomain: true))
        // Another status says when, but not that the domain be left alone.
        #expect(
            decide(standard, context(status(500, retryAfter: .seconds(2))))
                == .retry(after: .seconds(2), parksDomain: false))
        #expect(
            decide(standard, context(status(503, retryAfter: .seconds(61))))
                == .giveUp(.retryAfterTooLong(.seconds(61))))
        var policy = RetryPolicy.standard
        policy.retryAfter = .ignored
        #expect(
            policy.decide(context(status(503, retryAfter: .seconds(61))))
                == .retry(after: .milliseconds(200), parksDomain: false))
    }

    @Test func `RATE-10 a domain is parked whether or not the call is tried again`() {
        let wish = status(429, retryAfter: .seconds(3))
        #expect(Parking.end(after: wish, atMost: .seconds(60), now: .at(100)) == .at(103))
        let long = status(503, retryAfter: .seconds(1 << 31))
        #expect(Parking.end(after: long, atMost: .seconds(60), now: .at(100)) == .at(160))
        for outcome in [
            status(429), status(500, retryAfter: .seconds(3)), status(503, retryAfter: .zero),
            .failed(.reset),
        ] {
            #expect(Parking.end(after: outcome, atMost: .seconds(60), now: .at(100)) == nil)
        }
    }

    @Test func `RETRY-11 the last attempt ends it, and says how many there were`() {
        #expect(isRetry(decide(standard, context(status(503), attempt: 2))))
        #expect(
            decide(standard, context(status(503), attempt: 3))
                == .giveUp(.attemptsSpent(limit: 3)))
        #expect(decide(.policy(.none), context(status(503))) == .giveUp(.outcomeIsFinal))
        #expect(decide(.off, context(status(503))) == .giveUp(.off))
    }

    @Test func `three retries are four attempts`() {
        #expect(RetryPolicy(maxRetries: 3).maxAttempts == 4)
        #expect(RetryPolicy(maxRetries: .max).maxAttempts == .max)
    }

    @Test func `RETRY-12 a strategy of the user's decides`() {
        struct Linear: RetryStrategy {
            func decide(_ context: RetryContext) -> RetryDecision {
                guard context.attempt < 4 else { return .giveUp(.refusedByStrategy) }
                return .retry(after: .seconds(context.attempt), parksDomain: false)
            }
        }
        let linear = Retries.strategy(Linear())
        for attempt in 1...3 {
            #expect(
                decide(linear, context(status(404), attempt: attempt))
                    == .retry(after: .seconds(attempt), parksDomain: false))
        }
        #expect(
            decide(linear, context(status(404), attempt: 4)) == .giveUp(.refusedByStrategy))
    }

    @Test func `no strategy overrules what is a fact`() {
        struct Always: RetryStrategy {
            func decide(_ context: RetryContext) -> RetryDecision {
                .retry(after: .zero, parksDomain: false)
            }
        }
        let always = Retries.strategy(Always())
        #expect(
            decide(always, context(.failed(.truncated), responseBegan: true))
                == .giveUp(.responseBegan))
        #expect(
            decide(always, context(status(503), isReplayable: false))
                == .giveUp(.bodyIsNotReplayable))
        #expect(
            decide(always, context(status(503), attempt: 1_000))
                == .giveUp(.attemptsSpent(limit: 1_000)))
        #expect(
            decide(always, context(status(503), deadline: .at(100))) == .giveUp(.pastDeadline))
    }

    @Test func `RETRY-13 a stream is sent again only if nothing of it was taken`() {
        #expect(
            decide(standard, context(status(503), isReplayable: false))
                == .giveUp(.bodyIsNotReplayable))
        let refused = context(.failed(.connect), isReplayable: false, nothingSent: true)
        #expect(isRetry(decide(standard, refused)))
    }

    @Test func `a call that would come back too late gives up at once, and spends no budget`() {
        var budget = RetryBudget()
        let late = context(status(503, retryAfter: .seconds(5)), deadline: .at(105))
        #expect(
            standard.decide(late, RetryAllowance(), &budget) == .giveUp(.pastDeadline))
        #expect(budget.recent(now: .at(100)).retries == 0)
    }

    @Test func `rules are exceptions, and the first that is about an outcome decides`() {
        var policy = RetryPolicy.standard
        let patient = Backoff(base: .seconds(9), jitter: .none)
        policy.rules = [
            RetryRule(statuses: [500], .giveUp),
            RetryRule(
                statuses: [500, 404], causes: .tls, .retry(patient, maxAttempts: 2)),
        ]
        #expect(policy.decide(context(status(500))) == .giveUp(.outcomeIsFinal))
        for outcome in [status(404), .failed(.tls)] {
            #expect(
                policy.decide(context(outcome)) == .retry(after: .seconds(9), parksDomain: false))
            #expect(
                policy.decide(context(outcome, attempt: 2))
                    == .giveUp(.attemptsSpent(limit: 2)))
        }
        #expect(isRetry(policy.decide(context(status(503)))))
    }
}
