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
        while let start = await next() {
            do {
                let (status, bytes) = try await send(start.number)
                run.value.succeeded(start, status: status, bytes: bytes)
            } catch is CancellationError {
                run.value.cutOff(start)
                return
            } catch {
                run.value.failed(start, code: code(of: error))
            }
        }
    }

    private func send(_ number: Int) async throws -> (status: Int, bytes: Int) {
        if case .stream = plan.face { return try await stream(try plan.request(number)) }
        let response =
            plan.isPlain
            ? try await fetcher.get(plan.url(number))
            : try await fetcher.execute(try plan.request(number))
        return (response.statusCode, response.body.count)
    }

    private func stream(_ request: Request) async throws -> (status: Int, bytes: Int) {
        try await fetcher.stream(request) { response in
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
