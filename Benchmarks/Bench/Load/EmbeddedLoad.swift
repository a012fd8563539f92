// The load through a reactor that a foreign loop drives: the host waits in poll(2) for the
// reactor's one descriptor and gives it a turn when that is readable. Callbacks all the way: no
// task, no executor, no second thread. Main thread.

import Fetch
import FetchReactor
import Glibc

/// A host with a loop of its own, and the load as its guest.
struct EmbeddedLoad {
    let test: LoadTest

    /// Runs until the plan, its time or Ctrl-C ends it.
    func run() throws -> Report {
        let reactor = try Reactor.embedded()
        defer { reactor.stop() }
        let run = try LoadRun(test.plan, on: reactor)
        let load = try CallbackLoad(test.plan, run, on: reactor)
        let before = ProcessorTime.own
        var watch = Watch(test.label, test.plan, progress: test.progress)
        load.start()
        turn(reactor, run, load, &watch)
        watch.look(at: run.tally, load.client.statistics)
        let used = ProcessorTime.own - before
        var report = Report(run.tally, wall: run.wallSeconds, used: used)
        report.connectionsOpened = load.client.statistics.connectionsOpened
        run.end()
        load.client.shutdown(.immediate)
        watch.fill(&report)
        return report
    }

    /// The host's loop: it looks at the load now and then, and has nothing else to do.
    private func turn(
        _ reactor: Reactor, _ run: LoadRun, _ load: CallbackLoad, _ watch: inout Watch
    ) {
        var nextLook = monotonicNanoseconds()
        var overSince: UInt64?
        while run.hasCallers {
            let now = monotonicNanoseconds()
            if now >= nextLook {
                watch.look(at: run.tally, load.client.statistics)
                nextLook = now + Watch.intervalNanoseconds
                if watch.isOver {
                    overSince = overSince ?? now
                    run.timeIsOver()
                }
                if let overSince, watch.isExhausted(since: overSince) {
                    run.abandonDue()
                    load.cutOff()
                }
            }
            var wait = pollfd(fd: reactor.fileDescriptor, events: Int16(POLLIN), revents: 0)
            // poll reads and writes one pollfd.
            _ = unsafe poll(&wait, 1, CInt((max(nextLook, now) - now) / 1_000_000 + 1))
            reactor.turn()
        }
    }
}
