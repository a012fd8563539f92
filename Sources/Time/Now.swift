// Wall time, and the pair of clocks that every pure decision is handed. Nothing here reads a clock.

/// A point in civil time: seconds since 1970-01-01T00:00:00Z and the nanoseconds after it.
package struct Timestamp: Comparable, Hashable, Sendable {
    /// Seconds since the epoch, without leap seconds.
    package var seconds: Int64
    /// Nanoseconds after `seconds`, 0 ..< 1,000,000,000.
    package var nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// The timestamp that many nanoseconds later (earlier, if negative), saturating.
    package func adding(nanoseconds count: Int64) -> Timestamp {
        let billion: Int64 = 1_000_000_000
        var (wholeSeconds, rest) = count.quotientAndRemainder(dividingBy: billion)
        rest += Int64(nanoseconds)
        if rest < 0 {
            rest += billion
            wholeSeconds -= 1
        } else if rest >= billion {
            rest -= billion
            wholeSeconds += 1
        }
        let (sum, overflow) = seconds.addingReportingOverflow(wholeSeconds)
        guard !overflow else {
            return Timestamp(seconds: count < 0 ? .min : .max)
        }
        return Timestamp(seconds: sum, nanoseconds: Int32(rest))
    }
}

/// The time, as a pure decision gets it: the monotonic clock for waiting, the wall clock for dates.
///
/// They come together because they move apart: a virtual clock, or somebody's `date -s`, may set
/// the wall back while the monotonic clock goes on.
package struct Now: Equatable, Sendable {
    package var instant: Instant
    package var wall: Timestamp

    package init(instant: Instant, wall: Timestamp) {
        self.instant = instant
        self.wall = wall
    }
}
