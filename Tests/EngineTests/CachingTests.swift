// Stored responses on the road (RFC 9111): what is answered without the origin, what is asked, what
// is kept. Virtual time, a network in memory; each test plays the origin.

import FetchBytes
import FetchCache
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchStore
import FetchTime
import TestSupport
import Testing

/// A response of so many bytes with these fields.
func answer(_ fields: String..., status: String = "200 OK", body: String = "ok") -> String {
    let lines = fields.map { $0 + "\r\n" }.joined()
    return "HTTP/1.1 \(status)\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

let notModified = "HTTP/1.1 304 Not Modified\r\n\r\n"

/// A world with a cache.
func cachingWorld(_ change: @escaping (inout EngineSettings) -> Void = { _ in }) throws -> World {
    try World { settings in
        settings.cache = CacheSettings()
        settings.policies.coalescing = CoalescingRules()
        change(&settings)
    }
}

extension World {
    /// Sends a response over the connection that was opened last, and lets it be read.
    func respond(_ text: String, on stream: Int? = nil) {
        let all = streams
        all[stream ?? all.count - 1].send(text)
        run()
    }

    /// What was asked last on the connection that was opened last.
    func asked() -> String {
        streams.last?.takeWritten() ?? ""
    }

    /// Begins a call in a cache mode.
    func call(_ url: String = "http://10.0.0.1/", mode: CacheMode) throws -> TestCall {
        let call = begin(try plan(url, policy: CallPolicy(cacheMode: mode)))
        run()
        return call
    }

    /// Asks for a URL and answers it, so that it is stored.
    @discardableResult
    func store(
        _ response: String = answer("Cache-Control: max-age=60", "ETag: \"a\""),
        at url: String = "http://10.0.0.1/", headers: [(String, String)] = []
    ) throws -> TestCall {
        let call = try call(url, headers: headers)
        _ = asked()
        respond(response)
        #expect(call.response?.cacheOutcome == .miss)
        return call
    }
}

struct CachingTests {
    @Test func `a fresh response answers without the origin, and shares its body`() throws {
        let world = try cachingWorld()
        let first = try world.store()
        world.pass(.seconds(5))
        let second = try world.call()
        #expect(second.status == 200 && second.body == "ok")
        #expect(second.response?.cacheOutcome == .hit)
        #expect(second.response?.attempts == 0)
        #expect(second.response?.fields["Age"] == "5")
        #expect(second.response?.fields["etag"] == "\"a\"")
        #expect(second.response?.cacheStatus == "swift-fetch;hit;ttl=55")
        #expect(first.response?.cacheStatus == "swift-fetch;fwd=uri-miss;stored")
        #expect(world.statistics.exchanges == 1)
        #expect(world.statistics.cacheHits == 1 && world.statistics.cacheMisses == 1)
        world.expectBaseline()
    }

    @Test func `a glance answers without a call, and a miss of it isn't looked for again`() throws {
        let world = try cachingWorld()
        let engine = try #require(world.engine)
        let plan = CallPlan(try Target("http://10.0.0.1/"))
        guard case .missed = engine.glance(plan) else {
            Issue.record("nothing is stored")
            return
        }
        try world.store()
        guard case .hit(let response) = engine.glance(plan) else {
            Issue.record("it is stored")
            return
        }
        #expect(response.storedStatus == 200 && String(response.body) == "ok")
        #expect(world.statistics.callsStarted == 2 && world.statistics.callsSucceeded == 2)
        #expect(world.statistics.cacheHits == 1)
        world.pass(.seconds(60))
        guard case .unknown = engine.glance(plan) else {
            Issue.record("it is stale")
            return
        }
        world.expectBaseline()
    }

    @Test func `whoever is answered at once again and again lets others have their turn`() throws {
        let world = try cachingWorld()
        let engine = try #require(world.engine)
        let plan = CallPlan(try Target("http://10.0.0.1/"))
        try world.store()
        var answered = 0
        while case .hit = engine.glance(plan) { answered += 1 }
        #expect(answered == Engine.hitsInARow)
        guard case .hit = engine.glance(plan) else {
            Issue.record("the next one is answered at once")
            return
        }
        world.expectBaseline()
    }

    @Test func `a response without freshness is stored and validated`() throws {
        let world = try cachingWorld()
        try world.store(answer("Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT", "ETag: \"v\""))
        let again = try world.call()
        let asked = world.asked()
        #expect(asked.contains("If-None-Match: \"v\"\r\n"))
        #expect(asked.contains("If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n"))
        world.respond("HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\nX-New: 1\r\n\r\n")
        #expect(again.status == 200 && again.body == "ok")
        #expect(again.response?.cacheOutcome == .revalidated)
        #expect(again.response?.fields["X-New"] == "1")
        #expect(again.response?.attempts == 1)
        #expect(world.statistics.cacheRevalidations == 1)
        world.expectBaseline()
    }

    @Test func `a response that says nothing isn't stored`() throws {
        let world = try cachingWorld()
        try world.store(answer("Content-Type: text/plain"))
        #expect(world.statistics.cacheEntries == 0)
        let again = try world.call()
        #expect(!world.asked().contains("If-"))
        world.respond(ok)
        #expect(again.response?.cacheOutcome == .miss)
        #expect(again.response?.cacheStatus == "swift-fetch;fwd=uri-miss")
        world.expectBaseline()
    }

    @Test func `another version takes the place of the stale one`() throws {
        let world = try cachingWorld()
        try world.store()
        world.pass(.seconds(60))
        let second = try world.call()
        world.respond(answer("Cache-Control: max-age=60", "ETag: \"b\"", body: "new"))
        #expect(second.body == "new" && second.response?.cacheOutcome == .miss)
        let third = try world.call()
        #expect(third.body == "new" && third.response?.cacheOutcome == .hit)
        world.expectBaseline()
    }

    @Test func `a 304 of something else is asked again without conditions, once`() throws {
        let world = try cachingWorld()
        try world.store()
        world.pass(.seconds(60))
        let call = try world.call()
        #expect(world.asked().contains("If-None-Match: \"a\"\r\n"))
        world.respond("HTTP/1.1 304 Not Modified\r\nETag: \"other\"\r\n\r\n")
        #expect(!call.isOver)
        #expect(!world.asked().contains("If-None-Match"))
        world.respond(answer("Cache-Control: max-age=60", body: "whole"))
        #expect(call.body == "whole")
        #expect(try world.call().body == "whole")
        world.expectBaseline()
    }

    @Test func `two users with two tokens and no Vary get their own answers`() throws {
        let world = try cachingWorld()
        let fields = { (user: String) in [("Authorization", "Bearer " + user)] }
        try world.store(
            answer("Cache-Control: max-age=60", body: "for a"), headers: fields("a"))
        let b = try world.call(headers: fields("b"))
        world.respond(answer("Cache-Control: max-age=60", body: "for b"))
        #expect(b.body == "for b")
        let nobody = try world.call()
        world.respond(answer("Cache-Control: max-age=60", body: "for all"))
        #expect(nobody.body == "for all")
        #expect(try world.call(headers: fields("a")).body == "for a")
        #expect(try world.call(headers: fields("b")).body == "for b")
        #expect(try world.call(headers: [("Cookie", "a=1")]).isOver == false)
        #expect(world.statistics.cacheHits == 2)
    }

    @Test func `users share what is stored where the owner says so`() throws {
        let world = try cachingWorld { $0.cache?.rules.sharesCredentials = true }
        try world.store(headers: [("Authorization", "Bearer a")])
        #expect(try world.call(headers: [("Authorization", "Bearer b")]).body == "ok")
        world.expectBaseline()
    }

    @Test func `Vary keeps apart what differs in the fields that it names`() throws {
        let world = try cachingWorld()
        let varies = answer("Cache-Control: max-age=60", "Vary: Accept-Language")
        try world.store(varies, headers: [("Accept-Language", "de")])
        let other = try world.call(headers: [("Accept-Language", "fr")])
        #expect(!other.isOver)
        world.respond(varies)
        #expect(try world.call(headers: [("Accept-Language", "de")]).isOver)
        #expect(try world.call(headers: [("Accept-Language", "fr")]).isOver)
        #expect(world.statistics.cacheEntries == 2)
        world.expectBaseline()
    }

    @Test func `HEAD is answered by what GET stored, without its body`() throws {
        let world = try cachingWorld()
        try world.store()
        let head = try world.call(method: "HEAD")
        #expect(head.status == 200 && head.body == "")
        #expect(head.response?.fields["content-length"] == "2")
        world.expectBaseline()
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "ANYTHING"])
    func `an unsafe method makes what is stored doubtful`(method: String) throws {
        let world = try cachingWorld()
        try world.store()
        let post = try world.call(method: method)
        world.respond(answer(body: "done"))
        #expect(post.response?.cacheOutcome == .bypass)
        let get = try world.call()
        #expect(!get.isOver)
        world.respond(ok)
        world.expectBaseline()
    }

    @Test func `an unsafe request that failed changes nothing`() throws {
        let world = try cachingWorld()
        try world.store()
        try world.call(method: "POST")
        world.respond(answer(status: "500 No"))
        #expect(try world.call().isOver)
        world.expectBaseline()
    }

    @Test func `what was asked before an unsafe request isn't stored behind it`() throws {
        let world = try cachingWorld()
        let get = try world.call()
        try world.call(method: "POST")
        world.respond(ok, on: 1)
        world.respond(answer("Cache-Control: max-age=60"), on: 0)
        #expect(get.isOver)
        #expect(world.statistics.cacheEntries == 0)
        world.expectBaseline()
    }

    @Test func `a GET with content has nothing to do with the cache`() throws {
        let world = try cachingWorld()
        try world.store()
        let call = try world.call(content: .bytes(Bytes("q")), length: .known(1))
        world.respond(answer("Cache-Control: max-age=60", body: "other"))
        #expect(call.response?.cacheOutcome == .bypass)
        #expect(try world.call().body == "ok")
        world.expectBaseline()
    }

    @Test func `a body beyond the call's limit fails the call, stored or not`() throws {
        let world = try cachingWorld()
        try world.store(answer("Cache-Control: max-age=60", body: "longer"))
        let call = try world.call(bodyLimit: 3)
        #expect(call.told == "bodyTooLarge(3), none")
        world.expectBaseline()
    }

    @Test func `a closed client answers nothing from its store`() throws {
        let world = try cachingWorld()
        try world.store()
        world.engine?.shutdown(within: 0) {}
        let call = try world.call()
        #expect(call.told == "clientClosed, none")
    }
}

struct CacheModeTests {
    @Test func `no-store neither looks nor stores`() throws {
        let world = try cachingWorld()
        try world.store()
        let call = try world.call(mode: .noStore)
        let asked = world.asked()
        #expect(asked.contains("Cache-Control: no-cache\r\n") && !asked.contains("If-None"))
        world.respond(answer("Cache-Control: max-age=60", body: "new"))
        #expect(call.body == "new" && call.response?.cacheOutcome == .bypass)
        #expect(call.response?.cacheStatus == "swift-fetch;fwd=bypass")
        #expect(try world.call().body == "ok")
        world.expectBaseline()
    }

    @Test func `reload asks anew and stores`() throws {
        let world = try cachingWorld()
        try world.store()
        let call = try world.call(mode: .reload)
        #expect(!world.asked().contains("If-None"))
        world.respond(answer("Cache-Control: max-age=60", body: "new"))
        #expect(call.body == "new")
        #expect(try world.call().body == "new")
        world.expectBaseline()
    }

    @Test func `no-cache validates what is fresh`() throws {
        let world = try cachingWorld()
        try world.store()
        let call = try world.call(mode: .noCache)
        let asked = world.asked()
        #expect(asked.contains("If-None-Match: \"a\"") && asked.contains("max-age=0"))
        world.respond(notModified)
        #expect(call.body == "ok" && call.response?.cacheOutcome == .revalidated)
        world.expectBaseline()
    }

    @Test func `force-cache uses what is stale, and asks without`() throws {
        let world = try cachingWorld()
        let first = try world.call(mode: .forceCache)
        world.respond(answer("Cache-Control: max-age=60"))
        #expect(first.response?.cacheOutcome == .miss)
        world.pass(.seconds(600))
        let second = try world.call(mode: .forceCache)
        #expect(second.body == "ok" && second.response?.cacheOutcome == .stale)
        #expect(world.statistics.cacheStale == 1)
        world.expectBaseline()
    }

    @Test func `only-if-cached sends nothing: an error by mode, 504 by field`() throws {
        let world = try cachingWorld()
        #expect(try world.call(mode: .onlyIfCached).told == "notCached, none")
        let field = [("Cache-Control", "only-if-cached")]
        #expect(try world.call(headers: field).status == 504)
        #expect(world.streams.isEmpty)
        try world.store()
        #expect(try world.call(mode: .onlyIfCached).body == "ok")
        #expect(try world.call(headers: field).body == "ok")
        world.pass(.seconds(61))
        #expect(try world.call(mode: .onlyIfCached).response?.cacheOutcome == .stale)
        #expect(try world.call(headers: field).status == 504)
        #expect(world.statistics.exchanges == 1)
        let statistics = world.statistics
        #expect(statistics.cacheHits + statistics.cacheMisses == statistics.callsStarted)
        world.expectBaseline()
    }

    @Test func `only-if-cached of another method sends nothing either`() throws {
        let world = try cachingWorld()
        let call = world.begin(
            try world.plan("http://10.0.0.1/", "POST", policy: CallPolicy(cacheMode: .onlyIfCached))
        )
        world.run()
        #expect(call.told == "notCached, none")
        #expect(world.streams.isEmpty)
        world.expectBaseline()
    }
}
