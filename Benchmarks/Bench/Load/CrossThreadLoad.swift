// Callers on Swift's thread pool, the client on a thread of its own: what a server pays that shares
// one client among its threads. Closed loop only; the tally is behind a lock that two threads
// share.

import Fetch
import FetchReactor
import Synchronization

/// Callers on other threads than the client's.
struct CrossThreadLoad {
    let test: LoadTest

    /// On the main thread's reactor, which does nothing but watch.
    func run() async throws -> Report {
        guard let reactor = Reactor.current else { preconditionFailure("not on the reactor") }
        let shared = Shared(test.plan)
        let plan = test.plan
        let before = ProcessorTime.own
        // Detached: the pool's threads, no reactor's; so the client starts its own.
        let callers = Task.detached {
            let fetcher = try Fetcher(plan.configuration)
            await withDiscardingTaskGroup { group in
                for _ in 0..<plan.connections { group.addTask { await shared.caller(fetcher) } }
            }
            let opened = try await fetcher.statistics.connectionsOpened
            await fetcher.shutdown(.immediate)
            shared.end()
            return opened
        }
        var watch = Watch(test.label, plan, progress: test.progress)
        while !shared.isEnded {
            await watch.look(at: shared.tally, nil)
            if watch.isOver { shared.stop() }
            try await reactor.clock.sleep(for: Watch.interval)
        }
        let opened = try await callers.value
        let used = ProcessorTime.own - before
        var report = Report(shared.tally, wall: shared.wallSeconds, used: used)
        report.connectionsOpened = opened
        watch.fill(&report)
        return report
    }
}

/// What the callers share.
private final class Shared: Sendable {
    private struct State {
        var schedule: Schedule
        var tally = Tally()
        var lastEndedAt: UInt64
        var isEnded = false
    }

    private let state: Mutex<State>
    private let plan: LoadPlan

    init(_ plan: LoadPlan) {
        self.plan = plan
        let now = monotonicNanoseconds()
        state = Mutex(State(schedule: Schedule(plan.amount, startingAt: now), lastEndedAt: now))
    }

    var tally: Tally { state.withLock { $0.tally } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    var wallSeconds: Double {
        state.withLock { Double($0.lastEndedAt - $0.schedule.startedAt) / 1e9 }
    }

    func stop() {
        state.withLock { $0.schedule.stop() }
    }

    func end() {
        state.withLock { $0.isEnded = true }
    }

    func caller(_ fetcher: Fetcher) async {
        while let start = next() {
            do {
                let response = try await fetcher.get(plan.url(start.number))
                ended(start) {
                    $0.succeeded(
                        status: response.statusCode, bytes: response.body.count, nanoseconds: $1)
                }
            } catch {
                ended(start) { $0.failed(code: code(of: error), nanoseconds: $1) }
            }
        }
    }

    private func next() -> Start? {
        let now = monotonicNanoseconds()
        return state.withLock {
            if case .start(let start) = $0.schedule.next(now: now) { start } else { nil }
        }
    }

    private func ended(_ start: Start, _ count: (inout Tally, UInt64) -> Void) {
        let now = monotonicNanoseconds()
        state.withLock {
            count(&$0.tally, now - start.intended)
            $0.lastEndedAt = now
        }
    }
}
