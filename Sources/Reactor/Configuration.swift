// The bounds of a turn, and what kind of time a reactor keeps. A value of any thread.

package import FetchTime

extension Reactor {
    /// How a reactor works; the defaults suit a client and a server alike.
    public struct Configuration: Sendable {
        /// Ready descriptors served in one turn before timers and jobs get theirs. Default 1,024.
        public var maxEventsPerTurn = 1_024
        /// Timers fired in one turn. Default 1,024.
        public var maxTimersPerTurn = 1_024
        /// Jobs and actions run in one turn; what is left waits for the next, so that a task that
        /// yields for ever doesn't starve the sockets. Default 4,096.
        public var maxJobsPerTurn = 4_096
        /// While `Reactor.run` lasts, `Task { }` and whatever it sleeps for stay on its thread too:
        /// the reactor takes the place of Swift's global executor, for the whole process. Without
        /// it, `Task { }` starts the global executor's threads, and so does a task on the reactor
        /// that calls `Task.sleep(nanoseconds:)` (`Task.sleep(for:)` stays). Only for
        /// `Reactor.run`; traps there if another library has taken that place. Default false.
        public var installsGlobalExecutor = false
        /// A clock that jumps instead of waiting; nil for the real one.
        package var virtualTime: VirtualTime?

        /// The defaults.
        public init() {}
    }
}

/// Where a virtual clock starts, and whether it moves by itself.
package struct VirtualTime: Sendable {
    package var start: Now
    /// Whether an idle reactor jumps to its next deadline; otherwise only `advance(by:)` moves it.
    package var jumps: Bool

    package init(
        start: Now = Now(
            instant: Instant(nanoseconds: 1_000_000_000),
            wall: Timestamp(seconds: 1_000_000_000)),
        jumps: Bool = true
    ) {
        self.start = start
        self.jumps = jumps
    }
}
