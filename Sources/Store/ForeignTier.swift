// ForeignTier: makes calls of a caller's own store, and events of their answers. Owned by the
// ResponseStore; reactor thread.
//
// Calls stand in one line. One begins when none before it that isn't over speaks of the same
// resource, and a purge of more than a resource waits for all, and all wait for it: so nothing is
// found that was to be forgotten.

internal import FetchBytes
package import FetchCache
package import FetchHTTP
package import FetchReactor
internal import FetchTime

package final class ForeignTier: SecondTier {
    package var onEvent: (StoreEvent) -> Void = { _ in }

    private let store: any CacheStore
    private let settings: ForeignSettings
    private let rules: CacheRules
    private let reactor: Reactor
    private var line = ForeignLine()
    private var findings: [Int: Finding] = [:]
    private var isEnded = false

    private struct Finding {
        let key: CacheKey
        let answer: ([CachedResponse]) -> Void
        let timer: TimerID
    }

    package init(
        _ store: any CacheStore, _ settings: ForeignSettings = ForeignSettings(),
        _ rules: CacheRules, on reactor: Reactor
    ) {
        self.store = store
        self.settings = settings
        self.rules = rules
        self.reactor = reactor
    }

    // MARK: Asking

    package func mayHold(_ target: Target) -> Bool { !isEnded }

    package func find(_ key: CacheKey, _ answer: @escaping ([CachedResponse]) -> Void) {
        guard !isEnded, line.count < settings.mostCalls else { return answer([]) }
        let resource = key.target.resourceText
        let partition = ForeignForm.partition(key.partition)
        let number = line.add(.find(resource: resource, partition: partition))
        let deadline = reactor.now.adding(nanoseconds: settings.patience)
        findings[number] = Finding(
            key: key, answer: answer,
            timer: reactor.schedule(Patience(self), token: number, at: deadline))
        begin()
    }

    /// A timer keeps its handler, and nobody else keeps the tier.
    private final class Patience: TimerHandler {
        private weak var tier: ForeignTier?
        init(_ tier: ForeignTier) { self.tier = tier }
        func timerFired(_ token: Int) { tier?.found(token, []) }
    }

    package func store(_ response: CachedResponse) {
        let bytes = response.body.count + 4_096
        guard line.count < settings.mostCalls, line.bytes + bytes <= settings.mostQueuedBytes else {
            return
        }
        add(.set(ForeignForm.entry(response, rules), bytes: bytes))
    }

    package func replace(_ old: CachedResponse, with new: CachedResponse) {
        if ForeignForm.variant(old) != ForeignForm.variant(new) { remove(old) }
        store(new)
    }

    package func remove(_ response: CachedResponse) {
        add(
            .delete(
                resource: String(response.uriBytes),
                partition: ForeignForm.partition(response.facts.partition),
                variant: ForeignForm.variant(response)))
    }

    package func purge(_ purge: CachePurge) {
        switch purge {
        case .resource(let target): add(.purge(.resource(target.resourceText)))
        case .prefix(let prefix): add(.purge(.prefix(prefix)))
        case .everything: add(.purge(.everything))
        }
    }

    package func end(_ whenDone: @escaping () -> Void) {
        isEnded = true
        line = ForeignLine()
        for number in findings.keys.sorted() { found(number, []) }
        whenDone()
    }

    private func add(_ call: ForeignCall) {
        guard !isEnded else { return }
        if line.count >= settings.mostCalls { line.forgetWaiting() }
        _ = line.add(line.isForgetting ? .purge(.everything) : call)
        line.isForgetting = false
        begin()
    }

    // MARK: Calling

    private func begin() {
        while let (number, call) = line.next(atMost: settings.mostConcurrent) {
            begin(number, call)
        }
    }

    private func begin(_ number: Int, _ call: ForeignCall) {
        let home = ReactorBound(here: Home(self), on: reactor)
        let store = store
        reactor.call {
            var entries: [CacheStoreEntry] = []
            var failure: String?
            do {
                entries = try await call.made(of: store)
            } catch {
                failure = "\(error)"
            }
            home.reactor.post { [entries, failure] in
                home.value.tier?.ended(number, entries, failure)
            }
        }
    }

    private final class Home {
        weak var tier: ForeignTier?
        init(_ tier: ForeignTier) { self.tier = tier }
    }

    private func ended(_ number: Int, _ entries: [CacheStoreEntry], _ failure: String?) {
        line.ended(number)
        if let failure, !isEnded { onEvent(.storeFailed(failure)) }
        if let finding = findings[number] {
            let now = reactor.nowWithWall
            found(
                number,
                entries.compactMap { ForeignForm.response($0, finding.key, rules, now) })
        }
        begin()
    }

    private func found(_ number: Int, _ responses: [CachedResponse]) {
        guard let finding = findings.removeValue(forKey: number) else { return }
        reactor.cancel(finding.timer)
        finding.answer(responses)
    }
}
