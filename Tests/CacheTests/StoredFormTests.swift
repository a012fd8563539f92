// Stored responses as bytes: what is written is read again, and nothing that is read can trap.

import FetchBytes
import FetchCache
import FetchHTTP
import FetchTime
import Testing

struct StoredFormTests {
    /// Deterministic chance.
    private struct Chance: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    private let user = CachePartition(Digest(low: 1, high: 2))

    /// What a request makes the cache store.
    private func stored(
        _ fields: String, request: String = "", status: UInt16 = 200,
        partition: CachePartition = .open, rules: CacheRules = CacheRules(), delay: Double = 0
    ) throws -> (CachedResponse, CacheRequest) {
        var rehearsal = Rehearsal(rules)
        let request = CacheRequest(fields: request, partition: partition)
        rehearsal.fetch(request, status, fields, delay: delay)
        return (try #require(rehearsal.index.stored(under: request.key).first), request)
    }

    private static let rows = [
        "Cache-Control: max-age=60|Server: x|X:|X: a b",
        "Cache-Control: max-age=60|Vary: A, B|ETag: \"a\"|Age: 7",
        "Expires: @60|Date: @-3|Last-Modified: @-100",
        "Cache-Control: no-cache, stale-if-error=9|ETag: W/\"a\"",
        "Cache-Control: max-age=60, must-revalidate, stale-while-revalidate=3",
    ]

    @Test(arguments: rows) func `what is written is read again`(_ fields: String) throws {
        for partition in [CachePartition.open, user] {
            let (response, request) = try stored(
                fields, request: "A: 1", partition: partition, delay: 1.5)
            let bytes = StoredForm.bytes(of: response, CacheRules())
            let again = try CachedResponse(
                bytes, body: response.body, under: request.key, CacheRules(),
                now: Rehearsal.time(10))
            #expect(again.status == response.status && again.fields == response.fields)
            #expect(again.reasonBytes == response.reasonBytes && again.body == response.body)
            #expect(again.uriBytes == response.uriBytes)
            #expect(again.selectingBytes == response.selectingBytes)
            #expect(again.facts.date == response.facts.date)
            #expect(again.facts.control == response.facts.control)
            #expect(again.freshness == response.freshness)
            #expect(again.facts.times == response.facts.times)
            for seconds in [0, 10, 59, 61, 100_000] {
                let now = Rehearsal.time(Double(seconds))
                #expect(again.age(now) == response.age(now))
                #expect(again.isFresh(now) == response.isFresh(now))
            }
            #expect(StoredForm.bytes(of: again, CacheRules()) == bytes)
            #expect(try StoredForm.uri(of: bytes) == response.uriBytes)
        }
    }

    @Test func `a part is read again`() throws {
        var rehearsal = Rehearsal()
        let request = CacheRequest(fields: "Range: bytes=10-19")
        rehearsal.fetch(
            request, 206, "Cache-Control: max-age=60|ETag: \"a\"|Content-Range: bytes 10-19/99")
        let response = try #require(rehearsal.index.stored(under: request.key).first)
        let again = try CachedResponse(
            StoredForm.bytes(of: response, CacheRules()), body: response.body, under: request.key,
            CacheRules(), now: Rehearsal.time(0))
        #expect(again.facts.content == .part(10..<20, of: 99) && again.wholeLength == 99)
    }

    @Test func `its age goes on where no process was alive`() throws {
        let (response, request) = try stored("Cache-Control: max-age=60|Age: 5")
        let bytes = StoredForm.bytes(of: response, CacheRules())
        // The monotonic clock begins anew when the machine does.
        func again(_ seconds: Int64) throws -> CachedResponse {
            var now = Rehearsal.time(0)
            now.instant = Instant(nanoseconds: 7)
            now.wall.seconds += seconds
            let again = try CachedResponse(
                bytes, body: response.body, under: request.key, CacheRules(), now: now)
            #expect(again.isFresh(now) == (seconds >= 0 && seconds < 55))
            return again
        }
        for seconds in [Int64(0), 54, 55, 1 << 40] { _ = try again(seconds) }
        // A clock that was set back says nothing about its age.
        _ = try again(-1)
        _ = try again(-1 << 40)
    }

    @Test func `freshness is that of the rules of whoever reads`() throws {
        let (response, request) = try stored("Cache-Control: max-age=60")
        let bytes = StoredForm.bytes(of: response, CacheRules())
        let forced = try CachedResponse(
            bytes, body: response.body, under: request.key, .forced(5), now: Rehearsal.time(0))
        #expect(forced.isFresh(Rehearsal.time(4)) && !forced.isFresh(Rehearsal.time(6)))
        #expect(throws: StoredFormError.otherRules) {
            try CachedResponse(
                bytes, body: response.body, under: request.key, .shared, now: Rehearsal.time(0))
        }
    }

    @Test func `another URI and other credentials don't get it`() throws {
        let (response, request) = try stored("Cache-Control: max-age=60")
        let bytes = StoredForm.bytes(of: response, CacheRules())
        for key in [
            CacheKey(request.target, user),
            CacheKey(Rehearsal.target("http://example.com/b"), .open),
        ] {
            #expect(throws: StoredFormError.otherKey) {
                try CachedResponse(
                    bytes, body: response.body, under: key, CacheRules(), now: Rehearsal.time(0))
            }
        }
        #expect(throws: StoredFormError.malformed) {
            try CachedResponse(
                bytes, body: Bytes("too short"), under: request.key, CacheRules(),
                now: Rehearsal.time(0))
        }
    }

    @Test func `an expiry is told where nothing can be validated`() throws {
        let start = Rehearsal.start
        #expect(try stored("Cache-Control: max-age=60").0.expiry == start + 60)
        #expect(try stored("Cache-Control: max-age=60|Age: 5").0.expiry == start + 55)
        let windows = "Cache-Control: max-age=60, stale-while-revalidate=5, stale-if-error=9"
        #expect(try stored(windows).0.expiry == start + 69)
        #expect(try stored("Cache-Control: max-age=60|ETag: \"a\"").0.expiry == nil)
    }

    // MARK: Bytes that nobody wrote

    /// Reads bytes, and uses whatever comes of it.
    private func use(_ bytes: [UInt8], _ body: Bytes, _ request: CacheRequest) -> Bool {
        guard
            let response = try? CachedResponse(
                Bytes(bytes), body: body, under: request.key, CacheRules(),
                now: Rehearsal.time(5))
        else { return false }
        var index = MemoryIndex()
        index.store(response)
        var lookup = CacheLookup(request, CacheRules())
        _ = lookup.begin()
        let now = Rehearsal.time(100)
        if case .answer(let answer, _) = lookup.storeAnswered([response], now: now) {
            _ = answer.fields.count
            _ = answer.body.count
        }
        _ = lookup.responded(
            304, Rehearsal.section("ETag: \"a\""), sent: now, now: now)
        _ = response.expiry
        _ = response.description
        _ = response.reasonBytes
        return true
    }

    @Test func `no cut makes it trap, or be read`() throws {
        let (response, request) = try stored(Self.rows[1], request: "A: 1|B: 2")
        let bytes = Array(StoredForm.bytes(of: response, CacheRules()))
        for count in bytes.indices {
            #expect(!use(Array(bytes[..<count]), response.body, request))
        }
        #expect(!use(bytes + [0], response.body, request))
    }

    @Test func `no change of a byte makes it trap`() throws {
        for fields in Self.rows {
            let (response, request) = try stored(fields, request: "A: 1|B: 2")
            let bytes = Array(StoredForm.bytes(of: response, CacheRules()))
            for index in bytes.indices {
                for other in [0, 1, 0x0a, 0x0d, 0x20, 0x3a, 0x7f, 0x80, 0xff] as [UInt8] {
                    var changed = bytes
                    changed[index] = other
                    _ = use(changed, response.body, request)
                    changed[index] = bytes[index] ^ other
                    _ = use(changed, response.body, request)
                }
            }
        }
    }

    @Test func `no numbers make it trap`() throws {
        var chance = Chance(state: 20_261_121)
        let (response, request) = try stored(Self.rows[1], request: "A: 1|B: 2")
        let bytes = Array(StoredForm.bytes(of: response, CacheRules()))
        let extremes: [UInt64] = [0, 1, 2, 0x7fff_ffff, 0x8000_0000, 1 << 62, 1 << 63, .max]
        for _ in 0..<20_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                let place = Int.random(in: 4..<12, using: &chance) * 8
                let number =
                    extremes[Int.random(in: 0..<extremes.count, using: &chance)]
                    &+ UInt64.random(in: 0...2, using: &chance)
                for index in 0..<8 {
                    changed[place + index] = UInt8(truncatingIfNeeded: number >> (8 * index))
                }
            }
            _ = use(changed, response.body, request)
        }
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...300, using: &chance)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
            #expect(!use(noise, Bytes(), request))
            #expect(!use(Array(bytes.prefix(4)) + noise, Bytes(), request))
        }
    }
}
