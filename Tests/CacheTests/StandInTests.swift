// A stale response in the place of an error: RFC 5861 section 4, RFC 9111 sections 4.2.4 and 4.3.3.

import FetchCache
import Testing

struct StandInTests {
    /// The table's expectation is what comes of a 503 to the second request; of no answer at all,
    /// the same, but that nothing can be passed on.
    @Test(arguments: rows) func `stale-if-error lets a stale response stand in`(_ row: ReuseRow) {
        for hasAnswer in [true, false] {
            var rehearsal = Rehearsal(row.rules)
            rehearsal.fetch(CacheRequest(fields: row.first), row.status, row.response)
            rehearsal.wait(row.after)
            let request = CacheRequest(row.method, fields: row.request, mode: row.mode)
            var (lookup, _) = rehearsal.begin(request)
            let verdict =
                hasAnswer
                ? rehearsal.respond(&lookup, 503, "") : lookup.failed(now: rehearsal.now)
            let expected = row.expected == "pass" && !hasAnswer ? "fail" : row.expected
            #expect(Rehearsal.word(verdict) == expected, "\(row.name)")
            #expect(rehearsal.index.count == (row.response.contains("no-store") ? 0 : 1))
        }
    }

    private static let rows = ReuseRow.table(
        """
        §4 within its time / cc max-age=9, stale-if-error=60 | etag / 68 => hit
        §4 at its end / cc max-age=9, stale-if-error=60 | etag / 69 => hit
        §4 beyond it / cc max-age=9, stale-if-error=60 | etag / 70 => pass
        §4 not said / cc max-age=9 | etag / 10 => pass
        §4 no number / cc max-age=9, stale-if-error=x | etag / 10 => pass
        §4 zero / cc max-age=9, stale-if-error=0 | etag / 10 => pass
        §4 the request says it / cc max-age=9 | etag / 10 / asks cc stale-if-error=60 => hit
        §4 the request's time is over / cc max-age=9 | etag / 70 / asks cc stale-if-error=60 => pass
        §4 the greater of both / cc max-age=9, stale-if-error=60 | etag / 60 / asks cc \
        stale-if-error=1 => hit
        §4 without a validator / cc max-age=9, stale-if-error=60 / 68 => hit
        §4.2.4 must-revalidate forbids it / cc max-age=9, stale-if-error=60, must-revalidate | \
        etag / 10 => pass
        §4.2.4 no-cache forbids it / cc max-age=9, stale-if-error=60, no-cache | etag / 10 => pass
        §4.2.4 proxy-revalidate here / cc max-age=9, stale-if-error=60, proxy-revalidate | etag / \
        10 => hit
        §4.2.4 proxy-revalidate in a shared cache / cc max-age=9, stale-if-error=60, \
        proxy-revalidate | etag / 10 / shared => pass
        §4 a caller who insists gets the error: no-cache / cc max-age=9, stale-if-error=60 | etag \
        / 1 / asks cc no-cache => pass
        §4 a caller who insists: max-age / cc max-age=9, stale-if-error=60 | etag / 10 / asks cc \
        max-age=5 => pass
        §4 a caller who insists: min-fresh / cc max-age=9, stale-if-error=60 | etag / 10 / asks \
        cc min-fresh=5 => pass
        §4 a caller who insists: mode / cc max-age=9, stale-if-error=60 | etag / 1 / mode noCache \
        => pass
        §4 a caller who insists, and doesn't / cc max-age=9 | etag / 1 / asks cc no-cache, \
        stale-if-error=9 => hit
        §4 the caller's own condition / cc max-age=9, stale-if-error=60 | etag / 10 / asks \
        If-None-Match: "b" => pass
        §4 HEAD / cc max-age=9, stale-if-error=60 | etag / 10 / method HEAD => head
        §4 POST / cc max-age=9, stale-if-error=60 | etag / 10 / method POST => pass
        §4 a part / cc max-age=9, stale-if-error=60 | etag / 10 / asks Range: bytes=2-3 => 206 2-3
        §4 nothing stored / cc no-store / 10 => pass
        by configuration / cc max-age=9 | etag / 60 / standing 60 => hit
        by configuration, what the response says counts / cc max-age=9, stale-if-error=1 | etag / \
        60 / standing 60 => pass
        by configuration, over / cc max-age=9 | etag / 70 / standing 60 => pass
        """)

    @Test(
        arguments: [
            (500, "hit"), (502, "hit"), (503, "hit"), (504, "hit"), (501, "pass"),
            (505, "pass"), (404, "pass"), (429, "pass"),
        ] as [(UInt16, String)])
    func `§4 these statuses are errors`(_ row: (UInt16, String)) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=9, stale-if-error=60|ETag: \"a\"")
        rehearsal.wait(10)
        var (lookup, _) = rehearsal.begin(CacheRequest())
        #expect(
            Rehearsal.word(rehearsal.respond(&lookup, row.0, "Cache-Control: no-store")) == row.1)
    }
}
