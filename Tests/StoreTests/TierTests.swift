// Tiers on a running reactor: a caller's own store, a sealed one, and the file, on this thread and
// on one of its own.

import FetchBytes
import FetchCache
import FetchCrypto
import FetchHTTP
import FetchReactor
import FetchStore
import FetchTime
import Glibc
import StoreProbe
import TestSupport
import Synchronization
import Testing

/// A store of a caller's own: a list behind a lock.
final class ListStore: CacheStore {
    struct Failure: Error {}

    private let entries = Mutex<[CacheStoreEntry]>([])
    let isFailing = Mutex(false)

    var all: [CacheStoreEntry] { entries.withLock { $0 } }

    func find(resource: String, partition: String) async throws -> [CacheStoreEntry] {
        if isFailing.withLock({ $0 }) { throw Failure() }
        return all.filter { $0.resource == resource && $0.partition == partition }
    }

    func set(_ entry: CacheStoreEntry) async throws {
        try await delete(
            resource: entry.resource, partition: entry.partition, variant: entry.variant)
        entries.withLock { $0.append(entry) }
    }

    func delete(resource: String, partition: String, variant: String) async throws {
        entries.withLock {
            $0.removeAll {
                $0.resource == resource && $0.partition == partition && $0.variant == variant
            }
        }
    }

    func purge(_ purge: CacheStorePurge) async throws {
        entries.withLock {
            $0.removeAll { entry in
                switch purge {
                case .resource(let resource): entry.resource == resource
                case .prefix(let prefix): entry.resource.hasPrefix(prefix)
                case .everything: true
                }
            }
        }
    }
}

/// A store that never answers.
private final class SilentStore: CacheStore {
    func find(resource: String, partition: String) async throws -> [CacheStoreEntry] {
        try await withUnsafeThrowingContinuation { (_: UnsafeContinuation<Void, any Error>) in }
        return []
    }
    func set(_ entry: CacheStoreEntry) async throws {}
    func delete(resource: String, partition: String, variant: String) async throws {}
    func purge(_ purge: CacheStorePurge) async throws {}
}

/// Asks a tier, and waits for its answer.
private func found(_ tier: any SecondTier, _ path: String) async -> [CachedResponse] {
    await withUnsafeContinuation { continuation in
        tier.find(Sample.key(path)) { found in continuation.resume(returning: found) }
    }
}

struct TierTests {
    private let key = Bytes([UInt8](repeating: 7, count: 32))

    /// Runs a body with a tier of its own, on a reactor of its own.
    private func run<R: Sendable>(
        _ make: @escaping @Sendable (Reactor) throws -> any SecondTier,
        _ body: @escaping @Sendable (any SecondTier) async throws -> R
    ) async throws -> R {
        try await onThreadOfItsOwn {
            try Reactor.run {
                guard let reactor = Reactor.current else { throw SystemError.closed }
                let tier = try make(reactor)
                let result = try await body(tier)
                await withUnsafeContinuation { continuation in
                    tier.end { continuation.resume() }
                }
                return result
            }
        }
    }

    @Test func `a caller's own store is asked and told`() async throws {
        let list = ListStore()
        for store in [list as any CacheStore, try SealedCacheStore(list, key: key)] {
            try await run({ ForeignTier(store, .init(), CacheRules(), on: $0) }) { tier in
                let user = CachePartition(Digest(low: 1, high: 2))
                let response = Sample.response("/a", Sample.body(1_000))
                tier.store(response)
                tier.store(Sample.response("/a", Bytes("user's"), user))
                tier.store(Sample.response("/b", "b"))
                // Behind the stores, which it waits for.
                let again = await found(tier, "/a")
                #expect(again.map(\.body) == [response.body])
                #expect(list.all.count == 3)
                tier.remove(response)
                #expect(await found(tier, "/a").isEmpty)
                tier.purge(.resource(Sample.target("/a")))
                #expect(await found(tier, "/a").isEmpty)
                #expect(await found(tier, "/b").count == 1 && list.all.count == 1)
                tier.purge(.prefix("http://example.com/"))
                #expect(await found(tier, "/b").isEmpty && list.all.isEmpty)
            }
        }
    }

    @Test func `a sealed store shows nothing, and refuses what was moved`() async throws {
        let list = ListStore()
        let store = try SealedCacheStore(list, key: key)
        for name in ["secret-one", "secret-two"] {
            try await store.set(
                CacheStoreEntry(
                    resource: name, partition: "-", variant: "v", value: Bytes("body of \(name)")))
        }
        for entry in list.all {
            #expect(!entry.resource.contains("secret") && entry.partition != "-")
            #expect(entry.variant != "v")
            #expect(!String(entry.value).contains("body"))
        }
        #expect(
            try await store.find(resource: "secret-one", partition: "-").map {
                [$0.variant, String($0.value)]
            } == [["v", "body of secret-one"]])
        // One's value under the other's name.
        var moved = list.all[0]
        moved.value = list.all[1].value
        try await list.set(moved)
        #expect(try await store.find(resource: "secret-one", partition: "-").isEmpty)
        let other = try SealedCacheStore(list, key: Bytes([UInt8](repeating: 8, count: 32)))
        #expect(try await other.find(resource: "secret-two", partition: "-").isEmpty)
        #expect(throws: SealingKeyError.self) {
            try SealedCacheStore(list, key: Bytes("abc"))
        }
    }

    @Test func `a store that fails is done without, and it is told`() async throws {
        let list = ListStore()
        list.isFailing.withLock { $0 = true }
        let isTold = try await run({ ForeignTier(list, .init(), CacheRules(), on: $0) }) { tier in
            var isTold = false
            tier.onEvent = { event in
                if case .storeFailed = event { isTold = true }
            }
            #expect(await found(tier, "/a").isEmpty)
            return isTold
        }
        #expect(isTold)
    }

    @Test func `a store that doesn't answer is not waited for`() async throws {
        let isEmpty = try await run({
            var settings = ForeignSettings()
            settings.patience = 1_000_000
            return ForeignTier(SilentStore(), settings, CacheRules(), on: $0)
        }) { tier in await found(tier, "/a").isEmpty }
        #expect(isEmpty)
    }

    #if SQLite
        @Test func `the file works in turns, on this thread or on its own`() async throws {
            for offload in [DiskSettings.Offload.none, .thread] {
                let place = Place()
                let directory = place.directory
                for isSecond in [false, true] {
                    try await run({
                        var settings = DiskSettings()
                        settings.directory = directory + "/cache"
                        settings.offload = offload
                        return try DiskTier(settings, CacheRules(), on: $0)
                    }) { tier in
                        // The other thread may still be writing when the tier has ended.
                        try await use(tier, isSecond: isSecond, waits: offload == .thread)
                    }
                }
                #expect(Place(at: directory + "/cache").bytes > 500_000)
            }
        }

        @Test func `the file has its share of each turn, and no more`() async throws {
            try await onThreadOfItsOwn {
                let place = Place()
                let reactor = try Reactor.embedded()
                var settings = DiskSettings()
                settings.directory = place.directory + "/cache"
                // One step a turn, whatever it costs.
                settings.turnBudget = 0
                let tier = try DiskTier(settings, CacheRules(), on: reactor)
                tier.open { _ in }
                for number in 0..<5 { tier.store(Sample.response("/\(number)", "body")) }
                var (stored, turns) = (0, 0)
                while stored < 5 {
                    reactor.turn()
                    turns += 1
                    tier.counters { counters in
                        #expect(counters.stored <= stored + 1, "turn \(turns)")
                        stored = counters.stored
                    }
                }
                tier.end()
                reactor.stop()
            }
        }

        @Test(arguments: [DiskSettings.Offload.none, .thread])
        func `what isn't in the file is known without asking it`(
            offload: DiskSettings.Offload
        ) async throws {
            let place = Place()
            let directory = place.directory + "/cache"
            try await onThreadOfItsOwn {
                try Reactor.run {
                    let reactor = try #require(Reactor.current)
                    var settings = DiskSettings()
                    settings.directory = directory
                    settings.offload = offload
                    let tiers = try (0..<2).map { _ in
                        try DiskTier(settings, CacheRules(), on: reactor)
                    }
                    // Before it is known, anything may be there.
                    #expect(tiers[0].mayHold(Sample.target("/none")))
                    // One after the other: of two that make the file at once, one does without.
                    for tier in tiers { _ = await isOpened(tier) }
                    tiers[0].store(Sample.response("/a", "a"))
                    while tiers[0].mayHold(Sample.target("/none")) { await Task.yield() }
                    #expect(tiers[0].mayHold(Sample.target("/a")))
                    tiers[0].store(Sample.response("/b", "b"))
                    #expect(tiers[0].mayHold(Sample.target("/b")))
                    // What another client of the file has stored is known a little later.
                    for path in ["/a", "/b"] {
                        while !tiers[1].mayHold(Sample.target(path)) { await Task.yield() }
                        while await found(tiers[1], path).isEmpty { await Task.yield() }
                    }
                    #expect(!tiers[1].mayHold(Sample.target("/none")))
                    for tier in tiers { tier.end() }
                }
            }
        }

        private func use(
            _ tier: any SecondTier, isSecond: Bool, waits: Bool
        ) async throws {
            let body = Sample.body(500_000)
            let disk = try #require(tier as? DiskTier)
            #expect(await isOpened(disk))
            if !isSecond {
                tier.store(Sample.response("/a", body))
                tier.store(Sample.response("/b", "b"))
            }
            #expect(await found(tier, "/a").map(\.body) == [body])
            #expect(await found(tier, "/none").isEmpty)
            #expect(await found(tier, "/b").map(\.body) == [Bytes("b")])
            while waits, !isSecond, await counters(disk).stored < 2 { await Task.yield() }
        }

        private func isOpened(_ tier: DiskTier) async -> Bool {
            await withUnsafeContinuation { continuation in
                tier.open { continuation.resume(returning: $0 != nil) }
            }
        }

        private func counters(_ tier: DiskTier) async -> DiskCounters {
            await withUnsafeContinuation { continuation in
                tier.counters { continuation.resume(returning: $0) }
            }
        }
    #endif
}
