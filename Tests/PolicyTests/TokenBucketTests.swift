// The token bucket against a model in exact fractions: RATE-03, RATE-05. Pure.

import FetchPolicy
import FetchTime
import Testing

/// A bucket in units of 1 / (period in ns) of a token: every nanosecond adds `count` units.
private struct ExactBucket {
    let count: Int128
    let period: Int128
    let burst: Int128
    var level: Int128
    var last: Int64 = 0

    init(_ rate: Rate, burst: Int) {
        count = Int128(rate.count)
        period = Int128(rate.period.saturatingNanoseconds)
        self.burst = Int128(burst)
        level = self.burst * period
    }

    mutating func refill(_ now: Int64) {
        level = min(burst * period, level + Int128(now - last) * count)
        last = now
    }

    /// Nil when granted, else the first nanosecond at which it would be.
    mutating func admit(_ cost: Int, _ now: Int64) -> Int64? {
        refill(now)
        let missing = Int128(cost) * period - level
        guard missing > 0 else {
            level -= Int128(cost) * period
            return nil
        }
        return now + Int64((missing + count - 1) / count)
    }

    mutating func giveBack(_ cost: Int, _ now: Int64) {
        refill(now)
        level = min(burst * period, level + Int128(cost) * period)
    }
}

struct TokenBucketTests {
    @Test func `RATE-03 ten a second with a burst of twenty: twenty at once, then 100 ms apart`() {
        var bucket = TokenBucket(rate: 10, burst: 20)
        let times = grants(of: &bucket, for: .seconds(10), most: 40).map(\.seconds)
        #expect(times.prefix(20).allSatisfy { $0 == 0 })
        #expect(times[20...] == (1...20).map { Double($0) / 10 }[...])
    }

    @Test(arguments: [10, 1_000, 100_000])
    func `the achieved rate is the rate, to within a grant`(rate: Int) {
        var bucket = TokenBucket(.perSecond(rate), burst: 1)
        let seconds = max(1, 10_000 / rate)
        let count = grants(of: &bucket, for: .seconds(seconds)).count
        #expect(count == rate * seconds)
    }

    @Test func `wake-ups on a millisecond's tick cost no rate where the burst spans a tick`() {
        for rate in [10, 1_000, 100_000] {
            var bucket = TokenBucket(.perSecond(rate), burst: max(2, rate / 500))
            let burst = bucket.burst
            let count = grants(of: &bucket, for: .seconds(1), tick: 1_000_000).count
            #expect(abs(count - burst - rate) <= max(1, rate / 100), "\(rate): \(count)")
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `it does what exact fractions do, at any rate`(seed: UInt64) {
        var random = Sequence64(seed)
        let rate = Rate(
            random.pick(1...1_000),
            per: .nanoseconds(
                random.pick(1...[50, 999_999_937, 7_000_000_001][random.pick(0...2)])))
        let burst = random.pick(1...30)
        var bucket = TokenBucket(rate, burst: burst)
        var model = ExactBucket(rate, burst: burst)
        var now: Int64 = 0
        for _ in 0..<1_500 {
            let interval = Int(rate.period.saturatingNanoseconds) / rate.count + 1
            now += Int64(random.pick(0...1) * random.pick(0...3 * interval))
            let cost = random.pick(1...burst)
            if random.chance(10) {
                bucket.giveBack(cost, now: Instant(nanoseconds: now))
                model.giveBack(cost, now)
                continue
            }
            let earliest = bucket.earliest(cost, now: Instant(nanoseconds: now))
            let answer = bucket.admit(cost, now: Instant(nanoseconds: now))
            if let later = model.admit(cost, now) {
                #expect(answer == .notBefore(Instant(nanoseconds: later)))
                #expect(earliest == Instant(nanoseconds: later))
            } else {
                #expect(answer == .now)
                #expect(earliest == Instant(nanoseconds: now))
            }
            #expect(
                bucket.available(now: Instant(nanoseconds: now))
                    == Int(model.level / model.period))
        }
    }

    @Test func `a cost above the burst is never granted, and nothing costs nothing`() {
        var bucket = TokenBucket(rate: 10, burst: 5)
        #expect(bucket.admit(6, now: .at(0)) == .notBefore(.distantFuture))
        #expect(bucket.admit(.max, now: .at(0)) == .notBefore(.distantFuture))
        #expect(bucket.admit(0, now: .at(0)) == .now)
        #expect(bucket.admit(-1, now: .at(0)) == .now)
        #expect(bucket.available(now: .at(0)) == 5)
    }

    @Test func `it is at rest when it is full`() {
        var bucket = TokenBucket(rate: 10, burst: 2)
        #expect(bucket.isAtRest(now: .at(0)))
        #expect(bucket.admit(1, now: .at(0)) == .now)
        #expect(!bucket.isAtRest(now: .at(0.0999)))
        #expect(bucket.isAtRest(now: .at(0.1)))
    }

    @Test func `CFG-08 the rate changes on the way, and the tokens that are there stay`() {
        var bucket = TokenBucket(rate: 10, burst: 20)
        #expect(bucket.admit(15, now: .at(0)) == .now)
        bucket.adjust(.perSecond(1_000), burst: 20, now: .at(0.1))
        #expect(bucket.available(now: .at(0.1)) == 6)
        #expect(bucket.available(now: .at(0.101)) == 7)
        bucket.adjust(.perSecond(1), burst: 3, now: .at(0.101))
        #expect(bucket.available(now: .at(0.101)) == 3)
        bucket.adjust(.perSecond(1), burst: 10, now: .at(0.101))
        #expect(bucket.available(now: .at(0.101)) == 3)
        #expect(bucket.available(now: .at(2.101)) == 5)
    }

    @Test func `changing the rate ever and ever again neither starves nor feeds anybody`() {
        var bucket = TokenBucket(.perSecond(3), burst: 1)
        var granted = 0
        for millisecond in 0..<10_000 {
            let now = Instant.at(Double(millisecond) / 1_000)
            bucket.adjust(.perSecond(millisecond % 2 == 0 ? 3 : 7), burst: 1, now: now)
            if bucket.admit(1, now: now) == .now { granted += 1 }
        }
        // Five a second on average; every grant falls on the next millisecond.
        #expect((48...51).contains(granted))
    }

    @Test(arguments: [
        Rate(1, per: .seconds(1 << 31)), Rate(Int(Int32.max), per: .nanoseconds(1)),
        Rate(Int(Int32.max), per: .seconds(1 << 31)), Rate(1, per: .nanoseconds(1)),
        Rate(0, per: .zero), Rate(-5, per: .seconds(-5)), Rate(.max, per: .seconds(Int64.max)),
    ])
    func `no rate, burst or time makes it trap`(rate: Rate) {
        for burst in [Int.min, 0, 1, 2, Int(Int32.max), .max] {
            var bucket = TokenBucket(rate, burst: burst)
            for time in [Int64.min, -1, 0, 1, 1 << 62, .max, 5] {
                let now = Instant(nanoseconds: time)
                for cost in [1, bucket.burst] {
                    if case .notBefore(let later) = bucket.admit(cost, now: now) {
                        #expect(later > now)
                    }
                }
                #expect(bucket.earliest(.max, now: now) >= now)
                #expect(bucket.available(now: now) >= 0)
                bucket.giveBack(.max, now: now)
                bucket.adjust(rate, burst: burst, now: now)
            }
        }
    }
}
