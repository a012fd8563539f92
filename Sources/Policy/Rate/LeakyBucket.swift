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
    public static var lateness: Duration { .milliseconds(1) }
    private static var latenessNanoseconds: Int64 { 1_000_000 }

    private enum Bucket: Equatable, Sendable {
        case meter(TokenBucket)
        case strict(Pace)
    }

    private var bucket: Bucket

    /// An empty bucket that leaks at this rate.
    public init(_ rate: Rate, shaping: Shaping = .meter) {
        bucket =
            switch shaping {
            case .meter: .meter(TokenBucket(rate))
            case .strict: .strict(Pace(rate))
            }
    }

    /// An empty bucket that leaks at this rate.
    public init(maxRate: Int, per period: Duration, shaping: Shaping = .meter) {
        self.init(Rate(maxRate, per: period), shaping: shaping)
    }

    /// What happens to a burst.
    public var shaping: Shaping {
        switch bucket {
        case .meter: .meter
        case .strict: .strict
        }
    }

    /// Pours `cost` in if there is room. A meter never has room for more than the rate's count; a
    /// strict bucket takes any cost and lets the next wait for it.
    public mutating func admit(_ cost: Int, now: Instant) -> Admission {
        guard cost > 0 else { return .now }
        switch bucket {
        case .meter(var meter):
            defer { bucket = .meter(meter) }
            return meter.admit(cost, now: now)
        case .strict(var pace):
            let due = Pace.firstInstant(notBefore: pace.paidUp)
            guard due <= now.nanoseconds else { return .notBefore(Instant(nanoseconds: due)) }
            pace.grant(pace.paidUp(after: Self.counted(cost), at: Self.base(now)))
            bucket = .strict(pace)
            return .now
        }
    }

    /// Takes `cost` out again.
    public mutating func giveBack(_ cost: Int, now: Instant) {
        guard cost > 0 else { return }
        switch bucket {
        case .meter(var meter):
            meter.giveBack(cost, now: now)
            bucket = .meter(meter)
        case .strict(var pace):
            pace.giveBack(Self.counted(cost))
            bucket = .strict(pace)
        }
    }

    /// Whether it is empty.
    public func isAtRest(now: Instant) -> Bool {
        switch bucket {
        case .meter(let meter): meter.isAtRest(now: now)
        case .strict(let pace): Pace.firstInstant(notBefore: pace.paidUp) <= now.nanoseconds
        }
    }

    /// The most that may be poured in at once.
    package var mostCost: Int {
        switch bucket {
        case .meter(let meter): meter.burst
        case .strict: .max
        }
    }

    /// When `cost` could be had, one after the other. Never later than the truth.
    package func earliest(_ cost: Int, now: Instant) -> Instant {
        guard cost > 0 else { return now }
        switch bucket {
        case .meter(let meter):
            return meter.earliest(cost, now: now)
        case .strict(let pace):
            // The last one goes when those before it have been paid for.
            let before = Self.counted(cost) - 1
            let last =
                before == 0 ? pace.paidUp : pace.paidUp(after: before, at: Self.base(now))
            return max(now, Instant(nanoseconds: Pace.firstInstant(notBefore: last)))
        }
    }

    /// Another rate from now on; what is in the bucket stays in it.
    public mutating func adjust(_ rate: Rate, now: Instant) {
        switch bucket {
        case .meter(var meter):
            meter.adjust(rate, now: now)
            bucket = .meter(meter)
        case .strict(let pace):
            var changed = Pace(rate)
            let debt = changed.span(worth: pace.ahead(of: now), of: pace, roundedUp: true)
            changed.grant(changed.sum(ExactTime(whole: now.nanoseconds, part: 0), debt))
            bucket = .strict(changed)
        }
    }

    private static func counted(_ cost: Int) -> Int64 { Int64(min(cost, Rate.mostCount)) }

    private static func base(_ now: Instant) -> Int64 {
        now.adding(nanoseconds: -latenessNanoseconds).nanoseconds
    }
}
