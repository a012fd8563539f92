// Retries on the road: RETRY-01 to RETRY-14, RATE-10. Virtual time, a network in memory.

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

struct RetryTests {
    /// Back-offs of exactly 100, 200, 400 ms.
    private func world(
        attempts: Int = 3, _ change: @escaping (inout EngineSettings) -> Void = { _ in }
    ) throws -> World {
        try World { settings in
            let backoff = Backoff(base: .milliseconds(100), jitter: .none)
            settings.policies.retries = .policy(
                RetryPolicy(maxAttempts: attempts, backoff: backoff))
            change(&settings)
        }
    }

    private func status(_ status: Int, _ fields: String = "", body: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func `RETRY-01 an unwanted status is tried again after the back-off, on the schedule`()
        throws
    {
        let world = try world()
        let call = try world.call()
        let stream = world.streams[0]
        stream.send(status(503, body: "busy"))
        world.run()
        #expect(!call.isOver)
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        _ = stream.takeWritten()
        world.pass(.milliseconds(99))
        #expect(stream.takeWritten().isEmpty)
        world.pass(.milliseconds(1))
        #expect(stream.takeWritten().hasPrefix("GET / HTTP/1.1\r\n"))
        stream.send(status(500))
        world.run()
        world.pass(.milliseconds(199))
        #expect(stream.takeWritten().isEmpty)
        world.pass(.milliseconds(1))
        #expect(!stream.takeWritten().isEmpty)
        stream.send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(call.response?.attempts == 3)
        #expect(world.statistics.retries == 2)
        #expect(world.streams.count == 1)
        world.expectBaseline()
    }

    @Test(arguments: [true, false])
    func `RETRY-08 a name that has no address is final, one that is not known is asked for again`(
        isKnown: Bool
    ) throws {
        let times = isKnown ? 1 : 3
        let resolver = HeldResolver()
        let world = try world { $0.names.resolver = resolver }
        let call = try world.call("http://a.test/")
        for _ in 0..<3 where !call.isOver {
            if isKnown { resolver.answer?.finish() } else { resolver.answer?.fail("SERVFAIL") }
            world.run()
            world.pass(.seconds(1))
        }
        #expect(call.told == "nameNotResolved, dns")
        #expect(resolver.names.count == times)
        #expect(call.failure?.attempts == times)
        let refusal: RetryRefusal = isKnown ? .outcomeIsFinal : .attemptsSpent(limit: 3)
        #expect(call.failure?.refusal == refusal)
        world.expectBaseline()
    }

    @Test func `RETRY-11 a call whose attempts are spent fails with the last response`() throws {
        let world = try world(attempts: 2)
        let call = try world.call()
        for _ in 0..<2 {
            world.streams[0].send(status(503, body: "busy"))
            world.run()
            world.pass(.milliseconds(100))
        }
        #expect(call.told == "attemptsSpent(503), body")
        #expect(call.failure?.attempts == 2 && call.failure?.lost.map(\.phase) == [.body])
        #expect(call.failure?.target?.description == "http://10.0.0.1/")
        #expect(call.failure?.refusal == .attemptsSpent(limit: 2))
        guard case .attemptsSpent(let response)? = call.failure?.error else {
            Issue.record("no response")
            return
        }
        #expect(String(response.body) == "busy")
        world.expectBaseline()
    }

    @Test func `RETRY-11 the last response is the result where that is asked for`() throws {
        let world = try world(attempts: 2) { $0.policies.failsWhenSpent = false }
        let call = try world.call()
        for _ in 0..<2 {
            world.streams[0].send(status(503, body: "busy"))
            world.run()
            world.pass(.milliseconds(100))
        }
        #expect(call.status == 503)
        #expect(call.response?.attempts == 2)
    }

    @Test func `RETRY-10 the slot is free during the back-off`() throws {
        let world = try world {
            $0.policies.concurrency = 1
            $0.pool.connectionsPerOrigin = 1
        }
        let first = try world.call("http://10.0.0.1/a")
        let second = try world.call("http://10.0.0.1/b")
        let stream = world.streams[0]
        #expect(stream.takeWritten().hasPrefix("GET /a "))
        stream.send(status(503))
        world.run()
        #expect(stream.takeWritten().hasPrefix("GET /b "))
        stream.send(ok)
        world.run()
        #expect(second.status == 200)
        #expect(!first.isOver)
        world.pass(.milliseconds(100))
        #expect(stream.takeWritten().hasPrefix("GET /a "))
        stream.send(ok)
        world.run()
        #expect(first.status == 200)
        world.expectBaseline()
    }

    @Test(arguments: [true, false])
    func `RETRY-07 POST is not tried again, but with an Idempotency-Key it is`(hasKey: Bool) throws
    {
        let world = try world()
        let call = try world.call(
            method: "POST", headers: hasKey ? [("Idempotency-Key", "7")] : [],
            content: .bytes(Bytes("abc")), length: .known(3))
        world.streams[0].send(status(503))
        world.run()
        #expect(call.isOver == !hasKey)
        if !hasKey { #expect(call.status == 503) }
        _ = world.streams[0].takeWritten()
        world.pass(.milliseconds(100))
        #expect(world.streams[0].takeWritten().hasSuffix("\r\n\r\nabc") == hasKey)
    }

    @Test func `RETRY-08 a refused connection, a reset and a body cut short are tried again`()
        throws
    {
        let world = try world(attempts: 4)
        world.network.fate = { _ in .fails(.refused) }
        let call = try world.call()
        #expect(!call.isOver)
        world.network.fate = { _ in .connects }
        world.pass(.milliseconds(100))
        world.streams[1].fail()
        world.run()
        #expect(!call.isOver)
        world.pass(.milliseconds(200))
        world.streams[2].send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
        world.streams[2].end()
        world.run()
        #expect(!call.isOver)
        world.pass(.milliseconds(400))
        world.streams[3].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(call.body == "ok")
        #expect(call.response?.attempts == 4)
        world.expectBaseline()
    }

    @Test func `RETRY-09 Retry-After is waited for, and keeps other calls from the domain too`()
        throws
    {
        let world = try world()
        let first = try world.call("http://10.0.0.1/a")
        world.streams[0].send(status(429, "Retry-After: 3\r\n"))
        world.run()
        _ = world.streams[0].takeWritten()
        let second = try world.call("http://10.0.0.1/b")
        let elsewhere = try world.call("http://10.0.0.2/")
        #expect(world.streams.count == 2)
        #expect(world.statistics.waiting == 1)
        world.pass(.milliseconds(2_999))
        #expect(world.streams[0].takeWritten().isEmpty)
        world.pass(.milliseconds(1))
        world.run()
        let sent = world.streams.map { $0.takeWritten() }
        #expect(sent.contains { $0.hasPrefix("GET /a ") })
        #expect(sent.contains { $0.hasPrefix("GET /b ") })
        for call in [first, second, elsewhere] { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `RETRY-13 a response that its reader has is never tried again`() throws {
        let world = try world()
        let stream = try world.stream()
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
        world.run()
        #expect(stream.head?.head.status == 200)
        world.streams[0].fail()
        world.run()
        world.pass(.seconds(10))
        #expect(world.streams.count == 1)
        #expect(stream.failure?.refusal == .responseBegan || stream.failure == nil)
    }

    @Test func `a streamed call is tried again before its reader has a head`() throws {
        let world = try world()
        let stream = try world.stream()
        world.streams[0].send(status(503, body: "busy"))
        world.run()
        #expect(stream.head == nil)
        world.pass(.milliseconds(100))
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        world.run()
        #expect(stream.head?.head.status == 200)
        #expect(stream.head?.attempts == 2)
    }

    @Test func `an unwanted answer of unknown length is dropped with its connection`() throws {
        let world = try world()
        let call = try world.call()
        world.streams[0].send("HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        world.run()
        #expect(world.pool == "0 active, 0 idle, 0 connecting")
        world.pass(.milliseconds(100))
        world.streams[1].send(ok)
        world.run()
        #expect(call.status == 200)
        world.expectBaseline()
    }

    @Test func `the total clock ends a back-off, and a cancel does in the same turn`() throws {
        let world = try world()
        let slow = try world.call("http://10.0.0.1/a", clocks: { $0.total = 150_000_000 })
        world.streams[0].send(status(503))
        world.run()
        world.pass(.milliseconds(100))
        world.streams[0].send(status(503))
        world.run()
        // The next back-off would end after the deadline: the last response is all there is.
        #expect(slow.failure?.refusal == .pastDeadline)
        let cancelled = try world.call("http://10.0.0.1/b")
        world.streams[0].send(status(503))
        world.run()
        world.cancel(cancelled)
        #expect(cancelled.told == "cancelled, queue")
        world.expectBaseline()
    }

    @Test func `a call that drops an answer can be cancelled, and shut down`() throws {
        for isShutdown in [false, true] {
            let world = try world()
            let call = try world.call()
            world.streams[0].send("HTTP/1.1 503 X\r\nContent-Length: 5000\r\n\r\n")
            world.run()
            #expect(!call.isOver)
            if isShutdown {
                world.engine?.shutdown(within: 0) {}
                world.run()
                #expect(call.told?.hasPrefix("clientClosed") ?? false)
            } else {
                world.cancel(call)
                #expect(call.told?.hasPrefix("cancelled") ?? false)
            }
            world.pass(.seconds(10))
            #expect(call.timesTold == 1)
            #expect(world.streams.count == 1)
            world.expectBaseline()
        }
    }

    @Test func `RETRY-13 a file is sent again from its start`() throws {
        let world = try world()
        let file = try FileUpload(path: #filePath)
        let length = file.length ?? 0
        let call = try world.call(
            method: "PUT", content: .file(ReactorBound(file, on: world.reactor)),
            length: .known(length))
        var bodies: [Substring] = []
        for answer in [status(503), ok] {
            while world.streams[0].written.count < length { world.run() }
            bodies.append(world.streams[0].takeWritten().split(separator: "\r\n\r\n")[1])
            world.streams[0].send(answer)
            world.run()
            if answer != ok { world.pass(.milliseconds(100)) }
        }
        #expect(call.status == 200)
        #expect(bodies[0] == bodies[1] && bodies[0].utf8.count == length)
        world.expectBaseline()
    }

    @Test func `the budget refuses what would multiply the load, and says so`() throws {
        let world = try world(attempts: 2) {
            $0.policies.retryAllowance = RetryAllowance(percent: 20, floor: 2)
        }
        var refused = 0
        for number in 0..<5 {
            let call = try world.call("http://10.0.0.1/\(number)")
            world.streams[0].send(status(503))
            world.run()
            if call.isOver {
                #expect(call.failure?.refusal == .budgetSpent)
                refused += 1
            } else {
                world.pass(.milliseconds(100))
                world.streams[0].send(ok)
                world.run()
                #expect(call.status == 200)
            }
        }
        #expect(refused == 3)
    }

    @Test func `RETRY-12 a strategy of the user's decides`() throws {
        struct Linear: RetryStrategy {
            func decide(_ context: RetryContext) -> RetryDecision {
                guard case .responded(202, _) = context.outcome, context.attempt < 4 else {
                    return .giveUp(.refusedByStrategy)
                }
                return .retry(after: .milliseconds(50 * context.attempt), parksDomain: false)
            }
        }
        let world = try World { $0.policies.retries = .strategy(Linear()) }
        let call = try world.call()
        for wait in [50, 100, 150] {
            world.streams[0].send(status(202))
            world.run()
            world.pass(.milliseconds(wait - 1))
            #expect(world.statistics.exchanges == wait / 50)
            world.pass(.milliseconds(1))
        }
        world.streams[0].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(call.response?.attempts == 4)
    }
}
