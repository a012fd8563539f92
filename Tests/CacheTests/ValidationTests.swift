// Asking the origin, and what its answers change: RFC 9111 sections 3.2, 4.3.1 to 4.3.5, RFC 5861
// section 4, the modes of the Fetch standard.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

struct ValidationTests {
    private func lines(_ action: CacheLookup.Action) -> [String] {
        guard case .forward(let fields) = action else { return ["\(action)"] }
        return fields.map { "\($0.name): \(String($0.value))" }
    }

    /// What is stored, and the conditions that ask after it once it is stale.
    @Test(arguments: [
        ("ETag: \"a\"", "If-None-Match: \"a\""),
        ("ETag: W/\"a\"", "If-None-Match: W/\"a\""),
        ("ETag: a", "If-None-Match: a"),
        ("ETag: \"\"", "If-None-Match: \"\""),
        ("ETag: \"a\"|ETag: \"b\"", "If-None-Match: \"a\""),
        ("ETag: \"a", ""),
        ("ETag: W/a", ""),
        ("ETag: a, b", ""),
        ("ETag:", ""),
        (
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
        ),
        (
            "Last-Modified: Sunday, 06-Nov-94 08:49:37 GMT",
            "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"
        ),
        ("Last-Modified: then", ""),
        (
            "ETag: \"a\"|Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
            "If-None-Match: \"a\"|If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"
        ),
    ]) func `§4.3.1 validators become conditions`(_ row: (String, String)) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=1|" + row.0)
        rehearsal.wait(2)
        let found = lines(rehearsal.begin(CacheRequest()).1).joined(separator: "|")
        #expect(found == row.1)
    }

    @Test func `§4.3.1 only what came with content is asked after`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), 404, "Cache-Control: max-age=1|ETag: \"a\"")
        rehearsal.wait(2)
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
    }

    /// The 304's fields, and what the caller then gets; the stored tag is `"a"`.
    @Test(arguments: [
        ("ETag: \"a\"", "hit"), ("", "hit"), ("ETag: W/\"a\"", "hit"), ("ETag: \"b\"", "again"),
        ("ETag: W/\"b\"", "again"), ("Last-Modified: @-9", "again"),
        ("ETag: \"a\"|Last-Modified: @-9", "hit"), ("X: y", "hit"),
    ]) func `§4.3.4 a 304 must speak of what was asked after`(_ row: (String, String)) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=1|ETag: \"a\"")
        rehearsal.wait(2)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, row.0)) == row.1)
        guard row.1 == "again" else { return }
        // Once more, without conditions: then whatever comes is the answer.
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, row.0)) == "pass")
    }

    @Test func `§4.3.4 a weak tag whose 304 is strong was meant`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=1|ETag: W/\"a\"")
        rehearsal.wait(2)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, "ETag: \"a\"")) == "hit")
    }

    /// Stored fields, a 304's fields, and those that are stored then.
    @Test(arguments: [
        ("X: 1", "X: 2", "X: 2"), ("X: 1|X: 2", "X: 3", "X: 3"), ("X: 1", "Y: 2", "X: 1|Y: 2"),
        ("X: 1", "x: 2|x: 3", "x: 2|x: 3"), ("X: 1", "X:", "X: "),
        ("Content-Length: 10", "Content-Length: 0", "Content-Length: 10"),
        ("Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: gzip"),
        ("Content-Type: a/b", "Content-Type: c/d", "Content-Type: c/d"),
        ("X: 1", "Connection: y|Y: 2", "X: 1"), ("X: 1", "Connection: x|X: 2", ""),
        ("X: 1", "Keep-Alive: timeout=9", "X: 1"), ("X: 1", "Transfer-Encoding: chunked", "X: 1"),
        ("X: 1", "Set-Cookie: a=b", "X: 1|Set-Cookie: a=b"), ("X: 1", "Age: 5", "X: 1"),
    ]) func `§3.2 a 304's fields take the place of those stored`(_ row: (String, String, String)) {
        var rehearsal = Rehearsal()
        let common = "Cache-Control: max-age=1|ETag: \"a\"|Date: @0|"
        rehearsal.fetch(CacheRequest(), common + row.0)
        rehearsal.wait(2)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        _ = rehearsal.respond(&lookup, 304, common + row.1)
        let stored = rehearsal.index.stored(under: CacheRequest().key)
        let names = ["cache-control", "etag", "date"]
        let found = stored.first.map { response in
            (0..<response.fields.count)
                .filter { !names.contains(response.fields.name(at: $0).lowercased()) }
                .map { response.fields.name(at: $0) + ": " + response.fields.value(at: $0) }
                .joined(separator: "|")
        }
        #expect(found == row.2)
    }

    @Test func `§4.3.4 a 304 makes what is stored fresh again, and shares its body`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        guard
            case .answer(let answer) = rehearsal.respond(&lookup, 304, "Cache-Control: max-age=20")
        else { throw Missing() }
        #expect(answer.status == 200 && String(answer.body) == "0123456789")
        #expect(answer.age == 0)
        rehearsal.wait(19)
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
        rehearsal.wait(1)
        #expect(rehearsal.outcome(CacheRequest()) == "validate")
        #expect(rehearsal.index.count == 1)
    }

    @Test func `§4.3.4 a 304 brings an age of its own`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        _ = rehearsal.respond(&lookup, 304, "Age: 8")
        rehearsal.wait(1)
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
        rehearsal.wait(1)
        #expect(rehearsal.outcome(CacheRequest()) == "validate")
    }

    @Test(arguments: ["Cache-Control: no-store", "Vary: *"])
    func `a 304 that forbids storing ends it, after this answer`(_ fields: String) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, fields)) == "hit")
        #expect(rehearsal.index.count == 0)
    }

    @Test func `§4.3.3 a whole response takes the place of what was asked after`() throws {
        var rehearsal = Rehearsal()
        let fields = "Cache-Control: max-age=10|ETag: \"a\""
        rehearsal.fetch(CacheRequest(), fields)
        rehearsal.wait(11)
        rehearsal.fetch(CacheRequest(), fields.replacing("\"a\"", with: "\"b\""), body: "new")
        #expect(rehearsal.index.count == 1)
        guard case .answer(let answer, _) = rehearsal.begin(CacheRequest()).1 else {
            throw Missing()
        }
        #expect(String(answer.body) == "new")
    }

    @Test(
        arguments: [(200, 0), (301, 0), (404, 0), (410, 0), (403, 1), (429, 1), (500, 1)]
            as [(UInt16, Int)])
    func `a response that isn't stored ends the old one, unless it says nothing of it`(
        _ row: (UInt16, Int)
    ) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        rehearsal.fetch(CacheRequest(), row.0, "Cache-Control: no-store")
        #expect(rehearsal.index.count == row.1)
    }

    @Test func `the caller's own 304 is his, and freshens what is stored`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        var (lookup, action) = rehearsal.begin(CacheRequest(fields: "If-None-Match: \"a\""))
        #expect(action == .forward([]))
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, "ETag: \"a\"")) == "pass")
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
    }

    @Test func `the caller's own 304 about something else changes nothing`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        for fields in ["ETag: \"b\"", ""] {
            var (lookup, _) = rehearsal.begin(CacheRequest(fields: "If-None-Match: \"b\""))
            #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, fields)) == "pass")
            #expect(rehearsal.outcome(CacheRequest()) == "validate")
        }
    }

    @Test func `nothing is kept of a request that says no-store, not even that it holds`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=10|ETag: \"a\"")
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(CacheRequest(fields: "Cache-Control: no-store"))
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, "ETag: \"a\"")) == "hit")
        #expect(rehearsal.outcome(CacheRequest()) == "validate")
    }

    // MARK: Modes

    @Test func `modes add what the Fetch standard adds, unless the caller says otherwise`() {
        let rehearsal = Rehearsal()
        let noCache = ["Pragma: no-cache", "Cache-Control: no-cache"]
        #expect(lines(rehearsal.begin(CacheRequest(mode: .noStore)).1) == noCache)
        #expect(lines(rehearsal.begin(CacheRequest(mode: .reload)).1) == noCache)
        #expect(
            lines(rehearsal.begin(CacheRequest(mode: .noCache)).1) == ["Cache-Control: max-age=0"])
        #expect(lines(rehearsal.begin(CacheRequest(mode: .forceCache)).1) == [])
        let said = CacheRequest(fields: "Cache-Control: foo", mode: .reload)
        #expect(lines(rehearsal.begin(said).1) == ["Pragma: no-cache"])
        #expect(
            lines(rehearsal.begin(CacheRequest(fields: "Cache-Control: foo", mode: .noCache)).1)
                == [])
    }

    @Test(arguments: [
        (CacheMode.standard, 1), (.noStore, 0), (.reload, 1), (.noCache, 1), (.forceCache, 1),
    ]) func `a mode says whether the answer is stored`(_ row: (CacheMode, Int)) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(mode: row.0), "Cache-Control: max-age=60")
        #expect(rehearsal.index.count == row.1)
    }

    @Test func `reload replaces what is stored`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60", body: "old")
        rehearsal.wait(1)
        rehearsal.fetch(CacheRequest(mode: .reload), "Cache-Control: max-age=60", body: "new")
        guard case .answer(let answer, _) = rehearsal.begin(CacheRequest()).1 else {
            throw Missing()
        }
        #expect(String(answer.body) == "new" && rehearsal.index.count == 1)
    }

    @Test func `a validation in the background validates what would be used`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(
            CacheRequest(), "Cache-Control: max-age=1, stale-while-revalidate=60|ETag: \"a\"")
        rehearsal.wait(2)
        #expect(rehearsal.outcome(CacheRequest()) == "stale+revalidate")
        let stored = rehearsal.index.stored(under: CacheRequest().key)
        var lookup = CacheLookup(
            revalidating: try #require(stored.first), for: CacheRequest(), rehearsal.rules)
        #expect(lookup.begin() == .askStore)
        let action = lookup.storeAnswered(stored, now: rehearsal.now)
        #expect(lines(action) == ["If-None-Match: \"a\""])
        _ = rehearsal.respond(&lookup, 304, "")
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
    }

    struct Missing: Error {}
}
