// One load run from beginning to end: makes the client, lets the callers go, watches, reports. The
// client and all callers share one reactor on the calling thread, so the process has one thread;
// only the cross-thread scenario differs (CrossThreadLoad).

import Fetch
import FetchReactor

/// A load run.
struct LoadTest: Sendable {
    let plan: LoadPlan
    let label: String
    let progress: Progress

    /// Runs on the calling thread until the plan, its time or Ctrl-C ends it.
    func run() throws -> Report {
        switch plan.face {
        case .async, .stream: try Reactor.run { try await throughTasks() }
        case .callback: try Reactor.run { try await throughCallbacks() }
        case .embedded: try EmbeddedLoad(test: self).run()
        case .crossThread: try Reactor.run { try await CrossThreadLoad(test: self).run() }
        }
    }

    private func throughTasks() async throws -> Report {
        let run = try makeRun()
        let fetcher = try Fetcher(plan.configuration)
        run.value.statistics = { try? await fetcher.statistics }
        let load = AsyncLoad(plan: plan, fetcher: fetcher, run: run)
        let report = await measure(run) { await load.callers() }
        await fetcher.shutdown(.immediate)
        return report
    }

    private func throughCallbacks() async throws -> Report {
        let run = try makeRun()
        let load = try CallbackLoad(plan, run.value, on: run.reactor)
        run.value.statistics = { load.client.statistics }
        run.value.cancelCalls = { load.cutOff() }
        load.start()
        let report = await measure(run) { await run.value.callersEnded() }
        load.client.shutdown(.immediate)
        return report
    }

    private func makeRun() throws -> ReactorBound<LoadRun> {
        guard let reactor = Reactor.current else { preconditionFailure("not on the reactor") }
        return ReactorBound(try LoadRun(plan, on: reactor), on: reactor)
    }

    /// Lets the callers work and looks at them meanwhile.
    private func measure(
        _ run: ReactorBound<LoadRun>, _ callers: @escaping @Sendable () async -> Void
    ) async -> Report {
        let before = ProcessorTime.own
        let watch = await withTaskGroup(of: Watch?.self) { group in
            group.addTask {
                await callers()
                return nil
            }
            group.addTask { await watched(run) }
            var watch: Watch?
            for await ended in group {
                // Whoever is first ends the other: callers without work, or a watch out of time.
                watch = ended ?? watch
                group.cancelAll()
            }
            return watch
        }
        let used = ProcessorTime.own - before
        run.value.end()
        var report = Report(run.value.tally, wall: run.value.wallSeconds, used: used)
        report.connectionsOpened = await run.value.statistics?()?.connectionsOpened ?? 0
        watch?.fill(&report)
        return report
    }

    /// Looks until there is nothing to look at, stops the schedule when the time is over, and
    /// returns when those in flight have had their grace.
    private func watched(_ run: ReactorBound<LoadRun>) async -> Watch {
        var watch = Watch(label, plan, progress: progress)
        var overSince: UInt64?
        while true {
            await watch.look(at: run.value.tally, run.value.statistics)
            if watch.isOver {
                overSince = overSince ?? monotonicNanoseconds()
                run.value.timeIsOver()
            }
            if let overSince, watch.isExhausted(since: overSince) {
                run.value.abandonDue()
                run.value.cancelCalls?()
                return watch
            }
            do {
                try await run.reactor.clock.sleep(for: Watch.interval)
            } catch {
                await watch.look(at: run.value.tally, run.value.statistics)
                return watch
            }
        }
    }
}
