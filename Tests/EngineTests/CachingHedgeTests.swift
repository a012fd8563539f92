// Stored responses where a slow request is asked a second time. Virtual time, a network in memory.

import FetchEngine
import FetchPolicy
import FetchTime
import TestSupport
import Testing

struct CachingHedgeTests {
    private func world() throws -> World {
        try cachingWorld { $0.policies.hedging = .after(.milliseconds(100)) }
    }

    @Test(arguments: [0, 1])
    func `a validation is understood on whichever exchange it comes`(first: Int) throws {
        let world = try world()
        try world.store()
        world.pass(.seconds(61))
        let call = try world.call()
        world.pass(.milliseconds(100))
        let streams = world.network.open
        #expect(streams.count == 2)
        streams[first].send(notModified)
        world.run()
        #expect(call.body == "ok" && call.response?.cacheOutcome == .revalidated)
        #expect(call.timesTold == 1)
        #expect(world.statistics.cacheMisses == 2 && world.statistics.cacheRevalidations == 1)
        world.expectBaseline()
    }

    @Test(arguments: [0, 1])
    func `what the faster exchange brings is stored, once`(first: Int) throws {
        let world = try world()
        let call = try world.call()
        world.pass(.milliseconds(100))
        let streams = world.network.open
        #expect(streams.count == 2)
        streams[first].send(answer("Cache-Control: max-age=60", body: "\(first)"))
        world.run()
        #expect(call.body == "\(first)" && world.statistics.cacheStored == 1)
        let again = try world.call()
        #expect(again.body == "\(first)" && again.response?.cacheOutcome == .hit)
        world.expectBaseline()
    }
}
