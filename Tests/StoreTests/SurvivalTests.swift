// What a file survives: a process that is killed at any instruction, bytes that change, an end that
// is missing, others who lock it, and others who write to it.

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

    @Suite(.serialized)
    struct SurvivalTests {
        private let place = Place()

        /// Rounds of killing: more where `FETCH_KILL_ROUNDS` says so.
        private static var rounds: Int {
            getenv("FETCH_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 12
        }

        private func open(_ directory: String) throws -> DiskStore {
            let store = try DiskStore(Writing.settings(directory))
            store.open(now: Self.now)
            return store
        }

        /// As the probe has it.
        private static var now: Now {
            var now = Sample.now()
            now.wall = Timestamp(seconds: Int64(time(nil)))
            return now
        }

        /// How many are found, and how many of them are wrong.
        private func look(_ store: DiskStore) -> (found: Int, wrong: Int) {
            var (found, wrong) = (0, 0)
            for number in 0..<Writing.resources {
                var isAnswered = false
                store.find(Sample.key("/\(number)"), CacheRules()) { responses in
                    isAnswered = true
                    found += responses.count
                    wrong += responses.count { !Writing.isRight($0) }
                }
                while !isAnswered { store.work(budget: .max, now: Self.now) }
            }
            return (found, wrong)
        }

        @Test func `whoever is killed while writing leaves nothing wrong`() throws {
            let directory = place.directory + "/cache"
            var chance = Chance(state: UInt64(time(nil)))
            var found = 0
            for round in 0..<Self.rounds {
                let writer = try #require(
                    Child.probe("write", directory, "\(chance.next() >> 1)", "10000"))
                // All the way in a long run.
                let most = Self.rounds > 12 ? 9_900 : 200
                let steps = Int.random(in: 1...most, using: &chance)
                for _ in 0..<steps { _ = writer.line() }
                writer.kill()
                #expect(writer.wait() == -9)
                let store = try open(directory)
                #expect(store.isOpen && store.counters.replaced == 0, "round \(round)")
                let seen = look(store)
                #expect(seen.wrong == 0 && store.counters.damaged == 0, "round \(round)")
                found += seen.found
                let bytes = Place(at: directory).bytes
                #expect(bytes <= Writing.mostBytes, "round \(round)")
            }
            #expect(found > Self.rounds)
        }

        @Test func `two processes share a file`() throws {
            let directory = place.directory + "/cache"
            let writers = try (1...2).map {
                try #require(Child.probe("write", directory, "\($0)", "150"))
            }
            // They have made the file: it is not locked for that any more.
            for writer in writers { #expect(writer.line() != nil) }
            let store = try open(directory)
            var lines = 0
            while writers[0].line() != nil {
                lines += 1
                if lines % 25 == 0 { #expect(look(store).wrong == 0) }
            }
            #expect(writers.map { $0.wait() } == [0, 0])
            let seen = look(store)
            #expect(seen.found > 0 && seen.wrong == 0)
            #expect(store.counters.damaged == 0 && store.counters.replaced == 0)
            #expect(Place(at: directory).bytes <= Writing.mostBytes)
        }

        // MARK: Bytes

        /// A directory with twelve responses in it, whose log is written back.
        private func filled() throws -> (file: String, bytes: [UInt8]) {
            let disk = try Disk(place)
            for number in 0..<12 {
                disk.put(
                    Sample.response("/\(number)", Sample.body(UInt64(number), number * 3_000)))
            }
            disk.store.end()
            let file = place.directory + "/.fetch_cache/responses-2.db"
            return (file, Place.read(file))
        }

        /// Uses the file as it is: what is found must be right, and storing must work in the end.
        private func use(_ file: String, _ what: String) throws {
            for suffix in ["-wal", "-shm"] { unlink(file + suffix) }
            let disk = try Disk(place)
            for number in 0..<12 {
                for response in disk.find("/\(number)") {
                    #expect(
                        response.body == Sample.body(UInt64(number), number * 3_000),
                        "\(what): /\(number)")
                }
            }
            disk.put(Sample.response("/new", "new"))
            disk.settle()
            if disk.body("/new") == nil { disk.put(Sample.response("/new", "new")) }
            #expect(disk.body("/new") == Bytes("new"), "\(what)")
            disk.store.end()
        }

        @Test func `no byte of the file can make it trap, or lie`() throws {
            let (file, bytes) = try filled()
            #expect(bytes.count > 100_000)
            var chance = Chance(state: 4)
            // The header, the first bytes of pages, and anything; more of each in a long run.
            let grain = Self.rounds > 12 ? 1 : 8
            var places = Array(stride(from: 0, to: 108, by: grain)) + [18, 19]
            places += stride(from: 16_384, to: bytes.count, by: 16_384 * grain)
            places += (0..<80 / grain).map { _ in Int.random(in: 0..<bytes.count, using: &chance) }
            for place in places {
                var changed = bytes
                changed[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &chance))
                Place.write(file, changed)
                try use(file, "a bit at \(place)")
            }
        }

        @Test func `a page of anything else can't make it trap, or lie`() throws {
            let (file, bytes) = try filled()
            var chance = Chance(state: 5)
            for page in stride(from: 0, to: bytes.count / 16_384, by: Self.rounds > 12 ? 1 : 3) {
                var changed = bytes
                let isNoise = page % 2 == 0
                for index in page * 16_384..<(page + 1) * 16_384 {
                    changed[index] = isNoise ? UInt8.random(in: 0...255, using: &chance) : 0
                }
                Place.write(file, changed)
                try use(file, "page \(page)")
            }
        }

        @Test func `an end that is missing can't make it trap, or lie`() throws {
            let (file, bytes) = try filled()
            for count in [0, 1, 16, 99, 100, 4_095, 4_096, 4_097, 8_192, bytes.count - 1] {
                Place.write(file, Array(bytes.prefix(count)))
                try use(file, "\(count) bytes")
            }
            Place.write(file, bytes + [UInt8](repeating: 7, count: 5_000))
            try use(file, "longer")
        }

        @Test func `a file that is no database is replaced, with a warning`() throws {
            let (file, _) = try filled()
            Place.write(
                file, Array("This is no database. ".utf8) + [UInt8](repeating: 0, count: 999))
            var settings = DiskSettings()
            settings.directory = place.directory + "/.fetch_cache"
            let store = try DiskStore(settings)
            var events: [StoreEvent] = []
            store.onEvent = { events.append($0) }
            store.open(now: Sample.now())
            #expect(store.isOpen && store.counters.replaced == 1)
            #expect(
                events == [.fileReplaced(path: store.path, reason: "it is no database of ours")])
        }

        // MARK: Others

        /// A Python that locks the file, says so, and lets go when its input ends.
        private func locker(_ file: String, _ statements: String) -> Child? {
            Child([
                "python3", "-c",
                """
                import sqlite3, sys
                database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
                for statement in sys.argv[2].split(";"): database.execute(statement)
                print("locked", flush=True)
                sys.stdin.read()
                """, file, statements,
            ])
        }

        @Test func `while somebody else writes, nothing is waited for and nothing is lost`() throws
        {
            var disk = try Disk(place)
            disk.put(Sample.response("/a", "a"), Sample.response("/b", "b"))
            let other = try #require(locker(disk.store.path, "BEGIN IMMEDIATE"))
            #expect(other.line() == "locked")
            disk.store.remove(Sample.response("/a", ""))
            disk.store.store(Sample.response("/c", "c"), CacheRules())
            disk.settle()
            // Blocked: there is nothing to do before the next attempt.
            let next = try #require(disk.store.nextWork)
            #expect(next > disk.now.instant && !disk.store.hasWork(now: disk.now.instant))
            #expect(disk.store.counters.bypassed == 1)
            // Reading goes on; what is to be forgotten isn't found.
            #expect(disk.find("/a").isEmpty && disk.body("/b") == Bytes("b"))
            #expect(disk.body("/c") == Bytes("c"))
            other.wait()
            disk.now = Sample.now(1)
            disk.settle()
            #expect(disk.store.counters.stored == 3)
            #expect(disk.find("/a").isEmpty && disk.body("/c") == Bytes("c"))
        }

        @Test func `what can't be written for long is dropped, but for what must be forgotten`()
            throws
        {
            var disk = try Disk(place)
            disk.put(Sample.response("/a", "a"))
            let other = try #require(locker(disk.store.path, "BEGIN IMMEDIATE"))
            #expect(other.line() == "locked")
            disk.store.store(Sample.response("/b", "b"), CacheRules())
            disk.store.remove(Sample.response("/a", ""))
            for step in 1...200 {
                disk.now = Sample.now(Double(step) / 50)
                disk.settle()
            }
            #expect(disk.store.counters.dropped == 1)
            #expect(disk.find("/a").isEmpty)
            other.wait()
            disk.now = Sample.now(10)
            disk.settle()
            #expect(disk.find("/a").isEmpty && disk.find("/b").isEmpty)
            #expect(disk.store.nextWork == nil)
        }

        @Test func `a file that somebody keeps for himself is done without, until he is gone`()
            throws
        {
            do { try Disk(place).put(Sample.response("/a", "a")) }
            let file = place.directory + "/.fetch_cache/responses-2.db"
            let other = try #require(
                locker(file, "PRAGMA locking_mode=EXCLUSIVE;BEGIN EXCLUSIVE;DELETE FROM pieces"))
            #expect(other.line() == "locked")
            var disk = try Disk(place)
            #expect(!disk.store.isOpen && disk.store.counters.bypassed == 1)
            #expect(disk.find("/a").isEmpty)
            disk.store.store(Sample.response("/b", "b"), CacheRules())
            #expect(disk.store.counters.dropped == 1)
            other.wait()
            disk.now = Sample.now(2)
            #expect(disk.body("/a") == Bytes("a"))
            #expect(disk.store.isOpen && disk.store.counters.replaced == 0)
        }

        @Test func `a file that was taken away is begun anew`() throws {
            let disk = try Disk(place)
            disk.put(Sample.response("/a", "a"))
            let file = disk.store.path
            for suffix in ["", "-wal", "-shm"] { unlink(file + suffix) }
            for number in 0..<20 { disk.put(Sample.response("/\(number)", "\(number)")) }
            #expect(access(file, F_OK) == 0)
            #expect(disk.body("/19") == Bytes("19"))
        }
    }
#endif
