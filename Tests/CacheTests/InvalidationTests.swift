// What unsafe requests and HEAD change: RFC 9111 sections 4.3.5 and 4.4.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

struct InvalidationTests {
    private let stored = ["/a", "/b", "/c"]

    private func filled() -> Rehearsal {
        var rehearsal = Rehearsal()
        for path in stored {
            rehearsal.fetch(
                CacheRequest("GET", "http://example.com" + path), "Cache-Control: max-age=60")
        }
        rehearsal.wait(1)
        return rehearsal
    }

    private func left(_ rehearsal: Rehearsal) -> String {
        stored.filter {
            rehearsal.outcome(CacheRequest("GET", "http://example.com" + $0)) == "hit"
        }.joined(separator: " ")
    }

    /// Method, status and fields of a request to `/a`; what is still stored of a, b and c.
    @Test(
        arguments: [
            ("POST", 200, "", "/b /c"), ("PUT", 200, "", "/b /c"), ("DELETE", 204, "", "/b /c"),
            ("PATCH", 201, "", "/b /c"), ("FOO", 200, "", "/b /c"), ("get", 200, "", "/b /c"),
            ("POST", 303, "", "/b /c"), ("POST", 302, "", "/b /c"), ("POST", 304, "", "/b /c"),
            ("POST", 399, "", "/b /c"), ("POST", 400, "", "/a /b /c"),
            ("POST", 404, "", "/a /b /c"),
            ("POST", 500, "", "/a /b /c"), ("POST", 503, "", "/a /b /c"),
            ("GET", 200, "", "/a /b /c"), ("HEAD", 200, "", "/a /b /c"),
            ("OPTIONS", 200, "", "/a /b /c"), ("TRACE", 200, "", "/a /b /c"),
            ("QUERY", 200, "", "/a /b /c"),
            ("POST", 201, "Location: /b", "/c"), ("POST", 200, "Content-Location: /b", "/c"),
            ("POST", 201, "Location: b", "/c"), ("POST", 201, "Location: ./x/../b", "/c"),
            ("POST", 201, "Location: http://example.com/b", "/c"),
            ("POST", 201, "Location: //example.com/b", "/c"),
            ("POST", 201, "Location: HTTP://EXAMPLE.com:80/b#x", "/c"),
            ("POST", 201, "Location: /b|Content-Location: /c", ""),
            ("POST", 201, "Location: http://example.org/b", "/b /c"),
            ("POST", 201, "Location: https://example.com/b", "/b /c"),
            ("POST", 201, "Location: http://example.com:81/b", "/b /c"),
            ("POST", 201, "Location: ftp://example.com/b", "/b /c"),
            ("POST", 201, "Location: http://", "/b /c"), ("POST", 201, "Location:", "/b /c"),
            ("POST", 500, "Location: /b", "/a /b /c"),
        ] as [(String, Int, String, String)]) func `§4.4 a success of an unsafe method invalidates`(
            _ row: (String, Int, String, String)
        )
    {
        var rehearsal = filled()
        let request = CacheRequest(row.0, "http://example.com/a")
        rehearsal.fetch(request, UInt16(row.1), row.2)
        #expect(left(rehearsal) == row.3)
    }

    @Test func `§4.4 what others are stored for the URI goes as well`() {
        var rehearsal = Rehearsal()
        let key = DigestKey(1, 2)
        for user in ["a", "b", "c"] {
            let headers = Rehearsal.headers("Cookie: \(user)")
            let partition = CachePartition(headers, defaults: Headers(), under: key)
            rehearsal.fetch(
                CacheRequest(fields: "Cookie: \(user)", partition: partition),
                "Cache-Control: max-age=60")
        }
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60")
        rehearsal.fetch(CacheRequest("GET", "http://example.com/b"), "Cache-Control: max-age=60")
        #expect(rehearsal.index.count == 5)
        rehearsal.wait(1)
        rehearsal.fetch(CacheRequest("DELETE"), 204, "")
        #expect(rehearsal.index.count == 1)
    }

    @Test func `§4.4 the mode doesn't matter`() {
        var rehearsal = filled()
        rehearsal.fetch(
            CacheRequest("POST", "http://example.com/a", mode: .noStore), "Location: /b")
        #expect(left(rehearsal) == "/c")
    }

    @Test func `an answer that was under way meanwhile is not stored`() {
        var rehearsal = filled()
        let request = CacheRequest("GET", "http://example.com/d")
        var (lookup, _) = rehearsal.begin(request)
        let sent = rehearsal.now
        rehearsal.wait(1)
        rehearsal.fetch(CacheRequest("PUT", "http://example.com/d"), "")
        rehearsal.wait(1)
        let (verdict, changes) = lookup.responded(
            200, Rehearsal.section("Cache-Control: max-age=60"), sent: sent, now: rehearsal.now)
        #expect(verdict == .pass(collect: rehearsal.rules.mostBodyBytes) && changes.isEmpty)
        for change in lookup.bodyEnded(Bytes("old")) {
            rehearsal.index.apply(change, now: rehearsal.now)
        }
        #expect(rehearsal.outcome(request) == "forward")
        rehearsal.fetch(request, "Cache-Control: max-age=60")
        #expect(rehearsal.outcome(request) == "hit")
    }

    // MARK: HEAD

    /// What is stored, what HEAD says, and what becomes of it: `hit` (fresh again), `validate` (as
    /// it was), `forward` (gone).
    @Test(arguments: [
        ("ETag: \"a\"", "ETag: \"a\"", "hit"), ("ETag: \"a\"", "", "hit"),
        ("ETag: \"a\"", "ETag: \"b\"", "forward"), ("ETag: \"a\"", "ETag: W/\"a\"", "forward"),
        ("Last-Modified: @-9", "Last-Modified: @-9", "hit"),
        ("Last-Modified: @-9", "Last-Modified: @-8", "forward"),
        ("ETag: \"a\"", "ETag: \"a\"|Content-Length: 10", "hit"),
        ("ETag: \"a\"", "ETag: \"a\"|Content-Length: 11", "forward"),
        ("ETag: \"a\"", "Content-Length: 11", "forward"),
        ("ETag: \"a\"", "Content-Length: x", "forward"),
        ("Last-Modified: @-9", "ETag: \"a\"", "forward"),
    ]) func `§4.3.5 a HEAD's answer updates what is stored of GET, or ends it`(
        _ row: (String, String, String)
    ) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=5|" + row.0)
        rehearsal.wait(6)
        rehearsal.fetch(CacheRequest("HEAD"), "Cache-Control: max-age=60|" + row.1)
        #expect(rehearsal.outcome(CacheRequest()) == row.2)
    }

    @Test(arguments: [404, 405, 500, 301, 204] as [UInt16])
    func `§4.3.5 another status of HEAD says nothing`(_ status: UInt16) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=5|ETag: \"a\"")
        rehearsal.wait(6)
        rehearsal.fetch(CacheRequest("HEAD"), status, "Cache-Control: max-age=60|ETag: \"b\"")
        #expect(rehearsal.outcome(CacheRequest()) == "validate")
    }

    @Test func `§4.3.5 variants that HEAD doesn't select stay as they are`() {
        var rehearsal = Rehearsal()
        let fields = "Cache-Control: max-age=5|Vary: A|ETag: \"a\""
        rehearsal.fetch(CacheRequest(fields: "A: 1"), fields)
        rehearsal.fetch(CacheRequest(fields: "A: 2"), fields)
        rehearsal.wait(6)
        rehearsal.fetch(CacheRequest("HEAD", fields: "A: 2"), "Vary: A|ETag: \"b\"")
        #expect(rehearsal.index.count == 1)
        #expect(rehearsal.outcome(CacheRequest(fields: "A: 1")) == "validate")
    }
}
