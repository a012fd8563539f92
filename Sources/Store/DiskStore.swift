// DiskStore: responses in a file, by SQLite (RFC 9111 says nothing of files; every rule is the
// Cache room's). Owned by a DiskTier; used by one thread: the reactor's, or one of its own.
//
// Nothing here waits. What is asked for is put in line, and `work` takes one small step after the
// other until its time is used up: a transaction of one row, one row read, a few pages of the log
// copied. So a large body takes many turns, and a turn some tens of microseconds. (Opening the file
// is one step, of some hundreds.)
//
// How it can be trusted:
//
// - A process that dies at any instruction: what it handed to the kernel stays, and SQLite's log
//   makes a transaction whole or nothing. An entry is written after its pieces, and removed before
//   them; pieces that were left alone are swept up.
// - A machine that dies: `synchronous` is off, so pages may be lost. Each row has a checksum, and a
//   file whose pages contradict each other is replaced.
// - Two processes: each transaction is short, and whoever finds the file locked does without: a
//   look-up finds nothing, a change stays in line for a while.
// - What must be forgotten stays in line until it is; meanwhile it isn't found either.

#if SQLite
    package import FetchBytes
    package import FetchCache
    internal import FetchHTTP
    package import FetchTime
    package import FetchCrypto
    internal import Glibc

    package final class DiskStore {
        /// Bytes of body in one row.
        static let pieceBytes = 49_000
        /// Bodies up to here stand in their entry.
        static let inlineBytes = 24_000
        /// The most bytes of everything else about a response.
        static let mostFormBytes = 40_000
        /// Pieces that one number leaves room for.
        static let mostPieces = 4_095
        /// Times that a change is tried while the file is busy, 10 ms apart, before it is dropped.
        static let mostAttempts = 50

        enum State {
            /// Not opened yet, or done without until then.
            case closed(until: Instant)
            case open(DiskFile, DiskSeal)
            /// Nothing is stored any more.
            case ended
        }

        package let settings: DiskSettings
        package let path: String
        package internal(set) var counters = DiskCounters()
        package var onEvent: (StoreEvent) -> Void = { _ in }

        var state = State.closed(until: Instant(nanoseconds: .min))
        var findings: [DiskFinding] = []
        var changes = DiskQueue()
        /// Pieces of entries that are gone: the entry and how many.
        var garbage: [(id: Int64, pieces: Int)] = []
        /// Entries that can't be read.
        var damaged: [(id: Int64, pieces: Int)] = []
        /// How often it couldn't be opened because of somebody else.
        var busyOpenings = 0
        /// Whether it was told that the file is done without.
        var isBypassTold = false
        /// No change is tried before: somebody else was writing.
        var blockedUntil = Instant(nanoseconds: .min)
        /// How often the first change in line was tried.
        var attempts = 0
        var lastID: Int64 = 0
        /// Whether anything was committed since the log was copied.
        var hasCommitted = false
        var commitsUntilCount = 0
        var isPruning = false
        /// Where the sweep goes on; nil when it is done.
        var sweptTo: Int64?
        var nextAgeing = Instant(nanoseconds: .min)
        /// Told which resources the file may hold, when that is known, and anew when it isn't any
        /// more.
        var onContents: (DiskContents) -> Void = { _ in }
        /// Told of resources that others have stored.
        var onFurtherContents: ([Int64]) -> Void = { _ in }
        var scan = DiskScan.none
        /// What was read of them so far.
        var contents: DiskContents?
        /// Of the file, when others were last looked for.
        var dataVersion: Int64 = 0
        var scannedUntil: Int64 = 0
        private let nanoseconds: () -> Int64
        /// What a step costs, as a rule.
        private var stepCost: Int64 = 0

        /// - Parameter nanoseconds: a clock that measures steps.
        /// - Throws: where the sealing key isn't 32 bytes long.
        package init(
            _ settings: DiskSettings, nanoseconds: (() -> Int64)? = nil
        ) throws(CryptoError) {
            self.settings = settings
            self.nanoseconds = nanoseconds ?? { Self.monotonic() }
            var name = "responses-\(DiskFile.version).db"
            if let key = settings.sealingKey {
                guard key.count == SealingKey.byteCount else { throw .keySize(key.count) }
                name = "sealed-\(DiskFile.version)-\(try DiskSeal.name(of: key)).db"
            }
            path = settings.directory.isEmpty ? name : settings.directory + "/" + name
        }

        private static func monotonic() -> Int64 {
            var time = timespec()
            // The pointer is to a local; the clock is always there.
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }

        // MARK: Asking

        /// Opens the file now, if it can be: to know `partitionKey`, or that all is well.
        package func open(now: Now) {
            if case .closed = state { reopen(now) }
        }

        package var isOpen: Bool {
            if case .open = state { return true }
            return false
        }

        /// With what digests of credentials are to be made, so that another process, or a later
        /// one, finds what this one stored. Nil while the file isn't open.
        package var partitionKey: DigestKey? {
            guard case .open(_, let seal) = state else { return nil }
            return seal.partitionKey
        }

        /// Looks up what is stored under a key. The answer comes from `work`, once; with nothing
        /// where the file can't be read.
        package func find(
            _ key: CacheKey, _ rules: CacheRules,
            _ answer: @escaping ([CachedResponse]) -> Void
        ) {
            findings.append(DiskFinding(key: key, rules: rules, answer: answer))
        }

        package func store(_ response: CachedResponse, _ rules: CacheRules) {
            guard isOpen || isUntried, response.body.count <= Self.pieceBytes * Self.mostPieces
            else {
                counters.dropped += 1
                return
            }
            add(.store(DiskStoring(response, rules)))
        }

        /// Puts newer fields in place of those that are stored, if they still are.
        package func replace(
            _ old: CachedResponse, with new: CachedResponse, _ rules: CacheRules
        ) {
            add(.replace(old, with: new, rules))
        }

        /// Forgets what is stored for the same key and the same selecting fields.
        package func remove(_ response: CachedResponse) {
            makeDoubtful { $0.targetHash == response.facts.targetHash }
            add(.remove(response))
        }

        package func purge(_ purge: CachePurge) {
            switch purge {
            case .resource(let target):
                let hash = target.resourceHash
                makeDoubtful { $0.targetHash == hash }
            case .prefix, .everything: makeDoubtful { _ in true }
            }
            add(.purge(DiskPurging(purge)))
        }

        private func makeDoubtful(_ fits: (CacheKey) -> Bool) {
            for index in findings.indices where fits(findings[index].key) {
                findings[index].isVoid = true
            }
        }

        private func add(_ change: DiskChange) {
            if case .ended = state { return }
            let isFull =
                changes.count >= settings.mostQueuedChanges
                || changes.bodyBytes + change.bodyBytes > settings.mostQueuedBytes
            guard isFull else { return changes.append(change) }
            if change.mayBeDropped {
                counters.dropped += 1
            } else if changes.count >= settings.mostQueuedChanges {
                // Too much to remember one by one.
                changes.removeAll()
                attempts = 0
                changes.append(.purge(DiskPurging(.everything)))
            } else {
                changes.append(change)
            }
        }

        private var isUntried: Bool {
            if case .closed(let until) = state { return until.nanoseconds == .min }
            return false
        }

        // MARK: Working

        /// Takes steps until `budget` nanoseconds are used up, at least one.
        ///
        /// Stops before a step that would, by what steps cost so far, end too late.
        package func work(budget: Int64, now: Now) {
            let start = nanoseconds()
            var before = start
            while step(now) {
                let after = nanoseconds()
                stepCost += (after - before - stepCost) / 4
                before = after
                if after - start + stepCost > budget { return }
            }
        }

        /// Whether `work` has something to do now.
        package func hasWork(now: Instant) -> Bool {
            guard let next = nextWork else { return false }
            return next <= now
        }

        /// Whether more than half of what may wait to be written does.
        package var isPressed: Bool {
            changes.bodyBytes > settings.mostQueuedBytes / 2
                || changes.count > settings.mostQueuedChanges / 2
        }

        /// Whether somebody waits for an answer.
        package var isAwaited: Bool { !findings.isEmpty }

        /// When `work` has something to do; nil when nothing is left.
        package var nextWork: Instant? {
            let atOnce = Instant(nanoseconds: .min)
            if case .ended = state { return findings.isEmpty ? nil : atOnce }
            if !findings.isEmpty { return atOnce }
            if case .closed(let until) = state { return changes.isEmpty ? nil : until }
            let isIdle =
                changes.isEmpty && garbage.isEmpty && damaged.isEmpty && !hasCommitted
                && !isPruning && sweptTo == nil && !scan.isUnderWay
            return isIdle ? nil : blockedUntil
        }

        /// One step; false where there is nothing to be done now.
        private func step(_ now: Now) -> Bool {
            switch state {
            case .ended: return answerWithNothing()
            case .closed(let until):
                guard now.instant >= until else { return answerWithNothing() }
                guard !findings.isEmpty || !changes.isEmpty else { return false }
                reopen(now)
                return true
            case .open(let file, let seal):
                do throws(SQLiteFailure) {
                    return try step(file, seal, now)
                } catch {
                    failed(error, file, now)
                    return true
                }
            }
        }

        private func step(
            _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) -> Bool {
            if !findings.isEmpty {
                try findingStep(file, seal, now)
                return true
            }
            guard now.instant >= blockedUntil else { return false }
            if scan.isUnderWay {
                try scanStep(file, seal, now)
                return true
            }
            if hasCommitted, file.database.logFrames >= file.logPages {
                return try checkpoint(file)
            }
            if file.database.logFrames > file.logPages + DiskFile.spareLogPages {
                // Somebody reads an old state, and may be done by now.
                _ = try checkpoint(file)
                if file.database.logFrames > file.logPages + DiskFile.spareLogPages {
                    throw .busy
                }
                return true
            }
            if now.instant >= nextAgeing {
                try ageingStep(file, now)
                return true
            }
            if isPruning { return try pruningStep(file) }
            if let entry = damaged.popLast() {
                try transaction(file) { () throws(SQLiteFailure) in
                    try removeEntry(entry, file)
                }
                return true
            }
            if !changes.isEmpty {
                try changeStep(file, seal, now)
                return true
            }
            if !garbage.isEmpty {
                try garbageStep(file)
                return true
            }
            if sweptTo != nil {
                try sweepStep(file, now)
                return true
            }
            return hasCommitted ? try checkpoint(file) : false
        }

        private func checkpoint(_ file: DiskFile) throws(SQLiteFailure) -> Bool {
            // Whatever comes of it: the next attempt is behind the next commit.
            hasCommitted = false
            try file.database.checkpoint()
            return true
        }

        private func answerWithNothing() -> Bool {
            guard !findings.isEmpty else { return false }
            let finding = findings.removeFirst()
            counters.missed += 1
            finding.answer([])
            return true
        }

        /// Ends: whoever waits gets nothing, and what is in line is written for `budget`
        /// nanoseconds at most.
        package func end(budget: Int64 = 0, now: Now? = nil) {
            while answerWithNothing() {}
            if budget > 0, let now, !changes.isEmpty { work(budget: budget, now: now) }
            state = .ended
            changes.removeAll()
            garbage = []
            while answerWithNothing() {}
        }
    }

    /// Changes in line, first in, first out.
    struct DiskQueue {
        private(set) var list: [DiskChange] = []
        private var head = 0
        private(set) var bodyBytes = 0

        var isEmpty: Bool { head == list.count }
        var count: Int { list.count - head }

        mutating func append(_ change: DiskChange) {
            bodyBytes += change.bodyBytes
            list.append(change)
        }

        var first: DiskChange? {
            get { isEmpty ? nil : list[head] }
            set {
                if let newValue, !isEmpty { list[head] = newValue }
            }
        }

        mutating func removeFirst() {
            guard !isEmpty else { return }
            bodyBytes -= list[head].bodyBytes
            // Lets go of the body at once.
            list[head] = .touch(id: 0, used: 0)
            head += 1
            if head == list.count || head > 64 && head > list.count / 2 {
                list.removeFirst(head)
                head = 0
            }
        }

        mutating func removeAll() { self = DiskQueue() }

        /// What waits, in order.
        func forEach(_ body: (DiskChange) -> Void) {
            for index in head..<list.count { body(list[index]) }
        }
    }
#endif
