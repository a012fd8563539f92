// The sliding window: never more than N in any window, which no bucket can promise. A value; reads
// no clock.
//
// What was granted in the last window is remembered as runs of (when, how many). Up to 1,024 grants
// a window each run is one instant, and the limiter is exact. Above that, grants of 1/1,024 of the
// window make one run that counts as if all of it had come with its last grant: the limit still
// holds in every window, at the price of at most a thousandth of the rate; and the memory stays
// below 64 KiB whatever N is.

public import FetchTime

/// Never more than `limit` in any window of this length.
///
/// Windows are half open: a grant and another one exactly a window later don't meet.
public struct SlidingWindow: RateLimiter, Equatable {
    /// The most runs that are remembered, but for the one that is being filled.
    public static var mostRuns: Int { 1_024 }

    private struct Run: Equatable, Sendable {
        /// When the last of them was granted.
        var last: Int64
        var count: Int32
    }

    /// The most in any window.
    public private(set) var limit: Int
    private var windowNanoseconds: Int64
    /// Grants no further apart than this make one run.
    private var grain: Int64
    /// Oldest first, from `head` on; before it is what has left the window.
    private var runs: [Run] = []
    private var head = 0
    /// When the first of the newest run was granted.
    private var newestBegan: Int64 = .min
    /// The sum of the runs' counts.
    private var total = 0

    /// An empty window. A limit below 1 is 1, and a window below a nanosecond is one.
    public init(limit: Int, window: Duration) {
        self.init(Rate(limit, per: window))
    }

    /// An empty window of the rate's count and period.
    public init(_ rate: Rate) {
        limit = Int(rate.checkedCount)
        windowNanoseconds = rate.checkedNanoseconds
        grain = Self.grain(limit, windowNanoseconds)
    }

    private static func grain(_ limit: Int, _ window: Int64) -> Int64 {
        limit <= mostRuns ? 0 : (window - 1) / Int64(mostRuns) + 1
    }

    /// Grants `cost` if the window that ends now has room for it. A cost above the limit is never
    /// granted.
    public mutating func admit(_ cost: Int, now: Instant) -> Admission {
        guard cost > 0 else { return .now }
        guard cost <= limit else { return .notBefore(.distantFuture) }
        forget(now.nanoseconds)
        guard total + cost <= limit else {
            return .notBefore(earliest(cost, now: now))
        }
        record(cost, now.nanoseconds)
        return .now
    }

    /// Takes a grant back, the oldest one: of the grants of a window it does not matter which was
    /// not used, and to remember the younger ones is never too early. A grant older than a window
    /// has left by itself and must not be given back.
    public mutating func giveBack(_ cost: Int, now: Instant) {
        forget(now.nanoseconds)
        var rest = min(max(0, cost), total)
        total -= rest
        while rest > 0, head < runs.count {
            let taken = min(rest, Int(runs[head].count))
            runs[head].count -= Int32(taken)
            rest -= taken
            if runs[head].count == 0 { head += 1 }
        }
        tidy()
    }

    /// Whether the window that ends now is empty.
    public func isAtRest(now: Instant) -> Bool {
        guard total > 0, let newest = runs.last else { return true }
        return leaves(newest) <= now.nanoseconds
    }

    /// When `cost` more will have room, if nobody else takes any: also more than the limit, as when
    /// several stand in line. Never later than the truth.
    package func earliest(_ cost: Int, now: Instant) -> Instant {
        guard cost > 0 else { return now }
        let wholeWindows = (cost - 1) / limit
        var missing = total + (cost - wholeWindows * limit) - limit
        var time = now.nanoseconds
        var index = head
        while missing > 0, index < runs.count {
            missing -= Int(runs[index].count)
            time = max(time, leaves(runs[index]))
            index += 1
        }
        let (further, overflow) = Int64(wholeWindows).multipliedReportingOverflow(
            by: windowNanoseconds)
        return Instant(nanoseconds: time).adding(nanoseconds: overflow ? .max : further)
    }

    /// Runs in memory, those that have left the window and were not dropped yet included: at most
    /// twice ``mostRuns`` and a few.
    package var runsInMemory: Int { runs.count }

    /// Another limit and window from now on. What is remembered counts; a longer window can't
    /// remember what the shorter one had forgotten.
    public mutating func adjust(_ rate: Rate, now: Instant) {
        forget(now.nanoseconds)
        limit = Int(rate.checkedCount)
        windowNanoseconds = rate.checkedNanoseconds
        grain = Self.grain(limit, windowNanoseconds)
    }

    /// When a run has left the window.
    private func leaves(_ run: Run) -> Int64 {
        Instant(nanoseconds: run.last).adding(nanoseconds: windowNanoseconds).nanoseconds
    }

    private mutating func forget(_ now: Int64) {
        while head < runs.count, leaves(runs[head]) <= now {
            total -= Int(runs[head].count)
            head += 1
        }
        tidy()
    }

    /// What has left the window is dropped when it is the greater part.
    private mutating func tidy() {
        if head == runs.count {
            runs.removeAll(keepingCapacity: runs.capacity <= 16)
            head = 0
        } else if head >= 32, head * 2 >= runs.count {
            runs.removeFirst(head)
            head = 0
        }
    }

    private mutating func record(_ cost: Int, _ now: Int64) {
        total += cost
        guard let newest = runs.last else {
            newestBegan = now
            runs.append(Run(last: now, count: Int32(cost)))
            return
        }
        // A clock that goes back grants at the time of the newest: later than the truth.
        let time = max(now, newest.last)
        if time == newest.last || Self.isWithin(grain, newestBegan, time) {
            runs[runs.count - 1].last = time
            runs[runs.count - 1].count += Int32(cost)
        } else {
            newestBegan = time
            runs.append(Run(last: time, count: Int32(cost)))
        }
    }

    private static func isWithin(_ grain: Int64, _ began: Int64, _ time: Int64) -> Bool {
        grain > 0 && time &- began <= grain
    }
}
