// Look-ups and stores of random sizes: whether the account stays right. Ten million of them are too
// many for the tests' own run.

import CFetchLinux
import FetchBytes
import FetchCache
import FetchHTTP
import FetchStore

package enum Account {
    /// 0 when a recount every thousand steps, and the allocator, agree with the account.
    static func run(steps: Int) -> Int32 {
        let failure = failure(steps: steps, seed: 1)
        print(failure ?? "the account is right after \(steps) steps")
        return failure == nil ? 0 : 1
    }

    /// What is wrong with the account; nil when nothing is.
    package static func failure(steps: Int, seed: UInt64) -> String? {
        var chance = Chance(state: seed)
        var limits = MemoryIndex.Limits()
        limits.bytes = 100 << 20
        limits.entries = 100_000
        let targets = (0..<4_000).map { Sample.target("/a/longer/path/\($0)") }
        let before = Int(fetch_allocated_bytes())
        let store = ResponseStore(limits, CacheRules())
        let now = Sample.now()
        let none = Headers()
        for step in 1...steps {
            let number = Int.random(in: 0..<targets.count, using: &chance)
            let glance = store.glance(
                targets[number], .open, none, defaults: none, kinds: [], now: now)
            if case .nothing = glance {
                let size = Int.random(
                    in: 1...(1 << Int.random(in: 4...20, using: &chance)), using: &chance)
                let response = Sample.response(
                    "/a/longer/path/\(number)", Bytes([UInt8](repeating: 0, count: size)))
                store.apply(.store(response, superseding: []), now: now)
            }
            guard step % 1_000 == 0 else { continue }
            let recount = store.recount()
            if recount != (store.count, store.bytes) || store.bytes > limits.bytes {
                return "after \(step) steps: \(recount), not \((store.count, store.bytes))"
            }
        }
        let allocated = Int(fetch_allocated_bytes()) - before
        guard abs(allocated - store.bytes) < store.bytes / 10 else {
            return "allocated \(allocated), account \(store.bytes)"
        }
        return store.bytes > 90 << 20 ? nil : "only \(store.bytes) bytes were stored"
    }
}
