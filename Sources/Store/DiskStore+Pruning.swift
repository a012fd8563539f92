// Steps that make room: entries that are damaged, too old or least used, pieces of entries that are
// gone, pieces that never got an entry.

#if SQLite
    internal import FetchTime

    extension DiskStore {
        /// Pieces that are removed in one step.
        private static var piecesPerStep: Int { 2 }
        /// Seconds after which pieces without an entry are taken for left alone. Should whoever
        /// writes them be slower, the entry won't be whole, which is noticed.
        private static var orphanAge: Int64 { 60 }
        /// Nanoseconds between two looks at what is too old.
        private static var ageingInterval: Int64 { 600_000_000_000 }
        /// Commits between two looks at how full the file is.
        private static var commitsPerCount: Int { 8 }

        /// Entries made before this one are too old.
        func oldestID(_ now: Now) -> Int64 {
            let (seconds, overflow) = now.wall.seconds
                .subtractingReportingOverflow(settings.mostAge)
            return overflow ? 0 : Self.firstID(at: Timestamp(seconds: seconds))
        }

        /// Removes the oldest entry where it is too old.
        func ageingStep(_ file: DiskFile, _ now: Now) throws(SQLiteFailure) {
            if let entry = try nextEntry(from: 0, file), entry.id < oldestID(now) {
                try transaction(file) { () throws(SQLiteFailure) in
                    try removeEntry(entry, file)
                }
                counters.pruned += 1
            } else {
                nextAgeing = now.instant.adding(nanoseconds: Self.ageingInterval)
            }
        }

        /// Notices that the file is nearly full.
        func countPages(_ file: DiskFile, _ now: Now) throws(SQLiteFailure) {
            commitsUntilCount -= 1
            guard commitsUntilCount <= 0 else { return }
            commitsUntilCount = Self.commitsPerCount
            let most = DiskFile.mostPages(settings)
            if try usedPages(file) > most - most / 16 { isPruning = true }
            // Another process has found it unusable, and begun a new one.
            if !file.isInPlace { state = .closed(until: Instant(nanoseconds: .min)) }
        }

        /// Pages with something in them.
        func usedPages(_ file: DiskFile) throws(SQLiteFailure) -> Int {
            let all = try file.statements.pageCount.first { $0.number(0) } ?? 0
            let free = try file.statements.freeCount.first { $0.number(0) } ?? 0
            return Int(clamping: all - free)
        }

        /// Removes the least recently used entry, with its pieces, until an eighth is free.
        func pruningStep(_ file: DiskFile) throws(SQLiteFailure) -> Bool {
            if !garbage.isEmpty {
                try garbageStep(file)
                return true
            }
            let most = DiskFile.mostPages(settings)
            guard try usedPages(file) > most - most / 8 else {
                isPruning = false
                return true
            }
            let entry = try file.statements.leastUsed.first {
                (id: $0.number(0), pieces: Int(clamping: $0.number(1)))
            }
            guard let entry else {
                // Nothing but pieces that are being written, or were.
                isPruning = false
                sweptTo = 0
                return true
            }
            try transaction(file) { () throws(SQLiteFailure) in
                try removeEntry(entry, file)
            }
            counters.pruned += 1
            return true
        }

        /// Removes a few pieces of an entry that is gone, the last ones first.
        func garbageStep(_ file: DiskFile) throws(SQLiteFailure) {
            guard var entry = garbage.last else { return }
            let from = max(0, min(entry.pieces, Self.mostPieces) - Self.piecesPerStep)
            let first = entry.id << 12
            try file.statements.deletePieces.run(
                .number(first | Int64(from)), .number(first | Int64(Self.mostPieces)))
            hasCommitted = true
            entry.pieces = from
            if from > 0 { garbage[garbage.count - 1] = entry } else { garbage.removeLast() }
        }

        /// Looks at the pieces of one more entry: whether it is there, or may still come.
        func sweepStep(_ file: DiskFile, _ now: Now) throws(SQLiteFailure) {
            guard let from = sweptTo else { return }
            let piece = try file.statements.nextPiece.first(.number(from)) { $0.number(0) }
            let youngest = Self.firstID(
                at: Timestamp(seconds: now.wall.seconds - Self.orphanAge))
            guard let piece, piece >> 12 < youngest else {
                sweptTo = nil
                return
            }
            if try nextEntry(from: piece >> 12, file)?.id == piece >> 12 {
                sweptTo = (piece >> 12 + 1) << 12
            } else {
                try file.statements.deletePieces.run(.number(piece), .number(piece))
                hasCommitted = true
                sweptTo = piece + 1
            }
        }
    }
#endif
