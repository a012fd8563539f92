// DiskTier: lets a DiskStore work: on the reactor's thread, a little in each turn, or on one of its
// own. Owned by the ResponseStore; reactor thread.

#if SQLite
    package import FetchBytes
    package import FetchCache
    package import FetchReactor
    internal import FetchTime
    internal import FetchCrypto

    package final class DiskTier: SecondTier {
        package var onEvent: (StoreEvent) -> Void = { _ in }

        private let rules: CacheRules
        private let reactor: Reactor
        /// Where the store is used: this reactor, or the writer's.
        private let writer: Reactor
        private let ownsWriter: Bool
        private let worker: ReactorBound<DiskWorker>
        private var answers: [Int: ([CachedResponse]) -> Void] = [:]
        private var asked = 0
        private var isEnded = false

        /// - Throws: `CryptoError` for a key of a wrong size, and `SystemError` where the one
        ///   thread can't be made.
        package init(_ settings: DiskSettings, _ rules: CacheRules, on reactor: Reactor) throws {
            self.rules = rules
            self.reactor = reactor
            switch settings.offload {
            case .none:
                writer = reactor
                ownsWriter = false
                let store = try DiskStore(settings)
                worker = ReactorBound(
                    here: DiskWorker(store, settings.turnBudget, reactor), on: reactor)
            case .thread:
                // Refuses here what it would refuse there.
                _ = try DiskStore(settings)
                writer = try Reactor.startThread(name: "fetch-cache")
                ownsWriter = true
                worker = ReactorBound(
                    try DiskWorker(settings, settings.turnBudget * 10, writer), on: writer)
            }
            let home = ReactorBound(here: Home(self), on: reactor)
            onWriter { worker in
                worker.store.onEvent = { event in
                    home.reactor.post { home.value.tier?.onEvent(event) }
                }
            }
        }

        /// What the tier is, without keeping it: held by what comes back from the writer.
        private final class Home {
            weak var tier: DiskTier?
            init(_ tier: DiskTier) { self.tier = tier }
        }

        /// Opens the file and tells its `partitionKey`, nil where it can't be opened: before the
        /// first request, so that no other waits for it. On the reactor's thread this takes some
        /// hundreds of microseconds and answers at once.
        package func open(_ answer: @escaping (DigestKey?) -> Void) {
            guard ownsWriter else { return answer(worker.value.open()) }
            let home = ReactorBound(here: Opening(answer), on: reactor)
            onWriter { worker in
                let key = worker.open()
                home.reactor.post { home.value.answer(key) }
            }
        }

        private final class Opening {
            let answer: (DigestKey?) -> Void
            init(_ answer: @escaping (DigestKey?) -> Void) { self.answer = answer }
        }

        /// What it did so far; on a thread of its own, as of a moment ago.
        package func counters(_ answer: @escaping (DiskCounters) -> Void) {
            guard ownsWriter else { return answer(worker.value.store.counters) }
            let home = ReactorBound(here: Counting(answer), on: reactor)
            onWriter { worker in
                let counters = worker.store.counters
                home.reactor.post { home.value.answer(counters) }
            }
        }

        private final class Counting {
            let answer: (DiskCounters) -> Void
            init(_ answer: @escaping (DiskCounters) -> Void) { self.answer = answer }
        }

        package func find(_ key: CacheKey, _ answer: @escaping ([CachedResponse]) -> Void) {
            guard !isEnded else { return answer([]) }
            let rules = rules
            guard ownsWriter else {
                worker.value.store.find(key, rules, answer)
                return worker.value.arrange()
            }
            asked += 1
            let number = asked
            answers[number] = answer
            let home = ReactorBound(here: Home(self), on: reactor)
            onWriter { worker in
                worker.store.find(key, rules) { found in
                    home.reactor.post { home.value.tier?.answered(number, found) }
                }
            }
        }

        private func answered(_ number: Int, _ found: [CachedResponse]) {
            answers.removeValue(forKey: number)?(found)
        }

        package func store(_ response: CachedResponse) {
            let rules = rules
            onWriter { $0.store.store(response, rules) }
        }

        package func replace(_ old: CachedResponse, with new: CachedResponse) {
            let rules = rules
            onWriter { $0.store.replace(old, with: new, rules) }
        }

        package func remove(_ response: CachedResponse) {
            onWriter { $0.store.remove(response) }
        }

        package func purge(_ purge: CachePurge) {
            onWriter { $0.store.purge(purge) }
        }

        package func end() {
            guard !isEnded else { return }
            onWriter { $0.end() }
            isEnded = true
            let waiting = answers
            answers = [:]
            for answer in waiting.values { answer([]) }
            if ownsWriter { writer.stop() }
        }

        deinit {
            if ownsWriter { writer.stop() }
        }

        /// In order, on the thread that uses the store.
        private func onWriter(_ action: @escaping @Sendable (DiskWorker) -> Void) {
            guard !isEnded else { return }
            guard ownsWriter else {
                action(worker.value)
                return worker.value.arrange()
            }
            let worker = worker
            writer.post {
                action(worker.value)
                worker.value.arrange()
            }
        }
    }

    /// A store and the turns in which it works. Lives on its reactor's thread.
    final class DiskWorker: TimerHandler {
        let store: DiskStore
        private let budget: Int64
        private unowned let reactor: Reactor
        private var isArranged = false
        private var timer: TimerID?

        init(_ store: DiskStore, _ budget: Int64, _ reactor: Reactor) {
            self.store = store
            self.budget = budget
            self.reactor = reactor
        }

        convenience init(
            _ settings: DiskSettings, _ budget: Int64, _ reactor: Reactor
        ) throws(CryptoError) {
            self.init(try DiskStore(settings), budget, reactor)
        }

        func open() -> DigestKey? {
            store.open(now: reactor.nowWithWall)
            arrange()
            return store.partitionKey
        }

        func end() {
            if let timer { reactor.cancel(timer) }
            timer = nil
            store.end(budget: store.settings.endBudget, now: reactor.nowWithWall)
        }

        /// Sees to it that a turn comes in which there is work: the next one, or a later one.
        func arrange() {
            guard !isArranged, let next = store.nextWork else { return }
            if next <= reactor.now {
                isArranged = true
                reactor.enqueue { [weak self] in self?.turn() }
            } else if timer == nil {
                timer = reactor.schedule(self, at: next)
            }
        }

        private func turn() {
            isArranged = false
            store.work(budget: budget, now: reactor.nowWithWall)
            arrange()
        }

        func timerFired(_ token: Int) {
            timer = nil
            arrange()
        }
    }
#endif
