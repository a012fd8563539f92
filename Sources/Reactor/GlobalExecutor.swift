// A reactor in the place of Swift's global executor, while `Reactor.run` lasts and if asked for:
// `Task { }` and `Task.sleep` then stay on its thread, and the process keeps a single one.
//
// The runtime has hooks for that (swift_task_enqueueGlobal_hook and its two siblings for delays).
// They are the process's: one reactor at a time, and a library that has its own there stays.

internal import CFetchLinux
internal import FetchTime
internal import Synchronization

extension Reactor {
    /// Whoever stands in the global executor's place. It is never let go: a thread may be on its
    /// way through the hook while it is being removed.
    private static let standIn = Mutex<Reactor?>(nil)

    func becomeGlobalExecutor() {
        Self.standIn.withLock { $0 = self }
        // Jobs travel through C as the addresses that they are.
        let installed = unsafe fetch_install_global_executor(
            { job in
                let job = unsafe unsafeBitCast(job, to: UnownedJob.self)
                Reactor.standIn.withLock { $0 }?.submit(LocalJob(job: job, face: .global))
            },
            { job, nanoseconds in
                let job = unsafe unsafeBitCast(job, to: UnownedJob.self)
                Reactor.standIn.withLock { $0 }?.submit(job, after: nanoseconds)
            })
        guard installed else {
            fatalError("somebody else has taken the place of Swift's global executor already")
        }
        isGlobalExecutor = true
    }

    func resignAsGlobalExecutor() {
        guard isGlobalExecutor else { return }
        isGlobalExecutor = false
        fetch_remove_global_executor()
    }

    private func submit(_ job: UnownedJob, after nanoseconds: Int64) {
        guard isCurrent else {
            if !post({ self.submit(job, after: nanoseconds) }) {
                unsafe fetch_enqueue_global_with_delay(job.address, nanoseconds)
            }
            return
        }
        _ = schedule(
            DelayedJobs(self), token: job.bits,
            at: cachedNow.adding(nanoseconds: nanoseconds))
    }
}

/// Jobs of the global executor that wait for their time: the token is the job.
private final class DelayedJobs: TimerHandler {
    private let reactor: Reactor

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    func timerFired(_ token: Int) {
        reactor.submit(LocalJob(job: UnownedJob(bits: token), face: .global))
    }

    /// The reactor ends: the runtime's own queue waits for the rest of the time.
    func timerDiscarded(_ token: Int, dueAt deadline: Instant) {
        let left = max(0, deadline.nanoseconds(since: reactor.now))
        unsafe fetch_enqueue_global_with_delay(UnownedJob(bits: token).address, left)
    }
}

/// A job is one pointer; these are its faces.
extension UnownedJob {
    fileprivate var bits: Int { unsafe unsafeBitCast(self, to: Int.self) }

    fileprivate var address: UnsafeMutableRawPointer {
        unsafe unsafeBitCast(self, to: UnsafeMutableRawPointer.self)
    }

    fileprivate init(bits: Int) {
        self = unsafe unsafeBitCast(bits, to: UnownedJob.self)
    }
}
