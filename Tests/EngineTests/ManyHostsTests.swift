// Hosts without end: every table that is keyed by host stays at its cap. Virtual time, a network in
// memory.

import FetchEngine
import FetchPolicy
import TestSupport
import Testing

struct ManyHostsTests {
    /// How many hosts are asked, one after the other. A million of them: `bench batch --policies`.
    private static let hosts = 6_000
    private static let most = 64

    private func world(_ change: (inout PolicySettings) -> Void = { _ in }) throws -> World {
        try World {
            $0.trackedOrigins = Self.most
            $0.policies.mostDomains = Self.most
            $0.policies.domainLimit = .tokenBucket(.perSecond(1))
            $0.policies.politeness = PolitenessRules(mostSlots: Self.most)
            $0.policies.breaker = BreakerRules()
            $0.policies.coalescing = CoalescingRules()
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 2, backoff: Backoff(base: .zero, jitter: .none)))
            change(&$0.policies)
        }
    }

    private func expectCaps(_ world: World) {
        let now = world.statistics
        #expect(now.trackedOrigins <= Self.most)
        #expect(now.limitedDomains <= Self.most)
        #expect(now.politenessSlots <= Self.most)
    }

    /// Calls the n-th host, whose newest connection says this, as often as it is asked.
    private func call(_ number: Int, _ world: World, says answer: String) throws -> TestCall {
        let host = "10.\(number / 65_536).\(number / 256 % 256).\(number % 256)"
        let call = try world.call("http://\(host)/")
        while let stream = world.network.streams.last, !stream.takeWritten().isEmpty {
            stream.send(answer)
            world.run()
            world.pass(.milliseconds(1))
        }
        if number % 256 == 0 { world.network.forgetClosed() }
        return call
    }

    @Test func `hosts that answer fill every table to its cap and no further`() throws {
        let world = try world()
        for number in 0..<Self.hosts {
            #expect(try call(number, world, says: ok).status == 200)
            expectCaps(world)
        }
        #expect(world.statistics.idle <= 100)
        #expect(world.statistics.callsSucceeded == Self.hosts)
        world.expectBaseline()
    }

    /// What is remembered of each (an open breaker, a spent retry, a parked domain) goes when room
    /// is wanted, the oldest first.
    @Test(arguments: [
        "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 X\r\nRetry-After: 50\r\nContent-Length: 0\r\n\r\n",
    ])
    func `hosts of which something is to be remembered fill every table to its cap, too`(
        answer: String
    ) throws {
        let world = try world { $0.breaker = BreakerRules(consecutiveFailures: 1) }
        var ended = 0
        for number in 0..<Self.hosts {
            let call = try call(number, world, says: answer)
            #expect(call.status == nil)
            // Who is parked waits, and gives up.
            if !call.isOver { world.cancel(call) }
            ended += call.timesTold
            expectCaps(world)
        }
        #expect(ended == Self.hosts)
        world.pass(.seconds(600))
        let next = try call(1, world, says: ok)
        #expect(next.status == 200)
    }
}
