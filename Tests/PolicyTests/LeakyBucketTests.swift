// The leaky bucket in both of its meanings: RATE-06, RATE-01. Pure.

import FetchPolicy
import FetchTime
import Testing

struct LeakyBucketTests {
    @Test func `RATE-06 a meter lets ten go at once, then one each 100 ms`() {
        var bucket = LeakyBucket(maxRate: 10, per: .seconds(1))
        let times = grants(of: &bucket, for: .seconds(2)).map(\.seconds)
        #expect(times == Array(repeating: 0, count: 10) + (1..<20).map { Double($0) / 10 })
    }

    @Test func `RATE-06 a strict bucket spaces a hundred grants by 100 ms`() {
        var bucket = LeakyBucket(maxRate: 10, per: .seconds(1), shaping: .strict)
        let times = grants(of: &bucket, for: .seconds(20), most: 100)
        let gaps = zip(times.dropFirst(), times).map { $0.nanoseconds(since: $1) }
        // The first finds an empty bucket, which is as late as it makes good.
        #expect(gaps.allSatisfy { (99_000_000...100_000_000).contains($0) })
    }

    @Test(arguments: [10, 1_000])
    func `late wake-ups don't slow a strict bucket down`(rate: Int) {
        var bucket = LeakyBucket(maxRate: rate, per: .seconds(1), shaping: .strict)
        let times = grants(of: &bucket, for: .seconds(10), tick: 1_000_000)
        #expect(abs(times.count - 10 * rate) <= rate / 10)
        let lateness = LeakyBucket.lateness
        let spacing = Duration.seconds(1) / rate - lateness
        #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 >= spacing })
    }

    @Test func `RATE-01 one a second to a domain is one a second`() {
        guard case .leakyBucket(let rate, let shaping) = ResiliencePreset.afetch.domainLimit else {
            Issue.record("the preset has no leaky bucket")
            return
        }
        var bucket = LeakyBucket(rate, shaping: shaping)
        #expect(grants(of: &bucket, for: .seconds(5)) == (0..<5).map { .at(Double($0)) })
    }

    @Test func `a strict bucket takes any cost and lets the next wait for it`() {
        var bucket = LeakyBucket(maxRate: 10, per: .seconds(1), shaping: .strict)
        #expect(bucket.admit(5, now: .at(1)) == .now)
        #expect(bucket.admit(1, now: .at(1)) == .notBefore(.at(1.499)))
        #expect(bucket.earliest(3, now: .at(1)) == .at(1.699))
        bucket.giveBack(5, now: .at(1))
        #expect(bucket.admit(1, now: .at(1)) == .now)
    }

    @Test func `it is at rest when it is empty, in both meanings`() {
        for shaping in [LeakyBucket.Shaping.meter, .strict] {
            var bucket = LeakyBucket(maxRate: 10, per: .seconds(1), shaping: shaping)
            #expect(bucket.isAtRest(now: .at(5)))
            #expect(bucket.admit(1, now: .at(5)) == .now)
            #expect(!bucket.isAtRest(now: .at(5.09)))
            #expect(bucket.isAtRest(now: .at(5.1)))
            #expect(bucket.shaping == shaping)
        }
    }

    @Test func `the rate changes on the way, and what is in the bucket stays in it`() {
        var bucket = LeakyBucket(maxRate: 10, per: .seconds(1), shaping: .strict)
        #expect(bucket.admit(11, now: .at(0.001)) == .now)
        // One full second of waiting at ten a second is half of one at twenty.
        #expect(bucket.earliest(1, now: .at(0.1)) == .at(1.1))
        bucket.adjust(Rate(20, per: .seconds(1)), now: .at(0.1))
        #expect(bucket.earliest(1, now: .at(0.1)) == .at(0.6))
        bucket.adjust(Rate(20, per: .seconds(2)), now: .at(0.1))
        #expect(bucket.earliest(1, now: .at(0.1)) == .at(1.1))
    }
}
