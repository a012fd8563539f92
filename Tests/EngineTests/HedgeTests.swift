// Requests that are asked a second time: virtual time, a network in memory.

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// A world in which a request is asked again after 100 ms.
private func world(
    _ rules: HedgeRules = .after(.milliseconds(100)),
    _ change: (inout EngineSettings) -> Void = { _ in }
) throws -> World {
    try World { settings in
        settings.policies.hedging = rules
        change(&settings)
    }
}

private let busy = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"

extension World {
    /// A call whose second exchange is under way, on the second stream.
    fileprivate func hedged() throws -> TestCall {
        let call = try call()
        pass(.milliseconds(100))
        #expect(streams.count == 2)
        #expect(statistics.hedges == 1)
        #expect(statistics.callsInFlight == 1)
        return call
    }

    fileprivate func send(_ text: String, on stream: Int) {
        streams[stream].send(text)
        run()
    }

    fileprivate func expectOneCall(_ location: SourceLocation = #_sourceLocation) {
        let now = statistics
        #expect(now.callsStarted == 1, sourceLocation: location)
        #expect(
            now.callsSucceeded + now.callsFailed + now.callsCancelled == 1,
            sourceLocation: location)
        expectBaseline(location)
    }
}

struct HedgeTests {
    @Test func `a request without an answer is asked again after the delay, and no sooner`() throws
    {
        let world = try world()
        let call = try world.call()
        world.pass(.milliseconds(99))
        #expect(world.streams.count == 1)
        world.pass(.milliseconds(1))
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten() == world.streams[0].takeWritten())
        world.pass(.seconds(1))
        #expect(world.streams.count == 2)
        world.send(ok, on: 1)
        #expect(call.status == 200)
        #expect(call.timesTold == 1)
        #expect(call.response?.attempts == 2)
        // The loser is cut off in the same turn.
        #expect(world.streams[0].isClosed)
        #expect(world.statistics.hedges == 1)
        #expect(world.statistics.hedgesWon == 1)
        #expect(world.statistics.exchanges == 2)
        world.expectOneCall()
    }

    @Test func `the first exchange may still win`() throws {
        let world = try world()
        let call = try world.hedged()
        world.send(ok, on: 0)
        #expect(call.status == 200)
        #expect(world.streams[1].isClosed)
        #expect(!world.streams[0].isClosed)
        #expect(world.statistics.hedgesWon == 0)
        world.expectOneCall()
    }

    @Test func `a head decides, and the other is not waited for`() throws {
        let world = try world()
        let call = try world.hedged()
        world.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", on: 1)
        #expect(world.streams[0].isClosed)
        #expect(!call.isOver)
        world.send("k", on: 1)
        #expect(call.body == "ok")
        world.expectOneCall()
    }

    @Test func `an answer in time is not asked for twice`() throws {
        let world = try world()
        let call = try world.call()
        world.pass(.milliseconds(99))
        world.send(ok, on: 0)
        world.pass(.seconds(1))
        #expect(call.status == 200)
        #expect(world.statistics.hedges == 0)
        #expect(world.statistics.exchanges == 1)
        world.expectOneCall()
    }

    @Test func `the delay is the origin's 95th percentile, once enough answers are known`() throws {
        let world = try world(HedgeRules())
        for _ in 0..<20 {
            let call = try world.call()
            world.pass(.milliseconds(50))
            #expect(!call.isOver)
            world.send(ok, on: 0)
            #expect(call.status == 200)
        }
        #expect(world.statistics.hedges == 0)
        let slow = try world.call()
        // A latency is known to an eighth of a power of two.
        world.pass(.milliseconds(50))
        #expect(world.statistics.hedges == 0)
        world.pass(.milliseconds(8))
        #expect(world.statistics.hedges == 1)
        world.send(ok, on: 1)
        #expect(slow.status == 200)
        world.expectBaseline()
    }

    @Test func `never sooner than the floor`() throws {
        let world = try world(HedgeRules(minDelay: .milliseconds(500), minSamples: 1))
        try world.warmUp()
        let call = try world.call()
        world.pass(.milliseconds(499))
        #expect(world.statistics.hedges == 0)
        world.pass(.milliseconds(1))
        #expect(world.statistics.hedges == 1)
        world.cancel(call)
        world.expectBaseline()
    }

    @Test(arguments: [0, 1])
    func `one exchange that fails leaves the call to the other`(failing: Int) throws {
        let world = try world()
        let call = try world.hedged()
        world.streams[failing].fail()
        world.run()
        #expect(!call.isOver)
        world.send(ok, on: 1 - failing)
        #expect(call.status == 200)
        #expect(call.timesTold == 1)
        #expect(call.response?.attempts == 2)
        #expect(world.statistics.hedgesWon == 1 - failing)
        world.expectOneCall()
    }

    @Test(arguments: [0, 1])
    func `an answer that is no use is not taken while the other may be`(failing: Int) throws {
        let world = try world()
        let call = try world.hedged()
        world.send(busy, on: failing)
        #expect(!call.isOver)
        // It was read, and its connection is kept.
        #expect(world.pool == "1 active, 1 idle, 0 connecting")
        world.send(ok, on: 1 - failing)
        #expect(call.status == 200)
        #expect(call.response?.attempts == 2)
        world.expectOneCall()
    }

    @Test(arguments: [[0, 1], [1, 0]])
    func `when both fail, the call fails as the last one did`(order: [Int]) throws {
        let world = try world()
        let call = try world.hedged()
        world.streams[order[0]].fail()
        world.run()
        world.streams[order[1]].end()
        world.run()
        #expect(call.told == "closedBeforeResponse, first-byte")
        #expect(call.timesTold == 1)
        #expect(call.failure?.attempts == 2)
        #expect(call.failure?.lost.map(\.number) == [1])
        world.expectOneCall()
    }

    @Test func `when both fail the call is tried again, and not hedged again`() throws {
        let world = try world { settings in
            settings.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 4,
                    backoff: Backoff(base: .milliseconds(10), factor: 1, jitter: .none)))
        }
        let call = try world.hedged()
        for stream in 0..<2 {
            world.streams[stream].fail()
            world.run()
        }
        #expect(!call.isOver)
        world.pass(.milliseconds(10))
        #expect(world.streams.count == 3)
        world.pass(.seconds(1))
        #expect(world.statistics.hedges == 1)
        world.send(ok, on: 2)
        #expect(call.status == 200)
        #expect(call.response?.attempts == 3)
        world.expectOneCall()
    }

    @Test func `a cancelled call closes both, in the same turn`() throws {
        let world = try world()
        let call = try world.hedged()
        world.engine?.cancel(call.id)
        #expect(world.network.open.isEmpty)
        world.run()
        #expect(call.told == "cancelled, first-byte")
        #expect(call.timesTold == 1)
        world.expectOneCall()
    }

    @Test func `the total clock rules both`() throws {
        let world = try world()
        let call = try world.call(clocks: { $0.total = 1_000_000_000 })
        world.pass(.milliseconds(500))
        #expect(world.streams.count == 2)
        world.streams[0].fail()
        world.run()
        world.pass(.milliseconds(500))
        #expect(call.told == "timedOut(total), first-byte")
        #expect(world.elapsed == .seconds(1))
        world.expectOneCall()
    }

    @Test func `only what is safe and can be sent twice at once is hedged`() throws {
        let world = try world()
        let content = RequestContent.bytes(Bytes([1, 2]))
        let calls = [
            try world.call(method: "POST", content: content, length: .known(2)),
            try world.call(method: "DELETE"), try world.call(method: "HEAD"),
        ]
        world.pass(.milliseconds(100))
        #expect(world.statistics.hedges == 1)
        #expect(world.streams[3].takeWritten().hasPrefix("HEAD "))
        for call in calls { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `a second exchange is spent from the allowance of retries`() throws {
        let world = try world { settings in
            settings.policies.retryAllowance = RetryAllowance(percent: 0, floor: 2)
        }
        let calls = try (0..<4).map { try world.call("http://10.0.0.1/\($0)") }
        world.pass(.seconds(1))
        #expect(world.statistics.hedges == 2)
        #expect(world.streams.count == 6)
        for call in calls { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `a second exchange waits for its slot like any other, and is taken out of the line`()
        throws
    {
        let world = try world { $0.policies.concurrency = 1 }
        let call = try world.call()
        world.pass(.seconds(1))
        #expect(world.statistics.hedges == 1)
        #expect(world.statistics.exchanges == 1)
        #expect(world.statistics.waiting == 1)
        world.send(ok, on: 0)
        #expect(call.status == 200)
        #expect(call.response?.attempts == 1)
        #expect(world.statistics.waiting == 0)
        #expect(world.statistics.exchanges == 1)
        #expect(world.statistics.admitted == 0)
        world.expectOneCall()
    }

    @Test func `a caller in whose place the second exchange waits keeps its clock`() throws {
        let world = try world { $0.pool.connectionsPerOrigin = 1 }
        let call = try world.call(clocks: { $0.total = 2_000_000_000 })
        world.pass(.milliseconds(200))
        #expect(world.statistics.waiting == 1)
        world.network.fate = { _ in .hangs }
        world.streams[0].fail()
        world.run()
        #expect(!call.isOver)
        world.pass(.milliseconds(1_800))
        #expect(call.told == "timedOut(total), connect")
        world.expectOneCall()
    }

    @Test func `a second exchange that the breaker refuses costs nothing`() throws {
        let world = try world { settings in
            settings.policies.breaker = BreakerRules(
                consecutiveFailures: 1, coolDown: .seconds(1))
            settings.policies.retryAllowance = RetryAllowance(percent: 0, floor: 1)
        }
        let failing = try world.call()
        world.streams[0].fail()
        world.run()
        #expect(failing.isOver)
        world.pass(.seconds(1))
        // The probe is out: a second one may not go beside it.
        let probe = try world.call()
        world.pass(.milliseconds(100))
        #expect(world.statistics.hedges == 1)
        #expect(world.statistics.exchanges == 2)
        world.send(ok, on: 1)
        #expect(probe.status == 200)
        #expect(probe.response?.attempts == 1)
        // What it would have spent is there for the next.
        let slow = try world.call()
        world.pass(.milliseconds(100))
        #expect(world.statistics.exchanges == 4)
        world.cancel(slow)
        world.expectBaseline()
    }

    @Test func `a second connection that is refused leaves the first exchange alone`() throws {
        let world = try world()
        let call = try world.call()
        world.network.fate = { _ in .fails(.refused) }
        world.pass(.milliseconds(100))
        #expect(world.streams.count == 2)
        #expect(!call.isOver)
        world.send(ok, on: 0)
        #expect(call.status == 200)
        world.expectOneCall()
    }

    @Test func `a streamed call is hedged up to its head`() throws {
        let world = try world()
        let stream = try world.stream()
        world.pass(.milliseconds(100))
        world.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", on: 1)
        #expect(stream.head?.head.status == 200)
        #expect(world.streams[0].isClosed)
        world.pass(.seconds(5))
        #expect(world.statistics.hedges == 1)
        world.send("cd", on: 1)
        #expect(stream.takeAll() == Array("abcd".utf8))
        #expect(stream.ended)
        world.expectOneCall()
    }

    @Test func `callers who follow are answered by whichever exchange wins`() throws {
        let world = try world { $0.policies.coalescing = CoalescingRules() }
        let calls = try (0..<3).map { _ in try world.call() }
        world.pass(.milliseconds(100))
        #expect(world.streams.count == 2)
        world.cancel(calls[0])
        #expect(world.network.open.count == 2)
        world.send(ok, on: 1)
        #expect(calls[1].status == 200)
        #expect(calls[2].status == 200)
        #expect(calls.map(\.timesTold) == [1, 1, 1])
        #expect(world.network.open.count == 1)
        world.expectBaseline()
    }

    @Test func `a failed first exchange does not take the followers with it`() throws {
        let world = try world { $0.policies.coalescing = CoalescingRules() }
        let calls = try (0..<3).map { _ in try world.call() }
        world.pass(.milliseconds(100))
        world.streams[0].fail()
        world.run()
        #expect(calls.allSatisfy { !$0.isOver })
        world.cancel(calls[0])
        world.send(ok, on: 1)
        #expect(calls.dropFirst().allSatisfy { $0.status == 200 })
        #expect(calls.map(\.timesTold) == [1, 1, 1])
        world.expectBaseline()
    }

    @Test func `the second exchange goes to another endpoint`() throws {
        let list = [Endpoint("http://10.0.1.1"), Endpoint("http://10.0.1.2")]
        let targets = try list.map { try Target($0.url) }
        let origin = BalancedOrigin(
            try Target("http://service.test/"), .roundRobin, list, at: targets)
        let world = try world { $0.policies.balanced = [origin] }
        let call = try world.call("http://service.test/")
        world.pass(.milliseconds(100))
        #expect(world.streams.map { $0.peer.hostText } == ["10.0.1.1", "10.0.1.2"])
        world.send(ok, on: 1)
        #expect(call.response?.peer?.hostText == "10.0.1.2")
        world.expectOneCall()
    }

    @Test func `a client that closes ends both`() throws {
        let world = try world()
        let call = try world.hedged()
        world.engine?.shutdown(within: 0) {}
        world.run()
        #expect(call.told == "clientClosed, first-byte")
        #expect(call.timesTold == 1)
        #expect(world.network.open.isEmpty)
        #expect(world.statistics.callsInFlight == 0)
    }
}
