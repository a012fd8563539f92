// What token bucket and leaky bucket have in common: grants at a pace, some of them ahead of it. A
// value inside both; reads no clock.

internal import FetchTime

/// What a grant would be: when, and what would be paid up then.
struct PacedQuote {
    /// Not after the asking when the grant may be had at once.
    let earliest: Instant
    let paidUp: ExactTime
}

struct PacedBucket: Equatable, Sendable {
    /// How much of its own lateness a strict bucket makes good.
    static var latenessNanoseconds: Int64 { 1_000_000 }

    private(set) var pace: Pace
    /// The grants that an empty bucket has ahead of its pace.
    private(set) var burst: Int
    private var burstTime: ExactTime
    /// Nothing is ahead of the pace: each grant waits until the one before is paid up, whatever it
    /// costs itself.
    let isStrict: Bool

    init(_ rate: Rate, burst: Int) {
        pace = Pace(rate)
        self.burst = pace.bounded(burst)
        burstTime = pace.time(of: Int64(self.burst))
        isStrict = false
    }

    init(strict rate: Rate) {
        pace = Pace(rate)
        burst = Rate.mostCount
        burstTime = ExactTime(whole: 0, part: 0)
        isStrict = true
    }

    /// The grant of `cost`, between 1 and 2³¹, at `now`. For a meter it may be more than the burst,
    /// as when several stand in line; then it tells when the last of it goes.
    @inline(__always)
    func quote(_ cost: Int64, now: Instant) -> PacedQuote {
        let price = pace.time(of: cost)
        let floor =
            isStrict
            ? now.adding(nanoseconds: -Self.latenessNanoseconds).nanoseconds : now.nanoseconds
        let base = ExactTime.max(pace.paidUp, notBefore: floor)
        let after = pace.sum(base, price)
        let due = isStrict ? base : pace.difference(after, burstTime)
        return PacedQuote(
            earliest: Instant(nanoseconds: Pace.firstInstant(notBefore: due)), paidUp: after)
    }

    /// Takes `cost` if it may be had at `now`; true if it was taken.
    @inline(__always)
    mutating func takeAtOnce(_ cost: Int, now: Instant) -> Bool {
        if cost == 1, !isStrict, pace.grantOneOfMany(burstTime.whole, at: now.nanoseconds) {
            return true
        }
        guard cost > 0, isStrict || cost <= burst else { return false }
        let quote = quote(Self.counted(cost), now: now)
        guard quote.earliest <= now else { return false }
        grant(quote)
        return true
    }

    /// Takes what was quoted for this very time, nothing having happened since.
    mutating func grant(_ quote: PacedQuote) { pace.grant(quote.paidUp) }

    mutating func admit(_ cost: Int, now: Instant) -> Admission {
        guard cost > 0 else { return .now }
        guard isStrict || cost <= burst else { return .notBefore(.distantFuture) }
        let quote = quote(Self.counted(cost), now: now)
        guard quote.earliest <= now else { return .notBefore(quote.earliest) }
        grant(quote)
        return .now
    }

    mutating func giveBack(_ cost: Int) {
        guard cost > 0 else { return }
        pace.giveBack(Self.counted(cost))
    }

    func earliest(_ cost: Int, now: Instant) -> Instant {
        guard cost > 0 else { return now }
        guard isStrict, cost > 1 else {
            return max(now, quote(Self.counted(cost), now: now).earliest)
        }
        // The last one goes when those before it have been paid for.
        let before = quote(Self.counted(cost) - 1, now: now).paidUp
        return max(now, Instant(nanoseconds: Pace.firstInstant(notBefore: before)))
    }

    func isAtRest(now: Instant) -> Bool {
        Pace.firstInstant(notBefore: pace.paidUp) <= now.nanoseconds
    }

    /// The grants that may be had at once, as the time that they take to come again.
    private func there(_ now: Instant) -> ExactTime {
        pace.difference(burstTime, pace.ahead(of: now))
    }

    func available(now: Instant) -> Int { Int(pace.grants(in: there(now)).whole) }

    /// Another rate from now on. A meter keeps what may be had at once, as far as the burst holds
    /// it; a strict one keeps what is not paid up.
    mutating func adjust(_ rate: Rate, burst newBurst: Int, now: Instant) {
        let (old, there) = (pace, there(now))
        let debt = pace.ahead(of: now)
        pace = Pace(rate)
        let present = ExactTime(whole: now.nanoseconds, part: 0)
        if isStrict {
            pace.grant(pace.sum(present, pace.span(worth: debt, of: old, roundedUp: true)))
            return
        }
        burst = pace.bounded(newBurst)
        burstTime = pace.time(of: Int64(burst))
        let missing = pace.difference(
            burstTime, pace.span(worth: there, of: old, roundedUp: false))
        pace.grant(missing.whole < 0 ? present : pace.sum(present, missing))
    }

    static func counted(_ cost: Int) -> Int64 { Int64(min(cost, Rate.mostCount)) }
}
