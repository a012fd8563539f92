// The callers' closures of a `LocalFetcher`, by the slots of their calls: the engine knows one
// receiver for all of them, and a call makes no closure of its own. Reactor thread.

internal import FetchEngine
internal import FetchReactor

final class Completions: CallReceiver {
    @ThreadBound private var closures: [LocalFetcher.Completion?] = []

    deinit {
        _closures.deallocate()
    }

    /// Who is told when the call is over. Before that nothing of it is told.
    func expect(_ id: CallID, _ completion: @escaping LocalFetcher.Completion) {
        let slot = Int(id.slot)
        while slot >= closures.count { closures.append(nil) }
        closures[slot] = completion
    }

    func callEnded(_ id: CallID, _ response: WholeResponse) {
        take(id)?(.success(Response(whole: response)))
    }

    func callFailed(_ id: CallID, _ failure: CallFailure) {
        take(id)?(.failure(FetchError.made(of: failure)))
    }

    /// Taken out before it is called: its place may serve a call that it begins.
    private func take(_ id: CallID) -> LocalFetcher.Completion? {
        closures[Int(id.slot)].take()
    }
}
