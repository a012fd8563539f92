// Timers: entries of the wheel that call a handler on the reactor's thread. No timer costs a
// system call; an embedded reactor keeps one timerfd, armed only when the earliest deadline comes
// nearer, so that its descriptor becomes readable in time.

internal import CFetchLinux
package import FetchTime
internal import Glibc

/// Hears when its timer is due, on the reactor's thread.
package protocol TimerHandler: AnyObject {
    /// The timer is due; `token` is what it was scheduled with.
    func timerFired(_ token: Int)
    /// The reactor ends before the timer is due. Most handlers have nothing to do.
    func timerDiscarded(_ token: Int, dueAt deadline: Instant)
}

extension TimerHandler {
    package func timerDiscarded(_ token: Int, dueAt deadline: Instant) {}
}

/// What a wheel entry carries: 24 bytes.
struct Timer {
    let handler: any TimerHandler
    let token: Int
}

extension Reactor {
    /// What a timer takes on the wheel, in bytes.
    package static var timerBytes: Int { TimerWheel<Timer>.entryBytes }

    /// Calls the handler, which is kept until then, at that time or up to a millisecond later.
    /// On a reactor that has ended, nothing fires any more.
    package func schedule(
        _ handler: any TimerHandler, token: Int = 0, at deadline: Instant
    ) -> TimerID {
        checkThread()
        let timer = timers.insert(Timer(handler: handler, token: token), at: deadline)
        if isClosed { _ = timers.cancel(timer) }  // so that nothing is kept for ever
        if isEmbedded, !isTurning { armTimerDescriptor() }
        return timer
    }

    /// Forgets a timer; does nothing if it has fired or was cancelled.
    package func cancel(_ timer: TimerID) {
        checkThread()
        _ = timers.cancel(timer)
    }

    /// Arms the timerfd if the earliest deadline came nearer than what it is armed for.
    func armTimerDescriptor() {
        guard timerDescriptor >= 0, !isClosed, !isForked, let deadline = nextDeadline,
            deadline < armedFor
        else { return }
        armedFor = deadline
        // Zero would disarm it.
        let nanoseconds = max(1, deadline.nanoseconds)
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        var setting = itimerspec()
        setting.it_value = timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
        // Can't fail: the descriptor is ours and the value is in range. Pointers are to locals.
        _ = unsafe timerfd_settime(timerDescriptor, CInt(TFD_TIMER_ABSTIME), &setting, nil)
    }

    static func makeTimerDescriptor() throws(SystemError) -> CInt {
        let descriptor = timerfd_create(
            CLOCK_MONOTONIC, CInt(TFD_CLOEXEC | TFD_NONBLOCK))
        guard descriptor >= 0 else { throw .failed(.timerfdCreate, errno: errno) }
        return descriptor
    }
}
