// Which policies one seed of the simulation switches on. Drawn from dice of its own, so that worlds
// without policies stay what they were.

import Fetch
import TestSupport

struct PolicyWeather: Sendable {
    var attempts = 1
    var retryAllowance = RetryAllowance()
    var clientLimit: RateLimit?
    var domainLimit: RateLimit?
    var concurrency: Int?
    var concurrencyPerOrigin: Int?
    var politeness: PolitenessRules?
    var breaker: BreakerRules?
    var hedging: HedgeRules?
    /// Every origin's requests go to all of them.
    var isBalanced = false
    var balance = BalanceRule.roundRobin
    let seed: UInt64

    /// Half of the worlds have policies.
    init?(seed: UInt64) {
        var dice = Dice(seed: seed &* 7_919)
        guard dice.chance(0.5) else { return nil }
        self.seed = seed
        if dice.chance(0.6) { attempts = dice.pick(2...4) }
        if dice.chance(0.5) { retryAllowance = RetryAllowance(percent: 20, floor: 3) }
        if dice.chance(0.3) { clientLimit = Self.limit(&dice) }
        if dice.chance(0.3) { domainLimit = Self.limit(&dice) }
        if dice.chance(0.4) { concurrency = dice.pick(1...8) }
        if dice.chance(0.4) { concurrencyPerOrigin = dice.pick(1...4) }
        if dice.chance(0.2) {
            politeness = PolitenessRules(
                concurrency: dice.pick(1...3), minDelay: .milliseconds(dice.pick(0...100)))
        }
        if dice.chance(0.4) {
            breaker = BreakerRules(
                consecutiveFailures: dice.pick(1...5),
                coolDown: .milliseconds(dice.pick(50...2_000)))
        }
        if dice.chance(0.6) {
            // So early that the second exchange may well be the faster one.
            hedging =
                dice.chance(0.7)
                ? .after(.milliseconds(dice.pick(1...40)))
                : HedgeRules(percentile: 50, minDelay: .zero, minSamples: 3)
        }
        isBalanced = dice.chance(0.3)
        if dice.chance(0.5) { balance = .leastInFlight }
    }

    private static func limit(_ dice: inout Dice) -> RateLimit {
        let rate = Rate.perSecond(dice.pick(5...50))
        switch dice.pick(0...2) {
        case 0: return .tokenBucket(rate, burst: dice.pick(1...10))
        case 1: return .slidingWindow(rate)
        default: return .leakyBucket(rate)
        }
    }

    var hasLimit: Bool { clientLimit != nil || domainLimit != nil || politeness != nil }

    /// - Parameter origins: as many as there are, by their hosts.
    func apply(to configuration: inout FetcherConfiguration, origins: [String]) {
        configuration.hedging = hedging
        configuration.balance = balance
        if isBalanced {
            let endpoints = origins.map { Endpoint("http://\($0)") }
            for origin in origins { configuration.endpoints["http://\(origin)"] = endpoints }
        }
        if attempts > 1 {
            configuration.retry = RetryPolicy(
                maxAttempts: attempts,
                backoff: Backoff(base: .milliseconds(50), cap: .seconds(1), jitter: .full))
        }
        configuration.retryAllowance = retryAllowance
        configuration.rate.client = clientLimit
        configuration.rate.perDomain = domainLimit
        configuration.concurrency = concurrency
        configuration.concurrencyPerOrigin = concurrencyPerOrigin
        configuration.politeness = politeness
        configuration.circuitBreaker = breaker
        configuration.policySeed = seed
    }
}
