// The load through the async API: one task per connection, each asking for its next request when
// the last has ended. All tasks run on the reactor's thread.
//
// With 8,000 tasks what a task holds while it waits is most of the memory. So a task captures one
// reference, and plain GETs have a loop of their own, whose frame has room for nothing else.

import Fetch
import FetchReactor

/// Callers as tasks.
final class AsyncLoad: Sendable {
    private let plan: LoadPlan
    private let fetcher: Fetcher
    private let run: ReactorBound<LoadRun>
    /// The one URL of a plain load.
    private let url: String

    init(plan: LoadPlan, fetcher: Fetcher, run: ReactorBound<LoadRun>) {
        self.plan = plan
        self.fetcher = fetcher
        self.run = run
        url = plan.url(0)
    }

    /// Until the schedule has no more or the task is cancelled.
    func callers() async {
        let gets = plan.isPlain && plan.hasOneURL
        await withDiscardingTaskGroup { group in
            for _ in 0..<plan.connections {
                if gets {
                    group.addTask { await self.gettingCaller() }
                } else {
                    group.addTask { await self.caller() }
                }
            }
        }
    }

    /// The common case: `get`, one URL.
    private func gettingCaller() async {
        while let start = await next() {
            do {
                succeeded(start, try await fetcher.get(url))
            } catch {
                if failed(start, error) { return }
            }
        }
    }

    private func caller() async {
        while let start = await next() {
            do {
                let request = try plan.request(start.number)
                if case .stream = plan.face {
                    try await stream(request, start)
                } else {
                    succeeded(start, try await fetcher.execute(request))
                }
            } catch {
                if failed(start, error) { return }
            }
        }
    }

    private func stream(_ request: Request, _ start: Start) async throws {
        try await fetcher.stream(request) { response in
            var bytes = 0
            for try await piece in response.body { bytes += piece.count }
            run.value.succeeded(start, status: response.statusCode, bytes: bytes)
        }
    }

    /// The next request, at once in a closed loop.
    @inline(__always)
    private func next() async -> Start? {
        switch run.value.take() {
        case .start(let start): return start
        case .finished: return nil
        case .wait(let due): return await parked(until: due)
        }
    }

    private func parked(until due: UInt64) async -> Start? {
        await withCheckedContinuation { continuation in
            run.value.park(until: due) { continuation.resume(returning: $0) }
        }
    }

    private func succeeded(_ start: Start, _ response: Response) {
        run.value.succeeded(start, status: response.statusCode, bytes: response.body.count)
    }

    /// Whether the caller is to end.
    private func failed(_ start: Start, _ error: any Error) -> Bool {
        if error is CancellationError {
            run.value.cutOff(start)
            return true
        }
        run.value.failed(start, code: code(of: error))
        return false
    }
}
