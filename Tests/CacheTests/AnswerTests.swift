// What a caller sees: RFC 9111 sections 3.1, 4, 5.1, RFC 9110 sections 6.6.1 and 7.6.1, RFC 9211.

import FetchBytes
import FetchCache
import FetchHTTP
import FetchTime
import Testing

struct AnswerTests {
    private func answer(
        _ fields: String, _ rules: CacheRules = .init(), after: Double = 0, request: String = "",
        delay: Double = 0
    ) throws -> CacheAnswer {
        var rehearsal = Rehearsal(rules)
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60|" + fields, delay: delay)
        rehearsal.wait(after)
        guard case .answer(let answer, _) = rehearsal.begin(CacheRequest(fields: request)).1 else {
            throw Missing()
        }
        return answer
    }

    /// Fields of the response, and of them what a later answer has.
    @Test(arguments: [
        ("A: 1|B: 2", "A: 1|B: 2"), ("a: 1|A: 2", "a: 1|A: 2"), ("A:", "A: "),
        ("Connection: close|A: 1", "A: 1"), ("Connection: b, c|A: 1|B: 2|C: 3", "A: 1"),
        ("Connection: b|Connection: c|B: 2|C: 3|A: 1", "A: 1"),
        ("Connection: ETag|ETag: \"a\"", "ETag: \"a\""), ("Keep-Alive: timeout=5|A: 1", "A: 1"),
        ("Proxy-Connection: close|A: 1", "A: 1"), ("TE: trailers|A: 1", "A: 1"),
        ("Transfer-Encoding: chunked|A: 1", "A: 1"), ("Upgrade: h2c|A: 1", "A: 1"),
        ("Proxy-Authenticate: x|A: 1", "A: 1"), ("Proxy-Authentication-Info: x|A: 1", "A: 1"),
        ("Set-Cookie: a=b|Set-Cookie: c=d", "Set-Cookie: a=b|Set-Cookie: c=d"),
        ("Content-Length: 10", "Content-Length: 10"),
        ("Content-Encoding: gzip", "Content-Encoding: gzip"),
        ("WWW-Authenticate: x", "WWW-Authenticate: x"),
        ("Cache-Status: other;hit", "Cache-Status: other;hit"),
    ]) func `§3.1 fields of one hop are not stored`(_ row: (String, String)) throws {
        let answer = try answer("Date: @0|" + row.0)
        #expect(others(answer) == row.1)
    }

    private func others(_ answer: CacheAnswer) -> String {
        let fields = answer.fields
        let left = ["date", "age", "cache-control"]
        return (0..<fields.count)
            .filter { !left.contains(fields.name(at: $0).lowercased()) }
            .map { fields.name(at: $0) + ": " + fields.value(at: $0) }.joined(separator: "|")
    }

    @Test(arguments: [
        ("no-cache=\"a\"", false, "B: 2"), ("no-cache=\"a, b\"", false, ""),
        ("no-cache=a", false, "B: 2"), ("no-cache=\"A\"", false, "B: 2"),
        ("private=\"a\"", false, "A: 1|B: 2"), ("private=\"a\"", true, "B: 2"),
        ("private=\"a\", no-cache=\"b\"", true, ""),
    ]) func `§5.2.2 fields that a directive names are not reused`(_ row: (String, Bool, String))
        throws
    {
        let answer = try answer("Cache-Control: \(row.0)|A: 1|B: 2", row.1 ? .shared : .init())
        #expect(others(answer) == row.2)
    }

    @Test func `§5.2.2.4 no-cache that names nothing readable is about everything`() {
        for directive in ["no-cache=\"\"", "no-cache=\"a b\"", "no-cache="] {
            var rehearsal = Rehearsal()
            rehearsal.fetch(
                CacheRequest(), "Cache-Control: max-age=60, \(directive)|ETag: \"a\"")
            #expect(rehearsal.outcome(CacheRequest()) == "validate")
        }
    }

    @Test(
        arguments: [("", 7.9, 7), ("Age: 5", 7, 12), ("Date: @-9", 7, 16), ("Age: x", 7, 7)]
            as [(String, Double, Int64)])
    func `§5.1 an answer says how old it is`(_ row: (String, Double, Int64)) throws {
        let answer = try answer(row.0, after: row.1)
        #expect(answer.age == row.2)
        #expect(answer.fields.values(of: "Age") == ["\(row.2)"])
    }

    @Test func `§4.2.3 the time that the response took counts as age`() throws {
        #expect(try answer("Age: 5", after: 1, delay: 10).age == 16)
        #expect(try answer("Date: @0", after: 1, delay: 10).age == 11)
    }

    @Test func `the clock that saw more time pass is right`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60")
        rehearsal.moveWall(-3_600)
        rehearsal.wait(59)
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
        rehearsal.wait(1)
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
        rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60")
        rehearsal.moveWall(59)
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
        rehearsal.moveWall(1)
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
    }

    @Test func `RFC 9110 §6.6.1 a response without a Date gets one`() throws {
        let date = HTTPDate.text(Rehearsal.start)
        #expect(try answer("").fields.values(of: "Date") == [date])
        #expect(try answer("Date: then").fields.values(of: "Date") == [date])
        let other = HTTPDate.text(Rehearsal.start - 3)
        #expect(try answer("Date: @-3").fields.values(of: "Date") == [other])
    }

    @Test func `RFC 9110 §15.4.5 a 304 says what the 200 would`() throws {
        let answer = try answer(
            "ETag: \"a\"|Vary: A|Expires: 0|Content-Location: /b|Content-Type: a/b|X: y",
            request: "If-None-Match: \"a\"")
        #expect(answer.status == 304 && answer.body.isEmpty)
        #expect(
            others(answer) == "ETag: \"a\"|Vary: A|Expires: 0|Content-Location: /b")
        #expect(answer.fields["age"] == "0" && answer.fields["date"] != nil)
    }

    @Test func `the status line and the reason are kept`() throws {
        let response = try answer("A: 1").response
        let line = response.fields.receivedBytes(0..<response.statusLineCount)
        #expect(String(line) == "HTTP/1.1 200 OK\r\n")
        #expect(String(response.reasonBytes) == "OK")
        #expect(String(response.uriBytes) == "http://example.com/a")
    }

    @Test func `RFC 9211 the report says how it came about`() {
        var rehearsal = Rehearsal()
        func report(_ request: CacheRequest) -> String {
            rehearsal.begin(request).0.report.text
        }
        #expect(report(CacheRequest()) == "swift-fetch;fwd=uri-miss")
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60|Vary: A|ETag: \"a\"")
        rehearsal.wait(1.5)
        #expect(report(CacheRequest()) == "swift-fetch;hit;ttl=58")
        #expect(report(CacheRequest(fields: "A: 1")) == "swift-fetch;fwd=vary-miss")
        #expect(report(CacheRequest(mode: .noStore)) == "swift-fetch;fwd=bypass")
        #expect(report(CacheRequest("POST")) == "swift-fetch;fwd=method")
        #expect(report(CacheRequest(mode: .reload)) == "swift-fetch;fwd=request")
        #expect(
            report(CacheRequest(fields: "Cache-Control: no-cache")) == "swift-fetch;fwd=request")
        #expect(
            report(CacheRequest(fields: "Cache-Control: only-if-cached|A: 1"))
                == "swift-fetch;fwd=vary-miss")
        rehearsal.wait(60)
        #expect(report(CacheRequest()) == "swift-fetch;fwd=stale")
        #expect(
            report(CacheRequest(fields: "Cache-Control: max-stale"))
                == "swift-fetch;hit;ttl=-2")
        var (lookup, _) = rehearsal.begin(CacheRequest())
        _ = rehearsal.respond(&lookup, 304, "ETag: \"a\"")
        #expect(lookup.report.text == "swift-fetch;fwd=stale;fwd-status=304;ttl=60")
        let other = CacheRequest("GET", "http://example.com/b")
        (lookup, _) = rehearsal.begin(other)
        _ = rehearsal.respond(&lookup, 200, "Cache-Control: max-age=9")
        #expect(lookup.report.text == "swift-fetch;fwd=uri-miss;stored")
        (lookup, _) = rehearsal.begin(CacheRequest("GET", "http://example.com/c"))
        _ = rehearsal.respond(&lookup, 200, "Cache-Control: no-store")
        #expect(lookup.report.text == "swift-fetch;fwd=uri-miss;detail=no-store")
    }

    @Test func `RFC 8941 what is no token is quoted`() {
        var status = CacheStatus(cache: "a cache \"\\")
        status.isCollapsed = true
        status.detail = "caf\u{e9}"
        #expect(status.text == "\"a cache \\\"\\\\\";collapsed;detail=\"caf?\"")
    }

    struct Missing: Error {}
}
