// Exact pacing, the heart of token bucket and leaky bucket: the time at which everything granted so
// far has been paid for, kept as a fraction, so that no rate drifts however odd its period.
//
// A grant of one costs T = period / count, which is seldom a whole number of nanoseconds: whole and
// remainder are kept apart, the remainder in units of 1/count ns. `paidUp` is the theoretical
// arrival time of the generic cell rate algorithm (ITU-T I.371): it moves by the cost of each
// grant, and is never let lag behind the present. A bucket of B tokens is full when `paidUp` ≤ now,
// and may be drawn on until `paidUp` = now + B·T. All sums saturate at the end of time.

internal import FetchTime

/// A point in time, or a span, in whole nanoseconds and parts of one.
struct ExactTime: Equatable, Sendable {
    var whole: Int64
    /// In units of 1/count of the pace, below the count.
    var part: Int64

    @inline(__always)
    static func max(_ one: ExactTime, notBefore whole: Int64) -> ExactTime {
        one.whole >= whole ? one : ExactTime(whole: whole, part: 0)
    }
}

struct Pace: Equatable, Sendable {
    /// The rate, its fraction reduced.
    private(set) var count: Int64
    private(set) var period: Int64
    /// T.
    private var interval: ExactTime
    private(set) var paidUp = ExactTime(whole: .min, part: 0)

    init(_ rate: Rate) {
        let divisor = Self.greatestDivisor(rate.checkedCount, rate.checkedNanoseconds)
        count = rate.checkedCount / divisor
        period = rate.checkedNanoseconds / divisor
        interval = ExactTime(whole: period / count, part: period % count)
    }

    private static func greatestDivisor(_ one: Int64, _ other: Int64) -> Int64 {
        var (one, other) = (one, other)
        while other != 0 { (one, other) = (other, one % other) }
        return one
    }

    /// The time that `cost` grants take; the cost is between 1 and 2³¹.
    func time(of cost: Int64) -> ExactTime {
        if cost == 1 { return interval }
        // Two numbers below 2³¹: no overflow.
        let parts = cost &* interval.part
        let (whole, overflow) = cost.multipliedReportingOverflow(by: interval.whole)
        if overflow { return ExactTime(whole: .max, part: 0) }
        return sum(
            ExactTime(whole: whole, part: 0), ExactTime(whole: parts / count, part: parts % count))
    }

    @inline(__always)
    func sum(_ one: ExactTime, _ other: ExactTime) -> ExactTime {
        let part = one.part &+ other.part
        let carry: Int64 = part >= count ? 1 : 0
        let (whole, overflow) = one.whole.addingReportingOverflow(other.whole)
        if overflow || whole == .max { return ExactTime(whole: .max, part: 0) }
        return ExactTime(whole: whole &+ carry, part: part &- (carry &* count))
    }

    @inline(__always)
    func difference(_ one: ExactTime, _ other: ExactTime) -> ExactTime {
        let part = one.part &- other.part
        let borrow: Int64 = part < 0 ? 1 : 0
        let (whole, overflow) = one.whole.subtractingReportingOverflow(other.whole)
        if overflow || whole == .min { return ExactTime(whole: .min, part: 0) }
        return ExactTime(whole: whole &- borrow, part: part &+ (borrow &* count))
    }

    /// The first whole nanosecond that is not before the time.
    @inline(__always)
    static func firstInstant(notBefore time: ExactTime) -> Int64 {
        time.whole == .max ? .max : time.whole &+ (time.part > 0 ? 1 : 0)
    }

    mutating func grant(_ paidUp: ExactTime) { self.paidUp = paidUp }

    /// Grants one to whoever comes while there is more than one ahead: nearly everybody, where the
    /// rate is not the bottleneck. False, and nothing is granted, where it takes a closer look.
    ///
    /// - Parameter burst: what may be had at once, in whole nanoseconds.
    @inline(__always)
    mutating func grantOneOfMany(_ burst: Int64, at now: Int64) -> Bool {
        // Far from the end of time, as intervals and bursts are, no sum overflows.
        guard UInt64(bitPattern: now | paidUp.whole | burst) &>> 61 == 0 else { return false }
        let base = ExactTime.max(paidUp, notBefore: now)
        // Two more than all the parts of a nanosecond that it leaves out.
        guard base.whole &+ interval.whole &+ 2 <= now &+ burst else { return false }
        paidUp = sum(base, interval)
        return true
    }

    mutating func giveBack(_ cost: Int64) { paidUp = difference(paidUp, time(of: cost)) }

    /// The most grants that take 2³¹ s or less, and at least one: what a bucket may hold, so that
    /// its sums stay far from the end of time.
    func bounded(_ burst: Int) -> Int {
        let most = UInt128(Rate.longestPeriod.saturatingNanoseconds) * UInt128(count)
        let grants = Int64(min(most / UInt128(period), UInt128(Rate.mostCount)))
        return min(max(1, burst), max(1, Int(grants)))
    }

    /// The span of this pace that is worth as many grants as a span of another one, rounded down,
    /// or up, to a nanosecond.
    func span(worth span: ExactTime, of other: Pace, roundedUp: Bool) -> ExactTime {
        let (whole, rest) = other.grants(in: span)
        let mostGrants = Int64(Rate.mostCount)
        let time = whole > 0 ? self.time(of: min(whole, mostGrants)) : ExactTime(whole: 0, part: 0)
        // rest / other.period of a grant.
        let divisor = UInt128(other.period) * UInt128(count)
        let product = UInt128(rest) * UInt128(period)
        let further = (product + (roundedUp ? divisor - 1 : 0)) / divisor
        return sum(time, ExactTime(whole: Int64(further), part: 0))
    }

    /// How many grants a span of time is worth: whole ones, and a rest in units of 1/period.
    func grants(in span: ExactTime) -> (whole: Int64, rest: Int64) {
        guard span.whole >= 0 else { return (0, 0) }
        // Below 2⁶³ · 2³¹, so 128 bits hold it.
        let units = UInt128(span.whole) * UInt128(count) + UInt128(span.part)
        let (whole, rest) = units.quotientAndRemainder(dividingBy: UInt128(period))
        return (whole > UInt128(Int64.max) ? .max : Int64(whole), Int64(rest))
    }

    /// How far `paidUp` lies ahead of the present.
    func ahead(of now: Instant) -> ExactTime {
        difference(
            ExactTime.max(paidUp, notBefore: now.nanoseconds),
            ExactTime(whole: now.nanoseconds, part: 0))
    }
}
