// The memory and what stands behind it, as the road sees them.

import FetchBytes
import FetchCache
import FetchHTTP
import FetchStore
import FetchTime
import Glibc
import StoreProbe
import Testing

/// A tier that notes what it is told, and answers when it is told to.
private final class Behind: SecondTier {
    var onEvent: (StoreEvent) -> Void = { _ in }
    var log: [String] = []
    var answers: [([CachedResponse]) -> Void] = []

    var mayHoldAnything = true

    func mayHold(_ target: Target) -> Bool { mayHoldAnything }

    func find(_ key: CacheKey, _ answer: @escaping ([CachedResponse]) -> Void) {
        log.append("find \(key.target.pathAndQuery)")
        answers.append(answer)
    }

    func store(_ response: CachedResponse) { log.append("store \(path(response))") }
    func replace(_ old: CachedResponse, with new: CachedResponse) {
        log.append("replace \(path(old))")
    }
    func remove(_ response: CachedResponse) { log.append("remove \(path(response))") }
    func purge(_ purge: CachePurge) { log.append("purge") }
    func end(_ whenDone: @escaping () -> Void) {
        log.append("end")
        whenDone()
    }

    private func path(_ response: CachedResponse) -> String {
        String(String(response.uriBytes).dropFirst("http://example.com".count))
    }
}

struct ResponseStoreTests {
    private func glance(_ store: ResponseStore, _ path: String) -> MemoryIndex.Glance {
        let none = Headers()
        return store.glance(
            Sample.target(path), .open, none, defaults: none, kinds: [], now: Sample.now(1))
    }

    @Test func `alone, the memory says at a glance what it has`() {
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules())
        #expect(glance(store, "/a") == .nothing)
        let response = Sample.response("/a", "a")
        store.apply(.store(response, superseding: []), now: Sample.now())
        #expect(glance(store, "/a") == .hit(response))
        #expect(store.find(Sample.request("/a")) { _ in } == [response])
        #expect(store.find(Sample.request("/b")) { _ in } == [])
        let counters = store.counters
        #expect(counters.glanced == 1 && counters.missed == 2 && counters.foundInMemory == 1)
        #expect(counters.stored == 1 && store.count == 1)
        #expect(store.bytes == response.allocatedBytes)
    }

    @Test func `a body is shared, not copied`() {
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules())
        let body = Sample.body(100_000)
        store.apply(.store(Sample.response("/a", body), superseding: []), now: Sample.now())
        guard case .hit(let response) = glance(store, "/a") else {
            Issue.record("no hit")
            return
        }
        let answer = CacheAnswer(response, .whole, age: 0)
        func address(_ bytes: Bytes) -> UnsafeRawPointer? {
            bytes.withUnsafeBytes { $0.baseAddress }
        }
        #expect(address(answer.body) == address(body))
    }

    @Test func `what isn't in memory is asked for behind it, and stays in memory`() {
        let behind = Behind()
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
        #expect(glance(store, "/a") == .undecided)
        var found: [CachedResponse]?
        #expect(store.find(Sample.request("/a")) { found = $0 } == nil)
        let response = Sample.response("/a", "a")
        behind.answers[0]([response])
        #expect(found == [response] && glance(store, "/a") == .hit(response))
        #expect(behind.log == ["find /a"] && store.counters.foundBehind == 1)
    }

    @Test func `what came meanwhile is newer than what is behind`() {
        let behind = Behind()
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
        var found: [CachedResponse]?
        _ = store.find(Sample.request("/a")) { found = $0 }
        let newer = Sample.response("/a", "newer")
        store.apply(.store(newer, superseding: []), now: Sample.now())
        behind.answers[0]([Sample.response("/a", "older")])
        #expect(found == [newer])
    }

    @Test func `what is made doubtful meanwhile isn't found`() {
        for isPurge in [true, false] {
            let behind = Behind()
            let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
            var found: [CachedResponse]?
            _ = store.find(Sample.request("/a")) { found = $0 }
            if isPurge {
                store.purge(.prefix("http://example.com/"), now: Sample.now())
            } else {
                store.apply(.invalidate(Sample.target("/a")), now: Sample.now())
            }
            behind.answers[0]([Sample.response("/a", "a")])
            #expect(found == [] && store.count == 0)
            #expect(behind.log == ["find /a", "purge"])
        }
    }

    @Test func `what was asked for before an invalidation is stored nowhere`() {
        let behind = Behind()
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
        store.apply(.invalidate(Sample.target("/a")), now: Sample.now(1))
        store.apply(.store(Sample.response("/a", "a"), superseding: []), now: Sample.now(2))
        #expect(store.count == 0 && behind.log == ["purge"])
    }

    @Test func `what is only for the memory stays there, and nothing older is left behind`() {
        let behind = Behind()
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
        let secret = Sample.response("/a", Bytes("secret"), onlyInMemory: true)
        store.apply(.store(secret, superseding: []), now: Sample.now())
        #expect(behind.log == ["remove /a"] && glance(store, "/a") == .hit(secret))
    }

    @Test func `what can't be behind the memory isn't looked for there`() {
        let behind = Behind()
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
        #expect(glance(store, "/a") == .undecided)
        behind.mayHoldAnything = false
        #expect(glance(store, "/a") == .nothing)
        #expect(store.find(Sample.request("/a")) { _ in } == [])
        #expect(behind.log.isEmpty && store.counters.missed == 2)
    }

    @Test func `changes reach both`() {
        let behind = Behind()
        let store = ResponseStore(MemoryIndex.Limits(), CacheRules(), behind: behind)
        let (a, b) = (Sample.response("/a", "a"), Sample.response("/b", "b"))
        let newer = Sample.response("/a", "a")
        store.apply(
            [.store(a, superseding: []), .store(b, superseding: [])], now: Sample.now())
        store.apply([.replace(a, with: newer), .remove(b)], now: Sample.now())
        #expect(behind.log == ["store /a", "store /b", "replace /a", "remove /b"])
        #expect(glance(store, "/a") == .hit(newer) && store.count == 1)
        store.end()
        #expect(behind.log.last == "end" && store.count == 0)
    }

    @Test func `the status of a hit is told`() {
        let status = CacheStatus(hit: Sample.response("/a", "a"), now: Sample.now(10))
        #expect(status.text == "swift-fetch;hit;ttl=590")
    }

    /// Ten million steps where `FETCH_ACCOUNT_STEPS` says so.
    @Test func `the account is what a recount and the allocator say`() async {
        // In a process of its own, where nobody else allocates.
        await #expect(processExitsWith: .success) {
            let steps = getenv("FETCH_ACCOUNT_STEPS").flatMap { Int(String(cString: $0)) } ?? 20_000
            #expect(Account.failure(steps: steps, seed: 20_261_121) == nil)
        }
    }
}
