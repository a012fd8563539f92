// The memory index: bounds, order, account, and a million random operations beside a model.

import CFetchLinux
import FetchBytes
import FetchCache
import FetchHTTP
import FetchTime
import Testing

struct MemoryIndexTests {
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

    private func response(
        _ path: String, fields: String = "", request: String = "", body: Int = 10,
        partition: CachePartition = .open, at seconds: Double = 0
    ) -> CachedResponse {
        let now = Rehearsal.time(seconds)
        let times = ResponseTimes(request: now, response: now)
        let facts = ResponseFacts(
            200, Rehearsal.section("Cache-Control: max-age=60|" + fields),
            received: now.wall.seconds)
        return CachedResponse(
            CacheRequest(
                "GET", "http://example.com" + path, fields: request, partition: partition),
            facts, body: Bytes([UInt8](repeating: 1, count: body)), times, CacheRules())
    }

    private func key(_ path: String, _ partition: CachePartition = .open) -> CacheKey {
        CacheKey(Rehearsal.target("http://example.com" + path), partition)
    }

    private func paths(_ index: MemoryIndex) -> String {
        var paths: [String] = []
        index.forEach { paths.append(String(String($0.uriBytes).dropFirst(18))) }
        return paths.joined(separator: " ")
    }

    private func limits(bytes: Int = 100 << 20, entries: Int = 1_024, variants: Int = 16)
        -> MemoryIndex.Limits
    {
        var limits = MemoryIndex.Limits()
        limits.bytes = bytes
        limits.entries = entries
        limits.variants = variants
        return limits
    }

    @Test func `2000 are stored, 1024 remain, the least recently used are gone`() {
        var index = MemoryIndex()
        for number in 0..<2_000 {
            index.store(response("/\(number)"))
            // The first one is used again and again.
            if let first = index.stored(under: key("/0")).first { index.used(first) }
        }
        #expect(index.count == 1_024 && index.evictions == 976)
        #expect(index.stored(under: key("/0")).count == 1)
        #expect(index.stored(under: key("/976")).isEmpty)
        #expect(index.stored(under: key("/977")).count == 1)
        #expect(index.recount() == (index.count, index.bytes))
    }

    @Test func `bytes stay within their bound`() {
        var index = MemoryIndex(limits(bytes: 1 << 20))
        for number in 0..<100 {
            index.store(response("/\(number)", body: 100_000))
            #expect(index.bytes <= 1 << 20)
        }
        #expect(index.count == 10)
        let isTooLargeStored = index.store(response("/large", body: 2 << 20))
        #expect(!isTooLargeStored && index.count == 10)
        let isLargeStored = index.store(response("/as-large", body: (1 << 20) - 8_192))
        #expect(isLargeStored && index.count == 1)
    }

    @Test func `variants of one key stay within their bound`() {
        var index = MemoryIndex(limits(variants: 4))
        for number in 0..<10 {
            index.store(response("/", fields: "Vary: A", request: "A: \(number)"))
        }
        let left = index.stored(under: key("/")).map { String($0.selectingBytes).suffix(1) }
        #expect(left == ["9", "8", "7", "6"])
        #expect(index.recount() == (index.count, index.bytes))
    }

    @Test func `a bound of nothing stores nothing`() {
        for limits in [limits(bytes: 0), limits(entries: 0), limits(variants: 0)] {
            var index = MemoryIndex(limits)
            let isStored = index.store(response("/"))
            #expect(!isStored)
            #expect(index.count == 0 && index.bytes == 0)
        }
    }

    @Test func `lower bounds take effect at once`() {
        var index = MemoryIndex()
        for number in 0..<100 { index.store(response("/\(number)")) }
        index.limit(limits(entries: 3))
        #expect(paths(index) == "/99 /98 /97")
        index.limit(limits(bytes: 0))
        #expect(index.count == 0 && index.bytes == 0)
    }

    @Test func `a newer response takes the older one's place`() {
        var index = MemoryIndex()
        index.store(response("/a"))
        let newer = response("/a", at: 1)
        index.store(newer)
        #expect(index.stored(under: key("/a")) == [newer])
        #expect(index.recount() == (1, index.bytes))
    }

    @Test func `what is replaced after it has gone stays gone`() {
        var index = MemoryIndex()
        let old = response("/a")
        index.store(old)
        index.remove(old)
        index.apply(.replace(old, with: response("/a")), now: Rehearsal.time(0))
        #expect(index.count == 0)
    }

    @Test func `purges take what they name`() {
        var index = MemoryIndex()
        let user = CachePartition(Digest(low: 1, high: 2))
        for path in ["/a", "/a/b", "/b"] {
            index.store(response(path))
            index.store(response(path, partition: user))
        }
        index.removeAll(of: Rehearsal.target("http://example.com/a"))
        #expect(paths(index) == "/b /b /a/b /a/b")
        index.removeAll(prefix: "http://example.com/a")
        #expect(paths(index) == "/b /b")
        index.removeAll()
        #expect(index.count == 0 && index.bytes == 0)
        index.store(response("/a"))
        #expect(paths(index) == "/a")
    }

    @Test func `the short way finds what the long way finds`() {
        var rehearsal = Rehearsal()
        let responses = [
            "Cache-Control: max-age=60", "Cache-Control: max-age=60, no-cache|ETag: \"a\"",
            "Cache-Control: max-age=5|ETag: \"a\"", "Cache-Control: max-age=60|Vary: A",
            "Cache-Control: max-age=60|Vary: A, B", "Cache-Control: max-age=60, must-revalidate",
            "Cache-Control: max-age=5, stale-while-revalidate=60",
        ]
        for (number, fields) in responses.enumerated() {
            for request in ["", "A: 1", "A: 2|B: 1"] {
                let url = "http://example.com/\(number)"
                rehearsal.fetch(CacheRequest("GET", url, fields: request), fields)
            }
        }
        rehearsal.wait(6)
        var hits = 0
        for number in responses.indices {
            for fields in ["", "A: 1", "A: 2", "A: 2|B: 1", "B: 2", "C: 1"] {
                let request = CacheRequest(
                    "GET", "http://example.com/\(number)", fields: fields)
                let glance = rehearsal.index.glance(
                    request.target, .open, request.headers, defaults: request.defaults,
                    kinds: request.kinds, now: rehearsal.now)
                guard case .hit(let found) = glance else { continue }
                hits += 1
                guard case .answer(let answer, false) = rehearsal.begin(request).1 else {
                    Issue.record("only the short way finds \(number) for \(fields)")
                    continue
                }
                #expect(answer.response === found && answer.form == .whole)
            }
        }
        let other = Rehearsal.target("http://example.com/7")
        let none = Headers()
        for (kinds, expected) in [
            (CachingFields(), MemoryIndex.Glance.nothing), (.range, .undecided),
            (.cookie, .nothing), (.ifNoneMatch, .undecided), (.directives, .undecided),
        ] {
            let glance = rehearsal.index.glance(
                other, .open, none, defaults: none, kinds: kinds, now: rehearsal.now)
            #expect(glance == expected)
        }
        // All six of 0, 3 and 5; of 4 all but `A: 2` and `B: 2` alone.
        #expect(hits == 22)
        #expect(rehearsal.index.recount() == (rehearsal.index.count, rehearsal.index.bytes))
    }

    @Test(arguments: [
        ("Date: @0|Server: x|Content-Length: 1", false), ("Vary: A|Set-Cookie: a=b|Age: 1", false),
        ("cache-CONTROL: x", true), ("expires: 0", true), ("ETAG: \"a\"", true),
        ("Last-modified: @-9", true),
    ]) func `what says nothing to a cache is known at a glance`(_ row: (String, Bool)) {
        let fields = Rehearsal.section(row.0)
        #expect(CacheLookup.mayBeStored(fields, CacheRules()) == row.1)
        #expect(CacheLookup.mayBeStored(fields, .heuristic))
        #expect(CacheLookup.mayBeStored(fields, .forced(1)))
        var lookup = CacheLookup(missed: CacheRequest(), CacheRules())
        let now = Rehearsal.time(0)
        let (verdict, changes) = lookup.responded(200, fields, sent: now, now: now)
        #expect(changes.isEmpty)
        if !row.1 { #expect(verdict == .pass(collect: nil)) }
    }

    // MARK: At random

    /// The simplest index there is: a list, last used first.
    private struct Model {
        var list: [CachedResponse] = []
        var limits: MemoryIndex.Limits
        var bytes: Int { list.reduce(0) { $0 + $1.allocatedBytes } }

        mutating func store(_ response: CachedResponse) {
            guard response.allocatedBytes <= limits.bytes else { return }
            list.removeAll {
                $0.uriBytes == response.uriBytes
                    && $0.facts.partition == response.facts.partition
                    && $0.selectingBytes == response.selectingBytes
            }
            while list.count >= limits.entries || bytes + response.allocatedBytes > limits.bytes {
                list.removeLast()
            }
            list.insert(response, at: 0)
        }

        mutating func use(_ response: CachedResponse) {
            guard let place = list.firstIndex(of: response) else { return }
            list.insert(list.remove(at: place), at: 0)
        }
    }

    private func pool(_ chance: inout Chance) -> [CachedResponse] {
        (0..<400).map { number in
            let user = CachePartition(Digest(low: UInt64(number % 3), high: 0))
            return response(
                "/\(number % 60)", fields: number % 4 == 0 ? "Vary: A" : "",
                request: "A: \(number % 5)", body: Int.random(in: 0...3_000, using: &chance),
                partition: user)
        }
    }

    @Test func `a million random operations leave the account right`() {
        var chance = Chance(state: 20_261_121)
        let pool = pool(&chance)
        let bounds = limits(bytes: 80_000, entries: 50)
        var index = MemoryIndex(bounds)
        var model = Model(limits: bounds)
        for step in 1...1_000_000 {
            let response = pool[Int(chance.next() % 400)]
            switch chance.next() % 100 {
            case 0..<30:
                index.store(response)
                // The model is too slow for every step: it takes part in the first ones.
                if step <= 20_000 { model.store(response) }
            case 30..<32:
                index.remove(response)
                if step <= 20_000 { model.list.removeAll { $0 === response } }
            default:
                index.used(response)
                if step <= 20_000 { model.use(response) }
            }
            guard step % 1_000 == 0 else { continue }
            let recount = index.recount()
            guard recount == (index.count, index.bytes), index.bytes <= bounds.bytes,
                index.count <= bounds.entries
            else {
                Issue.record("the account is wrong at step \(step): \(recount)")
                return
            }
            if step <= 20_000 {
                var order: [CachedResponse] = []
                index.forEach { order.append($0) }
                #expect(order == model.list)
            }
        }
        #expect(index.evictions > 1_000)
    }

    @Test func `the account is within a tenth of what the allocator says`() async {
        // In a process of its own, where nobody else allocates.
        await #expect(processExitsWith: .success) { MemoryIndexTests().weigh() }
    }

    private func weigh() {
        var chance = Chance(state: 1)
        let bounds = limits(bytes: 100 << 20, entries: 100_000)
        var index = MemoryIndex(bounds)
        let before = fetch_allocated_bytes()
        var number = 0
        while index.evictions < 200 {
            // From a few bytes to a megabyte, alike by orders of magnitude.
            let size = Int.random(
                in: 1...(1 << Int.random(in: 4...20, using: &chance)), using: &chance)
            index.store(response("/a/longer/path/as/they/come/\(number)", body: size))
            number += 1
        }
        let allocated = Int(fetch_allocated_bytes()) - Int(before)
        #expect(index.bytes > 95 << 20)
        #expect(abs(allocated - index.bytes) < index.bytes / 10)
        #expect(index.recount() == (index.count, index.bytes))
    }
}
