// Several endpoints behind one name, and asking twice: LB-01. Pure.

import FetchPolicy
import FetchTime
import Testing

struct BalancerTests {
    @Test func `LB-01 round-robin goes round, and weights interleave`() {
        var even = Balancer(.roundRobin, weights: [1, 1, 1])
        #expect((0..<7).map { _ in even.pick(random: 0) } == [0, 1, 2, 0, 1, 2, 0])
        var weighted = Balancer(.roundRobin, weights: [5, 1, 1])
        let picks = (0..<7).compactMap { _ in weighted.pick(random: 0) }
        #expect(picks == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test(arguments: [BalanceRule.roundRobin, .leastInFlight])
    func `LB-01 each gets the share of its weight`(rule: BalanceRule) {
        var balancer = Balancer(rule, weights: [1, 2, 5])
        var random = Sequence64(3)
        var counts = [0, 0, 0]
        var underWay: [Int] = []
        for _ in 0..<4_000 {
            guard let endpoint = balancer.pick(random: random.next()) else { return }
            counts[endpoint] += 1
            balancer.started(endpoint)
            underWay.append(endpoint)
            if underWay.count > 16 { balancer.ended(underWay.removeFirst()) }
        }
        for (count, share) in zip(counts, [500, 1_000, 2_500]) {
            #expect(abs(count - share) < share / 5)
        }
    }

    @Test func `the less loaded of two gets the request`() {
        var balancer = Balancer(.leastInFlight, weights: [1, 1])
        for _ in 0..<5 { balancer.started(0) }
        var random = Sequence64(4)
        #expect((0..<100).allSatisfy { _ in balancer.pick(random: random.next()) == 1 })
        #expect(balancer.inFlight(0) == 5)
        for _ in 0..<9 { balancer.ended(0) }
        #expect(balancer.inFlight(0) == 0)
    }

    @Test func `LB-01 a slow endpoint gets less by itself`() {
        var balancer = Balancer(.leastInFlight, weights: [1, 1, 1])
        var random = Sequence64(5)
        var ends: [(endpoint: Int, at: Int)] = []
        var counts = [0, 0, 0]
        for step in 0..<6_000 {
            for done in ends where done.at <= step { balancer.ended(done.endpoint) }
            ends.removeAll { $0.at <= step }
            guard let endpoint = balancer.pick(random: random.next()) else { return }
            balancer.started(endpoint)
            counts[endpoint] += 1
            // The first one takes ten times as long.
            ends.append((endpoint, step + (endpoint == 0 ? 100 : 10)))
        }
        #expect(counts[0] * 3 < counts[1])
        #expect(abs(counts[1] - counts[2]) < counts[1] / 10)
    }

    @Test(arguments: [BalanceRule.roundRobin, .leastInFlight])
    func `a retry fails over, an ejected one is left out, and nobody is nobody`(
        rule: BalanceRule
    ) {
        var balancer = Balancer(rule, weights: [1, 1, 1])
        var random = Sequence64(6)
        for _ in 0..<50 {
            let second = balancer.pick(tried: EndpointSet(1), random: random.next())
            #expect(second == 0 || second == 2)
            let last = balancer.pick(
                tried: EndpointSet(1), ejected: [EndpointSet(0)], random: random.next())
            #expect(last == 2)
            // All that are left were tried: one of them is tried again.
            let again = balancer.pick(
                tried: [EndpointSet(1), EndpointSet(2)], ejected: EndpointSet(0),
                random: random.next())
            #expect(again == 1 || again == 2)
        }
        let all: EndpointSet = [EndpointSet(0), EndpointSet(1), EndpointSet(2)]
        #expect(balancer.pick(ejected: all, random: 1) == nil)
    }

    @Test func `an endpoint that comes back is not flooded`() {
        var balancer = Balancer(.roundRobin, weights: [1, 1])
        for _ in 0..<1_000 { _ = balancer.pick(ejected: EndpointSet(0), random: 0) }
        let next = (0..<10).compactMap { _ in balancer.pick(random: 0) }
        #expect(next.count { $0 == 0 } == 5)
    }

    @Test func `sixty-four endpoints are the most`() {
        var balancer = Balancer(.roundRobin, weights: Array(repeating: 1, count: 64))
        #expect((0..<64).compactMap { _ in balancer.pick(random: 0) } == Array(0..<64))
        let one = Endpoint("http://a.test")
        #expect(Balancer.invalidSetting([one]) == nil)
        #expect(Balancer.invalidSetting([])?.key == "endpoints")
        #expect(Balancer.invalidSetting(Array(repeating: one, count: 65))?.key == "endpoints")
        #expect(
            Balancer.invalidSetting([Endpoint("http://a.test", weight: 0)])?.key
                == "endpoints.weight")
    }
}

struct LatencyEstimatorTests {
    @Test func `a percentile is exact to a bucket's width`() {
        var estimator = LatencyEstimator()
        #expect(estimator.nanoseconds(percentile: 95) == nil)
        for millisecond in 1...100 { estimator.record(nanoseconds: Int64(millisecond) * 1_000_000) }
        for percent in [1.0, 50, 95, 99, 100] {
            let found = Double(estimator.nanoseconds(percentile: percent) ?? 0) / 1e6
            #expect(found >= percent && found <= percent * 1.126, "\(percent): \(found)")
        }
    }

    @Test func `what was long ago fades`() {
        var estimator = LatencyEstimator()
        for _ in 0..<10_000 { estimator.record(nanoseconds: 1_000_000_000) }
        #expect(estimator.samples < 1_024)
        for _ in 0..<6_000 { estimator.record(nanoseconds: 1_000_000) }
        #expect((estimator.nanoseconds(percentile: 95) ?? 0) < 2_000_000)
    }

    @Test func `no latency is too short or too long, and the space is fixed`() {
        var estimator = LatencyEstimator()
        for value in [Int64.min, -1, 0, 1, 1_023, 1 << 40, .max] {
            estimator.record(nanoseconds: value)
        }
        #expect(estimator.samples == 7)
        #expect(estimator.nanoseconds(percentile: .infinity) ?? 0 > 1_000_000_000_000)
        #expect(estimator.nanoseconds(percentile: -5) == 1_152)
        #expect(MemoryLayout<LatencyEstimator>.stride <= 512)
    }
}

struct HedgeTests {
    private func known(_ count: Int, _ milliseconds: Int64) -> LatencyEstimator {
        var estimator = LatencyEstimator()
        for _ in 0..<count { estimator.record(nanoseconds: milliseconds * 1_000_000) }
        return estimator
    }

    @Test func `a safe request is asked again when it takes unusually long`() {
        let rules = HedgeRules()
        let usual = known(20, 100)
        let delay = rules.delay(isSafe: true, isReplayable: true, usual) ?? 0
        #expect(delay >= 100_000_000 && delay < 113_000_000)
        #expect(rules.delay(isSafe: false, isReplayable: true, usual) == nil)
        #expect(rules.delay(isSafe: true, isReplayable: false, usual) == nil)
        #expect(rules.delay(isSafe: true, isReplayable: true, known(19, 100)) == nil)
        #expect(rules.delay(isSafe: true, isReplayable: true, known(50, 1)) == 10_000_000)
    }

    @Test func `the delay of an origin is known with its answers, and follows them`() {
        var timing = HedgeTiming(HedgeRules(minSamples: 4))
        for _ in 0..<3 { timing.record(nanoseconds: 50_000_000, now: .at(1)) }
        #expect(timing.delay == nil)
        timing.record(nanoseconds: 50_000_000, now: .at(1))
        #expect((50_000_000...57_000_000).contains(timing.delay ?? 0))
        #expect(!timing.isAtRest(now: .at(30)))
        #expect(timing.isAtRest(now: .at(31)))
        for _ in 0..<16 { timing.record(nanoseconds: 400_000_000, now: .at(2)) }
        #expect((400_000_000...457_000_000).contains(timing.delay ?? 0))
        #expect(HedgeTiming(.after(.milliseconds(7))).delay == 7_000_000)
    }

    private func both() -> Hedge {
        var hedge = Hedge()
        var budget = RetryBudget()
        #expect(hedge.delayPassed(RetryAllowance(), &budget, now: .at(0)) == .sendSecond)
        return hedge
    }

    @Test func `the first answer counts and the other exchange is cancelled`() {
        for (winner, loser) in [(Hedge.Exchange.first, .second), (.second, Hedge.Exchange.first)] {
            var hedge = both()
            #expect(hedge.answered(winner) == .answer(winner, cancel: loser))
            #expect(hedge.answered(loser) == .proceed)
            #expect(hedge.failed(loser) == .proceed)
            #expect(hedge.cancelled() == .proceed)
        }
        var hedge = Hedge()
        #expect(hedge.answered(.first) == .answer(.first, cancel: nil))
    }

    @Test func `one that fails leaves it to the other`() {
        for (loser, last) in [(Hedge.Exchange.first, .second), (.second, Hedge.Exchange.first)] {
            var hedge = both()
            #expect(hedge.failed(loser) == .proceed)
            #expect(hedge.answered(loser) == .proceed)
            var other = hedge
            #expect(hedge.answered(last) == .answer(last, cancel: nil))
            #expect(other.failed(last) == .fail(last))
            #expect(other.state == .ended)
        }
    }

    @Test func `the budget bounds second requests, and there is never a third`() {
        var budget = RetryBudget()
        var sent = 0
        for _ in 0..<100 {
            var hedge = Hedge()
            if hedge.delayPassed(RetryAllowance(), &budget, now: .at(0)) == .sendSecond {
                sent += 1
                #expect(hedge.delayPassed(RetryAllowance(), &budget, now: .at(0)) == .proceed)
            } else {
                #expect(hedge.state == .alone(.first))
                #expect(hedge.failed(.first) == .fail(.first))
            }
        }
        #expect(sent == 10)
    }

    @Test func `a call that ends takes all of its exchanges with it`() {
        var hedge = both()
        #expect(hedge.cancelled() == .cancel([.first, .second]))
        hedge = both()
        _ = hedge.failed(.first)
        #expect(hedge.cancelled() == .cancel([.second]))
        hedge = Hedge()
        #expect(hedge.cancelled() == .cancel([.first]))
        #expect(hedge.failed(.first) == .proceed)
    }
}
