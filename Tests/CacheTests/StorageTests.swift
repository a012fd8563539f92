// What may be stored: RFC 9111 sections 3, 3.5, 5.2.2, 7.3, and the rules of this cache.

import FetchBytes
import FetchCache
import FetchHTTP
import FetchTime
import Testing

struct StorageTests {
    @Test(arguments: rows) func `a response is stored or refused for a reason`(_ row: StorageRow) {
        #expect(row.outcome == row.reuse.expected, "\(row.reuse.name)")
    }

    /// A row of `ReuseRow`, whose expectation is `stored`, `memory` or a refusal.
    struct StorageRow: Sendable, CustomTestStringConvertible {
        let reuse: ReuseRow
        var testDescription: String { reuse.name }

        var outcome: String {
            let now = Rehearsal.time(0)
            let request = CacheRequest(
                reuse.method, fields: reuse.request, mode: reuse.mode)
            let facts = ResponseFacts(
                reuse.status, Rehearsal.section(reuse.response), received: now.wall.seconds)
            let freshness = Freshness(
                facts, ResponseTimes(request: now, response: now), reuse.rules)
            let decision = StorageDecision(
                request, facts, freshness, bodyBytes: Int(reuse.after), reuse.rules)
            switch decision {
            case .store(let onlyInMemory): return onlyInMemory ? "memory" : "stored"
            case .refuse(let refusal): return refusal.rawValue
            }
        }
    }

    /// The third column is the body's length.
    private static let rows = ReuseRow.table(
        """
        §3 200 with max-age / cc max-age=9 / 1 => stored
        §3 200 with Expires / exp @9 / 1 => stored
        §3 200 with a tag alone / etag / 1 => stored
        §3 200 with a date alone / lm @-9 / 1 => stored
        §3 200 with nothing is of no use / X: y / 1 => useless
        §3 public alone is of no use / cc public / 1 => useless
        §3 no-cache without validator is of no use / cc no-cache, max-age=9 / 1 => useless
        §3 no-cache with one / cc no-cache | etag / 1 => stored
        §3 max-age=0 without validator is of no use / cc max-age=0 / 1 => useless
        §3 max-age=0 with stale-if-error / cc max-age=0, stale-if-error=9 / 1 => stored
        §3 max-age=0 with stale-while-revalidate / cc max-age=0, stale-while-revalidate=9 / 1 => \
        stored
        §3 nothing, standing in for errors by configuration / X: y / 1 / standing 60 => stored
        §5.2.2.5 no-store / cc no-store, max-age=9 / 1 => no-store
        §5.2.2.5 no-store in another line / cc max-age=9 | cc no-store / 1 => no-store
        §5.2.2.5 No-StOrE / cc No-StOrE, max-age=9 / 1 => no-store
        §5.2.2.3 must-understand overrules it / cc no-store, must-understand, max-age=9 / 1 => \
        stored
        §5.2.2.3 where the status is understood / cc must-understand, max-age=9 / 1 / status 299 \
        => status
        §5.2.2.3 must-understand alone / cc must-understand, max-age=9 / 1 / status 404 => stored
        §5.2.1.5 the request says no-store / cc max-age=9 / 1 / asks cc no-store => request-no-store
        §5.2.2.7 private here / cc private, max-age=9 / 1 => stored
        §5.2.2.7 private in a shared cache / cc private, max-age=9 / 1 / shared => private
        §5.2.2.7 private and public in a shared cache / cc private, public, max-age=9 / 1 / \
        shared => private
        §5.2.2.7 private fields in a shared cache / cc private="x-a", max-age=9 / 1 / shared => \
        stored
        §5.2.2.7 private fields that are no list / cc private="x a", max-age=9 / 1 / shared => \
        private
        §5.2.2.7 private allows another status here / cc private | etag / 1 / status 203 => stored
        §5.2.2.9 public allows another status / cc public, max-age=9 / 1 / status 302 => stored
        §3 302 with max-age / cc max-age=9 / 1 / status 302 => stored
        §3 302 with Expires / exp @9 / 1 / status 302 => stored
        §3 302 with s-maxage here / cc s-maxage=9 / 1 / status 302 => not-cacheable
        §3 302 with s-maxage in a shared cache / cc s-maxage=9 / 1 / status 302 / shared => stored
        §3 302 with nothing / lm @-9 / 1 / status 302 => not-cacheable
        §3 302 with private here / cc private, stale-if-error=9 / 1 / status 302 => stored
        §3 302 with private in a shared cache / cc private, stale-if-error=9 / 1 / status 302 / \
        shared => private
        RFC 9110 §15.1 203 / etag / 1 / status 203 => stored
        RFC 9110 §15.1 204 / lm @-99 / 0 / status 204 / heuristic => stored
        RFC 9110 §15.1 300 / lm @-99 / 1 / status 300 / heuristic => stored
        RFC 9110 §15.1 301 / lm @-99 / 1 / status 301 / heuristic => stored
        RFC 9110 §15.1 308 / lm @-99 / 1 / status 308 / heuristic => stored
        RFC 9110 §15.1 404 / lm @-99 / 1 / status 404 / heuristic => stored
        RFC 9110 §15.1 405 / lm @-99 / 1 / status 405 / heuristic => stored
        RFC 9110 §15.1 410 / lm @-99 / 1 / status 410 / heuristic => stored
        RFC 9110 §15.1 414 / lm @-99 / 1 / status 414 / heuristic => stored
        RFC 9110 §15.1 501 / lm @-99 / 1 / status 501 / heuristic => stored
        RFC 9110 §15.1 201 is not / lm @-99 / 1 / status 201 / heuristic => not-cacheable
        RFC 9110 §15.1 202 is not / lm @-99 / 1 / status 202 / heuristic => not-cacheable
        RFC 9110 §15.1 303 is not / lm @-99 / 1 / status 303 / heuristic => not-cacheable
        RFC 9110 §15.1 307 is not / lm @-99 / 1 / status 307 / heuristic => not-cacheable
        RFC 9110 §15.1 400 is not / lm @-99 / 1 / status 400 / heuristic => not-cacheable
        RFC 9110 §15.1 403 is not / lm @-99 / 1 / status 403 / heuristic => not-cacheable
        RFC 9110 §15.1 500 is not / lm @-99 / 1 / status 500 / heuristic => not-cacheable
        RFC 9110 §15.1 503 is not / lm @-99 / 1 / status 503 / heuristic => not-cacheable
        §3 any of them with max-age: 201 / cc max-age=9 / 1 / status 201 => stored
        §3 any of them with max-age: 403 / cc max-age=9 / 1 / status 403 => stored
        §3 any of them with max-age: 503 / cc max-age=9 / 1 / status 503 => stored
        §3 any of them with max-age: 299 / cc max-age=9 / 1 / status 299 => stored
        §3 any of them with max-age: 499 / cc max-age=9 / 1 / status 499 => stored
        §3 any of them with max-age: 599 / cc max-age=9 / 1 / status 599 => stored
        §3 interim responses are not final / cc max-age=9 / 1 / status 103 => status
        §3 304 is for what is stored / cc max-age=9 / 1 / status 304 => status
        §3 HEAD / cc max-age=9 / 1 / method HEAD => method
        §3 POST / cc max-age=9 / 1 / method POST => method
        §3 PUT / cc max-age=9 / 1 / method PUT => method
        §3 an unknown method / cc max-age=9 / 1 / method FOO => method
        §4.1 Vary: * / cc max-age=9 | Vary: * / 1 => vary
        §4.1 Vary: * among others / cc max-age=9 | Vary: a, *, b / 1 => vary
        §4.1 Vary: * in another line / cc max-age=9 | Vary: a | Vary: * / 1 => vary
        §4.1 what is no name is a star / cc max-age=9 | Vary: a b / 1 => vary
        §4.1 Vary / cc max-age=9 | Vary: a / 1 => stored
        §3.5 Authorization here, in memory / cc max-age=9 / 1 / asks Authorization: x => memory
        §3.5 Authorization in a shared cache / cc max-age=9 / 1 / asks Authorization: x / shared \
        => authorization
        §3.5 with public / cc max-age=9, public / 1 / asks Authorization: x / shared => memory
        §3.5 with s-maxage / cc s-maxage=9 / 1 / asks Authorization: x / shared => memory
        §3.5 with must-revalidate / cc max-age=9, must-revalidate / 1 / asks Authorization: x / \
        shared => memory
        §3.5 with proxy-revalidate / cc max-age=9, proxy-revalidate / 1 / asks Authorization: x / \
        shared => authorization
        §7.3 Cookie here, in memory / cc max-age=9 / 1 / asks Cookie: x => memory
        §7.3 Cookie in a shared cache / cc max-age=9 / 1 / asks Cookie: x / shared => memory
        §7.3 Set-Cookie here, in memory / cc max-age=9 | Set-Cookie: a=b / 1 => memory
        §7.3 Set-Cookie in a shared cache / cc max-age=9 | Set-Cookie: a=b / 1 / shared => \
        set-cookie
        §7.3 Set-Cookie with public / cc max-age=9, public | Set-Cookie: a=b / 1 / shared => memory
        §7.3 kept out by the owner: Authorization / cc max-age=9 / 1 / asks Authorization: x / \
        skipping => sensitive
        §7.3 kept out by the owner: Set-Cookie / cc max-age=9 | Set-Cookie: a=b / 1 / skipping => \
        sensitive
        §7.3 kept out by the owner: nothing else / cc max-age=9 / 1 / skipping => stored
        a body as large as may be / cc max-age=9 / 5242880 => stored
        a body that is larger / cc max-age=9 / 5242881 => too-large
        forced: nothing said / X: y / 1 / forced 60 => stored
        forced: no-store / cc no-store / 1 / forced 60 => no-store
        forced: no-cache / cc no-cache / 1 / forced 60 => stored
        forced: only what is cacheable / X: y / 1 / status 403 / forced 60 => not-cacheable
        forced: private in a shared cache / cc private / 1 / shared / forced 60 => private
        §3.3 206 that can be told apart / cc max-age=9 | etag | Content-Range: bytes 0-0/9 / 1 / \
        status 206 / asks Range: bytes=0-0 => stored
        §3.3 206 without a tag / cc max-age=9 | Content-Range: bytes 0-0/9 / 1 / status 206 / \
        asks Range: bytes=0-0 => stored
        §3.3 206 with a weak tag / cc max-age=9 | ETag: W/"a" | Content-Range: bytes 0-0/9 / 1 / \
        status 206 / asks Range: bytes=0-0 => stored
        §3.3 206 of unknown length / cc max-age=9 | etag | Content-Range: bytes 0-0/* / 1 / \
        status 206 / asks Range: bytes=0-0 => partial
        §3.3 206 of another unit / cc max-age=9 | etag | Content-Range: rows 0-0/9 / 1 / status \
        206 / asks Range: bytes=0-0 => partial
        §3.3 206 of several ranges / cc max-age=9 | etag | Content-Type: multipart/byteranges / 1 \
        / status 206 / asks Range: bytes=0-0,2-3 => partial
        §3.3 206 to nothing asked / cc max-age=9 | etag | Content-Range: bytes 0-0/9 / 1 / status \
        206 => partial
        §3.3 206 with two Content-Range / cc max-age=9 | etag | Content-Range: bytes 0-0/9 | \
        Content-Range: bytes 1-1/9 / 1 / status 206 / asks Range: bytes=0-0 => partial
        """
    ).map { StorageRow(reuse: $0) }
}
