// Every default, and every value that is refused (CFG-05, CFG-10).

import Fetch
import Testing

struct ConfigurationTests {
    /// The numbers of DESIGN.md, "Defaults".
    @Test func `the defaults are those that are documented`() {
        let configuration = FetcherConfiguration()
        let timeouts = configuration.timeouts
        #expect(timeouts.queue == .seconds(30))
        #expect(timeouts.dns == .seconds(10))
        #expect(timeouts.connect == .seconds(10))
        #expect(timeouts.tls == .seconds(10))
        #expect(timeouts.writeIdle == .seconds(30))
        #expect(timeouts.firstByte == .seconds(30))
        #expect(timeouts.readIdle == .seconds(30))
        #expect(timeouts.total == .seconds(300))
        let pool = configuration.pool
        #expect(pool.connectionsPerOrigin == 10)
        #expect(pool.connections == 100)
        #expect(pool.idleConnections == 20)
        #expect(pool.idleTimeout == .seconds(10))
        #expect(pool.idleTimeoutMost == .seconds(60))
        #expect(pool.usesPerConnection == nil)
        #expect(pool.lifetime == nil)
        #expect(pool.waitingCalls == 10_000)
        #expect(pool.trackedOrigins == 10_000)
        #expect(pool.retriesReuseRace)
        let names = configuration.names
        #expect(names.servers == nil)
        #expect(names.hostsFile == "/etc/hosts")
        #expect(names.longestLifetime == .seconds(300))
        #expect(names.negativeLifetime == .seconds(5))
        #expect(names.cachedNames == 10_000)
        #expect(names.queriesInFlight == 256)
        #expect(names.attemptDelay == .milliseconds(250))
        #expect(names.resolutionDelay == .milliseconds(50))
        #expect(names.failedAddressLifetime == .seconds(30))
        #expect(names.rememberedAddresses == 1_000)
        let limits = configuration.limits
        #expect(limits.headBytes == 64 << 10)
        #expect(limits.fields == 256)
        #expect(limits.startLineBytes == 16 << 10)
        #expect(limits.trailerBytes == 16 << 10)
        #expect(limits.interimResponses == 16)
        #expect(limits.bodyBytes == 64 << 20)
        #expect(limits.highWaterBytes == 256 << 10)
        #expect(configuration.userAgent == "swift-fetch/\(FetchVersion.current)")
        #expect(configuration.baseURL == nil)
        #expect(configuration.timeoutRules.isEmpty)
        #expect(configuration.hostOverrides.isEmpty)
    }

    @Test func `the policies are off, but for coalescing and the cache in memory`() {
        let configuration = FetcherConfiguration()
        #expect(configuration.retry.maxAttempts == 1)
        #expect(configuration.retryStrategy == nil)
        #expect(configuration.retryAllowance == RetryAllowance(percent: 20, floor: 10))
        #expect(configuration.spentRetries == .fail)
        #expect(configuration.mostParking == .seconds(60))
        #expect(configuration.rate.client == nil)
        #expect(configuration.rate.perDomain == nil)
        #expect(configuration.rate.key == .host)
        #expect(configuration.rate.mostDomains == 10_000)
        #expect(configuration.concurrency == nil)
        #expect(configuration.concurrencyPerOrigin == nil)
        #expect(configuration.politeness == nil)
        #expect(configuration.circuitBreaker == nil)
        #expect(configuration.hedging == nil)
        #expect(configuration.endpoints.isEmpty)
        #expect(configuration.origins.isEmpty)
        #expect(configuration.coalescing == CoalescingRules())
        #expect(configuration.coalescing?.mostSharedBytes == 1 << 20)
        #expect(configuration.coalescing?.mostFollowers == 10_000)
        #expect(configuration.priorityAgeing == .seconds(5))
        let cache = configuration.cache
        #expect(cache.isEnabled)
        #expect(cache.mode == .rfc9111)
        #expect(!cache.isShared)
        #expect(cache.heuristics == nil)
        #expect(cache.staleIfError == .zero)
        #expect(cache.mostBytes == 100 << 20)
        #expect(cache.mostEntries == 1_024)
        #expect(cache.mostBodyBytes == 5 << 20)
        #expect(cache.mostVariants == 16)
        #expect(cache.mostValidations == 100)
        #expect(cache.disk == nil)
        #expect(cache.storePatience == .milliseconds(500))
    }

    @Test func `a request asks for nothing that was not set`() {
        let request = Request("http://a.test/")
        #expect(request.method == .get)
        #expect(request.query.isEmpty)
        #expect(request.headers.isEmpty)
        #expect(request.body == nil)
        #expect(request.timeouts == nil)
        #expect(request.totalTimeout == nil)
        #expect(request.bodyLimit == nil)
    }

    @Test func `POOL-04 twice the concurrency bounds the connections, as statistics say`() throws {
        let world = try LocalWorld { configuration in
            var preset = ResiliencePreset.asyncFetcher
            preset.concurrency = 50
            configuration.apply(preset)
        }
        #expect(world.fetcher.statistics.connectionLimit == 100)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let key: String
        let change: @Sendable (inout FetcherConfiguration) -> Void
        var testDescription: String { key }

        init(_ key: String, _ change: @escaping @Sendable (inout FetcherConfiguration) -> Void) {
            self.key = key
            self.change = change
        }
    }

    static let bad: [Bad] = [
        Bad("endpoints[\"http://a.test\"]") { $0.endpoints = ["http://a.test": []] },
        Bad("endpoints[\"http://a.test\"].weight") {
            $0.endpoints = ["http://a.test": [Endpoint("http://b.test", weight: 0)]]
        },
        Bad("endpoints[\"http://a.test/x\"]") {
            $0.endpoints = ["http://a.test/x": [Endpoint("http://b.test")]]
        },
        Bad("endpoints[\"a.test\"]") { $0.endpoints = ["a.test": [Endpoint("http://b.test")]] },
        Bad("endpoints[\"https://a.test\"].url") {
            $0.endpoints = ["https://a.test": [Endpoint("http://b.test")]]
        },
        Bad("endpoints[\"http://a.test\"].url") {
            $0.endpoints = ["http://a.test": [Endpoint("http://b.test/path")]]
        },
        Bad("hedging.percentile") { $0.hedging = HedgeRules(percentile: 100) },
        Bad("hedging.fixedDelay") { $0.hedging = .after(.zero) },
        Bad("origins[\"a.test\"].hedging.minSamples") {
            $0.origins["a.test"] = OriginConfiguration(hedging: HedgeRules(minSamples: 0))
        },
        Bad("pool.connectionsPerOrigin") { $0.pool.connectionsPerOrigin = 0 },
        Bad("pool.connections") { $0.pool.connections = 0 },
        Bad("pool.idleConnections") { $0.pool.idleConnections = -1 },
        Bad("pool.idleTimeout") { $0.pool.idleTimeout = .seconds(-1) },
        Bad("pool.idleTimeoutMost") { $0.pool.idleTimeoutMost = .seconds(-1) },
        Bad("pool.usesPerConnection") { $0.pool.usesPerConnection = 0 },
        Bad("pool.lifetime") { $0.pool.lifetime = .zero },
        Bad("pool.waitingCalls") { $0.pool.waitingCalls = -1 },
        Bad("pool.trackedOrigins") { $0.pool.trackedOrigins = 0 },
        Bad("limits.headBytes") { $0.limits.headBytes = 0 },
        Bad("limits.headBytes") { $0.limits.headBytes = 2 << 30 },
        Bad("limits.fields") { $0.limits.fields = 0 },
        Bad("limits.fields") { $0.limits.fields = 65_536 },
        Bad("limits.startLineBytes") { $0.limits.startLineBytes = 0 },
        Bad("limits.trailerBytes") { $0.limits.trailerBytes = -1 },
        Bad("limits.interimResponses") { $0.limits.interimResponses = -1 },
        Bad("limits.bodyBytes") { $0.limits.bodyBytes = -1 },
        Bad("limits.highWaterBytes") { $0.limits.highWaterBytes = 0 },
        Bad("timeouts.queue") { $0.timeouts.queue = .zero },
        Bad("timeouts.dns") { $0.timeouts.dns = .zero },
        Bad("timeouts.connect") { $0.timeouts.connect = .seconds(-1) },
        Bad("timeouts.tls") { $0.timeouts.tls = .zero },
        Bad("timeouts.writeIdle") { $0.timeouts.writeIdle = .zero },
        Bad("timeouts.firstByte") { $0.timeouts.firstByte = .zero },
        Bad("timeouts.readIdle") { $0.timeouts.readIdle = .zero },
        Bad("timeouts.total") { $0.timeouts.total = .zero },
        Bad("timeoutRules") { $0.timeoutRules = [.path(contains: "/", total: .zero)] },
        Bad("hostOverrides") { $0.hostOverrides = ["a.test": []] },
        Bad("hostOverrides") { $0.hostOverrides = ["a.test": ["not an address"]] },
        Bad("baseURL") { $0.baseURL = "not a url" },
        Bad("baseURL") { $0.baseURL = "ftp://a.test" },
        Bad("names.hostsFile") { $0.names.hostsFile = "" },
        Bad("names.hostsFile") { $0.names.hostsFile = "/etc/hosts\0" },
        Bad("cache.disk.directory") { $0.cache.disk = .init(directory: "/tmp/cache\0") },
        Bad("tls.trust") { $0.tls.trust = .system + .file("/etc/ca.pem\0") },
        Bad("tls.trust") { $0.tls.trust = .directory("/etc\0/ssl") },
        Bad("tls.revocationLists") { $0.tls.revocationLists = [.file("/etc/crl.pem\0")] },
        Bad("tls.keyLog") { $0.tls.keyLog = .file("\0") },
        Bad("tls.identity.certificate") {
            $0.tls.identity = .init(certificate: .file("/a\0"), key: .file("/a"))
        },
        Bad("tls.identity.key") {
            $0.tls.identity = .init(certificate: .file("/a"), key: .file("/a\0"))
        },
        Bad("names.attemptDelay") { $0.names.attemptDelay = .zero },
        Bad("names.resolutionDelay") { $0.names.resolutionDelay = .seconds(-1) },
        Bad("names.failedAddressLifetime") { $0.names.failedAddressLifetime = .seconds(-1) },
        Bad("names.rememberedAddresses") { $0.names.rememberedAddresses = -1 },
        Bad("userAgent") { $0.userAgent = "a\r\nb" },
        Bad("names.servers") { $0.names.servers = [] },
        Bad("names.servers") { $0.names.servers = ["a.test"] },
        Bad("names.longestLifetime") { $0.names.longestLifetime = .seconds(-1) },
        Bad("names.negativeLifetime") { $0.names.negativeLifetime = .seconds(-1) },
        Bad("names.cachedNames") { $0.names.cachedNames = -1 },
        Bad("names.queriesInFlight") { $0.names.queriesInFlight = 1 },
        Bad("retry.maxAttempts") { $0.retry.maxAttempts = 0 },
        Bad("retryAllowance.percent") { $0.retryAllowance.percent = -1 },
        Bad("mostParking") { $0.mostParking = .seconds(-1) },
        Bad("rate.client.count") { $0.rate.client = .slidingWindow(.perSecond(-1)) },
        Bad("rate.perDomain.burst") { $0.rate.perDomain = .tokenBucket(.perSecond(1), burst: 0) },
        Bad("rate.mostDomains") { $0.rate.mostDomains = 0 },
        Bad("concurrency") { $0.concurrency = 0 },
        Bad("concurrencyPerOrigin") { $0.concurrencyPerOrigin = 0 },
        Bad("politeness.minDelay") { $0.politeness = PolitenessRules(minDelay: .seconds(-1)) },
        Bad("circuitBreaker.coolDown") { $0.circuitBreaker = BreakerRules(coolDown: .zero) },
        Bad("coalescing.mostFollowers") { $0.coalescing?.mostFollowers = -1 },
        Bad("priorityAgeing") { $0.priorityAgeing = .seconds(-1) },
        Bad("origins[\"a.test\"].rate.count") {
            $0.origins["a.test"] = OriginConfiguration(rate: .leakyBucket(.perSecond(0)))
        },
        Bad("origins[\"a.test\"].concurrency") {
            $0.origins["a.test"] = OriginConfiguration(concurrency: 0)
        },
        Bad("cache.mostBytes") { $0.cache.mostBytes = -1 },
        Bad("cache.mostEntries") { $0.cache.mostEntries = 1 << 25 },
        Bad("cache.mostBodyBytes") { $0.cache.mostBodyBytes = -1 },
        Bad("cache.mostVariants") { $0.cache.mostVariants = -1 },
        Bad("cache.mostValidations") { $0.cache.mostValidations = -1 },
        Bad("cache.staleIfError") { $0.cache.staleIfError = .seconds(-1) },
        Bad("cache.mode") { $0.cache = .forced(ttl: .seconds(-1)) },
        Bad("cache.storePatience") { $0.cache.storePatience = .zero },
    ]

    @Test(arguments: bad)
    func `a value that makes no sense is refused by its key`(bad: Bad) {
        let error = #expect(throws: FetchError.self) { _ = try LocalWorld(bad.change) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.reason.hasPrefix(bad.key + ": ") == true, "\(error?.reason ?? "")")
        #expect(error?.isRetryable == false)
    }

    @Test func `what is at the edge of sense is accepted`() throws {
        _ = try LocalWorld {
            $0.pool.idleConnections = 0
            $0.pool.waitingCalls = 0
            $0.pool.idleTimeout = .zero
            $0.limits.trailerBytes = 0
            $0.limits.interimResponses = 0
            $0.limits.bodyBytes = 0
            $0.limits.fields = 65_535
            $0.names.hostsFile = nil
            $0.names.failedAddressLifetime = .zero
            $0.names.rememberedAddresses = 0
            $0.timeouts = .disabled
            $0.timeouts.connect = .nanoseconds(1)
            $0.pool.lifetime = .seconds(Int64.max)
        }
    }
}
