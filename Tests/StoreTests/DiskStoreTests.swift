// The store on disk: what is stored is found, by this process and by the next; bounds and modes.

#if SQLite
    import FetchBytes
    import FetchCache
    import FetchCrypto
    import FetchHTTP
    import FetchStore
    import FetchTime
    import Glibc
    import StoreProbe
    import Testing

    /// A store that works when it is told to.
    struct Disk {
        let store: DiskStore
        var now = Sample.now()

        init(_ place: Place, _ change: (inout DiskSettings) -> Void = { _ in }) throws {
            var settings = DiskSettings()
            settings.directory = place.directory + "/.fetch_cache"
            change(&settings)
            store = try DiskStore(settings)
            store.open(now: now)
        }

        /// Works until nothing is left to do.
        func settle() {
            while store.hasWork(now: now.instant) { store.work(budget: .max, now: now) }
        }

        func find(
            _ path: String, _ partition: CachePartition = .open, _ rules: CacheRules = CacheRules()
        ) -> [CachedResponse] {
            var found: [CachedResponse]?
            store.find(Sample.key(path, partition), rules) { found = $0 }
            while found == nil { store.work(budget: .max, now: now) }
            return found ?? []
        }

        func body(_ path: String) -> Bytes? { find(path).first?.body }

        func put(_ responses: CachedResponse...) {
            for response in responses { store.store(response, CacheRules()) }
            settle()
        }
    }

    struct DiskStoreTests {
        private let place = Place()
        private var directory: String { place.directory + "/.fetch_cache" }

        /// Sizes at which something changes: in the entry, in pieces, full pieces.
        private static let sizes = [0, 1, 23_999, 24_000, 24_001, 49_000, 49_001, 98_000, 1 << 20]

        @Test(arguments: sizes) func `a body of any size is found again`(_ size: Int) throws {
            let response = Sample.response("/a", Sample.body(size))
            do {
                let disk = try Disk(place)
                disk.put(response)
                #expect(disk.body("/a") == response.body)
            }
            let disk = try Disk(place)
            let found = disk.find("/a")
            #expect(found.count == 1 && found.first?.body == response.body)
            #expect(found.first?.fields == response.fields)
            #expect(disk.find("/b").isEmpty)
            #expect(disk.store.counters.found == 1 && disk.store.counters.missed == 1)
        }

        @Test func `directory and files are for their owner alone`() throws {
            let disk = try Disk(place)
            disk.put(Sample.response("/a", "hello"))
            #expect(Place.mode(directory) == 0o700)
            let names = Place(at: directory).names
            #expect(names.contains("responses-2.db") && names.contains("responses-2.db-wal"))
            for name in names { #expect(Place.mode(directory + "/" + name) == 0o600) }
        }

        @Test func `a file that others could read becomes its owner's`() throws {
            do { try Disk(place).put(Sample.response("/a", "hello")) }
            chmod(directory + "/responses-2.db", 0o644)
            let disk = try Disk(place)
            #expect(disk.body("/a") == Bytes("hello"))
            #expect(Place.mode(directory + "/responses-2.db") == 0o600)
        }

        @Test func `a link in the file's place is not followed`() throws {
            mkdir(directory, 0o700)
            let other = place.directory + "/other"
            Place.write(other, [])
            symlink(other, directory + "/responses-2.db")
            let disk = try Disk(place)
            disk.put(Sample.response("/a", "hello"))
            #expect(disk.find("/a").isEmpty && !disk.store.isOpen)
            #expect(Place.read(other).isEmpty)
        }

        @Test func `variants and partitions are kept apart`() throws {
            let disk = try Disk(place)
            let user = CachePartition(Digest(low: 1, high: 2))
            let vary = [("Vary", "A")]
            disk.put(
                Sample.response("/a", Bytes("1"), fields: vary, request: [("A", "1")]),
                Sample.response("/a", Bytes("2"), fields: vary, request: [("A", "2")]),
                Sample.response("/a", Bytes("user's"), user))
            #expect(disk.find("/a").map { String($0.body) }.sorted() == ["1", "2"])
            #expect(disk.find("/a", user).map { String($0.body) } == ["user's"])
            // The newer one of the same selecting fields takes the place of the older.
            disk.put(Sample.response("/a", Bytes("3"), fields: vary, request: [("A", "1")]))
            #expect(disk.find("/a").map { String($0.body) }.sorted() == ["2", "3"])
        }

        @Test func `newer fields keep the body`() throws {
            for size in [10, 100_000] {
                let disk = try Disk(place)
                let path = "/\(size)"
                let old = Sample.response(path, Sample.body(size))
                disk.put(old)
                let later = Sample.now(5)
                let times = ResponseTimes(request: later, response: later)
                let newer = ResponseFacts(
                    304, Sample.section([("ETag", "\"a\""), ("X", "new")]),
                    received: later.wall.seconds)
                let known = try #require(disk.find(path).first)
                let updated = known.updated(
                    by: newer, times, CacheRules(), selectedBy: Sample.request(path))
                disk.store.replace(known, with: updated, CacheRules())
                disk.settle()
                let found = try #require(disk.find(path).first)
                #expect(found.fields["x"] == "new" && found.body == old.body)
                #expect(found.facts.times.response.wall == later.wall)
                // What was replaced by something else meanwhile stays as it is.
                disk.store.replace(old, with: updated, CacheRules())
                disk.put(Sample.response(path, "other"))
                disk.store.replace(updated, with: old, CacheRules())
                disk.settle()
                #expect(disk.body(path) == Bytes("other"))
            }
        }

        @Test func `what was removed is gone at once and for good`() throws {
            let disk = try Disk(place)
            let (one, large) = (
                Sample.response("/a", "a"), Sample.response("/b", Sample.body(200_000))
            )
            disk.put(one, large)
            disk.store.remove(one)
            disk.store.remove(large)
            #expect(disk.find("/a").isEmpty && disk.find("/b").isEmpty)
            disk.settle()
            #expect(try Disk(place).find("/a").isEmpty)
            #expect(try Disk(place).find("/b").isEmpty)
        }

        @Test func `purges take what they name, in every partition`() throws {
            let disk = try Disk(place)
            let user = CachePartition(Digest(low: 1, high: 2))
            func fill() {
                for path in ["/a", "/a/b", "/b"] {
                    disk.put(
                        Sample.response(path, path),
                        Sample.response(path, Bytes(path), user))
                }
            }
            func left() -> [Int] {
                ["/a", "/a/b", "/b"].map { disk.find($0).count + disk.find($0, user).count }
            }
            for (purge, expected) in [
                (CachePurge.resource(Sample.target("/a")), [0, 2, 2]),
                (.prefix("http://example.com/a"), [0, 0, 2]), (.everything, [0, 0, 0]),
            ] {
                fill()
                #expect(left() == [2, 2, 2])
                disk.store.purge(purge)
                // Before it is written, and after.
                #expect(left() == expected)
                disk.settle()
                #expect(left() == expected)
            }
        }

        @Test func `what was asked for before it was made doubtful isn't found`() throws {
            let disk = try Disk(place)
            disk.put(Sample.response("/a", Sample.body(100_000)))
            for purge in [CachePurge.resource(Sample.target("/a")), .everything] {
                var found: [CachedResponse]?
                disk.store.find(Sample.key("/a"), CacheRules()) { found = $0 }
                disk.store.work(budget: 0, now: disk.now)
                disk.store.work(budget: 0, now: disk.now)
                #expect(found == nil)
                disk.store.purge(purge)
                disk.settle()
                #expect(found == [])
                disk.put(Sample.response("/a", Sample.body(100_000)))
            }
        }

        @Test func `what waits to be written is found`() throws {
            let disk = try Disk(place)
            let response = Sample.response("/a", Sample.body(500_000))
            disk.store.store(response, CacheRules())
            disk.store.work(budget: 0, now: disk.now)
            #expect(disk.find("/a") == [response])
        }

        @Test func `one turn is one step where there is no time for two`() throws {
            let disk = try Disk(place)
            disk.settle()
            disk.store.store(Sample.response("/a", Sample.body(490_000)), CacheRules())
            var turns = 0
            while disk.store.counters.stored == 0 {
                disk.store.work(budget: 0, now: disk.now)
                turns += 1
            }
            // Ten pieces and the entry, and copies of the log between them.
            #expect(turns >= 11 && turns < 40)
        }

        @Test func `what is too old is not found, and goes`() throws {
            var disk = try Disk(place) { $0.mostAge = 100 }
            disk.put(Sample.response("/a", "a"))
            disk.now = Sample.now(99)
            #expect(disk.body("/a") == Bytes("a"))
            disk.now = Sample.now(102)
            #expect(disk.find("/a").isEmpty)
            disk.now = Sample.now(1_000)
            disk.put(Sample.response("/b", "b"))
            #expect(disk.store.counters.pruned == 1)
        }

        @Test func `the files stay within their bound, whatever is written`() throws {
            let bound = 4 << 20
            let disk = try Disk(place) { $0.mostBytes = bound }
            var chance = Chance(state: 3)
            var written = 0
            var (number, most) = (0, 0)
            let files = Place(at: directory)
            while written < 10 * bound {
                let size = Int.random(in: 0...300_000, using: &chance)
                disk.put(Sample.response("/\(number)", Sample.body(UInt64(number), size)))
                most = max(most, files.bytes)
                written += size
                number += 1
            }
            #expect(most <= bound, "\(files.sizes)")
            #expect(disk.store.counters.pruned > 100)
            #expect(disk.store.counters.dropped == 0)
            // The last ones are there, and most of the room is used.
            var left = 0
            for index in 0..<number {
                guard let body = disk.body("/\(index)") else { continue }
                #expect(body == Sample.body(UInt64(index), body.count))
                left += body.count
            }
            #expect(disk.body("/\(number - 1)") != nil)
            #expect(left > bound / 2)
        }

        @Test func `the least recently used go first`() throws {
            var disk = try Disk(place) { $0.mostBytes = 4 << 20 }
            for number in 0..<20 {
                disk.put(Sample.response("/\(number)", Sample.body(UInt64(number), 50_000)))
            }
            disk.now = Sample.now(7_200)
            #expect(disk.body("/0") != nil)
            disk.settle()
            for number in 20..<48 {
                disk.put(Sample.response("/\(number)", Sample.body(UInt64(number), 50_000)))
            }
            #expect(disk.store.counters.pruned > 0)
            #expect(disk.body("/0") != nil)
            #expect(disk.body("/1") == nil)
        }

        @Test func `more than may wait is not stored, and nothing is forgotten less`() throws {
            let disk = try Disk(place) {
                $0.mostQueuedBytes = 100_000
                $0.mostQueuedChanges = 5
            }
            disk.put(Sample.response("/kept", "kept"))
            for number in 0..<10 {
                disk.store.store(Sample.response("/\(number)", Sample.body(40_000)), CacheRules())
            }
            #expect(disk.store.counters.dropped == 8)
            for number in 0..<10 { disk.store.remove(Sample.response("/\(number)", "")) }
            disk.settle()
            // Too much to remember: everything was forgotten.
            #expect(disk.find("/kept").isEmpty)
        }

        @Test func `after the end nothing is found or stored`() throws {
            let disk = try Disk(place)
            disk.put(Sample.response("/a", "a"))
            var found: [CachedResponse]?
            disk.store.find(Sample.key("/a"), CacheRules()) { found = $0 }
            disk.store.end()
            #expect(found == [])
            disk.store.store(Sample.response("/b", "b"), CacheRules())
            #expect(disk.find("/a").isEmpty && disk.store.nextWork == nil)
        }
    }
#endif
