// Whatever peers and callers say, nothing traps, nothing is stored that may not be, and the account
// stays right.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

struct AnythingTests {
    /// Deterministic chance.
    private struct Chance {
        var state: UInt64

        mutating func pick(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % below
        }

        mutating func pick(_ choices: [String]) -> String { choices[pick(choices.count)] }

        /// Up to so many of them, some twice.
        mutating func some(_ choices: [String], most: Int, between: String) -> String {
            (0..<pick(most + 1)).map { _ in pick(choices) }.joined(separator: between)
        }
    }

    private static let responses = [
        "Cache-Control: max-age=5", "Cache-Control: max-age=99999999999", "Cache-Control: no-store",
        "Cache-Control: no-cache", "Cache-Control: private=\"a, set-cookie", "Expires: 0",
        "Cache-Control: stale-while-revalidate=9, stale-if-error=99999999999999999999",
        "Expires: Fri, 31 Dec 9999 23:59:59 GMT", "Date: Sat, 01 Jan 0000 00:00:00 GMT",
        "Date: Fri, 31 Dec 9999 23:59:59 GMT", "Age: 99999999999999999999", "Age: 3", "Age: -1",
        "ETag: \"a\"", "ETag: W/\"a\"", "ETag: \"b\"", "ETag: a", "Last-Modified: @-9",
        "Last-Modified: Fri, 31 Dec 9999 23:59:59 GMT", "Vary: A", "Vary: *", "Vary: B, A",
        "Content-Range: bytes 0-9/10", "Content-Range: bytes 2-11/99", "Content-Range: bytes */9",
        "Content-Length: 10", "Content-Length: 99999999999999999999", "Connection: a, etag, \"",
        "Set-Cookie: a=b", "Location: /b", "Location: http://[", "Content-Location: ../..", "A: 1",
    ]
    private static let requests = [
        "A: 1", "A: 2", "B: 1", "Range: bytes=0-9", "Range: bytes=2-",
        "Range: bytes=-99999999999999",
        "If-None-Match: \"a\"", "If-None-Match: *", "If-Modified-Since: @-9", "If-Range: \"a\"",
        "If-Match: *", "Cache-Control: no-cache", "Cache-Control: max-stale", "Pragma: no-cache",
        "Cache-Control: max-age=99999999999999999999, min-fresh=1", "Cache-Control: only-if-cached",
        "Cache-Control: no-store", "Cookie: a", "Authorization: a",
    ]
    private static let statuses: [UInt16] = [
        200, 200, 200, 206, 206, 304, 304, 301, 404, 416, 500, 503, 204, 299, 999, 103,
    ]
    private static let modes: [CacheMode] = [
        .standard, .standard, .standard, .noStore, .reload, .noCache, .forceCache, .onlyIfCached,
    ]

    @Test(arguments: [CacheRules(), .shared, .heuristic, .forced(.max), .forced(.min)])
    func `no exchange traps or stores what may not be stored`(_ rules: CacheRules) {
        var chance = Chance(state: 20_261_121)
        var rehearsal = Rehearsal(rules)
        for step in 0..<4_000 {
            let request = CacheRequest(
                chance.pick(["GET", "GET", "GET", "HEAD", "POST"]),
                "http://example.com/" + chance.pick(["a", "b"]),
                fields: chance.some(Self.requests, most: 3, between: "|"),
                mode: Self.modes[chance.pick(Self.modes.count)])
            var (lookup, action) = rehearsal.begin(request)
            var rounds = 0
            while case .forward = action, rounds < 3 {
                rounds += 1
                let status = Self.statuses[chance.pick(Self.statuses.count)]
                let fields = chance.some(Self.responses, most: 6, between: "|")
                let verdict = rehearsal.respond(&lookup, status, fields)
                // At most one repetition, and never an answer out of nothing.
                guard case .forward(let again) = verdict else { break }
                #expect(rounds == 1)
                action = .forward(again)
            }
            rehearsal.wait(Double(chance.pick(7)))
            guard step % 100 == 0 else { continue }
            #expect(rehearsal.index.recount() == (rehearsal.index.count, rehearsal.index.bytes))
            rehearsal.index.forEach { stored in
                let control = ResponseCacheControl(stored.fields)
                #expect(!control.has(.noStore) || control.has(.mustUnderstand))
                #expect(!rules.isShared || !control.has(.isPrivate))
                #expect(VaryField(stored.fields) != .everything)
                #expect(stored.status == 206 || stored.isWhole)
                #expect(stored.fields["connection"] == nil && stored.fields["age"] == nil)
                #expect(stored.fields["date"] != nil)
            }
        }
    }

    @Test func `long lists of names cost no more than their bound`() {
        let names = (0..<8_000).map { "x\($0)" }.joined(separator: ",")
        var rehearsal = Rehearsal()
        rehearsal.fetch(
            CacheRequest(), "Cache-Control: max-age=9|Connection: \(names)|X1: a|X70: b")
        let stored = rehearsal.index.stored(under: CacheRequest().key).first
        #expect(stored?.fields["x1"] == nil && stored?.fields["x70"] == "b")
        rehearsal = Rehearsal()
        rehearsal.fetch(
            CacheRequest(), "Cache-Control: max-age=9, no-cache=\"\(names)\"|ETag: \"a\"")
        #expect(rehearsal.outcome(CacheRequest()) == "validate")
    }
}
