// The three ways in, and the one way out.

internal import CFetchLinux
internal import FetchTime
internal import Glibc
internal import Synchronization

extension Reactor {
    /// Runs the body on the calling thread, which the reactor owns until the body returns, and
    /// returns what it returned.
    ///
    /// The process needs no other thread. On the main thread Dispatch's main queue is served too,
    /// so `@MainActor` code proceeds. Calls of the client that are still in flight when the body
    /// returns are cancelled. Tasks that outlive the body go on in Swift's global executor.
    ///
    /// Traps when called inside a reactor. Throws what the body throws, or `SystemError` if the
    /// reactor can't be made or the process was forked inside it.
    public static func run<R: Sendable>(
        _ configuration: Configuration = Configuration(),
        _ body: @escaping @Sendable () async throws -> R
    ) throws -> R {
        guard current == nil else {
            fatalError(
                "Reactor.run was called inside a reactor: the thread has a loop already, "
                    + "await the work instead")
        }
        let reactor = try Reactor(configuration, owner: adoptThisThread(), isEmbedded: false)
        let outcome = Outcome<R>()
        try reactor.whileCurrent { () throws(SystemError) in
            try reactor.adoptMainQueue()
            if configuration.installsGlobalExecutor { reactor.becomeGlobalExecutor() }
            Task(executorPreference: reactor) {
                let result: Result<R, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                outcome.result.withLock { $0 = result }
                reactor.bodyIsOver = true
            }
            defer { reactor.end() }
            while !reactor.bodyIsOver { try reactor.turnAndWait() }
        }
        guard let result = outcome.result.withLock({ $0 }) else { throw SystemError.closed }
        return try result.get()
    }

    /// Starts a thread that runs a reactor until `stop`. The thread keeps the reactor alive.
    ///
    /// The name is what `ps -L` shows, cut at 15 bytes.
    public static func startThread(
        _ configuration: Configuration = Configuration(), name: String = "reactor"
    ) throws -> Reactor {
        let reactor = try Reactor(
            configuration, owner: fetch_new_thread_number(), isEmbedded: false)
        // The new thread takes this reference over. `attributes` is used and destroyed here.
        reactor.threadName = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        let context = unsafe Unmanaged.passRetained(reactor)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, &attributes,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Reactor>.fromOpaque(context).takeRetainedValue().runThread()
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            unsafe context.release()
            throw SystemError.failed(.pthreadCreate, errno: failure)
        }
        return reactor
    }

    /// Makes a reactor for the calling thread, driven by another loop: it waits until
    /// `fileDescriptor` is readable and then calls `turn`. Ended by `stop`.
    public static func embedded(
        _ configuration: Configuration = Configuration()
    ) throws -> Reactor {
        try Reactor(configuration, owner: adoptThisThread(), isEmbedded: true)
    }

    /// A descriptor that is readable exactly while there is work: ready sockets, due timers, jobs,
    /// actions. It is the epoll descriptor itself; wait for it, don't read it.
    public var fileDescriptor: CInt { poller.descriptor }

    /// Ends the reactor: a thread of its own ends after this turn, an embedded one ends here (call
    /// it on its thread). Does nothing to `run`, which ends with its body, nor the second time.
    public func stop() {
        guard !isForked else { return }
        guard isEmbedded else { return inbox.askToStop() }
        adoptThread()
        if isTurning { stopsAfterTurn = true } else { whileCurrent { end() } }
    }

    /// Calls the action on the reactor's thread when it ends, before anything is let go: whoever
    /// has calls in flight cancels them here. Returns a number for `removeCloseHook`.
    @discardableResult
    package func onClose(_ action: @escaping () -> Void) -> Int {
        checkThread()
        closeHooksMade += 1
        closeHooks.append((closeHooksMade, action))
        return closeHooksMade
    }

    /// Forgets a close hook.
    package func removeCloseHook(_ hook: Int) {
        checkThread()
        closeHooks.removeAll { $0.id == hook }
    }

    // MARK: Turning

    /// One turn that waits; throws in a forked child when only the shared set could bring news.
    private func turnAndWait() throws(SystemError) {
        if isForked { return try turnInChild() }
        _ = turn(waiting: true, maxEvents: .max)
    }

    /// A child of fork(2) that goes on inside `run`: its own jobs run, but there is nothing that it
    /// may wait for.
    private func turnInChild() throws(SystemError) {
        guard let job = jobs.next() else { throw .forked }
        run(job)
    }

    private func runThread() {
        fetch_set_thread_number(owner.load(ordering: .relaxed))
        _ = unsafe fetch_name_thread(pthread_self(), threadName)  // lives until the call returns
        whileCurrent {
            while !inbox.isAskedToStop, !isForked { _ = turn(waiting: true, maxEvents: .max) }
            end()
        }
    }

    /// The thread's number, given now if it has none.
    static func adoptThisThread() -> UInt64 {
        fetch_watch_forks()
        if fetch_thread_number() == 0 { fetch_set_thread_number(fetch_new_thread_number()) }
        return fetch_thread_number()
    }

    /// Makes this the current reactor while the body runs.
    func whileCurrent<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        // The pointer is valid while `self` is, and `self` is held for the whole call.
        let outer = unsafe fetch_current_reactor()
        unsafe fetch_set_current_reactor(Unmanaged.passUnretained(self).toOpaque())
        defer { unsafe fetch_set_current_reactor(outer) }
        return try body()
    }

    // MARK: The end

    /// Ends: hooks, then what they brought about, then nothing is taken any more, then everything
    /// is let go.
    func end() {
        guard !isEnding, !isForked else { return }
        isEnding = true
        runCloseHooks()
        resignAsGlobalExecutor()
        discardTimers()
        // Rounds for what was cancelled to unwind; a task that yields for ever must not hold us.
        var rounds = 64
        while hasLocalWork || rounds == 64, rounds > 0 {
            inboxHasNews = true
            _ = turn(waiting: false, maxEvents: .max)
            runCloseHooks()
            rounds -= 1
        }
        leaveMainQueue()
        letGo()
    }

    /// Also those that the hooks add.
    private func runCloseHooks() {
        while let hook = closeHooks.popLast() { hook.action() }
    }

    /// Accepted is accepted: what is left runs, and what that adds doesn't. Then everything is let
    /// go; see the essay in Reactor.swift for the lock.
    private func letGo() {
        inbox.lettingGo {
            isClosed = true
            inbox.close()
            runLeftovers()
            dropDeferred()
            discardTimers()
            for slot in slots.indices {
                slots[slot].generation &+= 1
                let handler = slots[slot].handler.take()
                _ = handler
            }
            serialFace.withLock { $0 = (nil, false) }
        }
    }

    /// Timers will not fire: sleepers are told.
    private func discardTimers() {
        for (timer, deadline) in timers.removeAll() {
            timer.handler.timerDiscarded(timer.token, dueAt: deadline)
        }
    }

    /// What was put off is not done any more. Out first, then released: what goes with it may come
    /// back here.
    private func dropDeferred() {
        let dropped = deferred
        deferred = []
        _ = dropped
    }

    /// Actions run here; jobs go where late jobs go.
    private func runLeftovers() {
        inbox.takeAll(into: &received)
        let entries = received
        received = []
        for entry in entries { serve(entry) }
        let batch = actions
        actions = []
        for action in batch { action() }
        while let job = jobs.next() { runAfterEnd(job) }
    }
}

/// Where the body's result waits until the loop has ended.
private final class Outcome<R: Sendable>: Sendable {
    let result = Mutex<Result<R, any Error>?>(nil)
}
