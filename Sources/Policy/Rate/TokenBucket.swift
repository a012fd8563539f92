// The token bucket: full at first, refilled steadily, never above its burst. A value; reads no
// clock.

public import FetchTime

/// At most rate · time + burst, whatever the time.
///
/// The bucket starts full, so `burst` may go at once; then one goes each period / count. Levels are
/// exact fractions of integers: nothing drifts.
public struct TokenBucket: RateLimiter, Equatable {
    private(set) var bucket: PacedBucket

    /// A full bucket. A burst below 1 is 1, and one that would take more than 2³¹ s to fill is as
    /// much less.
    ///
    /// - Parameters:
    ///   - rate: how fast it fills.
    ///   - burst: what it holds; the rate's count unless it is given.
    public init(_ rate: Rate, burst: Int? = nil) {
        bucket = PacedBucket(rate, burst: burst ?? rate.count)
    }

    /// A full bucket of so many a second.
    public init(rate: Int, burst: Int) {
        self.init(.perSecond(rate), burst: burst)
    }

    /// What the bucket holds when it is full.
    public var burst: Int { bucket.burst }

    /// Takes `cost` tokens if they are there. A cost above the burst never is.
    public mutating func admit(_ cost: Int, now: Instant) -> Admission {
        bucket.admit(cost, now: now)
    }

    /// Puts tokens back; what the bucket can't hold is lost.
    public mutating func giveBack(_ cost: Int, now: Instant) { bucket.giveBack(cost) }

    /// Whether it is full.
    public func isAtRest(now: Instant) -> Bool { bucket.isAtRest(now: now) }

    /// When `cost` tokens will have come if nobody else takes any: also more than the burst, as
    /// when several stand in line. Never later than the truth.
    package func earliest(_ cost: Int, now: Instant) -> Instant {
        bucket.earliest(cost, now: now)
    }

    /// Whole tokens that are there now.
    public func available(now: Instant) -> Int { bucket.available(now: now) }

    /// Another rate and burst from now on. The tokens that are there stay, as far as they fit.
    public mutating func adjust(_ rate: Rate, burst newBurst: Int? = nil, now: Instant) {
        bucket.adjust(rate, burst: newBurst ?? rate.count, now: now)
    }
}
