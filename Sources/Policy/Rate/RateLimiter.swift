// What a rate limiter is: a value that says "now" or "not before". Values; any thread.

public import FetchTime

/// A limiter's answer.
public enum Admission: Sendable, Hashable {
    /// Let go; the cost is taken.
    case now
    /// Nothing is taken; asking earlier than this is in vain. `.distantFuture` for a cost that will
    /// never be granted.
    case notBefore(Instant)
}

/// Limits how often something happens.
///
/// A limiter neither waits nor reads a clock: it is told the time and answers at once, so that one
/// step can ask several limiters and take from all of them or none. Waiting is its owner's affair.
/// It is a value: a copy may be asked what would come, and must not change the original. Times may
/// go back by a timer's tick; a limiter must bear it.
///
/// It is called on the reactor's thread and must not block.
public protocol RateLimiter: Sendable {
    /// Takes `cost` if it may be had at `now`, and nothing otherwise.
    mutating func admit(_ cost: Int, now: Instant) -> Admission

    /// Puts back what was taken and not used, soon after it was taken.
    mutating func giveBack(_ cost: Int, now: Instant)

    /// Whether nothing that was granted before limits anything now: a table may forget a limiter at
    /// rest. False by default.
    func isAtRest(now: Instant) -> Bool

    /// Whether it limits anything at all. True by default.
    var isConfigured: Bool { get }
}

extension RateLimiter {
    /// False: whoever does not know is kept.
    public func isAtRest(now: Instant) -> Bool { false }

    /// True.
    public var isConfigured: Bool { true }
}

/// So many per so long.
public struct Rate: Sendable, Hashable {
    /// The most that a rate counts: 2³¹ − 1.
    public static var mostCount: Int { Int(Int32.max) }
    /// The longest period: 2³¹ s.
    public static var longestPeriod: Duration { .seconds(Int64(1) << 31) }

    /// How many; at least 1.
    public var count: Int
    /// In what time; more than nothing.
    public var period: Duration

    /// So many per so long.
    public init(_ count: Int, per period: Duration) {
        self.count = count
        self.period = period
    }

    /// So many a second.
    public static func perSecond(_ count: Int) -> Rate { Rate(count, per: .seconds(1)) }

    /// The count within its bounds.
    var checkedCount: Int64 { Int64(min(max(1, count), Self.mostCount)) }

    /// The period within its bounds.
    var checkedNanoseconds: Int64 {
        min(max(.nanoseconds(1), period), Self.longestPeriod).saturatingNanoseconds
    }

    package var invalidSetting: InvalidSetting? {
        if count < 1 { return InvalidSetting("count", "must be 1 or more") }
        if count > Self.mostCount {
            return InvalidSetting("count", "must be \(Self.mostCount) or less")
        }
        if period <= .zero { return InvalidSetting("period", "must be more than zero") }
        if period > Self.longestPeriod {
            return InvalidSetting("period", "must be 2^31 s or less")
        }
        return nil
    }
}
