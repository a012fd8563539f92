// What must not be made of an origin's answer: it speaks of another variant, of a part, of this
// request's conditions alone, or it shows that what is stored has had its day. RFC 9111 sections
// 3, 3.4, 4.1, 4.3.3 to 4.3.5, 5.2.2.4.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

struct MistakenAnswerTests {
    private static let zipped = CacheRequest(fields: "Accept-Encoding: gzip")
    private static let plain = CacheRequest()

    private func body(_ action: CacheLookup.Action) -> String? {
        guard case .answer(let answer, _) = action else { return nil }
        return String(answer.body)
    }

    private func conditions(_ action: CacheLookup.Action) -> [String] {
        guard case .forward(let fields) = action else { return ["\(action)"] }
        return fields.map { "\($0.name): \(String($0.value))" }
    }

    // MARK: Variants

    /// The stored variant's validators, and what another variant's request asks with.
    @Test(arguments: [
        ("ETag: \"a\"", ["If-None-Match: \"a\""]), ("ETag: W/\"a\"", []),
        ("Last-Modified: @-9", []), ("ETag: \"a\"|Last-Modified: @-9", ["If-None-Match: \"a\""]),
    ]) func `§4.1 other variants are asked after by strong tags alone`(_ row: (String, [String])) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(Self.zipped, "Cache-Control: max-age=60|Vary: Accept-Encoding|" + row.0)
        #expect(conditions(rehearsal.begin(Self.plain).1) == row.1)
    }

    /// A 304 to a request that selects nothing, and whether it names the variant asked after.
    @Test(arguments: [
        ("ETag: \"a\"", "hit"), ("ETag: W/\"a\"", "again"), ("", "again"), ("X: y", "again"),
        ("Last-Modified: @-9", "again"), ("ETag: \"b\"", "again"),
    ]) func `§4.3.4 only its strong tag names a variant that isn't selected`(
        _ row: (String, String)
    ) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(
            Self.zipped,
            "Cache-Control: max-age=60|Vary: Accept-Encoding|ETag: \"a\"|Last-Modified: @-9")
        var (lookup, _) = rehearsal.begin(Self.plain)
        #expect(Rehearsal.word(rehearsal.respond(&lookup, 304, row.0)) == row.1)
    }

    @Test func `§4.3.4 what a 304 says to one request isn't said of another's variant`() {
        var rehearsal = Rehearsal()
        let (first, second) = (CacheRequest(fields: "K: 1"), CacheRequest(fields: "K: 2"))
        rehearsal.fetch(first, "Cache-Control: max-age=10|Vary: K|ETag: \"a\"|X-For: 1")
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(second)
        let verdict = rehearsal.respond(
            &lookup, 304, "Cache-Control: max-age=600|Vary: K|ETag: \"a\"|X-For: 2")
        #expect(Rehearsal.word(verdict) == "hit")
        #expect(rehearsal.outcome(second) == "hit")
        #expect(rehearsal.outcome(first) == "validate")
        let stored = rehearsal.index.stored(under: first.key)
        #expect(Set(stored.map { $0.fields["x-for"] }) == ["1", "2"])
    }

    /// Validators that two variants share, the older of which is asked after.
    @Test(arguments: ["ETag: W/\"e\"", "Last-Modified: @-9"])
    func `§4.3.4 a weak validator means the variant that was asked after`(_ validator: String) {
        var rehearsal = Rehearsal()
        let (first, second) = (CacheRequest(fields: "K: 1"), CacheRequest(fields: "K: 2"))
        for (request, body) in [(first, "one"), (second, "two")] {
            rehearsal.fetch(
                request, "Cache-Control: max-age=10|Vary: K|Date: @0|" + validator, body: body)
            rehearsal.wait(1)
        }
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(first)
        let verdict = rehearsal.respond(
            &lookup, 304, "Cache-Control: max-age=60|Vary: K|" + validator)
        #expect(Rehearsal.word(verdict) == "hit")
        #expect(body(rehearsal.begin(first).1) == "one")
        #expect(rehearsal.outcome(second) == "validate")
    }

    /// The caller's own condition, and the 304's validators: a variant that he doesn't select stays
    /// as it is.
    @Test(arguments: [
        ("If-Modified-Since: @-9", "Last-Modified: @-9"),
        ("If-None-Match: W/\"e\"", "ETag: W/\"e\""),
    ]) func `§4.3.4 a 304 to the caller's own condition freshens what he selects`(
        _ row: (String, String)
    ) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(fields: "K: 1"), "Cache-Control: max-age=10|Vary: K|" + row.1)
        rehearsal.wait(11)
        var (lookup, _) = rehearsal.begin(CacheRequest(fields: "K: 3|" + row.0))
        #expect(
            Rehearsal.word(rehearsal.respond(&lookup, 304, "Cache-Control: max-age=600|" + row.1))
                == "pass")
        #expect(rehearsal.outcome(CacheRequest(fields: "K: 1")) == "validate")
    }

    @Test func `§4.3.4 a weak tag stays weak, whatever the 304 calls it`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(Self.plain, "Cache-Control: max-age=1|ETag: W/\"a\"")
        rehearsal.wait(2)
        var (lookup, _) = rehearsal.begin(Self.plain)
        let verdict = rehearsal.respond(&lookup, 304, "Cache-Control: max-age=60|ETag: \"a\"")
        #expect(Rehearsal.word(verdict) == "hit")
        // RFC 9110 section 13.1.5: If-Range takes strong tags alone.
        let ranged = CacheRequest(fields: "Range: bytes=2-3|If-Range: \"a\"")
        #expect(rehearsal.outcome(ranged) == "hit")
    }

    // MARK: This request's business

    @Test(arguments: [
        (416, "Range: bytes=1000-"), (412, "If-Match: \"z\""), (412, "If-Unmodified-Since: @-9"),
    ]) func `§3 what is said of a request's range or condition answers no other`(
        _ row: (UInt16, String)
    ) {
        for isStored in [false, true] {
            var rehearsal = Rehearsal()
            if isStored { rehearsal.fetch(Self.plain, "Cache-Control: max-age=60") }
            rehearsal.fetch(
                CacheRequest(fields: row.1), row.0, "Cache-Control: max-age=60|Expires: @60")
            #expect(rehearsal.outcome(Self.plain) == (isStored ? "hit" : "forward"))
        }
    }

    // MARK: Parts

    /// A part's fields, of a body of five bytes, and whether the stored whole of ten is fresh then.
    @Test(arguments: [
        ("Content-Range: bytes 0-4/10", "hit"), ("Content-Range: bytes 0-4/20", "validate"),
        ("Content-Range: bytes 0-5/10", "validate"),
        ("Content-Range: bytes 0-4/10|Content-Type: multipart/byteranges; boundary=x", "validate"),
    ]) func `§3.4 a part freshens the whole that it fits into`(_ row: (String, String)) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(Self.plain, "Cache-Control: max-age=1|ETag: \"a\"")
        rehearsal.wait(2)
        rehearsal.fetch(
            CacheRequest(fields: "Range: bytes=0-4|If-Match: \"a\""), 206,
            "Cache-Control: max-age=600|ETag: \"a\"|" + row.0, body: "01234")
        #expect(rehearsal.outcome(Self.plain) == row.1)
    }

    @Test func `RFC 5861 §3 a part that was used while stale is validated as a part`() throws {
        var rehearsal = Rehearsal()
        let ranged = CacheRequest(fields: "Range: bytes=0-1")
        rehearsal.fetch(
            ranged, 206,
            "Cache-Control: max-age=1, stale-while-revalidate=60|ETag: \"a\""
                + "|Content-Range: bytes 0-1/1000000", body: "01")
        rehearsal.wait(2)
        #expect(rehearsal.outcome(ranged) == "206 0-1+revalidate")
        let stored = rehearsal.index.stored(under: ranged.key)
        var lookup = CacheLookup(
            revalidating: try #require(stored.first), for: ranged, rehearsal.rules)
        #expect(lookup.begin() == .askStore)
        let action = lookup.storeAnswered(stored, now: rehearsal.now)
        #expect(conditions(action) == ["If-None-Match: \"a\""])
        #expect(lookup.request.headers.contains("Range"))
    }

    @Test func `§3.3 a whole that is too large to keep leaves a part of the same bytes`() {
        var rehearsal = Rehearsal()
        let ranged = CacheRequest(fields: "Range: bytes=0-1")
        rehearsal.fetch(
            ranged, 206,
            "Cache-Control: max-age=60|ETag: \"a\"|Content-Range: bytes 0-1/1000000", body: "01")
        for (tag, outcome) in [("\"a\"", "206 0-1"), ("\"b\"", "forward")] {
            var (lookup, _) = rehearsal.begin(Self.plain)
            let (_, changes) = lookup.responded(
                200, Rehearsal.section("Cache-Control: max-age=60|ETag: " + tag),
                sent: rehearsal.now, now: rehearsal.now, bodyBytes: .max)
            for change in changes { rehearsal.index.apply(change, now: rehearsal.now) }
            #expect(rehearsal.outcome(ranged) == outcome)
        }
    }

    // MARK: What has had its day

    @Test func `§4.3.3 a newer body that outgrows the store ends the older one's day`() {
        for isCollected in [true, false] {
            var rehearsal = Rehearsal()
            rehearsal.fetch(Self.plain, "Cache-Control: max-age=600|ETag: \"a\"")
            var (lookup, _) = rehearsal.begin(CacheRequest(fields: "Cache-Control: no-cache"))
            let (verdict, _) = lookup.responded(
                200, Rehearsal.section("Cache-Control: max-age=600|ETag: \"b\""),
                sent: rehearsal.now, now: rehearsal.now)
            #expect(Rehearsal.word(verdict) == "pass+store")
            let tooLong = Bytes([UInt8](repeating: 0, count: rehearsal.rules.mostBodyBytes + 1))
            let changes = isCollected ? lookup.bodyEnded(tooLong) : lookup.bodyOutgrown()
            for change in changes { rehearsal.index.apply(change, now: rehearsal.now) }
            #expect(rehearsal.outcome(Self.plain) == "forward")
        }
    }

    /// An answer to `reload`, and what a plain request then meets.
    @Test(arguments: [
        (200, "Cache-Control: no-store", "forward"), (404, "", "forward"), (410, "", "forward"),
        (302, "", "forward"), (200, "Vary: *", "forward"), (500, "", "hit"), (403, "", "hit"),
    ]) func `what reload brings ends the day of what is stored`(
        _ row: (UInt16, String, String)
    ) {
        for request in [CacheRequest(mode: .reload), CacheRequest(fields: "If-Match: \"a\"")] {
            var rehearsal = Rehearsal()
            rehearsal.fetch(Self.plain, "Cache-Control: max-age=600|ETag: \"a\"")
            rehearsal.fetch(request, row.0, row.1)
            #expect(rehearsal.outcome(Self.plain) == row.2)
        }
    }

    @Test func `nothing stored stands in for an answer to reload`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(Self.plain, "Cache-Control: max-age=1, stale-if-error=600|ETag: \"a\"")
        rehearsal.wait(2)
        for headers in ["X: y", "Cache-Control: stale-if-error=60"] {
            var (lookup, _) = rehearsal.begin(CacheRequest(fields: headers, mode: .reload))
            #expect(Rehearsal.word(lookup.failed(now: rehearsal.now)) == "fail")
        }
    }

    @Test func `§4.3.5 HEAD in reload mode shows that what is stored is another one`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(Self.plain, "Cache-Control: max-age=600|ETag: \"a\"")
        rehearsal.fetch(CacheRequest("HEAD", mode: .reload), 200, "ETag: \"b\"")
        #expect(rehearsal.outcome(Self.plain) == "forward")
    }

    // MARK: Fields

    @Test func `§5.2.2.4 what a 304 forbids to keep is its own caller's`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(Self.plain, "Cache-Control: max-age=1|ETag: \"a\"")
        rehearsal.wait(2)
        var (lookup, _) = rehearsal.begin(Self.plain)
        let verdict = rehearsal.respond(
            &lookup, 304,
            "Cache-Control: max-age=60, no-cache=\"set-cookie\"|ETag: \"a\"|Set-Cookie: a=2")
        guard case .answer(let answer) = verdict else { throw Unexpected() }
        #expect(answer.response.fields["set-cookie"] == "a=2")
        guard case .answer(let next, _) = rehearsal.begin(Self.plain).1 else { throw Unexpected() }
        #expect(next.response.fields["set-cookie"] == nil)
    }

    struct Unexpected: Error {}
}
