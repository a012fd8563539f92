// `Task.sleep` on a reactor's wheel.
//
// In Swift 6.3 a sleeping task asks its executor to wake it, if that is a `SchedulingExecutor`, and
// otherwise starts Dispatch's threads, whatever hooks are installed. The protocol is an SPI of the
// standard library, so it is adopted for exactly the compilers in which it was tried; elsewhere
// `Task.sleep` leaves the thread, and `reactor.clock.sleep` does not.

internal import CFetchLinux
internal import FetchTime
@_spi(ExperimentalScheduling) internal import _Concurrency

#if compiler(>=6.3) && compiler(<6.4)
    @_spi(ExperimentalScheduling)
    extension Reactor: SchedulingExecutor {
        /// Runs the job after the delay; for Swift's runtime.
        @_spi(ExperimentalScheduling)
        public func enqueue<C: Clock>(
            _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
        ) {
            submit(UnownedJob(job), after: Self.nanoseconds(delay))
        }

        /// Runs the job at that time; for Swift's runtime.
        @_spi(ExperimentalScheduling)
        public func enqueue<C: Clock>(
            _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
        ) {
            submit(UnownedJob(job), after: Self.nanoseconds(clock.now.duration(to: instant)))
        }

        private static func nanoseconds<D: DurationProtocol>(_ duration: D) -> Int64 {
            guard let duration = duration as? Duration else {
                fatalError("this clock does not measure in Swift.Duration; sleep by its own means")
            }
            return duration.saturatingNanoseconds
        }
    }
#endif

extension Reactor {
    /// Runs a job after that time. Any thread.
    func submit(_ job: UnownedJob, after nanoseconds: Int64) {
        guard isCurrent, !isEnding else {
            guard isCurrent || !post({ self.submit(job, after: nanoseconds) }) else { return }
            // The runtime's own queue, since this one has ended. Jobs travel as their addresses.
            return unsafe fetch_enqueue_global_with_delay(job.address, max(0, nanoseconds))
        }
        refreshClockAfterLongCall()
        _ = schedule(
            delayedJobs, token: job.bits, at: cachedNow.adding(nanoseconds: nanoseconds))
    }
}

/// Jobs that wait for their time: the token is the job. Reactor thread.
final class DelayedJobs: TimerHandler {
    private unowned let reactor: Reactor

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    func timerFired(_ token: Int) {
        reactor.submit(LocalJob(job: UnownedJob(bits: token), face: .generic))
    }

    /// The reactor ends: the runtime's own queue waits for the rest of the time.
    func timerDiscarded(_ token: Int, dueAt deadline: Instant) {
        let left = max(0, deadline.nanoseconds(since: reactor.cachedNow))
        // The job's address, which the runtime takes over.
        unsafe fetch_enqueue_global_with_delay(UnownedJob(bits: token).address, left)
    }
}

/// A job is one pointer; these are its other faces.
extension UnownedJob {
    var bits: Int { unsafe unsafeBitCast(self, to: Int.self) }

    var address: UnsafeMutableRawPointer {
        unsafe unsafeBitCast(self, to: UnsafeMutableRawPointer.self)
    }

    init(bits: Int) {
        self = unsafe unsafeBitCast(bits, to: UnownedJob.self)
    }
}
