// A stored response where other exchanges, other callers or another attempt are in play: who gets
// a 304 that the cache's own condition brought, and who gets whose answer. Virtual time.

import FetchBytes
import FetchCache
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchTime
import TestSupport
import Testing

struct CachingBesideOthersTests {
    @Test func `a caller's own condition and the cache's are two questions`() throws {
        let world = try cachingWorld()
        try world.store(answer("Cache-Control: no-cache", "ETag: \"a\""))
        let conditional = try world.call(headers: [("If-None-Match", "\"a\"")])
        let plain = try world.call()
        #expect(world.statistics.exchanges == 3)
        for stream in world.streams.indices { world.respond(notModified, on: stream) }
        #expect(conditional.response?.fields["ETag"] == nil)
        #expect(conditional.response?.head.status == 304)
        #expect(plain.body == "ok" && plain.response?.cacheOutcome == .revalidated)
        world.expectBaseline()
    }

    @Test func `RFC 5861 section 4: a stale response stands in for one that is late`() throws {
        let world = try cachingWorld()
        try world.store(answer("Cache-Control: max-age=60, stale-if-error=600", "ETag: \"a\""))
        world.pass(.seconds(100))
        let call = try world.call(clocks: { $0.total = 1_000_000_000 })
        #expect(!call.isOver)
        world.pass(.seconds(1))
        #expect(call.body == "ok" && call.response?.cacheOutcome == .stale)
        world.expectBaseline()
    }

    @Test func `a 304 to an attempt behind one whose body broke is the cache's`() throws {
        let world = try cachingWorld {
            $0.policies.retries = .policy(
                RetryPolicy(
                    maxAttempts: 2, backoff: Backoff(base: .milliseconds(100), jitter: .none)))
        }
        try world.store(answer("Cache-Control: no-cache", "ETag: \"a\""))
        let call = try world.call()
        world.respond("HTTP/1.1 200 OK\r\nETag: \"b\"\r\nContent-Length: 6\r\n\r\nabc")
        world.streams.last?.end()
        world.run()
        world.pass(.milliseconds(100))
        world.respond(notModified)
        #expect(call.body == "ok" && call.response?.cacheOutcome == .revalidated)
        #expect(call.response?.attempts == 2)
        world.expectBaseline()
    }

    @Test func `a hit is held to the client's bound of a body, each time`() throws {
        let world = try cachingWorld {
            $0.calls = CallDefaults(clocks: $0.calls.clocks, bodyLimit: 3)
        }
        let stream = try world.stream()
        world.respond(answer("Cache-Control: max-age=60", body: "longer"))
        #expect(stream.takeAll() == Array("longer".utf8))
        let call = world.begin(CallPlan(try Target("http://10.0.0.1/")))
        world.run()
        guard case .bodyTooLarge(limit: 3)? = call.failure?.error else {
            Issue.record("\(String(describing: call.outcome))")
            return
        }
        world.expectBaseline()
    }

    @Test func `streams that are collected take no more than the memory may hold`() throws {
        let world = try cachingWorld { $0.cache?.limits.bytes = 4_096 }
        let body = String(repeating: "x", count: 1_500)
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3000\r\n\r\n"
        let streams = try (0..<4).map { try world.stream("http://10.0.0.1/\($0)") }
        for index in streams.indices { world.respond(head + body, on: index) }
        for (index, stream) in streams.enumerated() {
            #expect(stream.takeAll().count == 1_500)
            world.respond(body, on: index)
            #expect(stream.takeAll().count == 1_500)
        }
        // Two halves fitted beside each other, and then the rest of one.
        #expect(world.statistics.cacheEntries == 1)
        world.expectBaseline()
    }
}
