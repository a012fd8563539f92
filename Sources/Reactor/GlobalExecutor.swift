// A reactor in the place of Swift's global executor, while `Reactor.run` lasts and if asked for:
// `Task { }` and `Task.sleep` then stay on its thread, and the process keeps a single one.
//
// The runtime has hooks for that (swift_task_enqueueGlobal_hook and its two siblings for delays).
// Jobs that come through them are run as the reactor's own, so that what they sleep for comes to
// the reactor as well (Sleeping.swift).
// They are the process's: one reactor at a time, and a library that has its own there stays.

internal import CFetchLinux
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
                Reactor.standIn.withLock { $0 }?.submit(LocalJob(job: job, face: .task))
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
}
