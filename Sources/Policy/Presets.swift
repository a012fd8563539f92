// The numbers of the clients that others were used to, each as its source has it; where a source's
// text and its behaviour differ, the comment says which one holds. Values; any thread.

/// How many connections a client may have.
public enum ConnectionCap: Sendable, Hashable {
    /// So many.
    case fixed(Int)
    /// So many times the requests that may be under way.
    case perConcurrency(Int)

    /// The number, at least 1.
    public func connections(concurrency: Int) -> Int {
        switch self {
        case .fixed(let count):
            return max(1, count)
        case .perConcurrency(let times):
            let (product, overflow) = times.multipliedReportingOverflow(by: concurrency)
            return overflow ? .max : max(1, product)
        }
    }
}

/// What a preset says about retries, rates, concurrency, the breaker, connections and clocks. Nil
/// where it says nothing.
public struct ResiliencePreset: Sendable {
    /// When calls are tried again.
    public var retry: RetryPolicy
    /// Each domain's limiter.
    public var domainLimit: RateLimit?
    /// The whole client's limiter.
    public var clientLimit: RateLimit?
    /// Requests under way at most.
    public var concurrency: Int?
    /// The client's connections.
    public var connections: ConnectionCap?
    /// Each origin's circuit breaker.
    public var breaker: BreakerRules?
    /// Connections to one origin.
    public var connectionsPerOrigin: Int?
    /// Unused connections that are kept.
    public var idleConnections: Int?
    /// How long an unused connection is kept.
    public var idleTime: Duration?
    /// How long a server's hint may keep one, at most.
    public var idleTimeMost: Duration?
    /// From the call to the response's last byte; ``TotalTime/unbounded`` for no clock.
    public var totalTime: TotalTime?
    /// Connecting.
    public var connectTime: Duration?
    /// Until the next byte of the response.
    public var readTime: Duration?
    /// How long a name's addresses are believed, at most.
    public var nameTime: Duration?
    /// Whether responses are stored.
    public var caching: Bool?

    /// What a preset says of the whole call's clock.
    public enum TotalTime: Sendable, Hashable {
        /// It runs so long.
        case atMost(Duration)
        /// There is none.
        case unbounded
    }

    /// Three attempts, of which `aiohttp_retry` under it waits 0.2, 0.4 … s up to 30 s, for
    /// statuses from 500 on; one request a second to each domain; responses are stored.
    public static var afetch: ResiliencePreset {
        ResiliencePreset(
            retry: RetryPolicy(
                maxAttempts: 3, backoff: exact(.milliseconds(200), cap: .seconds(30)),
                statuses: .serverErrors),
            domainLimit: .leakyBucket(Rate(1, per: .seconds(1))), caching: true)
    }

    /// Three attempts, 1, 2, 4 … s up to 60 s, of GET, POST, PUT, DELETE and PATCH alike; ten
    /// requests a second with a burst of twenty; the breaker opens after five failures for 60 s;
    /// a hundred connections, twenty of them unused for 30 s at most; 30 s for each call.
    public static var restClient: ResiliencePreset {
        ResiliencePreset(
            retry: RetryPolicy(
                maxAttempts: 3, backoff: exact(.seconds(1), cap: .seconds(60)),
                methods: .only(["GET", "POST", "PUT", "DELETE", "PATCH"])),
            clientLimit: .tokenBucket(.perSecond(10), burst: 20), connections: .fixed(100),
            breaker: BreakerRules(consecutiveFailures: 5, coolDown: .seconds(60)),
            idleConnections: 20, idleTime: .seconds(30), totalTime: .atMost(.seconds(30)))
    }

    /// Three retries after 200, 400, 800 ms (the cap of 2 s is reached by the fifth), GET only,
    /// for statuses from 500 on; ten connections to an origin, unused ones kept 10 s, or 60 s where
    /// the server says so.
    public static var originFetcher: ResiliencePreset {
        ResiliencePreset(
            retry: RetryPolicy(
                maxAttempts: 4, backoff: exact(.milliseconds(200), cap: .seconds(2)),
                statuses: .serverErrors, methods: .only(["GET"])),
            connectionsPerOrigin: 10, idleTime: .seconds(10), idleTimeMost: .seconds(60))
    }

    /// Three retries from 1 s on, ±10 %; ten requests a second in bursts of five; twenty under way;
    /// no clock for the whole call.
    public static var fastreq: ResiliencePreset {
        ResiliencePreset(
            retry: RetryPolicy(
                maxAttempts: 4, backoff: Backoff(base: .seconds(1), jitter: .proportional(0.1))),
            clientLimit: .tokenBucket(.perSecond(10), burst: 5), concurrency: 20,
            totalTime: .unbounded)
    }

    /// Three attempts 1 s and 2 s apart: the third wait of 4 s in its text never comes. Failures of
    /// the network only. A hundred under way over twice as many connections; 10 s for each call, 8
    /// s to connect, 6 s until the next byte; names are believed for 300 s.
    public static var asyncFetcher: ResiliencePreset {
        ResiliencePreset(
            retry: RetryPolicy(
                maxAttempts: 3, backoff: exact(.seconds(1), cap: .seconds(60)), statuses: [],
                methods: .only(["GET"])),
            concurrency: 100, connections: .perConcurrency(2), totalTime: .atMost(.seconds(10)),
            connectTime: .seconds(8), readTime: .seconds(6), nameTime: .seconds(300))
    }

    /// Doubling delays without jitter.
    private static func exact(_ base: Duration, cap: Duration) -> Backoff {
        Backoff(base: base, factor: 2, cap: cap, jitter: .none)
    }
}
