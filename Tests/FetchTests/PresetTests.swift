// What a preset makes of a configuration, CFG-01 to CFG-04: each number of its source, nothing else
// changed, and what a server then sees, on virtual time.

import Fetch
import FetchTransport
import Synchronization
import TestSupport
import Testing

private func applied(
    _ preset: ResiliencePreset, _ change: (inout FetcherConfiguration) -> Void = { _ in }
) -> FetcherConfiguration {
    var configuration = FetcherConfiguration()
    configuration.apply(preset)
    change(&configuration)
    return configuration
}

/// `100 per 1.0 seconds`, and what else makes the limit.
private func text(_ limit: RateLimit?) -> String {
    func text(_ rate: Rate) -> String { "\(rate.count) per \(rate.period)" }
    return switch limit {
    case nil: "none"
    case .tokenBucket(let rate, let burst): "\(text(rate)), burst \(burst ?? rate.count)"
    case .slidingWindow(let rate): "\(text(rate)) in any window"
    case .leakyBucket(let rate, let shaping): "\(text(rate)), leaky, \(shaping)"
    case .custom: "custom"
    }
}

struct PresetTests {
    /// What the preset leaves as it is: all of these but the named.
    private func expectDefaults(
        _ configuration: FetcherConfiguration, but named: Set<String>,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let plain = FetcherConfiguration()
        let same: [(String, Bool)] = [
            ("rate.client", text(configuration.rate.client) == text(plain.rate.client)),
            ("rate.perDomain", text(configuration.rate.perDomain) == text(plain.rate.perDomain)),
            ("concurrency", configuration.concurrency == plain.concurrency),
            ("pool", configuration.pool == plain.pool),
            ("timeouts", configuration.timeouts == plain.timeouts),
            ("breaker", configuration.circuitBreaker == nil),
            ("limits", configuration.limits == plain.limits),
            ("politeness", configuration.politeness == nil),
            ("hedging", configuration.hedging == nil),
            ("coalescing", configuration.coalescing == plain.coalescing),
            ("allowance", configuration.retryAllowance == plain.retryAllowance),
            ("lifetime", configuration.names.longestLifetime == plain.names.longestLifetime),
            ("cache", configuration.cache.isEnabled == plain.cache.isEnabled),
        ]
        for (key, isSame) in same where !named.contains(key) {
            #expect(isSame, "\(key)", sourceLocation: location)
        }
    }

    @Test func `CFG-01 afetch: one request a second to each domain, three attempts, a cache`() {
        let configuration = applied(.afetch)
        #expect(text(configuration.rate.perDomain) == "1 per 1.0 seconds, leaky, meter")
        #expect(configuration.rate.key == .host)
        #expect(configuration.retry.maxAttempts == 3)
        expectDefaults(configuration, but: ["rate.perDomain"])
        var off = FetcherConfiguration()
        off.cache = .disabled
        off.apply(.afetch)
        #expect(off.cache.isEnabled)
    }

    @Test func `CFG-02 the REST client: its pool, its clock, its rate, its breaker`() {
        let configuration = applied(.restClient)
        #expect(configuration.timeouts.total == .seconds(30))
        #expect(configuration.pool.connections == 100)
        #expect(configuration.pool.idleConnections == 20)
        #expect(configuration.pool.idleTimeout == .seconds(30))
        #expect(configuration.retry.maxAttempts == 3)
        #expect(configuration.retry.statuses == [408, 429, 500, 502, 503, 504])
        #expect(text(configuration.rate.client) == "10 per 1.0 seconds, burst 20")
        #expect(configuration.circuitBreaker?.consecutiveFailures == 5)
        #expect(configuration.circuitBreaker?.coolDown == .seconds(60))
        expectDefaults(configuration, but: ["timeouts", "pool", "rate.client", "breaker"])
    }

    @Test func `CFG-03 the origin fetcher: ten connections, unused ones kept 10 s, or 60 s`() {
        let configuration = applied(.originFetcher) { $0.pool.connections = 7 }
        #expect(configuration.pool.connectionsPerOrigin == 10)
        #expect(configuration.pool.idleTimeout == .seconds(10))
        #expect(configuration.pool.idleTimeoutMost == .seconds(60))
        #expect(configuration.pool.connections == 7)
        #expect(configuration.retry.maxAttempts == 4)
        expectDefaults(configuration, but: ["pool"])
    }

    @Test func `CFG-04 fastreq: ten a second, twenty under way, no clock for the whole`() {
        let configuration = applied(.fastreq)
        #expect(text(configuration.rate.client) == "10 per 1.0 seconds, burst 5")
        #expect(configuration.concurrency == 20)
        #expect(configuration.timeouts.total == nil)
        #expect(configuration.timeouts.connect == .seconds(10))
        #expect(configuration.retry.maxAttempts == 4)
        expectDefaults(configuration, but: ["rate.client", "concurrency", "timeouts"])
    }

    @Test func `CFG-04 the async fetcher: a hundred under way, 10, 8 and 6 s, names for 300 s`() {
        let configuration = applied(.asyncFetcher) { $0.names.cachedNames = 3 }
        #expect(configuration.concurrency == 100)
        #expect(configuration.pool.connections == 200)
        #expect(configuration.timeouts.total == .seconds(10))
        #expect(configuration.timeouts.connect == .seconds(8))
        #expect(configuration.timeouts.firstByte == .seconds(6))
        #expect(configuration.timeouts.readIdle == .seconds(6))
        #expect(configuration.names.longestLifetime == .seconds(300))
        #expect(configuration.retry.maxAttempts == 3)
        expectDefaults(configuration, but: ["concurrency", "pool", "timeouts"])
        var patient = FetcherConfiguration()
        patient.names.longestLifetime = .seconds(86_400)
        patient.apply(.asyncFetcher)
        #expect(patient.names.longestLifetime == .seconds(300))
    }

    // MARK: What the server sees

    /// When the server is asked if all fails, in hundredths of a second.
    private func attempts(
        _ preset: ResiliencePreset, _ fail: (MemoryStream) -> Void,
        method: HTTPRequest.Method = .get, jitter: Bool = false
    ) throws -> [Int] {
        let world = try LocalWorld {
            $0.apply(preset)
            if !jitter { $0.retry.backoff.jitter = .none }
        }
        let call = world.execute(Request(method, "http://10.0.0.1/"))
        var times: [Int] = []
        for hundredths in 0..<1_000 where call.outcome == nil {
            for stream in world.network.open where !stream.takeWritten().isEmpty {
                times.append(hundredths)
                fail(stream)
            }
            world.reactor.runUntilIdle()
            world.pass(.milliseconds(10))
        }
        #expect(call.outcome != nil)
        return times
    }

    private func answer(_ status: Int) -> (MemoryStream) -> Void {
        { $0.send("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n") }
    }

    @Test func `RETRY-02 RETRY-03 RETRY-04 each preset's attempts, as the server sees them`() throws
    {
        // Each attempt pays for its token: one a second.
        #expect(try attempts(.afetch, answer(500)) == [0, 100, 200])
        #expect(try attempts(.restClient, answer(503)) == [0, 100, 300])
        #expect(try attempts(.originFetcher, answer(500)) == [0, 20, 60, 140])
        #expect(try attempts(.fastreq, answer(503)) == [0, 100, 300, 700])
        #expect(try attempts(.asyncFetcher, { $0.fail() }) == [0, 100, 300])
    }

    @Test func `RETRY-06 RETRY-07 and what they don't try again`() throws {
        #expect(try attempts(.afetch, answer(429)) == [0])
        #expect(try attempts(.restClient, answer(503), method: .post) == [0, 100, 300])
        #expect(try attempts(.restClient, answer(503), method: .head) == [0])
        #expect(try attempts(.originFetcher, answer(500), method: .put) == [0])
        #expect(try attempts(.originFetcher, answer(404)) == [0])
        #expect(try attempts(.fastreq, answer(503), method: .post) == [0])
        #expect(try attempts(.asyncFetcher, answer(503)) == [0])
    }

    @Test func `RETRY-05 fastreq's delays vary by a tenth, up and down`() throws {
        var all: Set<Int> = []
        for _ in 0..<20 {
            let times = try attempts(.fastreq, answer(503), jitter: true)
            for (gap, delay) in zip(zip(times, times.dropFirst()), [100, 200, 400]) {
                // It is seen a hundredth late at most.
                #expect((delay * 9 / 10...delay * 11 / 10 + 1).contains(gap.1 - gap.0))
            }
            all.formUnion(times)
        }
        #expect(all.count > 10)
    }

    @Test func `CFG-04 a name is asked for again after 300 s, however long its answer holds`()
        throws
    {
        let resolver = DailyResolver()
        let world = try LocalWorld {
            $0.apply(.asyncFetcher)
            $0.names.resolver = resolver
        }
        for (seconds, asked) in [(0, 1), (299, 1), (2, 2)] {
            world.pass(.seconds(seconds))
            let call = world.get("http://a.test/\(seconds)")
            world.network.open.last { $0.isConnected }?
                .send("HTTP/1.1 204 X\r\nConnection: close\r\n\r\n")
            world.reactor.runUntilIdle()
            #expect(call.response?.statusCode == 204)
            #expect(resolver.asked == asked)
        }
    }
}

/// Tells of an address that holds for a day.
private final class DailyResolver: Resolver {
    private let times = Mutex(0)

    /// How often it was asked.
    var asked: Int { times.withLock { $0 } }

    func resolve(_ name: String, isAbsolute: Bool, _ answer: ResolverAnswer) {
        times.withLock { $0 += 1 }
        answer.finish(["10.0.0.1"], seconds: 86_400)
    }
}
