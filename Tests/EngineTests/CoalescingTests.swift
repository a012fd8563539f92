// Callers who ask the same while it is being asked: COAL-01 to COAL-04. Virtual time, a network in
// memory.

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchTime
import TestSupport
import Testing

struct CoalescingTests {
    private func world(_ change: @escaping (inout EngineSettings) -> Void = { _ in }) throws
        -> World
    {
        try World { settings in
            settings.policies.coalescing = CoalescingRules()
            change(&settings)
        }
    }

    @Test func `COAL-01 a hundred who ask the same are answered by one request`() throws {
        let world = try world()
        let calls = try (0..<100).map { _ in try world.call() }
        #expect(world.streams.count == 1)
        world.streams[0].send(ok)
        world.run()
        #expect(calls.allSatisfy { $0.status == 200 && $0.body == "ok" && $0.timesTold == 1 })
        #expect(world.statistics.exchanges == 1)
        #expect(world.statistics.coalesced == 99)
        #expect(calls.count { $0.response?.isShared ?? false } == 99)
        world.expectBaseline()
    }

    @Test func `COAL-03 a failure of the server's goes to everybody`() throws {
        let world = try world()
        let calls = try (0..<3).map { _ in try world.call() }
        world.streams[0].fail()
        world.run()
        #expect(calls.allSatisfy { $0.told == "broken, first-byte" })
        #expect(world.streams.count == 1)
        world.expectBaseline()
    }

    @Test(arguments: [
        [("Authorization", "Bearer a")], [("Cookie", "a=1")], [("Accept", "text/html")],
        [("Range", "bytes=0-1")], [("X-Anything", "1")],
    ])
    func `COAL-04 who asks with other fields asks for himself`(fields: [(String, String)]) throws {
        let world = try world()
        let calls = [try world.call(), try world.call(headers: fields)]
        #expect(world.streams.count == 2)
        for call in calls { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `COAL-04 fields that only trace a request make no other question`() throws {
        let world = try world()
        let first = try world.call(headers: [("traceparent", "00-1-1-01")])
        let second = try world.call(headers: [("traceparent", "00-2-2-01")])
        #expect(world.streams.count == 1)
        for call in [first, second] { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `COAL-04 a cancelled leader leaves its exchange to a follower`() throws {
        let world = try world()
        let calls = try (0..<3).map { _ in try world.call() }
        world.cancel(calls[0])
        #expect(calls[0].told == "cancelled, first-byte")
        #expect(calls[0].timesTold == 1)
        world.cancel(calls[1])
        #expect(calls[1].told == "cancelled, first-byte")
        #expect(world.network.open.count == 1)
        world.streams[0].send(ok)
        world.run()
        #expect(calls[2].status == 200)
        #expect(calls.map(\.timesTold) == [1, 1, 1])
        #expect(world.streams.count == 1)
        world.expectBaseline()
    }

    @Test(arguments: ["dialling", "in line", "sent"])
    func `COAL-04 the last one out cancels what is under way`(stage: String) throws {
        let world = try world { $0.pool.connectionsPerOrigin = 1 }
        if stage == "dialling" { world.network.fate = { _ in .hangs } }
        var first: TestCall?
        if stage == "in line" { first = try world.call("http://10.0.0.1/other") }
        let calls = try (0..<3).map { _ in try world.call() }
        for call in calls {
            #expect(world.network.open.count == 1)
            world.cancel(call)
        }
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.network.open.count == (first == nil ? 0 : 1))
        if let first { world.cancel(first) }
        world.expectBaseline()
    }

    @Test func `the leader's own clock ends the leader alone`() throws {
        let world = try world()
        let hasty = try world.call(clocks: { $0.total = 1_000_000_000 })
        let patient = try world.call()
        world.pass(.seconds(1))
        #expect(hasty.told == "timedOut(total), first-byte")
        #expect(!patient.isOver)
        world.streams[0].send(ok)
        world.run()
        #expect(patient.status == 200)
        #expect(world.streams.count == 1)
        world.expectBaseline()
    }

    @Test func `a follower's own clock ends the follower alone`() throws {
        let world = try world()
        let patient = try world.call()
        let hasty = try world.call(clocks: { $0.total = 1_000_000_000 })
        world.pass(.seconds(1))
        #expect(hasty.told == "timedOut(total), first-byte")
        world.streams[0].send(ok)
        world.run()
        #expect(patient.status == 200)
        world.expectBaseline()
    }

    @Test(arguments: ["Cache-Control: no-store\r\n", "Set-Cookie: a=1\r\n", "Vary: *\r\n"])
    func `an answer that may not be shared makes the others ask, once`(field: String) throws {
        let world = try world()
        let calls = try (0..<3).map { _ in try world.call() }
        let answer = "HTTP/1.1 200 OK\r\n\(field)Content-Length: 2\r\n\r\nok"
        world.streams[0].send(answer)
        world.run()
        #expect(calls[0].status == 200)
        #expect(!calls[1].isOver && !calls[2].isOver)
        // Nobody joins anybody a second time.
        #expect(world.streams.filter { !$0.isClosed }.count == 2)
        for stream in world.network.open { stream.send(answer) }
        world.run()
        #expect(calls.allSatisfy { $0.status == 200 })
        #expect(world.statistics.exchanges == 3)
        world.expectBaseline()
    }

    @Test func `nobody joins an answer whose head has come`() throws {
        let world = try world()
        let first = try world.call()
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        world.run()
        let second = try world.call()
        #expect(world.streams.count == 2)
        world.streams[0].send("k")
        world.streams[1].send(ok)
        world.run()
        #expect(first.status == 200 && second.status == 200)
        world.expectBaseline()
    }

    @Test func `nobody joins a question that was asked before an unsafe request ended`() throws {
        let world = try world()
        let early = try world.call()
        let post = try world.call(method: "POST", content: .bytes(Bytes("x")), length: .known(1))
        world.streams[1].send(ok)
        world.run()
        #expect(post.status == 200)
        let late = try world.call()
        // The connection of the POST is free: the late one asks for itself on it.
        #expect(world.statistics.exchanges == 3)
        for stream in world.network.open { stream.send(ok) }
        world.run()
        #expect(early.status == 200 && late.status == 200)
        world.expectBaseline()
    }

    @Test func `a body that outgrows what is shared is its leader's alone`() throws {
        let world = try world { $0.policies.coalescing?.mostSharedBytes = 4 }
        let calls = try (0..<2).map { _ in try world.call() }
        world.streams[0].send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        world.run()
        #expect(world.streams.count == 2)
        world.streams[0].send("0\r\n\r\n")
        world.streams[1].send(ok)
        world.run()
        #expect(calls.map(\.body) == ["hello", "ok"])
        world.expectBaseline()
    }

    @Test func `a retried answer is nobody's, and the one that follows is everybody's`() throws {
        let world = try world {
            $0.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 2, backoff: Backoff(base: .milliseconds(100), jitter: .none)))
        }
        let calls = try (0..<3).map { _ in try world.call() }
        world.streams[0].send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        world.run()
        #expect(calls.allSatisfy { !$0.isOver })
        world.pass(.milliseconds(100))
        world.streams[0].send(ok)
        world.run()
        #expect(calls.allSatisfy { $0.status == 200 })
        #expect(world.statistics.exchanges == 2)
        world.expectBaseline()
    }

    @Test func `a shutdown ends leader and followers alike`() throws {
        let world = try world()
        let calls = try (0..<5).map { _ in try world.call() }
        world.engine?.shutdown(within: 0) {}
        world.run()
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(calls.allSatisfy { $0.told?.hasPrefix("clientClosed") ?? false })
        world.expectBaseline()
    }

    @Test func `a shutdown ends a follower in an earlier slot once`() throws {
        let world = try world()
        let first = try world.call("http://10.0.0.1/first")
        let leader = try world.call()
        world.streams[0].send(ok)
        world.run()
        #expect(first.status == 200)
        // It has the slot that the first one left.
        let follower = try world.call()
        world.engine?.shutdown(within: 0) {}
        world.run()
        #expect([leader, follower].allSatisfy { $0.timesTold == 1 })
        #expect(world.statistics.callsInFlight == 0)
        world.expectBaseline()
    }

    @Test func `an exchange that changes hands keeps its own clock`() throws {
        let world = try world()
        var calls: [TestCall] = []
        for _ in 0..<8 {
            calls.append(try world.call(clocks: { $0.total = 10_000_000_000 }))
            world.pass(.seconds(5))
        }
        // The silent server was asked once, and again when 30 s had shown that it is silent.
        #expect(world.streams.count == 2)
        #expect(calls.contains { $0.told == "timedOut(firstByte), first-byte" })
        for call in calls where !call.isOver { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `a thousand followers who fail one after the other are no deep recursion`() throws {
        let world = try world {
            $0.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 2, backoff: Backoff(base: .milliseconds(100), jitter: .none)))
        }
        let calls = try (0..<1_000).map { _ in try world.call("http://10.0.0.1/many") }
        let parks = try world.call("http://10.0.0.1/parks")
        world.streams[0].send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        world.run()
        world.streams[1].send(
            "HTTP/1.1 429 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n")
        world.run()
        world.pass(.milliseconds(100))
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(calls.allSatisfy { $0.told?.hasPrefix("rateLimited") ?? false })
        world.cancel(parks)
        #expect(world.statistics.callsInFlight == 0)
    }
}
