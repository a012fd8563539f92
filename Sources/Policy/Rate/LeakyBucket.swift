// The leaky bucket, in both of its meanings: a meter that lets a full bucket go at once, and a
// shaper that spaces everything evenly. A value; reads no clock.

public import FetchTime

/// Evenly spaced grants.
public struct LeakyBucket: RateLimiter, Equatable {
    /// What happens to a burst.
    public enum Shaping: Sendable, Hashable {
        /// An empty bucket takes the rate's count at once; then they go evenly spaced.
        case meter
        /// They always go evenly spaced: period / count after the one before.
        case strict
    }

    /// How much of its own lateness a strict bucket makes good, 1 ms: wake-ups come on a timer's
    /// tick, and spacing from late wake-ups alone would make a fast rate too slow. Two grants are
    /// closer together by this at most.
    public static var lateness: Duration { .nanoseconds(PacedBucket.latenessNanoseconds) }

    private(set) var bucket: PacedBucket

    /// An empty bucket that leaks at this rate.
    public init(_ rate: Rate, shaping: Shaping = .meter) {
        bucket =
            switch shaping {
            case .meter: PacedBucket(rate, burst: rate.count)
            case .strict: PacedBucket(strict: rate)
            }
    }

    /// An empty bucket that leaks at this rate.
    public init(maxRate: Int, per period: Duration, shaping: Shaping = .meter) {
        self.init(Rate(maxRate, per: period), shaping: shaping)
    }

    /// What happens to a burst.
    public var shaping: Shaping { bucket.isStrict ? .strict : .meter }

    /// Pours `cost` in if there is room. A meter never has room for more than the rate's count; a
    /// strict bucket takes any cost and lets the next wait for it.
    public mutating func admit(_ cost: Int, now: Instant) -> Admission {
        bucket.admit(cost, now: now)
    }

    /// Takes `cost` out again.
    public mutating func giveBack(_ cost: Int, now: Instant) { bucket.giveBack(cost) }

    /// Whether it is empty.
    public func isAtRest(now: Instant) -> Bool { bucket.isAtRest(now: now) }

    /// When `cost` could be had, one after the other. Never later than the truth.
    package func earliest(_ cost: Int, now: Instant) -> Instant {
        bucket.earliest(cost, now: now)
    }

    /// Another rate from now on; what is in the bucket stays in it.
    public mutating func adjust(_ rate: Rate, now: Instant) {
        bucket.adjust(rate, burst: rate.count, now: now)
    }
}
