// The sliding window, whose one promise is kept in every window: RATE-04. Pure.

import FetchPolicy
import FetchTime
import Testing

struct SlidingWindowTests {
    @Test func `RATE-04 ten go at once, and ten more exactly a window later`() {
        var window = SlidingWindow(limit: 10, window: .seconds(1))
        let times = grants(of: &window, for: .seconds(3)).map(\.seconds)
        #expect(times == [0, 1, 2].flatMap { Array(repeating: $0, count: 10) })
    }

    @Test func `RATE-04 a token bucket breaks the promise that the window keeps`() {
        var bucket = TokenBucket(rate: 10, burst: 10)
        var window = SlidingWindow(limit: 10, window: .seconds(1))
        let second = Duration.seconds(1)
        #expect(mostInAnyWindow(grants(of: &bucket, for: .seconds(3)), second) == 19)
        #expect(mostInAnyWindow(grants(of: &window, for: .seconds(3)), second) == 10)
    }

    /// Up to 1,024 grants it is exact, so it must also be as generous as the promise allows.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `no window holds more than the limit, and nobody waits in vain`(seed: UInt64) {
        var random = Sequence64(seed)
        let limit = random.pick(1...40)
        let length = Duration.nanoseconds(random.pick(1...2_000))
        var window = SlidingWindow(limit: limit, window: length)
        var times: [Instant] = []
        func inWindow(_ end: Instant) -> Int {
            var index = times.count
            while index > 0, times[index - 1] + length > end { index -= 1 }
            return times.count - index
        }
        var now = Instant.at(0)
        for _ in 0..<600 {
            now = now + .nanoseconds(random.pick(0...1) * random.pick(0...100))
            let cost = random.pick(1...min(limit, 3))
            let held = inWindow(now)
            let earliest = window.earliest(cost, now: now)
            switch window.admit(cost, now: now) {
            case .now:
                #expect(held + cost <= limit)
                #expect(earliest == now)
                times += Array(repeating: now, count: cost)
            case .notBefore(let later):
                #expect(held + cost > limit)
                #expect(earliest == later)
                // Exactly when enough have left.
                let left = inWindow(later)
                let just = inWindow(later - .nanoseconds(1))
                #expect(left + cost <= limit)
                #expect(just + cost > limit)
            }
        }
        #expect(mostInAnyWindow(times, length) <= limit)
    }

    @Test(arguments: [1_024, 1_025, 5_000, 100_000])
    func `a high limit is kept in every window, and costs a thousandth at most`(limit: Int) {
        var window = SlidingWindow(limit: limit, window: .seconds(1))
        var random = Sequence64(UInt64(limit))
        var times: [Instant] = []
        var now = Instant.at(0)
        // Callers come a little faster than they may, at random.
        let mean = 1_900_000_000 / limit
        var most = 0
        while times.count < 3 * limit, times.count < 40_000 {
            now = now + .nanoseconds(random.pick(0...mean))
            if window.admit(1, now: now) == .now { times.append(now) }
            most = max(most, window.runsInMemory)
        }
        #expect(most <= 2 * SlidingWindow.mostRuns + 2)
        #expect(mostInAnyWindow(times, .seconds(1)) <= limit)
        let seconds = now.seconds
        if seconds > 2 {
            #expect(Double(times.count) >= Double(limit) * seconds * 0.989)
        }
    }

    @Test(arguments: [10, 1_000, 100_000])
    func `the achieved rate is within a hundredth`(rate: Int) {
        // A tenth of a second's window where a second would be a hundred thousand steps a round.
        let tenth = rate == 100_000
        var window = SlidingWindow(
            limit: tenth ? rate / 10 : rate, window: tenth ? .milliseconds(100) : .seconds(1))
        let times = grants(of: &window, for: tenth ? .milliseconds(500) : .seconds(10))
        let expected = tenth ? 50_000 : rate * 10
        #expect(abs(times.count - expected) <= expected / 100)
    }

    @Test func `what is given back may be had again, but nobody gains by it`() {
        var window = SlidingWindow(limit: 2, window: .seconds(1))
        #expect(window.admit(1, now: .at(0)) == .now)
        #expect(window.admit(1, now: .at(0.5)) == .now)
        window.giveBack(1, now: .at(0.6))
        #expect(window.admit(1, now: .at(0.6)) == .now)
        // The one of 0.0 is thought to be the one not used: the room comes at 1.5, not at 1.0.
        #expect(window.admit(1, now: .at(1)) == .notBefore(.at(1.5)))
        window.giveBack(5, now: .at(1.2))
        #expect(window.isAtRest(now: .at(1.2)))
        window.giveBack(-1, now: .at(1.2))
        #expect(window.admit(2, now: .at(1.2)) == .now)
    }

    @Test func `a cost above the limit is never granted, and nothing costs nothing`() {
        var window = SlidingWindow(limit: 3, window: .seconds(1))
        #expect(window.admit(4, now: .at(0)) == .notBefore(.distantFuture))
        #expect(window.admit(0, now: .at(0)) == .now)
        #expect(window.isAtRest(now: .at(0)))
    }

    @Test func `whoever stands far behind knows how many windows that is`() {
        var window = SlidingWindow(limit: 10, window: .seconds(1))
        #expect(window.earliest(10, now: .at(0)) == .at(0))
        #expect(window.earliest(11, now: .at(0)) == .at(1))
        for second in 0..<10 { #expect(window.admit(1, now: .at(Double(second) / 10)) == .now) }
        #expect(window.earliest(1, now: .at(0.9)) == .at(1))
        #expect(window.earliest(5, now: .at(0.9)) == .at(1.4))
        #expect(window.earliest(25, now: .at(0.9)) == .at(3.4))
        #expect(window.earliest(.max, now: .at(0.9)) > .at(1e9))
    }

    @Test func `limit and window change on the way, and what is remembered counts`() {
        var window = SlidingWindow(limit: 10, window: .seconds(1))
        #expect(window.admit(10, now: .at(0)) == .now)
        window.adjust(Rate(12, per: .seconds(1)), now: .at(0.5))
        #expect(window.admit(2, now: .at(0.5)) == .now)
        window.adjust(Rate(5, per: .seconds(2)), now: .at(0.6))
        #expect(window.admit(1, now: .at(0.6)) == .notBefore(.at(2)))
        #expect(window.admit(1, now: .at(2)) == .now)
    }

    @Test func `a clock that goes back opens no window`() {
        var window = SlidingWindow(limit: 2, window: .seconds(1))
        #expect(window.admit(1, now: .at(5)) == .now)
        #expect(window.admit(1, now: .at(4)) == .now)
        #expect(window.admit(1, now: .at(5.5)) == .notBefore(.at(6)))
        for time in [Int64.min, .max, 0] {
            _ = window.admit(1, now: Instant(nanoseconds: time))
            window.giveBack(1, now: Instant(nanoseconds: time))
            #expect(window.earliest(3, now: Instant(nanoseconds: time)).nanoseconds >= time)
        }
    }
}
