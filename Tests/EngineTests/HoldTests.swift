// Calls that hold nothing and still take room: followers and calls in back-off. They count among
// those that wait, and are told when they are too many. Virtual time, a network in memory.

import FetchEngine
import FetchPolicy
import FetchTime
import TestSupport
import Testing

struct HoldTests {
    private func world(
        waiting: Int, _ change: @escaping (inout EngineSettings) -> Void = { _ in }
    ) throws -> World {
        try World {
            $0.waitingCalls = waiting
            $0.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 3, backoff: Backoff(base: .milliseconds(100), jitter: .none)))
            $0.policies.retryAllowance = .unlimited
            change(&$0)
        }
    }

    private let busy = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"

    @Test
    func `who would follow as one too many fails as overloaded, and the others get the answer`()
        throws
    {
        let world = try world(waiting: 5) { $0.policies.coalescing = CoalescingRules() }
        let calls = try (0..<9).map { _ in try world.call() }
        #expect(calls[..<6].allSatisfy { !$0.isOver })
        #expect(calls[6...].allSatisfy { $0.told == "waitingLineFull(5), queue" })
        #expect(world.statistics.onHold == 5)
        #expect(world.statistics.coalesced == 5)
        // One leaves and another has its place.
        world.cancel(calls[3])
        let late = try world.call()
        #expect(!late.isOver)
        world.streams[0].send(ok)
        world.run()
        #expect(late.status == 200)
        #expect((calls + [late]).allSatisfy { $0.timesTold == 1 })
        #expect(world.statistics.exchanges == 1)
        #expect(world.statistics.onHold == 0)
        world.expectBaseline()
    }

    @Test func `who would back off as one too many fails as overloaded, with its attempts`() throws
    {
        let world = try world(waiting: 2)
        let calls = try (0..<3).map { try world.call("http://10.0.0.1/\($0)") }
        for stream in world.streams { stream.send(busy) }
        world.run()
        #expect(world.statistics.onHold == 2)
        #expect(calls[2].told == "waitingLineFull(2), queue")
        #expect(calls[2].failure?.lost.count == 1)
        world.pass(.milliseconds(100))
        #expect(world.statistics.onHold == 0)
        for stream in world.network.open where !stream.takeWritten().isEmpty { stream.send(ok) }
        world.run()
        for stream in world.network.open { stream.send(ok) }
        #expect(calls[..<2].allSatisfy { !$0.isOver || $0.status == 200 })
        for call in calls { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `lines, followers and back-offs share one bound`() throws {
        let world = try world(waiting: 3) {
            $0.policies.coalescing = CoalescingRules()
            $0.pool.connectionsPerOrigin = 1
        }
        let resting = try world.call("http://10.0.0.1/a")
        world.streams[0].send(busy)
        world.run()
        let leader = try world.call("http://10.0.0.1/b")
        let follower = try world.call("http://10.0.0.1/b")
        let inLine = try world.call("http://10.0.0.1/c")
        #expect(world.statistics.onHold == 2)
        #expect(world.statistics.waiting == 1)
        let refused = try world.call("http://10.0.0.1/d")
        #expect(refused.told == "waitingLineFull(3), queue")
        for call in [resting, leader, follower, inLine] {
            #expect(!call.isOver)
            world.cancel(call)
        }
        #expect(world.statistics.onHold == 0)
        world.expectBaseline()
    }

    @Test func `a leader that backs off and leaves hands its place on, and the count holds`() throws
    {
        let world = try world(waiting: 10) { $0.policies.coalescing = CoalescingRules() }
        let calls = try (0..<3).map { _ in try world.call() }
        world.streams[0].send(busy)
        world.run()
        #expect(world.statistics.onHold == 3)
        world.cancel(calls[0])
        #expect(world.statistics.onHold == 2)
        world.cancel(calls[1])
        #expect(world.statistics.onHold == 1)
        world.pass(.milliseconds(100))
        #expect(world.statistics.onHold == 0)
        world.streams[0].send(ok)
        world.run()
        #expect(calls[2].status == 200)
        #expect(calls.map(\.timesTold) == [1, 1, 1])
        world.expectBaseline()
    }
}
