// Steps that change the file: each is one transaction.

#if SQLite
    internal import FetchBytes
    internal import FetchCache
    internal import FetchCrypto
    internal import FetchHTTP
    internal import FetchTime

    extension DiskStore {
        /// The next step of the first change in line.
        func changeStep(
            _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) {
            guard let change = changes.first else { return }
            switch change {
            case .store(var storing):
                try storeStep(&storing, file, seal, now)
            case .replace(let old, let new, let rules):
                try replaceStep(old, new, rules, file, seal)
                changeEnded()
            case .remove(let response):
                let resource = seal.resource(response.uriBytes)
                let variant = seal.variant(response)
                try transaction(file) { () throws(SQLiteFailure) in
                    try removeVariant(resource, variant, file)
                }
                changeEnded()
            case .purge(let purging):
                try purgeStep(purging, file, seal)
            case .touch(let id, let used):
                try transaction(file) { () throws(SQLiteFailure) in
                    try file.statements.touch.run(.number(used), .number(id))
                }
                changeEnded()
            }
        }

        /// All or nothing; nothing is waited for.
        func transaction(
            _ file: DiskFile, _ body: () throws(SQLiteFailure) -> Void
        ) throws(SQLiteFailure) {
            try file.statements.begin.run()
            let garbageBefore = garbage.count
            do throws(SQLiteFailure) {
                try body()
                try file.statements.commit.run()
                hasCommitted = true
            } catch {
                garbage.removeSubrange(garbageBefore...)
                try? file.statements.rollback.run()
                throw error
            }
        }

        // MARK: Storing

        private func storeStep(
            _ storing: inout DiskStoring, _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) {
            if storing.id == 0 { storing.id = makeID(now) }
            if storing.written < storing.pieces {
                let number = storing.written
                let data = try sealed(storing.next, storing.id, number, seal)
                let row = storing.id << 12 | Int64(number)
                try transaction(file) { () throws(SQLiteFailure) in
                    try file.statements.insertPiece.run(
                        .number(row), .bytes(data), .number(RowChecksum.piece(row, data)))
                }
                storing.written += 1
                changes.first = .store(storing)
                return
            }
            let form = StoredForm.bytes(of: storing.response, storing.rules)
            guard form.count <= Self.mostFormBytes else {
                if storing.pieces > 0 { garbage.append((storing.id, storing.pieces)) }
                counters.dropped += 1
                return changeEnded()
            }
            try insert(storing, form, file, seal, used: now.wall.seconds)
            counters.stored += 1
            changeEnded()
            try countPages(file, now)
        }

        private func insert(
            _ storing: DiskStoring, _ form: Bytes, _ file: DiskFile, _ seal: DiskSeal, used: Int64
        ) throws(SQLiteFailure) {
            let (id, pieces) = (storing.id, storing.pieces)
            let resource = seal.resource(storing.response.uriBytes)
            let variant = seal.variant(storing.response)
            let mark = seal.mark(form)
            let form = try sealed(form, id, -1, seal)
            let body = pieces > 0 ? Bytes() : try sealed(storing.response.body, id, 0, seal)
            let checksum = RowChecksum.entry(id, resource, variant, pieces, mark, form, body)
            try transaction(file) { () throws(SQLiteFailure) in
                try removeVariant(resource, variant, file)
                try file.statements.insertEntry.run(
                    .number(id), .number(resource), .number(variant), .number(used),
                    .number(Int64(pieces)), .number(mark), .bytes(form),
                    pieces > 0 ? .nothing : .bytes(body), .number(checksum))
            }
        }

        func sealed(
            _ bytes: Bytes, _ id: Int64, _ number: Int, _ seal: DiskSeal
        ) throws(SQLiteFailure) -> Bytes {
            do throws(CryptoError) {
                return try seal.seal(bytes, id, number)
            } catch {
                throw .refused(0)
            }
        }

        /// The millisecond, since 2020, and chance.
        private func makeID(_ now: Now) -> Int64 {
            let made = Self.firstID(at: now.wall) | Int64.random(in: 0..<1_024)
            lastID = max(made, lastID + 1) & (1 << 51 - 1)
            return lastID
        }

        /// The first number of a time.
        static func firstID(at time: Timestamp) -> Int64 {
            let seconds = min(max(time.seconds - 1_577_836_800, 0), 1 << 30)
            return (seconds * 1_000 + Int64(time.nanoseconds / 1_000_000)) << 10 & (1 << 51 - 1)
        }

        // MARK: Newer fields

        private func replaceStep(
            _ old: CachedResponse, _ new: CachedResponse, _ rules: CacheRules, _ file: DiskFile,
            _ seal: DiskSeal
        ) throws(SQLiteFailure) {
            let resource = seal.resource(old.uriBytes)
            let oldMark = seal.mark(StoredForm.bytes(of: old, rules))
            let form = StoredForm.bytes(of: new, rules)
            let variant = seal.variant(new)
            guard form.count <= Self.mostFormBytes else { return }
            try transaction(file) { () throws(SQLiteFailure) in
                // Only what is the same to the byte has the body that belongs to the newer fields.
                for (id, _) in try ids(
                    file.statements.entriesOfVariant, resource, seal.variant(old))
                {
                    guard let row = try EntryRow(id, file), row.mark == oldMark else { continue }
                    let mark = seal.mark(form)
                    let sealedForm = try sealed(form, id, -1, seal)
                    let checksum = RowChecksum.entry(
                        id, resource, variant, row.pieces, mark, sealedForm, row.body)
                    try file.statements.update.run(
                        .number(variant), .number(mark), .bytes(sealedForm), .number(checksum),
                        .number(id))
                }
            }
        }

        // MARK: Forgetting

        private func ids(
            _ statement: SQLiteStatement, _ resource: Int64, _ variant: Int64? = nil
        ) throws(SQLiteFailure) -> [(id: Int64, pieces: Int)] {
            var found: [(id: Int64, pieces: Int)] = []
            let values = [resource, variant].compactMap { $0.map(SQLiteStatement.Value.number) }
            try statement.each(values) { row in
                found.append((row.number(0), Int(clamping: row.number(1))))
                return true
            }
            return found
        }

        /// Inside a transaction.
        private func removeVariant(
            _ resource: Int64, _ variant: Int64, _ file: DiskFile
        ) throws(SQLiteFailure) {
            for entry in try ids(file.statements.entriesOfVariant, resource, variant) {
                try removeEntry(entry, file)
            }
        }

        /// Inside a transaction. The pieces go later: nothing finds them any more.
        func removeEntry(
            _ entry: (id: Int64, pieces: Int), _ file: DiskFile
        ) throws(SQLiteFailure) {
            try file.statements.deleteEntry.run(.number(entry.id))
            if entry.pieces > 0 { garbage.append(entry) }
        }

        private func purgeStep(
            _ purging: DiskPurging, _ file: DiskFile, _ seal: DiskSeal
        ) throws(SQLiteFailure) {
            if case .resource(let target) = purging.purge {
                let resource = seal.resource(Bytes(target.resourceText))
                let entries = try ids(file.statements.entriesOfResource, resource)
                guard !entries.isEmpty else { return changeEnded() }
                try transaction(file) { () throws(SQLiteFailure) in
                    for entry in entries { try removeEntry(entry, file) }
                }
                return
            }
            guard let entry = try nextEntry(from: purging.from, file) else { return changeEnded() }
            if try isTaken(entry.id, by: purging, file, seal) {
                try transaction(file) { () throws(SQLiteFailure) in
                    try removeEntry(entry, file)
                }
            }
            var further = purging
            further.from = entry.id + 1
            changes.first = .purge(further)
        }

        func nextEntry(
            from id: Int64, _ file: DiskFile
        ) throws(SQLiteFailure) -> (id: Int64, pieces: Int)? {
            try file.statements.nextEntry.first(.number(id)) {
                ($0.number(0), Int(clamping: $0.number(1)))
            }
        }

        /// What can't be read is taken as well.
        private func isTaken(
            _ id: Int64, by purging: DiskPurging, _ file: DiskFile, _ seal: DiskSeal
        ) throws(SQLiteFailure) -> Bool {
            if purging.purge == .everything { return true }
            guard let row = try EntryRow(id, file), let form = row.form(id, seal) else {
                return true
            }
            do throws(StoredFormError) {
                return purging.takes(try StoredForm.uri(of: form), hash: nil)
            } catch {
                return true
            }
        }
    }

    /// An entry as it stands in its table.
    struct EntryRow {
        let resource: Int64
        let variant: Int64
        let used: Int64
        let pieces: Int
        let mark: Int64
        let sealedForm: Bytes
        let body: Bytes
        let checksum: Int64

        /// Nil where it is gone.
        init?(_ id: Int64, _ file: DiskFile) throws(SQLiteFailure) {
            let row = try file.statements.entry.first(.number(id)) { Self($0) }
            guard let row else { return nil }
            self = row
        }

        private init(_ row: borrowing SQLiteStatement.Row) {
            resource = row.number(0)
            variant = row.number(1)
            used = row.number(2)
            pieces = Int(clamping: row.number(3))
            mark = row.number(4)
            sealedForm = row.bytes(5)
            body = row.bytes(6)
            checksum = row.number(7)
        }

        func isIntact(_ id: Int64) -> Bool {
            checksum
                == RowChecksum.entry(id, resource, variant, pieces, mark, sealedForm, body)
                && (0...DiskStore.mostPieces).contains(pieces)
        }

        /// Nil where it is damaged.
        func form(_ id: Int64, _ seal: DiskSeal) -> Bytes? {
            guard isIntact(id) else { return nil }
            return seal.opened(sealedForm, id, -1)
        }
    }

    extension DiskSeal {
        /// Nil where it was sealed for something else, or changed.
        func opened(_ bytes: Bytes, _ id: Int64, _ number: Int) -> Bytes? {
            do throws(CryptoError) {
                return try open(bytes, id, number)
            } catch {
                return nil
            }
        }
    }
#endif
