// The cache as a value, against a model that is too slow to be wrong.

import FetchTLS
import TestSupport
import Testing

private func key(_ number: Int) -> ResumptionKey {
    ResumptionKey(host: "host\(number).test", port: 443, serverName: "host\(number).test")
}

private typealias Cache = ResumptionCache<Int>

/// The same by linear search: origins in the order of use, the latest last.
private struct Model {
    var limit: Int
    var origins: [(key: ResumptionKey, entries: [(session: Int, once: Bool, expires: Int64)])] = []

    var count: Int { origins.reduce(0) { $0 + $1.entries.count } }

    mutating func store(_ session: Int, once: Bool, expires: Int64, _ key: ResumptionKey) {
        var entries = remove(key)
        if !once { entries = [] }
        origins.append((key, entries + [(session, once, expires)]))
        while count > limit {
            origins[0].entries.removeFirst()
            if origins[0].entries.isEmpty { origins.removeFirst() }
        }
    }

    mutating func take(_ key: ResumptionKey, now: Int64) -> Int? {
        var entries = remove(key)
        while let last = entries.last, last.expires <= now { entries.removeLast() }
        guard let last = entries.last else { return nil }
        if last.once { entries.removeLast() }
        if !entries.isEmpty { origins.append((key, entries)) }
        return last.session
    }

    private mutating func remove(
        _ key: ResumptionKey
    ) -> [(session: Int, once: Bool, expires: Int64)] {
        guard let index = origins.firstIndex(where: { $0.key == key }) else { return [] }
        return origins.remove(at: index).entries
    }
}

@Suite struct ResumptionCacheTests {
    @Test func `the newest ticket is given first, and each once`() {
        var cache = Cache(limit: 10)
        for number in 1...3 {
            cache.store(.init(session: number, isSingleUse: true, expires: 100), for: key(0))
        }
        #expect((0..<4).map { _ in cache.take(key(0), now: 0) } == [3, 2, 1, nil])
        #expect(cache.count == 0)
        #expect(cache.originCount == 0)
    }

    @Test func `what has expired is not given`() {
        var cache = Cache(limit: 10)
        cache.store(.init(session: 1, isSingleUse: true, expires: 200), for: key(0))
        cache.store(.init(session: 2, isSingleUse: true, expires: 100), for: key(0))
        #expect(cache.take(key(0), now: 100) == 1)
        cache.store(.init(session: 3, isSingleUse: false, expires: 100), for: key(0))
        #expect(cache.take(key(0), now: 99) == 3)
        #expect(cache.take(key(0), now: 100) == nil)
        #expect(cache.count == 0)
    }

    @Test func `a limit of nothing keeps nothing`() {
        var cache = Cache(limit: 0)
        cache.store(.init(session: 1, isSingleUse: false, expires: 100), for: key(0))
        #expect(cache.take(key(0), now: 0) == nil)
    }

    @Test(arguments: 1...20)
    func `it does what the slow model does`(seed: UInt64) {
        var dice = Dice(seed: seed)
        let limit = dice.pick(1...12)
        var cache = Cache(limit: limit)
        var model = Model(limit: limit)
        for step in 0..<3_000 {
            let key = key(dice.pick(0...6))
            if dice.chance(0.6) {
                let once = dice.chance(0.8)
                let expires = Int64(step + dice.pick(0...60))
                cache.store(
                    .init(session: step, isSingleUse: once, expires: expires), for: key)
                model.store(step, once: once, expires: expires, key)
            } else {
                #expect(
                    cache.take(key, now: Int64(step)) == model.take(key, now: Int64(step)))
            }
            #expect(cache.count == model.count)
            #expect(cache.originCount == model.origins.count)
            #expect(cache.count <= limit)
        }
    }
}
