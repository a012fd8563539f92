// The wheel against a sorted array that is too simple to be wrong.

import FetchTime
import Testing

/// Entries in a plain array; the next one is the smallest (tick, order of insertion).
private struct Model {
    var entries: [(tick: Int64, order: Int, timer: TimerID)] = []
    /// What became due earlier comes first, and an entry that was late on arrival comes behind it.
    var current: Int64

    static func tick(_ deadline: Instant) -> Int64 {
        deadline.nanoseconds <= 0
            ? 0 : deadline.nanoseconds / 1_000_000 + (deadline.nanoseconds % 1_000_000 > 0 ? 1 : 0)
    }

    func due(by now: Instant) -> Int? {
        let reached = max(0, now.nanoseconds / 1_000_000)
        return entries.indices
            .filter { entries[$0].tick <= max(reached, current) }
            .min {
                (entries[$0].tick, entries[$0].order) < (entries[$1].tick, entries[$1].order)
            }
    }
}

@Suite struct TimerWheelTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `random inserts, cancels and jumps pop what a sorted array pops`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var now = Instant(nanoseconds: Int64.random(in: 0..<5_000_000_000, using: &random))
        var wheel = TimerWheel<Int>(now: now)
        var model = Model(current: now.nanoseconds / 1_000_000)
        var dead: [TimerID] = []
        for order in 0..<1_500 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let deadline = now + random.duration()
                let timer = wheel.insert(order, at: deadline)
                model.entries.append((max(Model.tick(deadline), model.current), order, timer))
            case 6..<8:
                guard let index = model.entries.indices.randomElement(using: &random) else { break }
                let entry = model.entries.remove(at: index)
                #expect(wheel.cancel(entry.timer) == entry.order)
                dead.append(entry.timer)
            default:
                now = now + random.duration()
                while let index = model.due(by: now) {
                    let entry = model.entries.remove(at: index)
                    model.current = max(model.current, entry.tick)
                    #expect(wheel.popExpired(now: now) == entry.order)
                    dead.append(entry.timer)
                }
                #expect(wheel.popExpired(now: now) == nil)
                model.current = max(model.current, now.nanoseconds / 1_000_000)
            }
            #expect(wheel.count == model.entries.count)
            expectDeadline(of: wheel, notAfter: model)
            if let timer = dead.randomElement(using: &random) {
                #expect(wheel.cancel(timer) == nil)
            }
        }
    }

    private func expectDeadline(of wheel: TimerWheel<Int>, notAfter model: Model) {
        guard let earliest = model.entries.map(\.tick).min() else {
            #expect(wheel.nextDeadline == nil)
            return
        }
        let (product, overflow) = earliest.multipliedReportingOverflow(by: 1_000_000)
        let truth = Instant(nanoseconds: overflow ? .max : product)
        #expect(wheel.nextDeadline.map { $0 <= truth } == true)
    }

    @Test func `the next deadline is exact while nothing was cancelled`() {
        var random = SplitMix(seed: 7)
        var wheel = TimerWheel<Int>(now: Instant(nanoseconds: 0))
        var earliest = Int64.max
        for number in 0..<5_000 {
            let deadline = Instant(nanoseconds: 0) + random.duration()
            _ = wheel.insert(number, at: deadline)
            earliest = min(earliest, Model.tick(deadline))
            #expect(wheel.nextDeadline == Instant(nanoseconds: earliest * 1_000_000))
        }
    }

    @Test func `an entry is never early and at most a tick late`() {
        for nanoseconds in [1, 999_999, 1_000_000, 1_000_001, 63_999_999, 64_000_000, 64_000_001] {
            let deadline = Instant(nanoseconds: Int64(nanoseconds))
            var wheel = TimerWheel<String>(now: Instant(nanoseconds: 0))
            _ = wheel.insert("due", at: deadline)
            let roundedUp = Instant(
                nanoseconds: Int64((nanoseconds + 999_999) / 1_000_000) * 1_000_000)
            #expect(wheel.nextDeadline == roundedUp)
            #expect(wheel.popExpired(now: roundedUp.adding(nanoseconds: -1)) == nil)
            #expect(wheel.popExpired(now: roundedUp) == "due")
        }
    }

    @Test
    func `entries of one tick fire in the order of insertion, from wherever they were inserted`() {
        var wheel = TimerWheel<Int>(now: Instant(nanoseconds: 0))
        let deadline = Instant(nanoseconds: 300_000_000_000)
        for (number, step) in [0, 100, 290, 299, 299].enumerated() {
            #expect(wheel.popExpired(now: Instant(nanoseconds: Int64(step) * 1_000_000_000)) == nil)
            _ = wheel.insert(number, at: deadline)
        }
        for number in 0..<5 { #expect(wheel.popExpired(now: deadline) == number) }
    }

    @Test func `an entry whose deadline has passed is due at once`() {
        let now = Instant(nanoseconds: 10_000_000_000)
        var wheel = TimerWheel<Int>(now: now)
        _ = wheel.insert(1, at: Instant(nanoseconds: -5))
        _ = wheel.insert(2, at: now)
        #expect(wheel.nextDeadline == now)
        #expect(wheel.popExpired(now: now) == 1)
        #expect(wheel.popExpired(now: now) == 2)
        #expect(wheel.popExpired(now: now) == nil)
    }

    @Test func `entries beyond two to the 31 seconds wait their time, to the end of time`() {
        var wheel = TimerWheel<String>(now: Instant(nanoseconds: 1))
        let seventyYears = Instant(nanoseconds: (1 << 31) * 1_000_000_000 + 5_000_000)
        _ = wheel.insert("the end", at: .distantFuture)
        _ = wheel.insert("seventy years", at: seventyYears)
        _ = wheel.insert("saturated", at: Instant(nanoseconds: 5) + .seconds(Int64.max))
        #expect(wheel.popExpired(now: seventyYears - .milliseconds(1)) == nil)
        #expect(wheel.popExpired(now: seventyYears) == "seventy years")
        #expect(wheel.popExpired(now: .distantFuture) == nil)
        #expect(wheel.nextDeadline == .distantFuture)
        #expect(wheel.count == 2)
    }

    @Test func `a stale identifier does not touch the entry that took its place`() {
        var wheel = TimerWheel<Int>(now: Instant(nanoseconds: 0))
        let first = wheel.insert(1, at: Instant(nanoseconds: 5_000_000))
        #expect(wheel.cancel(first) == 1)
        let second = wheel.insert(2, at: Instant(nanoseconds: 5_000_000))
        #expect(wheel.cancel(first) == nil)
        #expect(wheel.cancel(second) == 2)
        #expect(wheel.isEmpty)
        #expect(wheel.nextDeadline == nil)
    }

    @Test func `an entry may be inserted for now while others pop`() {
        var wheel = TimerWheel<Int>(now: Instant(nanoseconds: 0))
        let now = Instant(nanoseconds: 9_000_000_000)
        _ = wheel.insert(1, at: Instant(nanoseconds: 1_000_000_000))
        _ = wheel.insert(3, at: Instant(nanoseconds: 2_000_000_000))
        #expect(wheel.popExpired(now: now) == 1)
        _ = wheel.insert(2, at: Instant(nanoseconds: 1_500_000_000))
        #expect(wheel.popExpired(now: now) == 2)
        #expect(wheel.popExpired(now: now) == 3)
    }

    @Test func `an emptied wheel gives everything back`() {
        var wheel = TimerWheel<Int>(now: Instant(nanoseconds: 0))
        for number in 0..<100 {
            _ = wheel.insert(number, at: Instant(nanoseconds: 1 << Int64(number % 60)))
        }
        #expect(Set(wheel.removeAll().map(\.payload)) == Set(0..<100))
        #expect(wheel.isEmpty)
        #expect(wheel.nextDeadline == nil)
    }

    @Test func `an entry with a handler and a token takes no more than 64 bytes`() {
        #expect(TimerWheel<(any Sendable & AnyObject, Int)>.bytesPerEntry <= 64)
    }
}

/// A small seeded generator (SplitMix64), so that a failing seed replays.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// From none to decades, each order of magnitude as likely as the others.
    mutating func duration() -> Duration {
        let bits = Int64.random(in: 0..<61, using: &self)
        return .nanoseconds(Int64.random(in: 0...(1 << bits), using: &self))
    }
}
