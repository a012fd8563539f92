// Stored responses together with what else is on the road: streams, stale answers, validation in
// the background, failures, retries, coalescing, limits, breaker. Virtual time, a network in
// memory.

import FetchBytes
import FetchCache
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchStore
import FetchTime
import FetchTransport
import TestSupport
import Testing

struct CachedStreamTests {
    private let plain = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"

    @Test func `a streamed body is stored when it has ended`() throws {
        let world = try cachingWorld()
        let stream = try world.stream()
        world.respond(plain + "Content-Length: 6\r\n\r\nabc")
        #expect(stream.takeAll() == Array("abc".utf8))
        #expect(world.statistics.cacheEntries == 0)
        world.respond("def")
        #expect(stream.takeAll() == Array("def".utf8))
        #expect(world.statistics.cacheEntries == 1)
        #expect(try world.call().body == "abcdef")
        world.expectBaseline()
    }

    @Test func `a streamed body that comes with its head, or in chunks, is stored too`() throws {
        let chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        for body in ["Content-Length: 2\r\n\r\nok", chunks] {
            let world = try cachingWorld()
            let stream = try world.stream()
            world.respond(plain + body)
            #expect(stream.takeAll() == Array("ok".utf8))
            #expect(try world.call().body == "ok")
            world.expectBaseline()
        }
    }

    @Test func `a stored response answers a stream`() throws {
        let world = try cachingWorld()
        try world.store()
        let stream = try world.stream()
        #expect(stream.head?.storedStatus == 200)
        #expect(stream.head?.body.isEmpty ?? false)
        #expect(stream.head?.cacheOutcome == .hit)
        #expect(stream.takeAll() == Array("ok".utf8))
        #expect(stream.ended)
        #expect(world.statistics.exchanges == 1)
        world.expectBaseline()
    }

    @Test func `a stream is answered by what a 304 speaks of`() throws {
        let world = try cachingWorld()
        try world.store()
        world.pass(.seconds(61))
        let stream = try world.stream()
        #expect(stream.head == nil)
        world.respond(notModified)
        #expect(stream.head?.cacheOutcome == .revalidated)
        #expect(stream.takeAll() == Array("ok".utf8) && stream.ended)
        world.expectBaseline()
    }

    @Test func `a body that outgrows what is stored reaches its reader whole`() throws {
        let world = try cachingWorld { $0.cache?.rules.mostBodyBytes = 4 }
        let stream = try world.stream()
        world.respond(plain + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        world.respond("3\r\ndef\r\n0\r\n\r\n")
        #expect(stream.takeAll() == Array("abcdef".utf8) && stream.ended)
        #expect(world.statistics.cacheEntries == 0)
        world.expectBaseline()
    }

    @Test func `a body that its reader leaves, or that breaks off, isn't stored`() throws {
        let world = try cachingWorld()
        let left = try world.stream()
        world.respond(plain + "Content-Length: 6\r\n\r\nabc")
        left.pipe.leave()
        world.respond("def")
        #expect(world.statistics.cacheEntries == 0)
        let broken = try world.stream()
        world.respond(plain + "Content-Length: 6\r\n\r\nabc")
        world.streams.last?.end()
        world.run()
        #expect(broken.head != nil)
        #expect(world.statistics.cacheEntries == 0)
        #expect(try world.call().isOver == false)
    }

    @Test func `a slow reader is waited for by nobody but the origin`() throws {
        let world = try cachingWorld()
        let stream = try world.stream(highWater: 4)
        world.respond(plain + "Content-Length: 8\r\n\r\nabcd")
        world.respond("efgh")
        #expect(world.statistics.cacheEntries == 0)
        #expect(stream.takeAll() == Array("abcd".utf8))
        world.run()
        #expect(stream.takeAll() == Array("efgh".utf8))
        #expect(world.statistics.cacheEntries == 1)
        world.expectBaseline()
    }
}

struct StaleResponseTests {
    private let swr = answer("Cache-Control: max-age=60, stale-while-revalidate=60", "ETag: \"a\"")
    private let sie = answer("Cache-Control: max-age=60, stale-if-error=600", "ETag: \"a\"")

    @Test func `RFC 5861 section 3: stale at once, and validated once in the background`() throws {
        let world = try cachingWorld()
        try world.store(swr)
        world.pass(.seconds(70))
        for _ in 0..<3 {
            let call = try world.call()
            #expect(call.body == "ok" && call.response?.cacheOutcome == .stale)
        }
        #expect(world.statistics.exchanges == 2)
        #expect(world.statistics.callsInFlight == 0)
        #expect(world.asked().contains("If-None-Match: \"a\"\r\n"))
        world.respond("HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n")
        #expect(try world.call().response?.cacheOutcome == .hit)
        let statistics = world.statistics
        #expect(statistics.callsStarted == 5 && statistics.callsSucceeded == 5)
        #expect(statistics.cacheHits == 4 && statistics.cacheMisses == 1)
        world.expectBaseline()
    }

    @Test func `a validation in the background that fails is nobody's failure`() throws {
        let world = try cachingWorld()
        try world.store(swr)
        world.pass(.seconds(70))
        #expect(try world.call().isOver)
        world.streams.last?.fail()
        world.run()
        #expect(world.statistics.callsFailed == 0)
        #expect(try world.call().response?.cacheOutcome == .stale)
        #expect(world.statistics.exchanges == 3)
        world.respond(answer("Cache-Control: max-age=60", body: "new"))
        #expect(try world.call().body == "new")
        world.expectBaseline()
    }

    @Test func `a client that closes ends what is validated in the background`() throws {
        let world = try cachingWorld()
        try world.store(swr)
        world.pass(.seconds(70))
        try world.call()
        world.engine?.shutdown(within: 0) {}
        world.run()
        #expect(world.statistics.callsInFlight == 0)
        #expect(world.network.open.isEmpty)
    }

    @Test(arguments: ["500 X", "502 X", "503 X", "504 X"])
    func `RFC 5861 section 4: a stale response stands in for an error`(status: String) throws {
        let world = try cachingWorld()
        try world.store(sie)
        world.pass(.seconds(100))
        let call = try world.call()
        world.respond(answer(status: status, body: "broken"))
        #expect(call.body == "ok" && call.response?.cacheOutcome == .stale)
        #expect(try #require(call.response?.cacheStatus).contains("stale-if-error"))
        world.expectBaseline()
    }

    @Test func `a long error's connection is given up for the stale response`() throws {
        let world = try cachingWorld()
        try world.store(sie)
        world.pass(.seconds(100))
        let call = try world.call()
        world.respond("HTTP/1.1 500 X\r\nContent-Length: 1000000\r\n\r\nsome")
        #expect(call.body == "ok")
        #expect(world.network.open.isEmpty)
        world.expectBaseline()
    }

    @Test func `an error that breaks off while it is dropped changes nothing`() throws {
        let world = try cachingWorld()
        try world.store(sie)
        world.pass(.seconds(100))
        let call = try world.call()
        world.respond("HTTP/1.1 500 X\r\nContent-Length: 10\r\n\r\nsome")
        #expect(!call.isOver)
        world.streams.last?.fail()
        world.run()
        #expect(call.body == "ok")
        world.expectBaseline()
    }

    @Test func `a caller who leaves while an error is dropped is told so`() throws {
        let world = try cachingWorld()
        try world.store(sie)
        world.pass(.seconds(100))
        let call = try world.call()
        world.respond("HTTP/1.1 500 X\r\nContent-Length: 10\r\n\r\nsome")
        world.cancel(call)
        #expect(call.told?.hasPrefix("cancelled") ?? false)
        world.expectBaseline()
    }

    @Test func `a stale response stands in for an origin that can't be reached`() throws {
        let world = try cachingWorld()
        try world.store(sie)
        world.pass(.seconds(100))
        world.network.fate = { _ in .fails(.refused) }
        #expect(try world.call().body == "ok")
        world.pass(.seconds(1_000))
        #expect(try world.call().told == "connectFailed, connect")
        world.expectBaseline()
    }

    @Test func `must-revalidate gives the failure and nothing stale`() throws {
        let world = try cachingWorld()
        try world.store(
            answer("Cache-Control: max-age=60, must-revalidate, stale-if-error=600"))
        world.pass(.seconds(100))
        world.network.fate = { _ in .fails(.refused) }
        #expect(try world.call().told == "connectFailed, connect")
        world.expectBaseline()
    }

    @Test func `retries come first, then the stale response`() throws {
        let world = try cachingWorld {
            $0.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 2, backoff: Backoff(base: .milliseconds(100), jitter: .none)))
        }
        try world.store(sie)
        world.pass(.seconds(100))
        let call = try world.call()
        world.respond(answer(status: "503 X"))
        #expect(!call.isOver)
        world.pass(.milliseconds(100))
        world.respond(answer(status: "503 X"))
        #expect(call.body == "ok" && call.response?.attempts == 2)
        world.expectBaseline()
    }

    @Test func `the body of a retried attempt is stored under its own head`() throws {
        let world = try cachingWorld {
            $0.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 2, backoff: Backoff(base: .milliseconds(100), jitter: .none)))
        }
        let call = try world.call()
        world.respond(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: \"1\"\r\n"
                + "Content-Length: 6\r\n\r\nabc")
        world.streams.last?.end()
        world.run()
        world.pass(.milliseconds(100))
        world.respond(answer("Cache-Control: max-age=60", "ETag: \"2\"", body: "second"))
        #expect(call.body == "second")
        let stored = try world.call().response
        #expect(stored?.cacheOutcome == .hit)
        #expect(stored?.fields["ETag"] == "\"2\"" && stored.map { String($0.body) } == "second")
    }
}

struct CacheBesidePoliciesTests {
    @Test func `the stages of a hit and of a miss, in order`() throws {
        let world = try cachingWorld {
            $0.policies.clientLimit = .tokenBucket(Rate(1, per: .seconds(1)))
            $0.policies.breaker = BreakerRules()
            $0.policies.concurrency = 1
        }
        try world.store(answer("Cache-Control: max-age=600"))
        // The bucket is empty, and the only slot is taken by another.
        let other = try world.call("http://10.0.0.1/other")
        world.pass(.seconds(1))
        #expect(world.statistics.admitted == 1)
        for _ in 0..<100 {
            let hit = try world.call()
            #expect(hit.response?.cacheOutcome == .hit)
        }
        #expect(world.statistics.exchanges == 2)
        #expect(world.elapsed == .seconds(1))
        let miss = try world.call("http://10.0.0.1/third")
        #expect(!miss.isOver && world.statistics.waiting == 1)
        world.cancel(miss)
        world.cancel(other)
    }

    @Test func `a hit asks no breaker`() throws {
        let world = try cachingWorld {
            $0.policies.breaker = BreakerRules(consecutiveFailures: 1)
        }
        try world.store(answer("Cache-Control: max-age=600"))
        try world.call("http://10.0.0.1/broken")
        world.respond(answer(status: "500 X"))
        #expect(try world.call("http://10.0.0.1/other").told?.hasPrefix("circuitOpen") ?? false)
        #expect(try world.call().response?.cacheOutcome == .hit)
    }

    @Test func `a stale response stands in where the breaker is open`() throws {
        let world = try cachingWorld {
            $0.policies.breaker = BreakerRules(consecutiveFailures: 1)
        }
        try world.store(answer("Cache-Control: max-age=60, stale-if-error=600"))
        world.pass(.seconds(61))
        try world.call("http://10.0.0.1/broken")
        world.streams.last?.fail()
        world.run()
        #expect(try world.call().response?.cacheOutcome == .stale)
    }

    @Test func `concurrent misses are one request, and one is stored`() throws {
        let world = try cachingWorld()
        let calls = try (0..<10).map { _ in try world.call() }
        #expect(world.streams.count == 1)
        world.respond(answer("Cache-Control: max-age=60"))
        #expect(calls.allSatisfy { $0.body == "ok" })
        #expect(calls.count { $0.response?.isShared ?? false } == 9)
        #expect(calls[1].response?.cacheStatus == "swift-fetch;fwd=uri-miss;stored;collapsed")
        #expect(world.statistics.cacheStored == 1 && world.statistics.cacheMisses == 10)
        world.expectBaseline()
    }

    @Test func `concurrent validations are one request, and all get what is stored`() throws {
        let world = try cachingWorld()
        try world.store()
        world.pass(.seconds(61))
        let calls = try (0..<10).map { _ in try world.call() }
        #expect(world.statistics.exchanges == 2)
        world.respond(notModified)
        #expect(calls.allSatisfy { $0.body == "ok" && $0.status == 200 })
        #expect(calls.allSatisfy { $0.response?.cacheOutcome == .revalidated })
        world.expectBaseline()
    }

    @Test func `a leader that leaves a validation leaves it to the next`() throws {
        let world = try cachingWorld()
        try world.store()
        world.pass(.seconds(61))
        let calls = try (0..<2).map { _ in try world.call() }
        world.cancel(calls[0])
        world.respond(notModified)
        #expect(calls[1].body == "ok" && calls[1].response?.cacheOutcome == .revalidated)
        world.expectBaseline()
    }

    @Test func `an answer that may not be shared is asked for by each`() throws {
        let world = try cachingWorld()
        let calls = try (0..<2).map { _ in try world.call() }
        let private_ = answer("Cache-Control: max-age=60", "Set-Cookie: a=1")
        world.respond(private_)
        #expect(calls[0].isOver && !calls[1].isOver)
        for stream in world.network.open { stream.send(private_) }
        world.run()
        #expect(calls[1].isOver)
        world.expectBaseline()
    }

    @Test func `a thousand validations in the background stay within their bound`() throws {
        let world = try cachingWorld {
            $0.cache?.mostValidations = 3
            $0.pool.connectionsPerOrigin = 100
        }
        let swr = answer("Cache-Control: max-age=60, stale-while-revalidate=600")
        for number in 0..<10 { try world.store(swr, at: "http://10.0.0.1/\(number)") }
        world.pass(.seconds(61))
        for number in 0..<10 { try world.call("http://10.0.0.1/\(number)") }
        #expect(world.statistics.exchanges == 13)
        world.engine?.shutdown(within: 0) {}
    }
}

struct PurgeTests {
    @Test func `by URL, by prefix, and all`() throws {
        let world = try cachingWorld()
        let urls = ["http://10.0.0.1/a/1", "http://10.0.0.1/a/2", "http://10.0.0.1/b"]
        for url in urls { try world.store(at: url) }
        world.engine?.purge(.resource(try Target(urls[0])))
        #expect(world.statistics.cacheEntries == 2)
        world.engine?.purge(.prefix("http://10.0.0.1/a/"))
        #expect(world.statistics.cacheEntries == 1)
        world.engine?.purge(.everything)
        #expect(world.statistics.cacheEntries == 0)
        world.expectBaseline()
    }

    @Test func `what is under way when everything is purged isn't stored`() throws {
        let world = try cachingWorld()
        let call = try world.call()
        world.engine?.purge(.everything)
        world.respond(answer("Cache-Control: max-age=60"))
        #expect(call.isOver)
        #expect(world.statistics.cacheEntries == 0)
        world.pass(.milliseconds(1))
        try world.store()
        #expect(world.statistics.cacheEntries == 1)
        world.expectBaseline()
    }
}
