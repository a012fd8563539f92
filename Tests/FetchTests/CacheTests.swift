// Stored responses through the public face: from the reactor's thread and from another, in memory,
// in a file, and in a store of the caller's own (CACHE-01 to CACHE-11, SEC-04, CORE-24).

import Fetch
import Foundation
import TestSupport
import Testing

/// For longer than a slow machine takes.
private let fresh = [("Cache-Control", "max-age=86400")]

/// An origin whose answers are fresh and say how many went before.
private func counting(_ fields: [(String, String)] = fresh) -> Script {
    Script { [.text("answer \($0.number)", fields: fields)] }
}

/// A directory that goes with its test.
private final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("fetch-cache-\(UInt64.random(in: 0...UInt64.max))").path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map { "\(path)/\($0)" }
    }

    /// Whether the text stands in any of the files.
    func holds(_ text: String) -> Bool {
        files.contains { file in
            FileManager.default.contents(atPath: file)?.range(of: Data(text.utf8)) != nil
        }
    }

    func mode(of file: String) -> Int? {
        let facts = try? FileManager.default.attributesOfItem(atPath: file)
        return facts?[.posixPermissions] as? Int
    }
}

struct CacheTests {
    @Test(arguments: Caller.allCases)
    func `the second call is answered by what the first one got`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(counting())
        defer { origin.stop() }
        let url = origin.url("/a?b")
        try await caller.run { fetcher in
            let first = try await fetcher.get(url)
            let second = try await fetcher.get(url)
            #expect(first.metadata.cacheStatus == .miss && second.metadata.cacheStatus == .hit)
            #expect(second.text == "answer 0" && second.statusCode == 200)
            #expect(second[.contentType] == "text/plain")
            #expect(second["Age"].flatMap { Int($0) } != nil)
            #expect(second.headers.contains { $0.name == "Age" })
            #expect(second.reason == first.reason && second.url == url)
            #expect(second.metadata.attempts == 0 && second.metadata.remoteAddress == nil)
            let field = try #require(second.metadata.cacheStatusField)
            #expect(field.hasPrefix("swift-fetch;hit;ttl="))
            let streamed = try await fetcher.stream(url) { response in
                #expect(response.head.metadata.cacheStatus == .hit)
                var bytes: [UInt8] = []
                for try await piece in response.body { bytes += piece }
                return String(decoding: bytes, as: UTF8.self)
            }
            #expect(streamed == "answer 0")
            let statistics = try await fetcher.statistics
            #expect(statistics.cacheHits == 2 && statistics.cacheMisses == 1)
            #expect(statistics.callsStarted == 3 && statistics.callsSucceeded == 3)
            #expect(statistics.cacheEntries == 1 && statistics.cacheBytes > 0)
            #expect(statistics.exchanges == 1)
        }
        #expect(origin.seen.requests.count == 1)
    }

    @Test(arguments: Caller.allCases)
    func `CACHE-06 off for the client, and for one request`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(counting())
        defer { origin.stop() }
        let url = origin.url()
        var off = FetcherConfiguration.patient
        off.cache = .disabled
        try await caller.run(off) { fetcher in
            for number in 0..<2 {
                let response = try await fetcher.get(url)
                #expect(response.text == "answer \(number)")
                #expect(response.metadata.cacheStatus == .bypass)
                #expect(response.metadata.cacheStatusField == nil)
            }
        }
        try await caller.run { fetcher in
            var request = Request(url)
            request.cache = .onlyIfCached
            let error = await #expect(throws: FetchError.self) {
                try await fetcher.execute(request)
            }
            #expect(error?.code == .notCached && error?.isRetryable == false)
            request.cache = .noStore
            for number in 2..<4 {
                let response = try await fetcher.execute(request)
                #expect(response.text == "answer \(number)")
            }
        }
    }

    @Test func `a cancelled task is told so, whatever is stored`() async throws {
        let origin = try ScriptedOrigin.start(counting())
        defer { origin.stop() }
        let url = origin.url()
        try await onReactor { reactor in
            let fetcher = try Fetcher(.patient)
            _ = try await fetcher.get(url)
            let task = Task(executorPreference: reactor) {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await fetcher.get(url)
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            await fetcher.shutdown(.immediate)
        }
    }

    @Test func `CACHE-07 a lifetime of the caller's own`() async throws {
        let origin = try ScriptedOrigin.start(counting([("Cache-Control", "max-age=0")]))
        defer { origin.stop() }
        let url = origin.url()
        var forced = FetcherConfiguration.patient
        forced.cache = .forced(ttl: .seconds(3_600))
        try await Caller.onReactor.run(forced) { fetcher in
            for _ in 0..<3 {
                let response = try await fetcher.get(url)
                #expect(response.text == "answer 0")
            }
        }
    }

    @Test(arguments: [PurgeScope.everything, .url(""), .prefix("")])
    func `what is purged is asked for again`(scope: PurgeScope) async throws {
        let origin = try ScriptedOrigin.start(counting())
        defer { origin.stop() }
        let url = origin.url("/a/b")
        let purged: PurgeScope =
            switch scope {
            case .everything: .everything
            case .url: .url(url + "#fragment")
            case .prefix: .prefix(origin.url("/a"))
            }
        try await Caller.elsewhere.run { fetcher in
            _ = try await fetcher.get(url)
            try await fetcher.purge(purged)
            let response = try await fetcher.get(url)
            #expect(response.metadata.cacheStatus == .miss)
            await #expect(throws: FetchError.self) { try await fetcher.purge(.url("nothing")) }
        }
    }

    @Test func `a setting that makes no sense is refused by its name`() {
        func reason(_ change: (inout CacheConfiguration) -> Void) -> String? {
            var configuration = FetcherConfiguration()
            change(&configuration.cache)
            do {
                try configuration.validate()
                return nil
            } catch {
                return (error as? FetchError)?.reason
            }
        }
        #expect(reason { $0.mostBytes = -1 }?.hasPrefix("cache.mostBytes") ?? false)
        #expect(reason { $0.mode = .forced(ttl: .seconds(-1)) }?.hasPrefix("cache.mode") ?? false)
        #expect(
            reason {
                $0.disk = CacheConfiguration.Disk()
                $0.disk?.sealingKey = Bytes("short")
            }?.hasPrefix("cache.disk.sealingKey") ?? false)
        #expect(
            reason {
                $0.disk = CacheConfiguration.Disk()
                $0.store = DictionaryStore()
            }?.hasPrefix("cache.store") ?? false)
        #expect(reason { $0.mostEntries = 0 } == nil)
    }
}

#if SQLite
    struct DiskCacheTests {
        @Test(arguments: [CacheConfiguration.Disk.Offload.none, .thread])
        func `CACHE-02 a second client makes no request`(
            offload: CacheConfiguration.Disk.Offload
        ) async throws {
            let origin = try ScriptedOrigin.start(counting())
            defer { origin.stop() }
            let folder = Folder()
            let url = origin.url()
            var configuration = FetcherConfiguration.patient
            configuration.cache.disk = CacheConfiguration.Disk(directory: folder.path)
            configuration.cache.disk?.offload = offload
            for wanted in [Response.CacheStatus.miss, .hit] {
                try await Caller.onReactor.run(configuration) { fetcher in
                    let response = try await fetcher.get(url)
                    #expect(response.text == "answer 0")
                    #expect(response.metadata.cacheStatus == wanted)
                }
            }
            #expect(origin.seen.requests.count == 1)
            #expect(!folder.files.isEmpty)
            for file in folder.files { #expect(folder.mode(of: file) == 0o600) }
        }

        @Test func `SEC-04 an answer to Authorization is not on disk`() async throws {
            let origin = try ScriptedOrigin.start(
                Script { _ in [.text("for you alone", fields: fresh)] })
            defer { origin.stop() }
            let folder = Folder()
            let url = origin.url()
            var configuration = FetcherConfiguration.patient
            configuration.cache.disk = CacheConfiguration.Disk(directory: folder.path)
            try await Caller.onReactor.run(configuration) { fetcher in
                let headers = [("Authorization", "Bearer secret-token")]
                for _ in 0..<2 { _ = try await fetcher.get(url, headers: headers) }
                _ = try await fetcher.get(url + "open")
            }
            #expect(origin.seen.requests.count == 2)
            #expect(folder.holds(url + "open"))
            #expect(!folder.holds("secret-token"))
            try await Caller.onReactor.run(configuration) { fetcher in
                let headers = [("Authorization", "Bearer secret-token")]
                let response = try await fetcher.get(url, headers: headers)
                #expect(response.metadata.cacheStatus == .miss)
            }
        }

        @Test func `a sealed file holds nothing that can be read`() async throws {
            let origin = try ScriptedOrigin.start(counting())
            defer { origin.stop() }
            let folder = Folder()
            let url = origin.url("/a-path-to-look-for")
            var configuration = FetcherConfiguration.patient
            configuration.cache.disk = CacheConfiguration.Disk(directory: folder.path)
            configuration.cache.disk?.sealingKey = Bytes([UInt8](repeating: 7, count: 32))
            for wanted in [Response.CacheStatus.miss, .hit] {
                try await Caller.onReactor.run(configuration) { fetcher in
                    let response = try await fetcher.get(url)
                    #expect(response.metadata.cacheStatus == wanted)
                }
            }
            #expect(!folder.holds("a-path-to-look-for") && !folder.holds("answer 0"))
        }

        @Test func `a file that is no file of ours is replaced, with a warning`() async throws {
            let origin = try ScriptedOrigin.start(counting())
            defer { origin.stop() }
            let folder = Folder()
            let url = origin.url()
            var configuration = FetcherConfiguration.patient
            configuration.cache.disk = CacheConfiguration.Disk(directory: folder.path)
            try await Caller.onReactor.run(configuration) { _ = try await $0.get(url) }
            for file in folder.files {
                try Data("nothing of the kind".utf8).write(to: URL(fileURLWithPath: file))
            }
            let heard = Heard()
            configuration.cache.onWarning = { heard.note($0) }
            try await Caller.onReactor.run(configuration) { fetcher in
                let response = try await fetcher.get(url)
                #expect(response.metadata.cacheStatus == .miss)
            }
            #expect(
                heard.all.contains { if case .fileReplaced = $0 { true } else { false } },
                "\(heard.all)")
        }
    }
#endif
