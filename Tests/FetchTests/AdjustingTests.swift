// Limits that change while requests wait for them: RATE-01, RATE-05, CFG-08. Virtual time, but for
// the one that is about threads.

import Fetch
import TestSupport
import Testing

struct AdjustingTests {
    private func world(_ change: (inout FetcherConfiguration) -> Void) throws -> LocalWorld {
        try LocalWorld {
            $0.coalescing = nil
            $0.pool.connectionsPerOrigin = 100
            change(&$0)
        }
    }

    /// Requests that are on the wire by now.
    private func sent(_ world: LocalWorld) -> Int {
        world.network.streams.count { $0.writtenCount > 0 }
    }

    private func ask(_ world: LocalWorld, _ count: Int, host: String = "10.0.0.1") {
        for number in 0..<count { _ = world.get("http://\(host)/\(number)") }
    }

    @Test func `a higher rate holds at once, and what was granted before counts`() throws {
        let world = try world { $0.rate.client = .leakyBucket(Rate(1, per: .seconds(10))) }
        ask(world, 5)
        world.pass(.seconds(1))
        #expect(sent(world) == 1)
        try world.fetcher.setRate(.leakyBucket(Rate(1, per: .seconds(1))), for: .client)
        world.reactor.runUntilIdle()
        // Nine tenths of the first grant are not paid for yet.
        world.pass(.milliseconds(899))
        #expect(sent(world) == 1)
        world.pass(.milliseconds(2))
        #expect(sent(world) == 2)
        world.pass(.milliseconds(1_000))
        #expect(sent(world) == 3)
    }

    @Test func `a lower rate holds for those who wait already`() throws {
        let world = try world {
            $0.rate.perDomain = .tokenBucket(Rate(1, per: .milliseconds(100)), burst: 1)
        }
        ask(world, 5)
        world.pass(.milliseconds(101))
        #expect(sent(world) == 2)
        try world.fetcher.setRate(
            .tokenBucket(Rate(1, per: .seconds(10)), burst: 1), for: .perDomain)
        world.pass(.milliseconds(9_800))
        #expect(sent(world) == 2)
        world.pass(.milliseconds(200))
        #expect(sent(world) == 3)
    }

    @Test func `a window that is widened has room for as many more, and no more`() throws {
        let world = try world { $0.rate.client = .slidingWindow(Rate(2, per: .seconds(60))) }
        ask(world, 8)
        world.pass(.seconds(10))
        #expect(sent(world) == 2)
        try world.fetcher.setRate(.slidingWindow(Rate(5, per: .seconds(60))), for: .client)
        world.reactor.runUntilIdle()
        #expect(sent(world) == 5)
        world.pass(.milliseconds(49_999))
        #expect(sent(world) == 5)
        // The first two have left the window.
        world.pass(.milliseconds(2))
        #expect(sent(world) == 7)
    }

    @Test func `a limit that is lifted lets everybody go, and may come back`() throws {
        let world = try world { $0.rate.client = .tokenBucket(Rate(1, per: .seconds(60))) }
        ask(world, 4)
        #expect(sent(world) == 1)
        try world.fetcher.setRate(nil, for: .client)
        world.reactor.runUntilIdle()
        #expect(sent(world) == 4)
        try world.fetcher.setRate(.leakyBucket(Rate(1, per: .seconds(60))), for: .client)
        ask(world, 3)
        #expect(sent(world) == 5)
    }

    @Test func `each domain's limit changes for all domains, those to come included`() throws {
        let hourly = RateLimit.leakyBucket(Rate(1, per: .seconds(3_600)))
        let slow = RateLimit.leakyBucket(Rate(1, per: .seconds(60)))
        let world = try world {
            $0.rate.perDomain = slow
            $0.origins["10.0.0.2"] = OriginConfiguration(rate: slow)
        }
        ask(world, 2)
        ask(world, 2, host: "10.0.0.2")
        #expect(sent(world) == 2)
        try world.fetcher.setRate(nil, for: .perDomain)
        world.reactor.runUntilIdle()
        ask(world, 2, host: "10.0.0.3")
        // The host with a limit of its own keeps it.
        #expect(sent(world) == 5)
        try world.fetcher.setRate(hourly, for: .perDomain)
        ask(world, 2, host: "10.0.0.4")
        #expect(sent(world) == 6)
        world.pass(.seconds(61))
        #expect(sent(world) == 7)
    }

    @Test func `a limit that makes no sense, or that there is none of, is refused by its key`()
        throws
    {
        let world = try world { $0.rate.perDomain = .tokenBucket(.perSecond(1)) }
        for (limit, scope, key) in [
            (.tokenBucket(.perSecond(0)), .perDomain, "rate.perDomain.count: "),
            (.tokenBucket(.perSecond(1)), .client, "rate.client: "),
        ] as [(RateLimit, RateScope, String)] {
            let error = #expect(throws: FetchError.self) {
                try world.fetcher.setRate(limit, for: scope)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.reason.hasPrefix(key) == true, "\(error?.reason ?? "")")
        }
        ask(world, 2)
        #expect(sent(world) == 1)
    }

    @Test func `a crawl-delay that is longer than is kept ends who waits, in their turn`() throws {
        let world = try world {
            $0.politeness = PolitenessRules(
                minDelay: .seconds(1), jitter: 0, crawlDelay: .skipAbove(.seconds(5)))
        }
        ask(world, 1)
        let waiting = world.get("http://10.0.0.1/waiting")
        #expect(waiting.outcome == nil)
        world.fetcher.setCrawlDelay(.seconds(6), of: "10.0.0.1")
        world.pass(.milliseconds(1_001))
        #expect(waiting.error?.code == .skipped)
        #expect(sent(world) == 1)
    }

    @Test func `from another thread, too`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        var configuration = FetcherConfiguration.patient
        configuration.rate.client = .tokenBucket(Rate(1, per: .seconds(300)))
        let fetcher = try Fetcher(configuration)
        let urls = (0..<2).map { origin.url("/\($0)") }
        async let both = fetcher.fetchAll(urls)
        while try await fetcher.statistics.callsWaiting == 0 { await Task.yield() }
        try fetcher.setRate(nil, for: .client)
        #expect(try await both.count == 2)
        await fetcher.shutdown()
    }
}
