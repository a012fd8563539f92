// What the engine is told of the policies that make calls predictable when servers are not:
// retries, limits, breaker, coalescing. Everything is off but coalescing, which the public
// configuration switches on. Values.

package import FetchCache
package import FetchHTTP
package import FetchPolicy

package struct PolicySettings: Sendable {
    /// When calls are tried again, unless a call brings a rule of its own.
    package var retries = Retries.off
    /// Retries that an origin bears beside its requests.
    package var retryAllowance = RetryAllowance()
    /// A call whose attempts are spent fails although its last response is there.
    package var failsWhenSpent = true
    /// A domain is parked by its server's wish no longer than this.
    package var mostParking = Duration.seconds(60)
    /// The whole client's limiter.
    package var clientLimit: RateLimit?
    /// Each domain's.
    package var domainLimit: RateLimit?
    /// One host's, whatever its port, in place of its domain's.
    package var limitOfHosts: [String: RateLimit] = [:]
    /// What a domain is.
    package var domainKey = RateKey.host
    /// Domains that are remembered.
    package var mostDomains = LimiterTable.defaultMost
    /// The part of a host that can be bought, where it is known; nil for what has none.
    package var registrableDomain: @Sendable (String) -> String? = { _ in nil }
    /// Requests of the client that may be under way.
    package var concurrency: Int?
    /// The same for each origin.
    package var concurrencyPerOrigin: Int?
    /// For each origin of one host, in place of that.
    package var concurrencyOfHosts: [String: Int] = [:]
    /// How crawlers behave.
    package var politeness: PolitenessRules?
    /// Each origin's breaker.
    package var breaker: BreakerRules?
    /// Told of every change of a breaker's state, in order.
    package var breakerObserver:
        (@Sendable (_ origin: String, _ transition: CircuitBreaker.Transition) -> Void)?
    /// When callers who ask the same are answered by one request.
    package var coalescing: CoalescingRules?
    /// Origins whose service several endpoints give.
    package var balanced: [BalancedOrigin] = []
    /// When safe requests are asked a second time.
    package var hedging: HedgeRules?
    /// By host, in place of that.
    package var hedgingOfHosts: [String: HedgeRules] = [:]
    /// What shares a politeness slot, where that is the caller's to say.
    package var politenessName: @Sendable (String) -> String = { $0 }
    /// How much longer a call of lower priority waits before it goes first, in nanoseconds.
    package var ageing = PriorityLine<Int>.defaultAgeingNanoseconds
    /// What chance is drawn from; nil for the machine's.
    package var seed: UInt64?

    package init() {}

    /// Whether a token or a slot beside the connection is needed to go.
    var limits: Bool {
        clientLimit != nil || domainLimit != nil || concurrency != nil
            || concurrencyPerOrigin != nil || politeness != nil || !limitOfHosts.isEmpty
            || !concurrencyOfHosts.isEmpty
    }

    /// Whether anything is on.
    var isOn: Bool {
        limits || retries.isOn || breaker != nil || coalescing != nil || hedges
            || !balanced.isEmpty
    }

    /// Whether any request may be asked twice.
    var hedges: Bool { hedging != nil || !hedgingOfHosts.isEmpty }

    /// Whether waiting for one's turn is what was asked for, however long: then only the call's
    /// total clock bounds it.
    var paces: Bool {
        clientLimit != nil || domainLimit != nil || politeness != nil || !limitOfHosts.isEmpty
    }
}

/// Several endpoints that give one origin's service.
package struct BalancedOrigin: Sendable {
    /// Any target of the origin.
    package let name: Target
    package let rule: BalanceRule
    /// The same number of each.
    package let endpoints: [Endpoint]
    package let targets: [Target]

    package init(
        _ name: Target, _ rule: BalanceRule, _ endpoints: [Endpoint], at targets: [Target]
    ) {
        self.name = name
        self.rule = rule
        self.endpoints = endpoints
        self.targets = targets
    }
}

extension Retries {
    var isOn: Bool {
        if case .off = self { false } else { true }
    }
}

/// What a request says of the policies in place of the client. An object, because most have none.
package final class CallPolicy: Sendable {
    /// Nil for the client's.
    package let retries: Retries?
    package let priority: RequestPriority
    /// Whether another caller's answer will do, and its own for others.
    package let mayBeShared: Bool
    /// Tokens that it takes.
    package let cost: Int
    /// How it uses the cache.
    package let cacheMode: CacheMode

    package init(
        retries: Retries? = nil, priority: RequestPriority = .normal, mayBeShared: Bool = true,
        cost: Int = 1, cacheMode: CacheMode = .standard
    ) {
        self.retries = retries
        self.priority = priority
        self.mayBeShared = mayBeShared
        self.cost = cost
        self.cacheMode = cacheMode
    }
}
