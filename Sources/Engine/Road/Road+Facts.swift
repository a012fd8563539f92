// What callers are told of a call that has ended.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
internal import FetchRoad
internal import FetchTime

extension Road {
    @inline(__always)
    func response(
        of call: Call, _ head: consuming ResponseHead, body: consuming Bytes,
        trailers: consuming FieldSection?
    ) -> WholeResponse? {
        guard let target = call.isStreamed ? call.target : call.takeTarget() else { return nil }
        call.times.ended = reactor.now
        return WholeResponse(
            head: head, body: body, trailers: trailers, target: target, times: call.times,
            sends: WholeResponse.Sends(call), peer: call.peer,
            cacheOutcome: call.cacheUse == .none ? .bypass : outcome(of: call),
            report: call.caching == nil ? nil : report(of: call))
    }

    func failure(of call: Call) -> CallFailure {
        var target = call.target
        // The response has taken it over.
        if case .attemptsSpent(let response)? = call.lastError { target = response.target }
        return CallFailure(
            call.lastError ?? .cancelled, phase: call.lastPhase, method: call.method,
            target: target,
            dispatches: call.attempt.dispatches, lost: call.lost,
            attempts: call.lostCount + 1, refusal: call.course.refusal,
            elapsedNanoseconds: reactor.now.nanoseconds - call.times.started.nanoseconds)
    }
}
