// The token bucket: full at first, refilled steadily, never above its burst. A value; reads no clock.

public import FetchTime

/// At most rate · time + burst, whatever the time.
///
/// The bucket starts full, so `burst` may go at once; then one goes each period / count. Levels are
/// exact fractions of integers: nothing drifts.
public struct TokenBucket: RateLimiter, Equatable {
    private var pace: Pace
    private var burstTime: ExactTime
    /// What the bucket holds when it is full.
    public private(set) var burst: Int

    /// A full bucket. A burst below 1 is 1, and one that would take more than 2³¹ s to fill is as
    /// much less.
    ///
    /// - Parameters:
    ///   - rate: how fast it fills.
    ///   - burst: what it holds; the rate's count unless it is given.
    public init(_ rate: Rate, burst: Int? = nil) {
        pace = Pace(rate)
        self.burst = pace.bounded(burst ?? rate.count)
        burstTime = pace.time(of: Int64(self.burst))
    }

    /// A full bucket of so many a second.
    public init(rate: Int, burst: Int) {
        self.init(.perSecond(rate), burst: burst)
    }

    /// Takes `cost` tokens if they are there. A cost above the burst never is.
    public mutating func admit(_ cost: Int, now: Instant) -> Admission {
        guard cost > 0 else { return .now }
        guard cost <= burst else { return .notBefore(.distantFuture) }
        let after = pace.paidUp(after: Int64(cost), at: now.nanoseconds)
        let earliest = Pace.firstInstant(notBefore: pace.difference(after, burstTime))
        guard earliest <= now.nanoseconds else {
            return .notBefore(Instant(nanoseconds: earliest))
        }
        pace.grant(after)
        return .now
    }

    /// Puts tokens back; what the bucket can't hold is lost.
    public mutating func giveBack(_ cost: Int, now: Instant) {
        guard cost > 0 else { return }
        pace.giveBack(Int64(min(cost, Rate.mostCount)))
    }

    /// Whether it is full.
    public func isAtRest(now: Instant) -> Bool {
        Pace.firstInstant(notBefore: pace.paidUp) <= now.nanoseconds
    }

    /// When `cost` tokens will have come if nobody else takes any: also more than the burst, as
    /// when several stand in line. Never later than the truth.
    package func earliest(_ cost: Int, now: Instant) -> Instant {
        guard cost > 0 else { return now }
        let after = pace.paidUp(
            after: Int64(min(cost, Rate.mostCount)), at: now.nanoseconds)
        let earliest = Pace.firstInstant(notBefore: pace.difference(after, burstTime))
        return max(now, Instant(nanoseconds: earliest))
    }

    /// Whole tokens that are there now.
    public func available(now: Instant) -> Int {
        Int(pace.grants(in: there(now)).whole)
    }

    /// Another rate and burst from now on. The tokens that are there stay, as far as they fit.
    public mutating func adjust(_ rate: Rate, burst newBurst: Int? = nil, now: Instant) {
        let there = there(now)
        let old = pace
        pace = Pace(rate)
        burst = pace.bounded(newBurst ?? rate.count)
        burstTime = pace.time(of: Int64(burst))
        let missing = pace.difference(
            burstTime, pace.span(worth: there, of: old, roundedUp: false))
        let present = ExactTime(whole: now.nanoseconds, part: 0)
        pace.grant(missing.whole < 0 ? present : pace.sum(present, missing))
    }

    /// The tokens that are there, as the time that they take to come.
    private func there(_ now: Instant) -> ExactTime {
        pace.difference(burstTime, pace.ahead(of: now))
    }
}
