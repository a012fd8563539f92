// The retry budget of one origin: retries may add a share to the load, never multiply it. A value
// in the origin's record; reads no clock.

package import FetchTime

/// How many retries an origin bears.
public struct RetryAllowance: Sendable, Hashable {
    /// Retries per hundred requests of the last 10 s. Default 20.
    public var percent: Int
    /// Retries per 10 s that are always allowed, so that a lone caller retries. Default 10.
    public var floor: Int

    /// An allowance of these values.
    public init(percent: Int = 20, floor: Int = 10) {
        self.percent = percent
        self.floor = floor
    }

    /// No bound but that of each call's attempts.
    public static var unlimited: RetryAllowance { RetryAllowance(percent: 0, floor: .max) }

    package var invalidSetting: InvalidSetting? {
        if percent < 0 { return InvalidSetting("percent", "must not be negative") }
        if floor < 0 { return InvalidSetting("floor", "must not be negative") }
        return nil
    }

    /// Saturating, as both numbers are somebody's setting.
    func retries(perRequests requests: Int) -> Int {
        let (product, overflow) = requests.multipliedReportingOverflow(by: percent)
        return max(floor, overflow ? .max : product / 100)
    }
}

/// Requests and retries of the last 10 s. O(1).
package struct RetryBudget: Sendable {
    /// The window over which both are counted.
    package static var windowNanoseconds: Int64 { 10_000_000_000 }
    private static var slice: Int64 { windowNanoseconds / Int64(WindowedCounts.slices) }

    private var counts = WindowedCounts()

    package init() {}

    /// A request's first attempt begins.
    package mutating func requestStarted(now: Instant) {
        counts.advance(to: now, sliceNanoseconds: Self.slice)
        counts.countFirst()
    }

    /// Spends a retry, or answers false and spends nothing.
    package mutating func spend(_ allowance: RetryAllowance, now: Instant) -> Bool {
        counts.advance(to: now, sliceNanoseconds: Self.slice)
        guard Int(counts.second) < allowance.retries(perRequests: Int(counts.first)) else {
            return false
        }
        counts.countSecond()
        return true
    }

    /// A retry that was paid for was not made: its call was cancelled while it waited.
    package mutating func refund(now: Instant) {
        counts.advance(to: now, sliceNanoseconds: Self.slice)
        counts.uncountSecond()
    }

    /// Requests and retries in the window, for statistics.
    package mutating func recent(now: Instant) -> (requests: Int, retries: Int) {
        counts.advance(to: now, sliceNanoseconds: Self.slice)
        return (Int(counts.first), Int(counts.second))
    }
}
