// Ranges: RFC 9111 sections 3.3 and 3.4, RFC 9110 sections 13.1.5, 14 and 15.3.7.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

struct PartialContentTests {
    /// Stored is `0123456789`.
    @Test(arguments: rows) func `§3.3 what is whole answers for its parts`(_ row: ReuseRow) {
        row.check()
    }

    private static let rows = ReuseRow.table(
        """
        RFC 9110 §14.1.2 first bytes / cc max-age=60 / 1 / asks Range: bytes=0-4 => 206 0-4
        RFC 9110 §14.1.2 bytes between / cc max-age=60 / 1 / asks Range: bytes=2-3 => 206 2-3
        RFC 9110 §14.1.2 one byte / cc max-age=60 / 1 / asks Range: bytes=9-9 => 206 9-9
        RFC 9110 §14.1.2 from a position / cc max-age=60 / 1 / asks Range: bytes=7- => 206 7-9
        RFC 9110 §14.1.2 from the start / cc max-age=60 / 1 / asks Range: bytes=0- => 206 0-9
        RFC 9110 §14.1.2 the last ones / cc max-age=60 / 1 / asks Range: bytes=-3 => 206 7-9
        RFC 9110 §14.1.2 more than there are / cc max-age=60 / 1 / asks Range: bytes=5-99 => 206 5-9
        RFC 9110 §14.1.2 the last ones, more than there are / cc max-age=60 / 1 / asks Range: \
        bytes=-99 => 206 0-9
        RFC 9110 §14.1.2 behind the end / cc max-age=60 / 1 / asks Range: bytes=10- => forward
        RFC 9110 §14.1.2 the last none / cc max-age=60 / 1 / asks Range: bytes=-0 => forward
        RFC 9110 §14.1.2 backwards / cc max-age=60 / 1 / asks Range: bytes=3-2 => forward
        RFC 9110 §14.1.2 two ranges / cc max-age=60 / 1 / asks Range: bytes=0-1,3-4 => forward
        RFC 9110 §14.1.1 another unit / cc max-age=60 / 1 / asks Range: rows=0-1 => forward
        RFC 9110 §14.1.1 units have no case / cc max-age=60 / 1 / asks Range: BYTES=0-1 => 206 0-1
        RFC 9110 §14.2 no number / cc max-age=60 / 1 / asks Range: bytes=a-b => forward
        RFC 9110 §14.2 beyond 2⁶⁴ / cc max-age=60 / 1 / asks Range: bytes=0-99999999999999999999 \
        => forward
        RFC 9110 §14.2 two lines / cc max-age=60 / 1 / asks Range: bytes=0-1 | Range: bytes=2-3 \
        => forward
        RFC 9110 §14.2 only for GET / cc max-age=60 / 1 / method HEAD / asks Range: bytes=0-1 => \
        head
        RFC 9110 §14.2 only of a 200 / cc max-age=60 / 1 / status 404 / asks Range: bytes=0-1 => \
        hit 404
        §4 a stale one is validated / cc max-age=60 | etag / 61 / asks Range: bytes=0-1 => validate
        RFC 9110 §13.1.5 If-Range with its tag / cc max-age=60 | etag / 1 / asks Range: bytes=0-1 \
        | If-Range: "a" => 206 0-1
        RFC 9110 §13.1.5 with another / cc max-age=60 | etag / 1 / asks Range: bytes=0-1 | \
        If-Range: "b" => hit
        RFC 9110 §13.1.5 with a weak one / cc max-age=60 | ETag: W/"a" / 1 / asks Range: \
        bytes=0-1 | If-Range: W/"a" => hit
        RFC 9110 §13.1.5 with its date / cc max-age=60 | lm @-9 / 1 / asks Range: bytes=0-1 | \
        If-Range: @-9 => 206 0-1
        RFC 9110 §13.1.5 with a later date / cc max-age=60 | lm @-9 / 1 / asks Range: bytes=0-1 | \
        If-Range: @-8 => hit
        RFC 9110 §8.8.2.2 with a date that is too young / cc max-age=60 | date @0 | lm @0 / 1 / \
        asks Range: bytes=0-1 | If-Range: @0 => hit
        RFC 9110 §13.1.5 with neither / cc max-age=60 | etag / 1 / asks Range: bytes=0-1 | \
        If-Range: a => hit
        RFC 9110 §13.1.5 stale, it is passed on / cc max-age=60 | etag / 61 / asks Range: \
        bytes=0-1 | If-Range: "a" => forward
        RFC 9110 §13.2.2 If-None-Match goes first / cc max-age=60 | etag / 1 / asks Range: \
        bytes=0-1 | If-None-Match: "a" => 304
        RFC 9110 §13.2.2 and lets the range be, if not / cc max-age=60 | etag / 1 / asks Range: \
        bytes=0-1 | If-None-Match: "b" => 206 0-1
        """)

    // MARK: Stored parts

    private let common = "Cache-Control: max-age=60|ETag: \"a\"|Content-Type: a/b|"

    private func range(_ spec: String) -> CacheRequest {
        CacheRequest(fields: "Range: bytes=" + spec)
    }

    /// Fetches parts of `0123456789` one after the other.
    private func rehearsal(_ parts: [String], extra: String = "") -> Rehearsal {
        let all = Array("0123456789".utf8)
        var rehearsal = Rehearsal()
        for part in parts {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            let body = String(decoding: all[ends[0]...ends[1]], as: UTF8.self)
            rehearsal.fetch(
                range(part), 206, common + extra + "Content-Range: bytes \(part)/10", body: body)
        }
        rehearsal.wait(1)
        return rehearsal
    }

    private func body(_ rehearsal: Rehearsal, _ request: CacheRequest) -> String? {
        guard case .answer(let answer, _) = rehearsal.begin(request).1 else { return nil }
        return String(answer.body)
    }

    /// Parts that came, what is asked, the answer's bytes (`-` where there is none).
    @Test(
        arguments: [
            (["2-5"], "2-5", "2345"), (["2-5"], "3-4", "34"), (["2-5"], "1-4", "-"),
            (["2-5"], "3-6", "-"), (["2-5"], "4-", "-"), (["6-9"], "7-", "789"),
            (["6-9"], "-3", "789"), (["6-9"], "-5", "-"), (["0-4", "5-9"], "3-6", "3456"),
            (["5-9", "0-4"], "3-6", "3456"), (["0-6", "4-9"], "0-9", "0123456789"),
            (["0-2", "6-9"], "0-2", "012"), (["0-2", "6-9"], "6-9", "6789"),
            (["0-2", "6-9"], "2-6", "-"), (["0-2", "6-9", "3-5"], "0-9", "0123456789"),
            (["2-3", "0-9"], "4-5", "45"), (["0-9", "2-3"], "4-5", "45"),
        ] as [([String], String, String)]) func `§3.4 parts answer for what they hold`(
            _ row: ([String], String, String)
        )
    {
        #expect(body(rehearsal(row.0), range(row.1)) ?? "-" == row.2)
    }

    @Test func `§3.3 a part never answers for the whole`() {
        #expect(rehearsal(["0-4"]).outcome(CacheRequest()) == "forward")
        #expect(rehearsal(["0-4"]).outcome(CacheRequest("HEAD")) == "forward")
        #expect(rehearsal(["0-2", "6-9"]).outcome(CacheRequest()) == "forward")
    }

    @Test func `§3.4 parts that make a whole are one`() throws {
        let rehearsal = rehearsal(["0-4", "5-9"])
        #expect(rehearsal.index.count == 1)
        guard case .answer(let answer, _) = rehearsal.begin(CacheRequest()).1 else {
            throw Missing()
        }
        #expect(answer.status == 200 && String(answer.body) == "0123456789")
        #expect(answer.fields["content-range"] == nil)
        #expect(answer.fields["content-length"] == "10")
        #expect(answer.fields["content-type"] == "a/b")
    }

    @Test func `§3.4 parts of different versions are never put together`() {
        for tag in ["\"b\"", "W/\"a\"", ""] {
            var rehearsal = rehearsal(["0-4"])
            rehearsal.fetch(
                range("5-9"), 206,
                "Cache-Control: max-age=60|ETag: \(tag)|Content-Range: bytes 5-9/10",
                body: "56789")
            #expect(body(rehearsal, CacheRequest()) == nil)
            #expect(body(rehearsal, range("3-6")) == nil)
        }
    }

    @Test(arguments: ["", "ETag: W/\"a\"|", "Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT|"])
    func `§3.3 a part that can't be put together with others answers for itself`(
        _ validator: String
    ) {
        var rehearsal = Rehearsal()
        for (part, bytes) in [("0-4", "01234"), ("5-9", "56789")] {
            rehearsal.fetch(
                range(part), 206,
                "Cache-Control: max-age=60|\(validator)Content-Range: bytes \(part)/10",
                body: bytes)
        }
        #expect(rehearsal.index.count == 2)
        #expect(body(rehearsal, range("1-2")) == "12" && body(rehearsal, range("-3")) == "789")
        #expect(body(rehearsal, range("3-6")) == nil && body(rehearsal, CacheRequest()) == nil)
        rehearsal.wait(61)
        #expect(rehearsal.outcome(range("1-2")) == (validator.isEmpty ? "forward" : "validate"))
    }

    @Test func `§3.3 a part of something of unknown length is not stored`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(range("0-4"), 206, common + "Content-Range: bytes 0-4/*", body: "01234")
        #expect(rehearsal.index.count == 0)
    }

    @Test func `§3.4 a part of another length is another version`() {
        var rehearsal = rehearsal(["0-4"])
        rehearsal.fetch(
            range("5-9"), 206, common + "Content-Range: bytes 5-9/11", body: "56789")
        #expect(body(rehearsal, range("3-6")) == nil)
    }

    @Test(arguments: ["5678", "567890", ""])
    func `a part whose body is not what its head says is not stored`(_ bytes: String) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(
            range("5-9"), 206, common + "Content-Range: bytes 5-9/10", body: bytes)
        #expect(rehearsal.index.count == 0)
    }

    @Test func `§3.4 a part brings a whole that is stored up to date`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), common)
        rehearsal.wait(61)
        #expect(rehearsal.outcome(CacheRequest()) == "validate")
        var (lookup, _) = rehearsal.begin(range("0-1"))
        _ = rehearsal.respond(
            &lookup, 206, common + "Content-Range: bytes 0-1/10", body: "01")
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
        #expect(body(rehearsal, CacheRequest()) == "0123456789")
    }

    @Test func `a part of a new version ends the old whole`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), common)
        rehearsal.wait(61)
        rehearsal.fetch(
            range("0-1"), 206,
            "Cache-Control: max-age=60|ETag: \"b\"|Content-Range: bytes 0-1/10", body: "ab")
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
        #expect(body(rehearsal, range("0-1")) == "ab")
    }

    @Test func `a 304 to a range gives the range`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), common)
        rehearsal.wait(61)
        var (lookup, _) = rehearsal.begin(range("2-3"))
        guard case .answer(let answer) = rehearsal.respond(&lookup, 304, "ETag: \"a\"") else {
            throw Missing()
        }
        #expect(answer.status == 206 && String(answer.body) == "23")
        #expect(answer.fields["content-range"] == "bytes 2-3/10")
        #expect(answer.fields["content-length"] == "2")
    }

    @Test func `a 200 to a range is the whole`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(range("2-3"), 200, common)
        #expect(body(rehearsal, CacheRequest()) == "0123456789")
        #expect(body(rehearsal, range("4-5")) == "45")
    }

    @Test func `§14.4 a 416 changes nothing`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), common)
        rehearsal.fetch(range("99-"), 416, "Content-Range: bytes */10")
        #expect(rehearsal.outcome(CacheRequest()) == "hit")
    }

    @Test func `the bytes of a part are those of what is stored`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), common, body: String(repeating: "x", count: 1_000))
        guard case .answer(let answer, _) = rehearsal.begin(range("100-199")).1 else {
            throw Missing()
        }
        let whole = answer.response.body.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let part = answer.body.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(part == whole + 100 && answer.body.count == 100)
    }

    struct Missing: Error {}
}
