// The part of a configuration that is about policies: retries, limits, breaker, coalescing, and the
// presets that set them. Values.

internal import FetchEngine
public import FetchPolicy
internal import FetchPublicSuffix

extension FetcherConfiguration {
    /// How often requests are sent.
    ///
    /// A request waits until every limit lets it go, in order of its coming, and holds no slot
    /// meanwhile. While a limit is set, the queue clock rests: waiting is what was asked for, and
    /// the total clock bounds it. A request that can't go before its total clock runs out fails at
    /// once as `rateLimited`.
    public struct RateLimits: Sendable {
        /// The whole client's limit; nil, the default, for none.
        public var client: RateLimit?
        /// Each domain's; nil, the default, for none.
        public var perDomain: RateLimit?
        /// What shares one domain's limit. Default ``RateKey/host``.
        public var key = RateKey.host
        /// Domains that are remembered, or as many as origins are tracked where that is more; those
        /// that limit nothing at the moment are forgotten first. Default 10,000.
        public var mostDomains = 10_000

        /// No limits.
        public init() {}
    }

    /// What a call ends with that could not be tried again although its status is to be retried.
    public enum SpentRetries: Sendable, Hashable {
        /// With ``FetchError`` of code `retriesSpent`, which carries the last response.
        case fail
        /// With the last response. Streamed calls always do.
        case returnLast
    }

    /// Sets what the preset speaks of, and leaves the rest.
    public mutating func apply(_ preset: ResiliencePreset) {
        retry = preset.retry
        if let limit = preset.domainLimit { rate.perDomain = limit }
        if let limit = preset.clientLimit { rate.client = limit }
        if let most = preset.concurrency { concurrency = most }
        if let cap = preset.connections {
            pool.connections = cap.connections(concurrency: concurrency ?? pool.connections)
        }
        if let rules = preset.breaker { circuitBreaker = rules }
        if let cap = preset.connectionsPerOrigin { pool.connectionsPerOrigin = cap }
        if let cap = preset.idleConnections { pool.idleConnections = cap }
        if let time = preset.idleTime { pool.idleTimeout = time }
        if let time = preset.idleTimeMost { pool.idleTimeoutMost = time }
        switch preset.totalTime {
        case .atMost(let time): timeouts.total = time
        case .unbounded: timeouts.total = nil
        case nil: break
        }
        if let time = preset.connectTime { timeouts.connect = time }
        if let time = preset.readTime {
            timeouts.firstByte = time
            timeouts.readIdle = time
        }
        if let time = preset.nameTime { names.longestLifetime = time }
        if let isOn = preset.caching { cache.isEnabled = isOn }
    }

    func validatePolicies() throws {
        let checks: [(String, InvalidSetting?)] = [
            ("retry", retry.invalidSetting), ("retryAllowance", retryAllowance.invalidSetting),
            ("rate.client", rate.client?.invalidSetting),
            ("rate.perDomain", rate.perDomain?.invalidSetting),
            ("politeness", politeness?.invalidSetting),
            ("circuitBreaker", circuitBreaker?.invalidSetting),
            ("coalescing", coalescing?.invalidSetting), ("hedging", hedging?.invalidSetting),
        ]
        for case (let key, let found?) in checks {
            throw invalid("\(key).\(found.key)", found.reason)
        }
        let atLeastOne = [
            ("concurrency", concurrency ?? 1), ("concurrencyPerOrigin", concurrencyPerOrigin ?? 1),
            ("rate.mostDomains", rate.mostDomains),
        ]
        for (key, value) in atLeastOne where value < 1 { throw invalid(key, "must be 1 or more") }
        if mostParking < .zero { throw invalid("mostParking", "must not be negative") }
        if priorityAgeing < .zero { throw invalid("priorityAgeing", "must not be negative") }
    }

    /// What the engine is told of policies.
    var policySettings: PolicySettings {
        var settings = PolicySettings()
        settings.retries = retryStrategy.map { .strategy($0) } ?? retry.retries
        settings.retryAllowance = retryAllowance
        settings.failsWhenSpent = spentRetries == .fail
        settings.mostParking = mostParking
        settings.clientLimit = rate.client
        settings.domainLimit = rate.perDomain
        settings.limitOfHosts = origins.compactMapValues(\.rate)
        settings.domainKey = rate.key
        settings.registrableDomain = { PublicSuffix.registrableDomain(of: $0) }
        // Every domain in use has its place, or one more than the table holds would be free.
        settings.mostDomains = max(rate.mostDomains, pool.trackedOrigins)
        settings.concurrency = concurrency
        settings.concurrencyPerOrigin = concurrencyPerOrigin
        settings.concurrencyOfHosts = origins.compactMapValues(\.concurrency)
        settings.politeness = politeness
        settings.politeness?.mostSlots = max(politeness?.mostSlots ?? 0, pool.trackedOrigins)
        settings.breaker = circuitBreaker
        settings.breakerObserver = onCircuitTransition
        settings.coalescing = coalescing
        settings.balanced = balancedOrigins
        settings.hedging = hedging
        settings.hedgingOfHosts = origins.compactMapValues(\.hedging)
        settings.politenessName = politenessName
        settings.ageing = Timeouts.nanoseconds(priorityAgeing)
        settings.seed = policySeed
        return settings
    }
}

extension RetryPolicy {
    /// What the engine goes by: a policy of one attempt is none.
    var retries: Retries { maxAttempts > 1 ? .policy(self) : .off }
}
