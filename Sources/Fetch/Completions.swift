// The callers' closures of a `LocalFetcher`, by the slots of their calls: the engine knows one
// receiver for all of them, and a call makes no closure of its own. Reactor thread.

internal import FetchEngine
internal import FetchReactor

final class Completions: CallReceiver {
    /// A closure in a struct: by itself in an array it would be wrapped in another one.
    private struct Caller {
        let tell: LocalFetcher.Completion
    }

    @ThreadBound private var callers: [Caller?] = []

    deinit {
        _callers.deallocate()
    }

    /// Who is told when the call is over. Before that nothing of it is told.
    func expect(_ id: CallID, _ completion: @escaping LocalFetcher.Completion) {
        let slot = Int(id.slot)
        while slot >= callers.count { callers.append(nil) }
        callers[slot] = Caller(tell: completion)
    }

    func callEnded(_ id: CallID, _ response: WholeResponse) {
        take(id)?.tell(.success(Response(whole: response)))
    }

    func callFailed(_ id: CallID, _ failure: CallFailure) {
        take(id)?.tell(.failure(FetchError.made(of: failure)))
    }

    /// Taken out before it is called: its place may serve a call that it begins.
    private func take(_ id: CallID) -> Caller? {
        callers[Int(id.slot)].take()
    }
}
