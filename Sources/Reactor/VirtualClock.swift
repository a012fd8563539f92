// Time for tests: a reactor with a virtual clock never waits for time to pass.
//
// When nothing is ready (asked once, without waiting) and nothing is left to run, the clock jumps
// to the next deadline, so a minute of back-off takes microseconds and is exactly a minute. With
// `jumps` off, a test moves the clock by hand with `advance(by:)`.

package import FetchTime

/// The clock of a reactor with virtual time; on its thread.
package final class VirtualClock {
    /// The time that the reactor will see next.
    package private(set) var now: Now
    /// Whether an idle reactor moves the clock to its next deadline.
    package var jumps: Bool

    init(_ time: VirtualTime) {
        (now, jumps) = (time.start, time.jumps)
    }

    /// Both clocks go on; never back.
    package func move(to instant: Instant) {
        let step = instant.nanoseconds(since: now.instant)
        guard step > 0 else { return }
        now = Now(instant: instant, wall: now.wall.adding(nanoseconds: step))
    }

    /// Sets the wall clock alone, as an operator or NTP does.
    package func setWall(_ wall: Timestamp) {
        now.wall = wall
    }
}

extension Reactor {
    /// Turns until nothing is ready and nothing is left to run, without letting time pass. For
    /// tests that drive an embedded reactor by hand.
    package func runUntilIdle() {
        let jumps = virtualClock?.jumps
        virtualClock?.jumps = false
        while turn() > 0 || hasLocalWork {}
        if let jumps { virtualClock?.jumps = jumps }
    }

    /// Lets virtual time pass: stops at each deadline on the way and serves it.
    package func advance(by duration: Duration) {
        guard let virtualClock else {
            fatalError("only a reactor with virtual time can be advanced")
        }
        let end = virtualClock.now.instant + duration
        runUntilIdle()
        while let deadline = nextDeadline, deadline <= end {
            virtualClock.move(to: deadline)
            runUntilIdle()
        }
        virtualClock.move(to: end)
        refreshClock()
    }
}
