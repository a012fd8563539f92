// Limits, politeness and priorities over the kernel's sockets: when the server saw what. Every
// request is granted at or after the moment that its limit names, and arrives after that: so each
// bound is a lower one, counted from before the first call, and a late machine meets it as well.

import Fetch
import FetchPolicy
import FetchTime
import TestSupport
import Testing

extension Loop {
    /// That the n-th request the origin saw, of these, came no earlier than `earliest` after
    /// `start`. An arrival is known to a millisecond.
    fileprivate func expect(
        _ requests: [SeenRequest], since start: Instant, noEarlier earliest: (Int) -> Duration,
        _ location: SourceLocation = #_sourceLocation
    ) {
        for (number, request) in requests.enumerated() {
            let after = start.duration(to: request.arrived)
            #expect(
                after >= earliest(number) - .milliseconds(1), "\(number): \(after)",
                sourceLocation: location)
        }
    }

    /// A URL of a host that this client takes to the origin.
    fileprivate func url(_ host: String, _ path: String = "/") -> String {
        "http://\(host):\(origin.port)\(path)"
    }

    /// What the origin saw for that host.
    fileprivate func seen(_ host: String) -> [SeenRequest] {
        seen.requests.filter { $0["Host"] == "\(host):\(origin.port)" }
    }
}

/// A client for which two hosts are at the origin.
private func hosts(_ change: (inout FetcherConfiguration) -> Void) -> FetcherConfiguration {
    configured(.patient) {
        $0.hostOverrides = ["a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]]
        change(&$0)
    }
}

@Suite struct LimitSocketTests {
    @Test func `RATE-04 a sliding window lets nobody go before the window has moved on`()
        async throws
    {
        let configuration = configured(.patient) {
            $0.rate.client = .slidingWindow(Rate(5, per: .milliseconds(100)))
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let start = loop.reactor.now
            _ = try await loop.fetcher.fetchAll((0..<18).map { loop.origin.url("/\($0)") })
            #expect(loop.seen.requestCount == 18)
            // A bucket of the same rate would send the sixth after 20 ms.
            loop.expect(loop.seen.requests, since: start) { .milliseconds(100 * ($0 / 5)) }
        }
    }

    @Test(arguments: ["token bucket", "leaky bucket"])
    func `RATE-03 RATE-06 the burst, and from then on the rate`(kind: String) async throws {
        let rate = Rate(5, per: .milliseconds(100))
        let configuration = configured(.patient) {
            $0.rate.perDomain = kind == "token bucket" ? .tokenBucket(rate) : .leakyBucket(rate)
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let start = loop.reactor.now
            _ = try await loop.fetcher.fetchAll((0..<15).map { loop.origin.url("/\($0)") })
            #expect(loop.seen.requestCount == 15)
            loop.expect(loop.seen.requests, since: start) { .milliseconds(20 * max(0, $0 - 4)) }
        }
    }

    @Test func `RATE-06 a strict leaky bucket has no burst at all`() async throws {
        let configuration = configured(.patient) {
            $0.rate.client = .leakyBucket(Rate(5, per: .milliseconds(100)), shaping: .strict)
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let start = loop.reactor.now
            _ = try await loop.fetcher.fetchAll((0..<10).map { loop.origin.url("/\($0)") })
            // It makes good a millisecond of its own lateness, each time.
            loop.expect(loop.seen.requests, since: start) { .milliseconds(20 * $0 - 1) }
        }
    }

    @Test func `CFG-08 a limit that changes holds at once, for those who wait too`() async throws {
        let configuration = hosts { $0.rate.perDomain = .tokenBucket(Rate(1, per: .seconds(60))) }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let fetcher = loop.fetcher
            let urls = (0..<6).map { loop.url("a.test", "/\($0)") }
            async let all = fetcher.fetchAll(urls)
            let isWaiting = try await loop.eventually {
                try await fetcher.statistics.callsWaiting == 5 && loop.seen.requestCount == 1
            }
            #expect(isWaiting)
            let start = loop.reactor.now
            try fetcher.setRate(.tokenBucket(Rate(1, per: .milliseconds(20))), for: .perDomain)
            #expect(try await all.count == 6)
            // What was granted before counts: none of the five is free.
            loop.expect(Array(loop.seen("a.test").dropFirst()), since: start) {
                .milliseconds(20 * $0)
            }
        }
    }

    @Test func `RATE-02 a host that waits keeps no other host waiting`() async throws {
        let configuration = hosts {
            $0.rate.perDomain = .leakyBucket(Rate(1, per: .seconds(300)), shaping: .strict)
            $0.origins["b.test"] = OriginConfiguration(rate: .leakyBucket(.perSecond(1_000)))
            $0.concurrency = 1
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            _ = try await loop.fetcher.get(loop.url("a.test"))
            let waiting = Task { try await loop.fetcher.get(loop.url("a.test", "/second")) }
            for path in 0..<20 { _ = try await loop.fetcher.get(loop.url("b.test", "/\(path)")) }
            #expect(loop.seen("a.test").count == 1)
            #expect(loop.seen("b.test").count == 20)
            waiting.cancel()
            #expect(await failure { try await waiting.value } == "CancellationError")
        }
    }

    @Test func `CONC-03 each host has its own slots, and never more at the server`() async throws {
        let configuration = hosts { $0.concurrencyPerOrigin = 2 }
        try await onLoopback(.always(.hang), configuration) { loop in
            let calls = (0..<8).map { number in
                Task { try await loop.fetcher.get(loop.url(number % 2 == 0 ? "a.test" : "b.test")) }
            }
            let areThere = try await loop.eventually {
                try await loop.fetcher.statistics.callsInFlight == 8 && loop.seen.requestCount == 4
            }
            #expect(areThere)
            #expect(try await loop.fetcher.statistics.admitted == 4)
            #expect(loop.seen("a.test").count == 2)
            #expect(loop.seen("b.test").count == 2)
            for call in calls { call.cancel() }
            for call in calls { _ = await call.result }
        }
    }

    @Test func `LB-02 at the server, who has priority is seen first`() async throws {
        let configuration = configured(.patient) {
            $0.pool.connectionsPerOrigin = 1
            $0.priorityAgeing = .patience
        }
        try await onLoopback(.always(.hang), configuration) { loop in
            let fetcher = loop.fetcher
            let first = Task { try await fetcher.get(loop.origin.url("/first")) }
            let isSent = try await loop.eventually { loop.seen.requestCount == 1 }
            #expect(isSent)
            let later = [RequestPriority.low, .normal, .high].map { priority in
                Task {
                    var request = Request(loop.origin.url("/\(priority)"))
                    request.priority = priority
                    return try await fetcher.execute(request)
                }
            }
            let areInLine = try await loop.eventually {
                try await fetcher.statistics.callsWaiting == 3
            }
            #expect(areInLine)
            loop.origin.setScript(.always(.text("x")))
            loop.origin.closeConnections()
            for call in later { #expect(try await call.value.ok) }
            #expect(await failure { try await first.value } != "none")
            #expect(loop.seen.requests.map(\.target) == ["/first", "/high", "/normal", "/low"])
        }
    }

    // MARK: Politeness

    @Test func `behaviour 22 between two requests to a host lies its delay, whoever asks`()
        async throws
    {
        let configuration = hosts {
            $0.politeness = PolitenessRules(minDelay: .milliseconds(30), jitter: 0)
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let start = loop.reactor.now
            let urls = (0..<12).map { loop.url($0 % 2 == 0 ? "a.test" : "b.test", "/\($0)") }
            _ = try await loop.fetcher.fetchAll(urls)
            for host in ["a.test", "b.test"] {
                #expect(loop.seen(host).count == 6)
                loop.expect(loop.seen(host), since: start) { .milliseconds(30 * $0) }
            }
        }
    }

    @Test func `behaviour 22 a delay that varies is never below its least`() async throws {
        let configuration = configured(.patient) {
            $0.politeness = PolitenessRules(minDelay: .milliseconds(20), jitter: 0.5)
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let start = loop.reactor.now
            _ = try await loop.fetcher.fetchAll((0..<12).map { loop.origin.url("/\($0)") })
            loop.expect(loop.seen.requests, since: start) { .milliseconds(10 * $0) }
        }
    }

    @Test func `behaviour 22 a crawl-delay holds for its host, and for no other`() async throws {
        let configuration = hosts { $0.politeness = PolitenessRules(jitter: 0) }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let fetcher = loop.fetcher
            fetcher.setCrawlDelay(.milliseconds(40), of: "a.test")
            let start = loop.reactor.now
            _ = try await fetcher.fetchAll((0..<4).map { loop.url("a.test", "/\($0)") })
            loop.expect(loop.seen("a.test"), since: start) { .milliseconds(40 * $0) }
            // A host that must wait for minutes keeps nobody else waiting.
            fetcher.setCrawlDelay(.seconds(30), of: "a.test")
            _ = try await fetcher.get(loop.url("a.test"))
            let waiting = Task { try await fetcher.get(loop.url("a.test", "/late")) }
            for path in 0..<20 { _ = try await fetcher.get(loop.url("b.test", "/\(path)")) }
            #expect(loop.seen("b.test").count == 20)
            #expect(loop.seen("a.test").count == 5)
            waiting.cancel()
            _ = await waiting.result
        }
    }

    @Test func `behaviour 22 no more are under way at a host than its slot allows`() async throws {
        let configuration = hosts { $0.politeness = PolitenessRules(concurrency: 2, jitter: 0) }
        try await onLoopback(.always(.hang), configuration) { loop in
            let calls = (0..<6).map { number in
                Task { try await loop.fetcher.get(loop.url(number < 5 ? "a.test" : "b.test")) }
            }
            let areThere = try await loop.eventually {
                try await loop.fetcher.statistics.callsInFlight == 6 && loop.seen.requestCount == 3
            }
            #expect(areThere)
            #expect(loop.seen("a.test").count == 2)
            for call in calls { call.cancel() }
            for call in calls { _ = await call.result }
        }
    }
}
