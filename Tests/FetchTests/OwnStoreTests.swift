// Stores of the caller's own behind the memory (CACHE-05): what they see, what they are asked, and
// whose key their partitions are made with.

import Fetch
import Synchronization
import TestSupport
import Testing

/// An origin whose answers are fresh and say how many went before.
private func freshAnswers() -> Script {
    Script { [.text("answer \($0.number)", fields: [("Cache-Control", "max-age=86400")])] }
}

struct OwnStoreTests {
    @Test func `CACHE-05 a dictionary serves as a store, and a sealed one tells nothing`()
        async throws
    {
        let origin = try ScriptedOrigin.start(freshAnswers())
        defer { origin.stop() }
        let url = origin.url("/a-path-to-look-for")
        let plain = DictionaryStore()
        let hidden = DictionaryStore()
        let key = Bytes([UInt8](repeating: 9, count: 32))
        let stores: [(any CacheStore, DictionaryStore)] = [
            (plain, plain), (try SealedCacheStore(hidden, key: key), hidden),
        ]
        for (number, (store, dictionary)) in stores.enumerated() {
            var configuration = FetcherConfiguration.patient
            configuration.cache.store = store
            configuration.cache.storePatience = .patience
            for wanted in [Response.CacheStatus.miss, .hit] {
                try await Caller.onReactor.run(configuration) { fetcher in
                    let response = try await fetcher.get(url)
                    #expect(response.metadata.cacheStatus == wanted)
                    #expect(response.text == "answer \(number)")
                    // Its calls are made from the loop's turns, and the client goes at once.
                    let isStored = await eventually { dictionary.entries.count == 1 }
                    #expect(isStored)
                }
            }
            let shows = dictionary.entries.contains { $0.resource.contains("a-path-to-look-for") }
            #expect(shows == (dictionary === plain))
        }
    }

    @Test(arguments: StoreOfCredentials.allCases)
    private func `what is stored for somebody is found later by who has the key`(
        kind: StoreOfCredentials
    ) async throws {
        let origin = try ScriptedOrigin.start(freshAnswers())
        defer { origin.stop() }
        let url = origin.url()
        let dictionary = DictionaryStore()
        for number in 0..<2 {
            var configuration = FetcherConfiguration.patient
            configuration.cache.store = try kind.store(dictionary)
            configuration.cache.storePatience = .patience
            configuration.cache.sensitive = .store
            let wanted = number == 0 || kind == .withoutKey ? Response.CacheStatus.miss : .hit
            try await Caller.onReactor.run(configuration) { fetcher in
                let headers = [("Authorization", "Bearer secret-token")]
                let response = try await fetcher.get(url, headers: headers)
                #expect(response.metadata.cacheStatus == wanted)
                let isStored = await eventually { !dictionary.entries.isEmpty }
                #expect(isStored)
                let other = [("Authorization", "Bearer another-token \(number)")]
                let theirs = try await fetcher.get(url, headers: other)
                #expect(theirs.metadata.cacheStatus == .miss)
            }
        }
        for entry in dictionary.entries {
            #expect(!entry.partition.contains("secret") && entry.partition != "-")
            #expect(!String(decoding: entry.value, as: UTF8.self).contains("secret-token"))
        }
    }

    @Test func `a key that could be guessed is refused`() {
        var configuration = FetcherConfiguration()
        configuration.cache.store = KeyedStore(DictionaryStore(), key: Bytes("short"))
        #expect(throws: FetchError.self) { try configuration.validate() }
    }

    @Test func `a store that fails is done without, with a warning`() async throws {
        let origin = try ScriptedOrigin.start(freshAnswers())
        defer { origin.stop() }
        let url = origin.url()
        let heard = Heard()
        var configuration = FetcherConfiguration.patient
        configuration.cache.store = BrokenStore()
        configuration.cache.onWarning = { heard.note($0) }
        try await Caller.onReactor.run(configuration) { fetcher in
            for wanted in [Response.CacheStatus.miss, .hit] {
                let response = try await fetcher.get(url)
                #expect(response.metadata.cacheStatus == wanted)
            }
        }
        #expect(heard.all.contains { if case .storeFailed = $0 { true } else { false } })
    }
}

/// Waits without sleeping.
private func eventually(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .patience
    while !condition() {
        if ContinuousClock.now > end { return false }
        await Task.yield()
    }
    return true
}

/// A store as a user would write one.
final class DictionaryStore: CacheStore {
    private let stored = Mutex<[String: CacheStoreEntry]>([:])

    var entries: [CacheStoreEntry] { stored.withLock { Array($0.values) } }

    func find(resource: String, partition: String) async throws -> [CacheStoreEntry] {
        stored.withLock { stored in
            stored.values.filter { $0.resource == resource && $0.partition == partition }
        }
    }

    func set(_ entry: CacheStoreEntry) async throws {
        stored.withLock { $0[entry.resource + " " + entry.partition + " " + entry.variant] = entry }
    }

    func delete(resource: String, partition: String, variant: String) async throws {
        stored.withLock { $0[resource + " " + partition + " " + variant] = nil }
    }

    func purge(_ purge: CacheStorePurge) async throws {
        stored.withLock { stored in
            switch purge {
            case .resource(let resource): stored = stored.filter { $0.value.resource != resource }
            case .prefix(let prefix):
                stored = stored.filter { !$0.value.resource.hasPrefix(prefix) }
            case .everything: stored = [:]
            }
        }
    }
}

/// Who brings the key of the credentials' digests.
private enum StoreOfCredentials: CaseIterable {
    case withoutKey, withKey, sealed

    func store(_ dictionary: DictionaryStore) throws -> any CacheStore {
        let key = Bytes([UInt8](repeating: 9, count: 32))
        switch self {
        case .withoutKey: return dictionary
        case .withKey: return KeyedStore(dictionary, key: key)
        case .sealed: return try SealedCacheStore(dictionary, key: key)
        }
    }
}

/// A store that outlives its clients, with a key.
private struct KeyedStore: CacheStore {
    private let base: DictionaryStore
    let partitionKey: Bytes?

    init(_ base: DictionaryStore, key: Bytes) {
        self.base = base
        partitionKey = key
    }

    func find(resource: String, partition: String) async throws -> [CacheStoreEntry] {
        try await base.find(resource: resource, partition: partition)
    }
    func set(_ entry: CacheStoreEntry) async throws { try await base.set(entry) }
    func delete(resource: String, partition: String, variant: String) async throws {
        try await base.delete(resource: resource, partition: partition, variant: variant)
    }
    func purge(_ purge: CacheStorePurge) async throws { try await base.purge(purge) }
}

/// One that never works.
private struct BrokenStore: CacheStore {
    struct Broken: Error {}

    func find(resource: String, partition: String) async throws -> [CacheStoreEntry] {
        throw Broken()
    }
    func set(_ entry: CacheStoreEntry) async throws { throw Broken() }
    func delete(resource: String, partition: String, variant: String) async throws {
        throw Broken()
    }
    func purge(_ purge: CacheStorePurge) async throws { throw Broken() }
}

/// Warnings, from whatever thread.
final class Heard: Sendable {
    private let warnings = Mutex<[CacheConfiguration.Warning]>([])

    func note(_ warning: CacheConfiguration.Warning) { warnings.withLock { $0.append(warning) } }

    var all: [CacheConfiguration.Warning] { warnings.withLock { $0 } }
}
