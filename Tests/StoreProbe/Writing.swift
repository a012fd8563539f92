// Random writes, and a look at what is there: as one process of several, or one that is killed.

#if SQLite
    import FetchBytes
    package import FetchCache
    import FetchHTTP
    package import FetchStore
    import FetchTime
    import Glibc

    package enum Writing {
        /// Resources that are written.
        package static let resources = 60
        package static let mostBytes = 3 << 20

        package static func settings(_ directory: String) -> DiskSettings {
            var settings = DiskSettings()
            settings.directory = directory
            settings.mostBytes = mostBytes
            return settings
        }

        /// Prints a line per step; 0 when every step was made and nothing wrong was found.
        static func run(_ directory: String, seed: Int, steps: Int) -> Int32 {
            guard let store = try? DiskStore(settings(directory)) else { return 2 }
            var chance = Chance(state: UInt64(seed))
            for step in 0..<steps {
                let now = now()
                let path = "/\(Int.random(in: 0..<resources, using: &chance))"
                switch Int.random(in: 0..<20, using: &chance) {
                case 0: store.purge(.resource(Sample.target(path)))
                case 1: store.remove(response(path, 0, 0, now))
                case 2: store.purge(.prefix("http://example.com/1"))
                case 3..<8:
                    var isWrong = false
                    store.find(Sample.key(path), CacheRules()) { found in
                        isWrong = !found.allSatisfy(isRight)
                    }
                    store.work(budget: 200_000, now: now)
                    if isWrong { return 3 }
                default:
                    let size = Int.random(
                        in: 0..<(1 << Int.random(in: 4...17, using: &chance)), using: &chance)
                    store.store(response(path, chance.next(), size, now), CacheRules())
                }
                store.work(budget: Int64.random(in: 0...300_000, using: &chance), now: now)
                print(step)
                fflush(nil)
            }
            while store.nextWork != nil { store.work(budget: .max, now: now()) }
            return 0
        }

        /// Both clocks of the machine: two processes must agree.
        private static func now() -> Now {
            var (mono, wall) = (timespec(), timespec())
            clock_gettime(CLOCK_MONOTONIC, &mono)
            clock_gettime(CLOCK_REALTIME, &wall)
            return Now(
                instant: Instant(
                    nanoseconds: Int64(mono.tv_sec) * 1_000_000_000 + Int64(mono.tv_nsec)),
                wall: Timestamp(seconds: Int64(wall.tv_sec), nanoseconds: Int32(wall.tv_nsec)))
        }

        /// A response whose fields say what its body has to be.
        private static func response(
            _ path: String, _ seed: UInt64, _ size: Int, _ now: Now
        ) -> CachedResponse {
            Sample.response(
                path, Sample.body(seed, size),
                fields: [("X-Seed", "\(seed)"), ("X-Path", path)], at: now)
        }

        /// Whether a response's body is the one that belongs to its fields.
        package static func isRight(_ response: CachedResponse) -> Bool {
            guard let seed = response.fields["x-seed"].flatMap({ UInt64($0) }),
                let path = response.fields["x-path"]
            else { return false }
            return String(response.uriBytes) == "http://example.com" + path
                && response.body == Sample.body(seed, response.body.count)
        }
    }

    /// What a step of writing costs.
    enum Steps {
        static func run(_ directory: String, count: Int, bytes: Int) {
            var settings = DiskSettings()
            settings.directory = directory
            settings.mostQueuedBytes = .max
            guard let store = try? DiskStore(settings) else { return }
            let now = Sample.now()
            store.open(now: now)
            var costs: [Int64] = []
            let body = Sample.body(7, bytes)
            for number in 0..<count {
                store.store(Sample.response("/\(number)", body), CacheRules())
                while store.hasWork(now: now.instant) {
                    let start = nanoseconds()
                    store.work(budget: 0, now: now)
                    costs.append(nanoseconds() - start)
                }
            }
            costs.sort()
            func cost(_ part: Double) -> Double {
                Double(costs[Int(Double(costs.count - 1) * part)]) / 1_000
            }
            print("steps \(costs.count) median \(cost(0.5)) p99 \(cost(0.99)) most \(cost(1)) us")
            print("all \(Double(costs.reduce(0, +)) / 1e6) ms, \(store.counters)")
        }

        private static func nanoseconds() -> Int64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
    }
#else
    enum Writing { static func run(_ directory: String, seed: Int, steps: Int) -> Int32 { 2 } }
    enum Steps { static func run(_ directory: String, count: Int, bytes: Int) {} }
#endif
