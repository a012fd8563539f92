// How the inside, where nothing waits, calls what somebody has written as `async`. Reactor thread.

extension Reactor {
    /// Begins an asynchronous call. Its body runs on this reactor's thread, and comes back to it
    /// from wherever it was. Who wants to know the outcome posts it at the body's end.
    package func call(_ body: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self) { await body() }
    }
}
