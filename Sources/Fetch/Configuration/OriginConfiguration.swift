// What holds for one host in place of what holds for all. A value; any thread.

public import FetchPolicy
public import FetchTLS

/// Settings for one host, whatever its port; nil leaves the client's own.
public struct OriginConfiguration: Sendable {
    /// How its https connections are secured.
    public var tls: TLSConfiguration?
    /// The clocks of requests to it; a request's own win over them.
    public var timeouts: Timeouts?
    /// Connections to one origin (scheme, host, port) of it.
    public var connections: Int?
    /// When calls to it are tried again; a request's own policy wins over it.
    public var retry: RetryPolicy?
    /// How often requests are sent to it, whatever the port: in place of
    /// ``FetcherConfiguration/RateLimits/perDomain``, and beside the client's own limit.
    public var rate: RateLimit?
    /// Requests under way to one origin of it: in place of
    /// ``FetcherConfiguration/concurrencyPerOrigin``.
    public var concurrency: Int?
    /// How its endpoints share the load, if it has several; see ``FetcherConfiguration/endpoints``.
    public var balance: BalanceRule?
    /// When a safe request to it is asked a second time.
    public var hedging: HedgeRules?

    /// Settings for one host.
    public init(
        tls: TLSConfiguration? = nil, timeouts: Timeouts? = nil, connections: Int? = nil,
        retry: RetryPolicy? = nil, rate: RateLimit? = nil, concurrency: Int? = nil,
        balance: BalanceRule? = nil, hedging: HedgeRules? = nil
    ) {
        self.tls = tls
        self.timeouts = timeouts
        self.connections = connections
        self.retry = retry
        self.rate = rate
        self.concurrency = concurrency
        self.balance = balance
        self.hedging = hedging
    }

    func validate(_ host: String) throws {
        let key = "origins[\"\(host)\"]"
        guard !host.isEmpty, host == host.lowercased() else {
            throw FetchError(
                .invalidConfiguration, reason: "\(key): a host is not empty, and in lower case")
        }
        try timeouts?.validate(prefix: key + ".timeouts")
        if let connections, connections < 1 {
            throw FetchError(
                .invalidConfiguration, reason: "\(key).connections: must be 1 or more")
        }
        if let invalid = retry?.invalidSetting {
            throw FetchError(
                .invalidConfiguration, reason: "\(key).retry.\(invalid.key): \(invalid.reason)")
        }
        if let invalid = hedging?.invalidSetting {
            throw FetchError(
                .invalidConfiguration, reason: "\(key).hedging.\(invalid.key): \(invalid.reason)"
            )
        }
        if let invalid = rate?.invalidSetting {
            throw FetchError(
                .invalidConfiguration, reason: "\(key).rate.\(invalid.key): \(invalid.reason)")
        }
        if let concurrency, concurrency < 1 {
            throw FetchError(
                .invalidConfiguration, reason: "\(key).concurrency: must be 1 or more")
        }
        do throws(TLSFailure) {
            try tls?.validate()
        } catch {
            throw FetchError(.invalidConfiguration, reason: "\(key).\(error)")
        }
    }
}
