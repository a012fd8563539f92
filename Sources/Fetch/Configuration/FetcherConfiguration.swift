// Every knob of a client, with its default. A plain value; checked when a client is made of it.

internal import FetchEngine
internal import FetchHTTP1
public import FetchPolicy
internal import FetchTransport

/// How a ``Fetcher`` works. `FetcherConfiguration()` needs no argument and is meant for use.
public struct FetcherConfiguration: Sendable {
    /// Bounds and times of the connection pool.
    public struct Pool: Sendable, Hashable {
        /// Connections to one origin (scheme, host, port). Default 10.
        public var connectionsPerOrigin = 10
        /// Connections in all. At this bound an origin without a connection takes the place of the
        /// connection that has been idle longest. Default 100.
        public var connections = 100
        /// Connections that have been idle for a second or more. Default 20.
        public var idleConnections = 20
        /// How long an unused connection is kept when its server gave no hint. Default 10 s.
        public var idleTimeout: Duration = .seconds(10)
        /// The longest that a server's `Keep-Alive: timeout=N` may keep one; N − 2 s is used.
        /// Default 60 s.
        public var idleTimeoutMost: Duration = .seconds(60)
        /// Requests that one connection may carry; nil for any number, the default.
        public var usesPerConnection: Int?
        /// Age from which a connection is not used again; nil for any age, the default.
        public var lifetime: Duration?
        /// Calls that may wait: for a connection or a turn, for the answer that another call asks
        /// for, and for their next attempt; one more fails as `overloaded`. Default 10,000.
        public var waitingCalls = 10_000
        /// Origins with a connection or a waiting call. Default 10,000.
        public var trackedOrigins = 10_000
        /// When a connection that was used before dies before any byte of a response, sends the
        /// request once more on a fresh one, if it is idempotent or no byte of it was sent
        /// (RFC 9112 §9.3.1). Default true.
        public var retriesReuseRace = true

        /// The defaults.
        public init() {}
    }

    /// Bounds on what a peer may send; a response beyond one fails with an error that names it.
    public struct Limits: Sendable, Hashable {
        /// Status line and fields of a response's head, in bytes. Default 64 KiB.
        public var headBytes = 64 << 10
        /// Fields in a head. Default 256; 65,535 at most.
        public var fields = 256
        /// A status line, in bytes. Default 16 KiB.
        public var startLineBytes = 16 << 10
        /// The trailers of a chunked body, in bytes. Default 16 KiB.
        public var trailerBytes = 16 << 10
        /// Interim (1xx) responses before the final one. Default 16.
        public var interimResponses = 16
        /// A whole body, in bytes; streamed bodies have no bound. Default 64 MiB.
        public var bodyBytes = 64 << 20
        /// Unread bytes of a streamed body above which the socket is no longer read. Default
        /// 256 KiB.
        public var highWaterBytes = 256 << 10

        /// The defaults.
        public init() {}
    }

    /// Prefix of relative URLs: `https://api.example.com/v1`. Default none.
    public var baseURL: String?
    /// The User-Agent field's value. Default `swift-fetch/VERSION`.
    public var userAgent = "swift-fetch/\(FetchVersion.current)"
    /// The clocks of every call that brings none of its own.
    public var timeouts = Timeouts()
    /// Total clocks for some requests; see ``TimeoutRule``.
    public var timeoutRules: [TimeoutRule] = []
    /// Bounds and times of the connection pool.
    public var pool = Pool()
    /// Bounds on what a peer may send.
    public var limits = Limits()
    /// How https connections are secured. Default: verified against the machine's authorities.
    public var tls = TLSConfiguration()
    /// How host names become addresses.
    public var names = NameConfiguration()
    /// Which addresses may be connected to; asked about the very address, on every attempt, with
    /// no second look-up. Default ``AddressPolicy/any``.
    public var addressPolicy = AddressPolicy.any
    /// When calls are tried again. Default ``RetryPolicy/none``.
    public var retry = RetryPolicy.none
    /// An algorithm of the user's that decides in place of ``retry``, or nil.
    public var retryStrategy: (any RetryStrategy)?
    /// How many retries an origin bears beside its requests. Default 20 %, and 10 in 10 s.
    public var retryAllowance = RetryAllowance()
    /// What a call ends with whose last attempt had an unwanted status. Default
    /// ``SpentRetries/fail``.
    public var spentRetries = SpentRetries.fail
    /// How long a 429 or 503 with Retry-After (RFC 9110 §10.2.3) keeps every call of this client
    /// from its domain, at most, where retries or rate limits are on. Default 60 s.
    public var mostParking: Duration = .seconds(60)
    /// How often requests are sent. Default: as often as callers ask.
    public var rate = RateLimits()
    /// Requests under way in all, whatever their connections; nil, the default, for no bound.
    public var concurrency: Int?
    /// Requests under way to one origin; nil, the default, for no bound but the connections.
    public var concurrencyPerOrigin: Int?
    /// How a crawler spares each host; nil, the default, for not at all.
    public var politeness: PolitenessRules?
    /// Each origin's circuit breaker; nil, the default, for none.
    public var circuitBreaker: BreakerRules?
    /// Told of every change of a breaker's state, in order, on the reactor's thread: it must not
    /// block. The origin reads `https://host:port`.
    public var onCircuitTransition:
        (@Sendable (_ origin: String, _ transition: CircuitBreaker.Transition) -> Void)?
    /// Several endpoints that give the service of one origin, by that origin:
    /// `["https://api.example.com": [Endpoint("https://10.0.0.1:8443"), …]]`. None by default.
    ///
    /// A request to the origin goes to one of them, as ``balance`` says, and names the origin in
    /// its Host field and in TLS unless ``Endpoint/keepsAuthority`` is false. Each endpoint is an
    /// origin of its own to connections, concurrency, rates, politeness and ``circuitBreaker``; the
    /// allowance of retries, coalescing and ``hedging`` belong to the origin that is asked for.
    ///
    /// An endpoint whose breaker is open gets nothing until its probe succeeds, and one that its
    /// server's Retry-After has parked only when there is no other; when all breakers are open, a
    /// call fails as `circuitOpen`. Without ``circuitBreaker`` no endpoint is left out. A retry
    /// goes to another endpoint than the attempt before, where there is one; without ``retry``,
    /// calls to an endpoint that has just died fail until its breaker is open.
    public var endpoints: [String: [Endpoint]] = [:]
    /// How endpoints share the load. Default ``BalanceRule/roundRobin``.
    public var balance = BalanceRule.roundRobin
    /// When a safe request without an answer is asked a second time, on another endpoint where
    /// there is one; nil, the default, for never. Each second exchange is spent from
    /// ``retryAllowance`` and takes a token and a slot as an attempt does. Of a streamed call only
    /// the head is waited for so.
    public var hedging: HedgeRules?
    /// What shares a politeness slot where ``PolitenessRules/key`` is ``PolitenessKey/custom``: a
    /// name for a host in lower case. Default: each host for itself. Called on the reactor's
    /// thread, once for each origin that comes into use.
    public var politenessName: @Sendable (_ host: String) -> String = { $0 }
    /// When callers who ask the same at the same time are answered by one request: whole-body GET
    /// and HEAD. Nil for never. Default ``CoalescingRules``.
    public var coalescing: CoalescingRules? = CoalescingRules()
    /// How responses are stored and used again. Default: in memory, as RFC 9111 has it.
    public var cache = CacheConfiguration()
    /// How much longer than a normal call one of low priority waits before it goes first, and a
    /// normal one than one of high priority. Default 5 s.
    public var priorityAgeing: Duration = .seconds(5)
    /// What jitter is drawn from; nil for the machine's chance. For simulations.
    package var policySeed: UInt64?
    /// What holds for single hosts in place of the above, by host name in lower case.
    public var origins: [String: OriginConfiguration] = [:]
    /// Addresses to connect to instead of asking for a host's: literals, tried in order. The key is
    /// a host, or a host and a port: `example.com:8443`. The host stays in the request; only the
    /// way there changes.
    public var hostOverrides: [String: [String]] = [:]

    /// The defaults.
    public init() {}

    /// Checks every value.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`, naming the key.
    public func validate() throws {
        try validateNumbers()
        try validateDurations()
        for (host, addresses) in hostOverrides {
            guard !addresses.isEmpty else {
                throw invalid("hostOverrides", "\(host) has no address")
            }
            for address in addresses where SocketAddress(literal: address, port: 0) == nil {
                throw invalid("hostOverrides", "\(address) is not an IP address")
            }
        }
        if let baseURL {
            do throws(TargetError) {
                _ = try Target(baseURL)
            } catch {
                throw invalid("baseURL", "\(error)")
            }
        }
        try validatePolicies()
        try cache.validate()
        try validateBalance()
        try names.validate()
        for (host, origin) in origins { try origin.validate(host) }
        do throws(TLSFailure) {
            try tls.validate()
        } catch {
            throw FetchError(.invalidConfiguration, reason: "\(error)")
        }
        var agent = Headers()
        do throws(FieldError) {
            try agent.append("User-Agent", userAgent)
        } catch {
            throw invalid("userAgent", "\(error)")
        }
    }

    private func validateNumbers() throws {
        let atLeastOne = [
            ("pool.connectionsPerOrigin", pool.connectionsPerOrigin),
            ("pool.connections", pool.connections),
            ("pool.trackedOrigins", pool.trackedOrigins),
            ("pool.usesPerConnection", pool.usesPerConnection ?? 1),
            ("limits.headBytes", limits.headBytes), ("limits.fields", limits.fields),
            ("limits.startLineBytes", limits.startLineBytes),
            ("limits.highWaterBytes", limits.highWaterBytes),
        ]
        for (key, value) in atLeastOne where value < 1 { throw invalid(key, "must be 1 or more") }
        let notNegative = [
            ("pool.idleConnections", pool.idleConnections),
            ("pool.waitingCalls", pool.waitingCalls),
            ("limits.trailerBytes", limits.trailerBytes),
            ("limits.interimResponses", limits.interimResponses),
            ("limits.bodyBytes", limits.bodyBytes),
        ]
        for (key, value) in notNegative where value < 0 {
            throw invalid(key, "must not be negative")
        }
        if limits.fields > 65_535 { throw invalid("limits.fields", "must be 65,535 or less") }
        if limits.headBytes > 1 << 30 { throw invalid("limits.headBytes", "must be 1 GiB or less") }
    }

    private func validateDurations() throws {
        try timeouts.validate(prefix: "timeouts")
        for rule in timeoutRules where rule.total <= .zero {
            throw invalid("timeoutRules", "a total clock must be more than zero")
        }
        if pool.idleTimeout < .zero { throw invalid("pool.idleTimeout", "must not be negative") }
        if pool.idleTimeoutMost < .zero {
            throw invalid("pool.idleTimeoutMost", "must not be negative")
        }
        if let lifetime = pool.lifetime, lifetime <= .zero {
            throw invalid("pool.lifetime", "must be more than zero")
        }
    }

    func invalid(_ key: String, _ reason: String) -> FetchError {
        FetchError(.invalidConfiguration, reason: "\(key): \(reason)")
    }
}

extension Timeouts {
    /// Every clock that is on must be more than zero.
    func validate(prefix: String, _ code: FetchError.Code = .invalidConfiguration) throws {
        for (name, path) in Timeouts.names {
            if let value = self[keyPath: path], value <= .zero {
                throw FetchError(code, reason: "\(prefix).\(name): must be more than zero")
            }
        }
    }
}

extension FetcherConfiguration {
    /// What the engine is told.
    func engineSettings() throws(FieldError) -> EngineSettings {
        var settings = EngineSettings(encoder: try RequestEncoder(userAgent: userAgent))
        settings.pool.connectionsPerOrigin = pool.connectionsPerOrigin
        settings.pool.connections = pool.connections
        settings.pool.idleConnections = pool.idleConnections
        settings.pool.idleTimeout = Timeouts.nanoseconds(pool.idleTimeout)
        settings.pool.idleTimeoutMost = Timeouts.nanoseconds(pool.idleTimeoutMost)
        settings.pool.usesPerConnection = pool.usesPerConnection
        settings.pool.lifetime = pool.lifetime.map { Timeouts.nanoseconds($0) }
        settings.parserLimits.headBytes = limits.headBytes
        settings.parserLimits.fields = limits.fields
        settings.parserLimits.startLineBytes = limits.startLineBytes
        settings.parserLimits.trailerBytes = limits.trailerBytes
        settings.parserLimits.interimResponses = limits.interimResponses
        settings.calls = CallDefaults(
            clocks: SharedClocks(timeouts.clocks), bodyLimit: limits.bodyBytes)
        settings.hosts = HostTable(overrides: hostOverrides)
        settings.names = names.settings
        settings.addressMemory = names.memory
        settings.raceDelays = names.raceDelays
        settings.addressPolicy = addressPolicy
        settings.tls = tls
        settings.tlsOfHosts = origins.compactMapValues(\.tls)
        settings.connectionsOfHosts = origins.compactMapValues(\.connections)
        settings.waitingCalls = pool.waitingCalls
        settings.trackedOrigins = pool.trackedOrigins
        settings.retriesReuseRace = pool.retriesReuseRace
        settings.policies = policySettings
        settings.cache = cache.settings
        return settings
    }
}

/// The library's version, as sent in User-Agent.
public enum FetchVersion {
    /// Semantic version.
    public static let current = "0.1.0"
}
