// Hedging: a safe request that takes unusually long is asked a second time, and the first usable
// answer is the call's.
//
// The second exchange is a call of its own, a shadow: it asks the breaker, takes token, slot and
// connection like any attempt, and nobody is told of its end. When its answer comes first, or the
// first exchange fails while it is under way, the two change places as leader and follower do: the
// caller goes over to it, and what was the caller's call becomes the shadow. So an exchange never
// has two requests, and a call without a hedge pays nothing.

internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime

extension Road {
    // MARK: Sending

    /// The call's request leaves: if no answer has come after a while, it is asked again.
    @inline(never)
    func hedgeLater(_ call: Call) {
        guard call.method.isSafe, call.content.canBeSentTwiceAtOnce,
            let hedging = home(of: call)?.hedging
        else { return }
        let spread = call.spread
        if let hedge = spread.hedge {
            hedge.sent(call)
            return
        }
        guard !spread.wasHedged else { return }
        let hedge = CallHedge(call, self)
        spread.hedge = hedge
        if let delay = hedging.timing.delay { hedge.arm(after: delay) }
    }

    /// The delay has passed without an answer.
    func hedgeIsDue(_ hedge: CallHedge) {
        let call = hedge.first
        guard !isClosed, let origin = home(of: call), let target = call.target,
            hedge.delayPassed(policies.settings.retryAllowance, origin)
        else { return }
        counters.hedges += 1
        policies.shadows += 1
        let shadow = calls.open()
        shadow.take(sameAs: call, target, defaults)
        shadow.attempt = call.attempt.twin()
        // Whichever answer is taken is judged once.
        shadow.cacheUse = call.cacheUse
        shadow.caching = call.caching
        shadow.course.origin = call.course.origin
        shadow.spread.isShadow = true
        shadow.spread.hedge = hedge
        if let spread = call.course.spread, let name = spread.name {
            name.calls += 1
            shadow.spread.name = name
            shadow.spread.tried = spread.tried
            if let endpoint = spread.endpoint {
                shadow.spread.tried.insert(EndpointSet(endpoint))
            }
        } else {
            call.record?.calls += 1
            shadow.record = call.record
        }
        hedge.began(shadow)
        follow(shadow)
    }

    // MARK: Answers and failures

    /// The head of an answer has come to one of two exchanges. True when it is not the one wanted
    /// and the other exchange goes on for the caller.
    func isPassedOver(_ call: Call, _ status: Int) -> Bool {
        guard let spread = call.course.spread, let hedge = spread.hedge else { return false }
        hedge.stopTimer()
        guard !StatusSet.transient.contains(status) else {
            return standBack(call, .status(status))
        }
        let timing = home(of: call)?.hedging
        if let took = hedge.elapsed(call) {
            timing?.timing.record(nanoseconds: took, now: reactor.now)
        }
        if call === hedge.second { counters.hedgesWon += 1 }
        guard hedge.answered(call), let other = hedge.other(than: call) else { return false }
        if spread.isShadow { changePlaces(other, call) }
        if let took = hedge.elapsed(other) {
            // It would have taken longer: without that, what is slow would never be known.
            timing?.timing.record(nanoseconds: took, now: reactor.now)
            call.lostCount += 1
        }
        withdraw(other, .cancelled)
        return false
    }

    /// One of two exchanges has failed. The caller is the other one's from now on. False where
    /// there is no other one.
    @discardableResult
    func standBack(_ call: Call, _ ending: LostAttempt.Ending) -> Bool {
        guard let hedge = call.course.spread?.hedge, hedge.state == .both,
            let other = hedge.other(than: call)
        else { return false }
        hedge.failed(call)
        if call.isShadow {
            note(ending, of: other, in: call.lastPhase)
        } else {
            note(ending, of: call)
            changePlaces(call, other)
        }
        return true
    }

    /// The caller of the one exchange goes over to the other, with all that is the call's and not
    /// the exchange's.
    private func changePlaces(_ call: Call, _ shadow: Call) {
        stopTimer(of: shadow)
        calls.exchangeCallers(call, shadow)
        shadow.lost = call.lost
        shadow.lostCount = call.lostCount
        shadow.course.takeQuestion(of: &call.course)
        guard let from = call.course.spread, let to = shadow.course.spread else { return }
        from.isShadow = true
        to.isShadow = false
        to.wasHedged = true
        to.tried.formUnion(from.tried)
        if let endpoint = from.endpoint { to.tried.insert(EndpointSet(endpoint)) }
        restartTimer(of: shadow)
    }

    // MARK: Ends

    /// A call is over: so is the exchange beside it. True when it was that one itself.
    func endHedge(_ call: Call) -> Bool {
        guard let spread = call.course.spread, let hedge = spread.hedge else { return false }
        if spread.isShadow {
            endShadow(call, hedge)
            return true
        }
        hedge.stopTimer()
        if hedge.cancelled(), let other = hedge.other(than: call) { withdraw(other, .cancelled) }
        return false
    }

    /// Nobody is told; the call that it was beside goes on alone.
    private func endShadow(_ call: Call, _ hedge: CallHedge) {
        // One that was not let go was no attempt.
        if let error = call.lastError, error.cause != nil {
            standBack(call, .failed(error))
        } else if hedge.state == .both {
            hedge.failed(call)
        }
        if call.attempt.dispatches == 0 { home(of: call)?.budget.refund(now: reactor.now) }
        leaveName(call)
        if let record = call.record.take() {
            record.calls -= 1
            forgetIfUnused(record)
        }
        policies.shadows -= 1
        calls.close(call)
    }

    /// An attempt is over. Where two exchanges are under way, the call has not ended with it.
    func leaveHedge(_ spread: CallSpread) {
        guard !spread.isShadow, let hedge = spread.hedge, hedge.state != .both else { return }
        if hedge.second != nil { spread.wasHedged = true }
        hedge.stopTimer()
        spread.hedge = nil
    }
}

extension RequestContent {
    /// Whether two exchanges can send it side by side.
    fileprivate var canBeSentTwiceAtOnce: Bool {
        switch self {
        case .none, .bytes: true
        case .file, .pipe: false
        }
    }
}
