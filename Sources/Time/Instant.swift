// A point on the monotonic clock, in nanoseconds. A value of any thread; reads no clock.

/// A point in time on a reactor's clock: nanoseconds since an origin that only differences can see.
///
/// Real reactors count CLOCK_MONOTONIC, which stands still while the machine sleeps; a reactor with
/// virtual time counts whatever its test says. Arithmetic saturates, so that a deadline "for ever
/// from now" is the far end of time and not a trap.
@frozen
public struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's origin.
    public var nanoseconds: Int64

    /// The instant that many nanoseconds after the clock's origin.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The end of time: later than anything a clock will say in 292 years.
    @inlinable
    public static var distantFuture: Instant { Instant(nanoseconds: .max) }

    /// Whether the first instant is earlier.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant that many nanoseconds later, saturating: what rooms use in the hot path, because
    /// `Duration` counts attoseconds in 128 bits.
    @inlinable
    package func adding(nanoseconds count: Int64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        guard overflow else { return Instant(nanoseconds: sum) }
        return Instant(nanoseconds: count < 0 ? .min : .max)
    }

    /// Nanoseconds from `earlier` to this instant, saturating.
    @inlinable
    package func nanoseconds(since earlier: Instant) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        guard overflow else { return difference }
        return earlier.nanoseconds < 0 ? .max : .min
    }
}

extension Instant: InstantProtocol {
    /// The instant that much later, saturating.
    @inlinable
    public func advanced(by duration: Duration) -> Instant {
        adding(nanoseconds: duration.saturatingNanoseconds)
    }

    /// How long after this instant the other one comes.
    @inlinable
    public func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds(since: self))
    }

    /// The instant that much later, saturating.
    @inlinable
    public static func + (instant: Instant, duration: Duration) -> Instant {
        instant.advanced(by: duration)
    }

    /// The instant that much earlier, saturating.
    @inlinable
    public static func - (instant: Instant, duration: Duration) -> Instant {
        let count = duration.saturatingNanoseconds
        return count == .min
            ? Instant(nanoseconds: .max) : instant.adding(nanoseconds: -count)
    }

    /// How long after the second instant the first one comes.
    @inlinable
    public static func - (later: Instant, earlier: Instant) -> Duration {
        earlier.duration(to: later)
    }
}

extension Duration {
    /// This duration in whole nanoseconds, rounded up (a timer is never early), saturating.
    @inlinable
    package var saturatingNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (quotient, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let (sum, full) = whole.addingReportingOverflow(quotient + (rest > 0 ? 1 : 0))
        return full ? (seconds < 0 ? .min : .max) : sum
    }
}
