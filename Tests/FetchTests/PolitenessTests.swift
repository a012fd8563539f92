// Behaviour 22 on the road: politeness slots, their keys, and crawl-delays that are learnt while
// the client runs. Virtual time.

import Fetch
import TestSupport
import Testing

struct PolitenessTests {
    private func world(
        _ rules: PolitenessRules, _ change: (inout FetcherConfiguration) -> Void = { _ in }
    ) throws -> LocalWorld {
        try LocalWorld { configuration in
            configuration.politeness = rules
            configuration.hostOverrides = [
                "a.test": ["10.0.0.1"], "b.test": ["10.0.0.2"], "c.test": ["10.0.0.2"],
            ]
            change(&configuration)
        }
    }

    /// Requests that are on the wire by now, to whatever host.
    private func sent(_ world: LocalWorld) -> Int {
        world.network.streams.count { $0.writtenCount > 0 }
    }

    @Test func `a crawl-delay is kept from when it is known, and another takes its place`() throws {
        let world = try world(PolitenessRules(jitter: 0))
        world.fetcher.setCrawlDelay(.seconds(2), of: "a.test")
        _ = world.get("http://a.test/1")
        _ = world.get("http://a.test/2")
        _ = world.get("http://b.test/")
        // Another host does not wait for it.
        #expect(sent(world) == 2)
        world.pass(.milliseconds(1_999))
        #expect(sent(world) == 2)
        world.pass(.milliseconds(2))
        #expect(sent(world) == 3)
        world.fetcher.setCrawlDelay(.milliseconds(500), of: "a.test")
        // What was promised at the last start is kept; from the next start on, the new one is.
        _ = world.get("http://a.test/3")
        _ = world.get("http://a.test/4")
        world.pass(.milliseconds(2_000))
        #expect(sent(world) == 4)
        world.pass(.milliseconds(501))
        #expect(sent(world) == 5)
    }

    @Test func `a crawl-delay above the limit is cut to it, or the site is not visited`() throws {
        let patient = try world(
            PolitenessRules(jitter: 0, crawlDelay: .clampedTo(.seconds(1))))
        patient.fetcher.setCrawlDelay(.seconds(100), of: "a.test")
        _ = patient.get("http://a.test/1")
        _ = patient.get("http://a.test/2")
        patient.pass(.milliseconds(1_001))
        #expect(sent(patient) == 2)

        let hasty = try world(PolitenessRules(jitter: 0, crawlDelay: .skipAbove(.seconds(1))))
        hasty.fetcher.setCrawlDelay(.seconds(2), of: "a.test")
        #expect(hasty.get("http://a.test/").error?.code == .skipped)
        #expect(sent(hasty) == 0)
        hasty.fetcher.setCrawlDelay(.zero, of: "a.test")
        _ = hasty.get("http://a.test/")
        #expect(sent(hasty) == 1)
    }

    @Test func `a crawl-delay is forgotten with its slot`() throws {
        let world = try world(PolitenessRules(jitter: 0, idleTime: .seconds(60)))
        world.fetcher.setCrawlDelay(.seconds(2), of: "a.test")
        world.pass(.seconds(61))
        // Somebody looks at the oldest when a new one comes.
        _ = world.get("http://b.test/")
        _ = world.get("http://a.test/1")
        _ = world.get("http://a.test/2")
        #expect(sent(world) == 3)
    }

    @Test(arguments: [
        (PolitenessKey.host, 3), (.address, 2), (.custom, 1),
    ])
    func `who shares a slot is the key's to say`(key: PolitenessKey, atOnce: Int) throws {
        let world = try world(
            PolitenessRules(key: key, minDelay: .seconds(1), jitter: 0)
        ) { $0.politenessName = { _ in "all" } }
        for host in ["a", "b", "c"] { _ = world.get("http://\(host).test/") }
        #expect(sent(world) == atOnce)
        world.pass(.milliseconds(2_002))
        #expect(sent(world) == 3)
    }

    @Test func `a crawl-delay finds its slot by address, while the host is in use`() throws {
        let world = try world(PolitenessRules(key: .address, jitter: 0))
        _ = world.get("http://b.test/")
        world.fetcher.setCrawlDelay(.seconds(2), of: "b.test")
        _ = world.get("http://c.test/1")
        #expect(sent(world) == 2)
        _ = world.get("http://c.test/2")
        world.pass(.milliseconds(1_999))
        #expect(sent(world) == 2)
        world.pass(.milliseconds(2))
        #expect(sent(world) == 3)
    }
}
