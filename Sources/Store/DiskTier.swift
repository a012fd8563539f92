// DiskTier: lets a DiskStore work: on the reactor's thread, a little in each turn, or on one of its
// own. Owned by the ResponseStore; reactor thread.

#if SQLite
    package import FetchBytes
    package import FetchCache
    package import FetchHTTP
    package import FetchReactor
    internal import FetchTime
    internal import FetchCrypto

    package final class DiskTier: SecondTier {
        package var onEvent: (StoreEvent) -> Void = { _ in }

        /// Nanoseconds between two looks at what others have stored.
        private static let lookInterval: Int64 = 100_000_000
        private static let mostStoredMeanwhile = 10_000

        private let rules: CacheRules
        private let reactor: Reactor
        /// Where the store is used: this reactor, or the writer's.
        private let writer: Reactor
        private let ownsWriter: Bool
        private let worker: ReactorBound<DiskWorker>
        private var answers: [Int: ([CachedResponse]) -> Void] = [:]
        private var asked = 0
        /// What the file may hold, once it was read.
        private var contents: DiskContents?
        /// Whether it is being read, and URIs that were stored meanwhile.
        private var isReading = true
        private var storedMeanwhile: [Bytes] = []
        /// When others are looked for.
        private var nextLook = Instant(nanoseconds: .min)
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
                // Whoever waits for the network goes first.
                writer.post { [writer] in writer.giveWay() }
                worker = ReactorBound(
                    try DiskWorker(settings, settings.turnBudget * 10, writer), on: writer)
            }
            let home = ReactorBound(here: Home(self), on: reactor)
            onWriter { worker in
                worker.store.onEvent = { event in
                    home.reactor.post { home.value.tier?.onEvent(event) }
                }
                worker.store.onContents = { contents in
                    home.reactor.post { home.value.tier?.contentsRead(contents) }
                }
                worker.store.onFurtherContents = { resources in
                    home.reactor.post { home.value.tier?.othersStored(resources) }
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
            let home = ReactorBound(here: Reply(answer), on: reactor)
            onWriter { worker in
                let key = worker.open()
                home.reactor.post { home.value.answer(key) }
            }
        }

        /// Who is told what the writer answers.
        private final class Reply<Value> {
            let answer: (Value) -> Void
            init(_ answer: @escaping (Value) -> Void) { self.answer = answer }
        }

        /// What it did so far; on a thread of its own, as of a moment ago.
        package func counters(_ answer: @escaping (DiskCounters) -> Void) {
            guard ownsWriter else { return answer(worker.value.store.counters) }
            let home = ReactorBound(here: Reply(answer), on: reactor)
            onWriter { worker in
                let counters = worker.store.counters
                home.reactor.post { home.value.answer(counters) }
            }
        }

        // MARK: What the file holds

        package func mayHold(_ target: Target) -> Bool {
            guard !isEnded else { return false }
            guard let contents else { return true }
            if reactor.now >= nextLook {
                nextLook = reactor.now.adding(nanoseconds: Self.lookInterval)
                onWriter { $0.lookForOthers() }
            }
            return contents.mayHold(target)
        }

        private func contentsRead(_ read: DiskContents) {
            let uris = storedMeanwhile
            storedMeanwhile = []
            // Of a file that was begun anew nobody knows what was stored since it was read.
            guard isReading, uris.count < Self.mostStoredMeanwhile else { return readAgain() }
            contents = read
            isReading = false
            for uri in uris { note(uri) }
        }

        private func readAgain() {
            isReading = true
            onWriter { $0.store.scanAgain() }
        }

        private func othersStored(_ resources: [Int64]) {
            for resource in resources { contents?.insert(resource) }
        }

        private func note(_ uri: Bytes) {
            if isReading {
                // Too many to remember: the file is asked until it is read anew.
                guard storedMeanwhile.count < Self.mostStoredMeanwhile else {
                    contents = nil
                    return
                }
                storedMeanwhile.append(uri)
            }
            guard let resource = contents?.resource(uri.span) else { return }
            contents?.insert(resource)
            if !isReading, contents?.room ?? 0 <= 0 { readAgain() }
        }

        // MARK: Asking

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
            note(response.uriBytes)
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

        package func end(_ whenDone: @escaping () -> Void = {}) {
            guard !isEnded else { return whenDone() }
            if ownsWriter {
                let home = ReactorBound(here: Reply<Void>(whenDone), on: reactor)
                onWriter { worker in
                    worker.end()
                    home.reactor.post { home.value.answer(()) }
                }
            } else {
                worker.value.end()
            }
            isEnded = true
            let waiting = answers
            answers = [:]
            for answer in waiting.values { answer([]) }
            if ownsWriter { writer.stop() } else { whenDone() }
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
        /// When it works next.
        private enum Arrangement {
            case none
            /// In the next turn in which nobody waits for anything else, or before long.
            case whenIdle
            /// In this turn, or in the next one: somebody waits for an answer.
            case soon
        }

        /// Nanoseconds between its turns while the loop has anything else to do, and for which it
        /// waits for an idle one: so that writing has a quarter of the time of a loop that is busy,
        /// and a twentieth of one that never is idle.
        private static let pace = (gap: Int64(400_000), patience: Int64(2_000_000))
        /// The same when what waits to be written grows beyond half of its bound.
        private static let haste = (gap: Int64(0), patience: Int64(400_000))

        let store: DiskStore
        private let budget: Int64
        private unowned let reactor: Reactor
        private var arranged = Arrangement.none
        /// So many turns were arranged; only the last of them counts.
        private var arrangements = 0
        /// The turn in which it worked last.
        private var lastTurn: UInt64 = 0
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

        func lookForOthers() { store.lookForOthers(reactor.nowWithWall) }

        func end() {
            if let timer { reactor.cancel(timer) }
            timer = nil
            store.end(budget: store.settings.endBudget, now: reactor.nowWithWall)
        }

        /// Sees to it that a turn comes in which there is work: the next one, or a later one.
        func arrange() {
            guard let next = store.nextWork else { return }
            if next <= reactor.now {
                arrangeTurn(store.isAwaited ? .soon : .whenIdle)
            } else if timer == nil {
                timer = reactor.schedule(self, at: next)
            }
        }

        private func arrangeTurn(_ wanted: Arrangement) {
            guard arranged != wanted, arranged != .soon else { return }
            arranged = wanted
            arrangements += 1
            let turn = { [weak self, arrangements] in self?.turn(arrangements) ?? () }
            // Not in this turn again, or its share of each would be many times as much.
            switch wanted {
            case .none: break
            case .soon where lastTurn != reactor.turnNumber: reactor.enqueue(turn)
            case .soon: reactor.enqueueWhenIdle(turn)
            case .whenIdle:
                let (gap, patience) = store.isPressed ? Self.haste : Self.pace
                reactor.enqueueWhenIdle(after: gap, orAfter: patience, turn)
            }
        }

        private func turn(_ number: Int) {
            // A later one is sooner.
            guard number == arrangements else { return }
            arranged = .none
            lastTurn = reactor.turnNumber
            store.work(budget: budget, now: reactor.nowWithWall)
            arrange()
        }

        func timerFired(_ token: Int) {
            timer = nil
            arrange()
        }
    }
#endif
