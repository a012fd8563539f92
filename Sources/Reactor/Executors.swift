// Swift's jobs on a reactor: it is a task executor, and its serial face is a second, small object,
// because one type can't tell what a job was enqueued for.
//
// Jobs from the reactor's own thread go to a plain array, others through the inbox. A job that
// comes after the reactor's end must run somewhere, or its task would hang for ever: it goes to
// Swift's global executor, where calls into the client fail because the client has ended.

internal import CFetchLinux
internal import Glibc
internal import Synchronization

/// A job and how it is to be run. Trivial to copy: two words and a byte.
///
/// A job is owned by whoever will run it and run exactly once; the queue does that. A serial face
/// outlives its jobs, because the actor whose executor it is does.
@safe
struct LocalJob {
    @safe
    enum Face {
        case task
        case serial(Unmanaged<ReactorSerialExecutor>)
        /// A sleeper's wake-up call, which has no executor: elsewhere it would only hop away.
        case generic
    }

    let job: UnownedJob
    let face: Face
}

/// Jobs in order of arrival; a plain array with a read mark.
struct JobQueue {
    private var jobs: ContiguousArray<LocalJob> = []
    private var first = 0

    var isEmpty: Bool { first == jobs.count }

    mutating func append(_ job: LocalJob) {
        jobs.append(job)
    }

    mutating func next() -> LocalJob? {
        guard first < jobs.count else { return nil }
        let job = jobs[first]
        first += 1
        if first == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            first = 0
        }
        return job
    }

    /// Forgets the jobs that were taken, when a turn ends with others left.
    mutating func compact() {
        guard first > 0 else { return }
        jobs.removeFirst(first)
        first = 0
    }
}

extension Reactor {
    /// Takes a task's job. From any thread; for Swift's runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        submit(LocalJob(job: UnownedJob(job), face: .task))
    }

    func submit(_ job: LocalJob) {
        if isCurrent, !isClosed {
            jobs.append(job)
            signalIfOutsideTurn()
        } else {
            submitFromElsewhere(job)
        }
    }

    @inline(never)
    private func submitFromElsewhere(_ job: LocalJob) {
        if isForked {
            // The child's only thread: whatever it runs next, it runs here.
            jobs.append(job)
        } else if !inbox.put(.job(job)) {
            runAfterEnd(job)
        }
    }

    /// Runs a job in its own manner, on the reactor's thread.
    @inline(__always)
    func run(_ job: LocalJob) {
        switch job.face {
        case .task:
            // The executor is alive: this is its method.
            unsafe job.job.runSynchronously(on: asUnownedTaskExecutor())
        case .serial(let face):
            unsafe face._withUnsafeGuaranteedRef {
                unsafe job.job.runSynchronously(
                    isolatedTo: $0.asUnownedSerialExecutor(),
                    taskExecutor: asUnownedTaskExecutor())
            }
        case .generic:
            // "No executor in particular", which the runtime writes as two zero words.
            let generic = unsafe unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)
            unsafe job.job.runSynchronously(on: generic)
        }
    }

    /// Finds a place for a job that came after the end.
    func runAfterEnd(_ job: LocalJob) {
        switch job.face {
        case .task, .generic:
            globalConcurrentExecutor.enqueue(ExecutorJob(job.job))
        case .serial(let face):
            // The job's sender keeps the face alive.
            unsafe face._withUnsafeGuaranteedRef { $0.enqueueAfterEnd(job.job) }
        }
    }

    /// The serial face: actors whose `unownedExecutor` is this one's live on the reactor's thread.
    ///
    /// The same object until the reactor ends, then a new one each time. An embedded reactor whose
    /// face was asked for must be stopped, because the two keep each other alive until then.
    public var serialExecutor: ReactorSerialExecutor {
        serialFace.withLock { state in
            if let face = state.face { return face }
            let made = ReactorSerialExecutor(self)
            if state.mayBeKept { state.face = made }
            return made
        }
    }
}

/// Runs actors on a reactor's thread. Keep it in the actor, and return its
/// `asUnownedSerialExecutor()` as the actor's `unownedExecutor`.
public final class ReactorSerialExecutor: SerialExecutor {
    /// Whose thread it is.
    public let reactor: Reactor
    /// Jobs that came after the reactor's end: one drain at a time keeps them serial.
    private let late = Mutex<(jobs: [UnownedJob], isDraining: Bool)>(([], false))

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    /// Takes an actor's job. From any thread; for Swift's runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        // The face outlives the job: see LocalJob.
        unsafe reactor.submit(
            LocalJob(job: UnownedJob(job), face: .serial(.passUnretained(self))))
    }

    /// Whether the caller is on the reactor's thread, where this executor's isolation holds.
    public func isIsolatingCurrentContext() -> Bool? {
        reactor.isCurrent
    }

    /// Traps unless the caller is on the reactor's thread.
    public func checkIsolated() {
        reactor.checkThread()
    }

    func enqueueAfterEnd(_ job: UnownedJob) {
        let starts = late.withLock { late in
            late.jobs.append(job)
            defer { late.isDraining = true }
            return !late.isDraining
        }
        guard starts else { return }
        Task.detached { self.drain() }
    }

    private func drain() {
        while true {
            let jobs = late.withLock { late in
                defer { late.jobs = [] }
                if late.jobs.isEmpty { late.isDraining = false }
                return late.jobs
            }
            guard !jobs.isEmpty else { return }
            // The executor is alive: this is its method.
            for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
