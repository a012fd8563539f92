// The load through the async API: one task per connection, each asking for its next request when the last
// has ended. All tasks run on the reactor's thread.

import Fetch
import FetchReactor

/// Callers as tasks.
struct AsyncLoad: Sendable {
    let plan: LoadPlan
    let fetcher: Fetcher
    let run: ReactorBound<LoadRun>

    /// Until the schedule has no more or the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<plan.connections {
                group.addTask { await caller() }
            }
        }
    }

    private func caller() async {
        // Made once: what is measured is the request, not its description.
        let template = plan.request(0)
        while let start = await next() {
            var request = template
            if case .origins = plan.target { request.url = plan.url(start.number) }
            do {
                let (status, bytes) = try await send(request)
                run.value.succeeded(start, status: status, bytes: bytes)
            } catch is CancellationError {
                // Cut off at the end of its time: neither well nor badly done.
                return
            } catch {
                run.value.failed(start, code: code(of: error))
            }
        }
    }

    private func send(_ request: Request) async throws -> (status: Int, bytes: Int) {
        guard case .stream = plan.face else {
            let response = try await fetcher.execute(request)
            return (response.statusCode, response.body.count)
        }
        return try await fetcher.stream(request) { response in
            var bytes = 0
            for try await piece in response.body { bytes += piece.count }
            return (response.statusCode, bytes)
        }
    }

    private func next() async -> Start? {
        switch run.value.take() {
        case .start(let start): return start
        case .finished: return nil
        case .wait(let due):
            return await withCheckedContinuation { continuation in
                run.value.park(until: due) { continuation.resume(returning: $0) }
            }
        }
    }
}
