// Steps that find out what the file holds: all of it once it is open, and later what others have
// put there.

#if SQLite
    internal import FetchCache
    internal import FetchTime

    extension DiskStore {
        /// Resources that are read in one step, from the index and from the table.
        private static var resourcesPerStep: Int64 { 256 }
        private static var entriesPerStep: Int64 { 32 }
        /// Entries are numbered when they are begun: those of others are looked for from so many
        /// seconds before the last look on.
        private static var longestStoring: Int64 { 10 }
        /// Entries of a page, more than there ever are.
        private static var mostEntriesOfPage: Int { 32 }

        /// Reads all of it again: too much was added.
        func scanAgain() {
            if isOpen, !scan.isUnderWay { scan = .begin }
        }

        /// Sees to it that what others have stored is told.
        func lookForOthers(_ now: Now) {
            guard case .open(let file, _) = state, !scan.isUnderWay else { return }
            do throws(SQLiteFailure) {
                let version = try file.statements.dataVersion.first { $0.number(0) } ?? 0
                guard version != dataVersion else { return }
                dataVersion = version
                scan = .recent(after: scannedUntil)
            } catch {
                // Next time, then.
            }
        }

        func scanStep(
            _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) {
            switch scan {
            case .none: break
            case .begin:
                dataVersion = try file.statements.dataVersion.first { $0.number(0) } ?? 0
                scanEnds(at: now)
                contents = try begun(file, seal)
                scan = .all(after: .min)
            case .all(let after):
                var last: Int64?
                try file.statements.resourcesFrom.each(
                    [.number(after), .number(Self.resourcesPerStep)]
                ) { row in
                    let resource = row.number(0)
                    contents?.insert(resource)
                    last = resource
                    return true
                }
                if let last { return scan = .all(after: last) }
                scan = .none
                if let read = contents.take() { onContents(read) }
            case .recent(let after):
                var resources: [Int64] = []
                var last: Int64?
                try file.statements.recentResources.each(
                    [.number(after), .number(Self.entriesPerStep)]
                ) { row in
                    last = row.number(0)
                    resources.append(row.number(1))
                    return true
                }
                if !resources.isEmpty { onFurtherContents(resources) }
                if let last { return scan = .recent(after: last) }
                scan = .none
                scanEnds(at: now)
            }
        }

        /// What is in line, and room for what may be in the file.
        private func begun(
            _ file: DiskFile, _ seal: DiskSeal
        ) throws(SQLiteFailure) -> DiskContents {
            let room = 2 * Self.mostEntriesOfPage * (try usedPages(file))
            var contents = DiskContents(room: room, key: seal.digestKey)
            changes.forEach { change in
                guard case .store(let storing) = change else { return }
                contents.insert(seal.resource(storing.response.uriBytes))
            }
            return contents
        }

        /// What is there now is known, but for what is being written.
        private func scanEnds(at now: Now) {
            let seconds = now.wall.seconds - Self.longestStoring
            scannedUntil = Self.firstID(at: Timestamp(seconds: seconds))
        }
    }
#endif
