// What an attempt's end means to the call: an answer, another attempt after a back-off, or the end.
// A status is judged when its head has come: an answer that is not wanted is read no further than
// its connection is worth, and the slot is free while the call backs off.

internal import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime

extension Road {
    // MARK: Answers

    /// The head of an answer has come. True when the call is tried again instead, and the rest of
    /// this answer is of no use.
    func isRetried(_ call: Call, _ head: ResponseHead) -> Bool {
        let status = head.status
        // Policies retry no status below 400, and only two above it park a domain.
        if status < 400, !policies.judgeEverything, !policies.hedges,
            call.details == nil || call.details?.policy == nil
        {
            if call.hasCourse {
                call.course.status = Int16(truncatingIfNeeded: status)
                call.course.hasAnswer = true
                if call.course.isFollowed, call.course.leads { shareHead(of: call, head) }
            }
            return false
        }
        return isUnwanted(call, head)
    }

    @inline(never)
    private func isUnwanted(_ call: Call, _ head: ResponseHead) -> Bool {
        guard let record = call.record, let origin = record.policies else { return false }
        let outcome = outcome(of: head)
        call.hasCourse = true
        call.course.status = Int16(truncatingIfNeeded: head.status)
        park(origin, after: outcome)
        if policies.hedges, isPassedOver(call, Int(head.status)) {
            call.course.retryAt = reactor.now
            attemptEnded(call, outcome)
            return true
        }
        if let delay = delay(of: call, origin, after: outcome, nothingSent: false) {
            note(.status(Int(head.status)), of: call, in: .body)
            call.course.retryAt = reactor.now + delay
            attemptEnded(call, outcome)
            return true
        }
        call.course.hasAnswer = true
        if call.course.leads { shareHead(of: call, head) }
        return false
    }

    private func outcome(of head: ResponseHead) -> AttemptOutcome {
        var wait: Duration?
        // No field of a good answer asks for patience.
        if head.status >= 300 {
            let wall = reactor.nowWithWall.wall.seconds
            wait = RetryAfter.seconds(head.fields, now: wall).map { .seconds($0) }
        }
        return .responded(status: Int(head.status), retryAfter: wait)
    }

    /// The server asks to be left alone: nobody of this client asks it earlier.
    private func park(_ origin: OriginPolicies, after outcome: AttemptOutcome) {
        let most = policies.settings.mostParking
        guard let end = Parking.end(after: outcome, atMost: most, now: reactor.now) else { return }
        policies.admission.park(origin.keys, until: end)
    }

    /// Whether an answer that is whole is what the call ends with; nil when it is, else the
    /// failure.
    func spent(_ call: Call, _ response: WholeResponse?) -> CallError? {
        guard policies.settings.failsWhenSpent, let response, !call.isStreamed else { return nil }
        switch call.course.refusal {
        case .attemptsSpent, .bodyIsNotReplayable, .retryAfterTooLong, .pastDeadline, .budgetSpent:
            return .attemptsSpent(response)
        case nil, .off, .outcomeIsFinal, .methodIsNotIdempotent, .responseBegan,
            .refusedByStrategy:
            return nil
        }
    }

    // MARK: Failures

    /// The attempt has failed: another one is made, or the call ends.
    func attemptFailed(_ call: Call, _ error: CallError, nothingSent: Bool) {
        if call.course.retryAt != nil {
            backOff(call)
            return
        }
        if call.caching != nil, isAnsweredOtherwise(call) { return }
        guard let origin = call.record?.policies, let cause = cause(of: error, call) else {
            attemptEnded(call, nil)
            fail(call, error)
            return
        }
        if policies.hedges { standBack(call, .failed(error)) }
        let outcome = AttemptOutcome.failed(cause)
        let delay = delay(of: call, origin, after: outcome, nothingSent: nothingSent)
        attemptEnded(call, outcome)
        guard let delay, call.content.rewind() else {
            fail(call, error)
            return
        }
        note(.failed(error), of: call)
        call.hasCourse = true
        call.course.retryAt = reactor.now + delay
        backOff(call)
    }

    /// How long until the next attempt; nil for none, and then the call knows why.
    private func delay(
        of call: Call, _ origin: OriginPolicies, after outcome: AttemptOutcome, nothingSent: Bool
    ) -> Duration? {
        let retries = call.details?.policy?.retries ?? policies.settings.retries
        if case .off = retries { return nil }
        // Its failure is nobody's.
        if call.isShadow { return nil }
        let home = home(of: call) ?? origin
        let now = reactor.now
        let context = RetryContext(
            attempt: call.attempt.count, outcome: outcome, method: call.method.name,
            isIdempotent: call.method.isIdempotent,
            hasIdempotencyKey: call.details?.headers.contains("Idempotency-Key") ?? false,
            isReplayable: !call.hasContent || call.content.isReplayable, nothingSent: nothingSent,
            responseBegan: call.attempt.next() == .answer,
            elapsed: .nanoseconds(now.nanoseconds(since: call.times.started)), now: now,
            deadline: call.totalDeadline, random: policies.random())
        switch retries.decide(context, policies.settings.retryAllowance, &home.budget) {
        case .retry(let delay, _):
            call.course.refusal = nil
            call.course.hasPaidRetry = true
            return delay
        case .giveUp(let refusal):
            call.course.refusal = refusal
            return nil
        }
    }

    // MARK: The call's end

    /// What the policies still hold for the call goes back, and its followers are told. True when
    /// that was all of its end: nobody had asked for it.
    @inline(never)
    func endCourse(_ call: Call, _ failure: CallFailure?) -> Bool {
        stopTimer(of: call)
        let course = call.lentCourse
        if course.wrappedValue.hasPaidRetry { refundRetry(of: call) }
        if course.wrappedValue.holdsAttempt || policies.spread { attemptEnded(call, nil) }
        if policies.spread, endHedge(call) { return true }
        if course.wrappedValue.isSoloist { soloEnded(call) }
        if course.wrappedValue.flight != nil { flightEnded(call, failure) }
        if policies.spread { leaveName(call) }
        cachingEnded(call, failure)
        return false
    }

    // MARK: Between two attempts

    /// The rest of an unwanted answer has been read, or its connection is gone.
    func backOff(_ call: Call) {
        guard let until = call.course.retryAt.take() else { return }
        if call.isShadow {
            fail(call, call.lastError ?? .cancelled)
            return
        }
        leaveLine(call)
        call.abandoned = false
        call.head = nil
        call.dropBody()
        call.caching?.beginAgain()
        guard call.content.rewind() else {
            fail(call, call.lastError ?? .closedBeforeResponse)
            return
        }
        call.attempt.backsOff(until: until)
        follow(call)
    }

    /// Waits on the wheel; nothing is held meanwhile.
    @inline(never)
    func wait(_ call: Call, until instant: Instant) {
        if isOverloaded { return failOverloaded(call) }
        call.lastPhase = .queue
        hold(call, until: min(instant, call.totalDeadline))
    }

    func backOffEnded(_ call: Call) {
        stopTimer(of: call)
        call.course.hasPaidRetry = false
        counters.retries += 1
        call.attempt.backOffEnded()
        follow(call)
    }

    /// A retry that was paid for is not made.
    func refundRetry(of call: Call) {
        guard call.course.hasPaidRetry else { return }
        call.course.hasPaidRetry = false
        home(of: call)?.budget.refund(now: reactor.now)
    }

    /// Remembers how an attempt ended that another one follows.
    func note(_ ending: LostAttempt.Ending, of call: Call, in phase: CallPhase? = nil) {
        var lost = call.lost
        // A long history keeps its first half and forgets in the middle.
        if lost.count == LostAttempt.mostKept { lost.remove(at: LostAttempt.mostKept / 2) }
        call.lostCount += 1
        lost.append(
            LostAttempt(
                number: call.lostCount, ending: ending, phase: phase ?? call.lastPhase,
                elapsedNanoseconds: reactor.now.nanoseconds(since: call.times.started)))
        call.lost = lost
    }
}
