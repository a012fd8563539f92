// Politeness towards hosts: behaviour 22. Pure.

import FetchPolicy
import FetchTime
import Testing

struct PolitenessTests {
    private func slot(_ rules: PolitenessRules) -> PolitenessSlot {
        PolitenessSlot(rules, now: .at(0))
    }

    @Test func `from start to start there is at least the delay`() {
        let rules = PolitenessRules(concurrency: 9, minDelay: .seconds(2), jitter: 0)
        var slot = slot(rules)
        #expect(slot.opening(rules, now: .at(0)) == .now)
        slot.started(rules, now: .at(0), random: 0)
        #expect(slot.opening(rules, now: .at(1)) == .notBefore(.at(2)))
        slot.started(rules, now: .at(2), random: 0)
        #expect(slot.inFlight == 2)
        #expect(slot.opening(rules, now: .at(3.9)) == .notBefore(.at(4)))
    }

    @Test func `a half of jitter makes delays from half to one and a half`() {
        let rules = PolitenessRules(concurrency: .max, minDelay: .seconds(2))
        var slot = slot(rules)
        var random = Sequence64(1)
        var now = Instant.at(0)
        var gaps: [Double] = []
        for _ in 0..<500 {
            slot.started(rules, now: now, random: random.next())
            guard case .notBefore(let next) = slot.opening(rules, now: now) else { return }
            gaps.append(next.seconds - now.seconds)
            now = next
        }
        #expect(gaps.allSatisfy { $0 >= 1 && $0 <= 3 })
        #expect(gaps.contains { $0 < 1.1 } && gaps.contains { $0 > 2.9 })
    }

    @Test func `so many are under way and no more`() {
        let rules = PolitenessRules(concurrency: 2)
        var slot = slot(rules)
        slot.started(rules, now: .at(0), random: 0)
        slot.started(rules, now: .at(0), random: 0)
        #expect(slot.opening(rules, now: .at(0)) == .whenOneEnds)
        slot.ended(rules, latency: 1, succeeded: true, now: .at(1))
        #expect(slot.opening(rules, now: .at(1)) == .now)
    }

    @Test func `who did not start after all is not waited for, but others are`() {
        let rules = PolitenessRules(minDelay: .seconds(2), jitter: 0)
        var slot = slot(rules)
        slot.started(rules, now: .at(0), random: 0)
        slot.unstarted(now: .at(0))
        #expect(slot.opening(rules, now: .at(0)) == .now)
        slot.started(rules, now: .at(0), random: 0)
        slot.started(rules, now: .at(2), random: 0)
        // The one of 0 s is taken back late: the one of 2 s is still waited for.
        slot.unstarted(now: .at(3))
        #expect(slot.inFlight == 1)
        #expect(slot.opening(rules, now: .at(3)) == .notBefore(.at(4)))
    }

    @Test func `AutoThrottle takes the mean, never less than the target, never lower by errors`() {
        let throttle = AutoThrottle(targetConcurrency: 2)
        func next(_ latency: Double, was delay: Double, succeeded: Bool = true) -> Double {
            Double(
                throttle.delay(
                    after: Int64(latency * 1e9), was: Int64(delay * 1e9), minDelay: 500_000_000,
                    succeeded: succeeded)) / 1e9
        }
        // (5 + 2 / 2) / 2
        #expect(next(2, was: 5) == 3)
        // The target of 10 is above the mean of 7.5.
        #expect(next(20, was: 5) == 10)
        #expect(next(0.1, was: 0.6) == 0.5)
        #expect(next(1_000, was: 5) == 60)
        #expect(next(2, was: 5, succeeded: false) == 5)
        #expect(next(20, was: 5, succeeded: false) == 10)
    }

    @Test func `AutoThrottle finds the latency of a steady host`() {
        let rules = PolitenessRules(jitter: 0, autoThrottle: AutoThrottle())
        var slot = slot(rules)
        #expect(slot.delayNanoseconds == 5_000_000_000)
        for second in 0..<20 {
            slot.started(rules, now: .at(Double(second)), random: 0)
            slot.ended(rules, latency: 200_000_000, succeeded: true, now: .at(Double(second)))
        }
        #expect(abs(slot.delayNanoseconds - 200_000_000) < 100_000)
        // A failure without an answer says nothing.
        let delay = slot.delayNanoseconds
        slot.started(rules, now: .at(30), random: 0)
        slot.ended(rules, latency: nil, succeeded: false, now: .at(30))
        #expect(slot.delayNanoseconds == delay)
    }

    @Test func `a crawl-delay is kept, cut, or a reason to stay away`() {
        var rules = PolitenessRules(minDelay: .seconds(1), jitter: 0)
        var slot = slot(rules)
        slot.siteAsks(for: .seconds(10), rules)
        #expect(slot.delayNanoseconds == 10_000_000_000)
        slot.siteAsks(for: .seconds(300), rules)
        #expect(slot.delayNanoseconds == 30_000_000_000)
        #expect(!slot.isSkipped)
        rules.crawlDelay = .skipAbove(.seconds(30))
        slot.siteAsks(for: .seconds(31), rules)
        #expect(slot.isSkipped)
        slot.siteAsks(for: .seconds(30), rules)
        #expect(!slot.isSkipped)
        slot.siteAsks(for: .seconds(2), rules)
        #expect(slot.delayNanoseconds == 2_000_000_000)
        rules.crawlDelay = .ignored
        var other = PolitenessSlot(rules, now: .at(0))
        other.siteAsks(for: .seconds(31), rules)
        #expect(other.delayNanoseconds == 1_000_000_000)
    }

    @Test func `a site that asks for too much is skipped by admission`() {
        var table = PolitenessTable(PolitenessRules(crawlDelay: .skipAbove(.seconds(1))))
        let slot = table.enter("a", now: .at(0))
        if let slot { table.siteAsks(for: .seconds(2), slot) }
        var admission = ClientAdmission(
            concurrency: 1, domains: LimiterTable(limit: nil), politeness: table)
        var origin = OriginGate(concurrency: 1)
        let verdict = admission.admit(
            AdmissionKeys(politeness: slot), &origin, hasConnection: true, now: .at(0), random: 0)
        #expect(verdict == .skipped)
        #expect(admission.inFlight == 0)
    }

    @Test func `idle slots are collected, and those that still spare somebody are kept`() {
        var table = PolitenessTable(PolitenessRules(minDelay: .seconds(1), jitter: 0))
        for number in 0..<200 {
            guard let slot = table.enter("\(number)", now: .at(0)) else { continue }
            table.started(slot, now: .at(0), random: 0)
            table.ended(slot, latency: 1, succeeded: true, now: .at(1))
            if number == 7 { table.park(slot, until: .at(100)) }
            table.leave(slot, now: .at(1))
        }
        #expect(table.count == 200)
        table.collect(lookingAt: 500, now: .at(60))
        #expect(table.count == 200)
        table.collect(lookingAt: 500, now: .at(61))
        #expect(table.count == 1)
        table.collect(now: .at(100))
        #expect(table.count == 0)
    }

    @Test func `a host's slot is kept while an origin uses it, and is bounded`() {
        var table = PolitenessTable(PolitenessRules(mostSlots: 2))
        let slots = ["a", "b"].map { table.enter($0, now: .at(0)) }
        #expect(table.enter("c", now: .at(0)) == nil)
        table.collect(now: .at(1_000))
        #expect(table.count == 2)
        if let first = slots[0] { table.leave(first, now: .at(1_000)) }
        #expect(table.enter("c", now: .at(1_000)) != nil)
    }

    /// A hundred hosts, a request each second to each; one of them is parked for a minute.
    @Test func `a parked host delays no other by a nanosecond`() {
        func times(parked: Bool) -> [[Instant]] {
            var admission = ClientAdmission(
                concurrency: 1_000, domains: LimiterTable(limit: nil),
                politeness: PolitenessTable(PolitenessRules(minDelay: .seconds(1), jitter: 0)))
            var origins = Array(repeating: OriginGate(concurrency: 1), count: 100)
            let keys = (0..<100).map { number in
                AdmissionKeys(politeness: admission.politeness.enter("\(number)", now: .at(0)))
            }
            if parked { admission.park(keys[0], until: .at(60)) }
            var next = Array(repeating: Instant.at(0), count: 100)
            var times: [[Instant]] = Array(repeating: [], count: 100)
            for step in 0..<100 {
                let now = Instant.at(Double(step) / 10)
                for host in 0..<100 where next[host] <= now {
                    switch admission.admit(
                        keys[host], &origins[host], hasConnection: true, now: now, random: 0)
                    {
                    case .admitted:
                        times[host].append(now)
                        admission.release(keys[host], &origins[host], now: now)
                    case .notBefore(let later): next[host] = later
                    case .wants, .skipped: break
                    }
                }
            }
            return times
        }
        let (with, without) = (times(parked: true), times(parked: false))
        #expect(with[0].isEmpty)
        #expect(without[0].count == 10)
        #expect(with[1...] == without[1...])
    }
}
