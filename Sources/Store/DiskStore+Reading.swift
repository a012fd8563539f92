// Steps of a look-up: which entries there are, one entry, one piece.

#if SQLite
    internal import FetchBytes
    internal import FetchCache
    internal import FetchHTTP
    internal import FetchTime

    extension DiskStore {
        /// Seconds after which another use of an entry is noted.
        private static var useGrain: Int64 { 3_600 }

        /// The next step of the first look-up.
        func findingStep(
            _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) {
            guard !findings[0].isVoid else { return answer([]) }
            if findings[0].entries == nil {
                if let waiting = waiting(for: findings[0].key) { return answer(waiting) }
                let resource = seal.resource(Bytes(findings[0].key.target.resourceText))
                var ids: [Int64] = []
                try file.statements.entriesOfResource.each([.number(resource)]) { row in
                    ids.append(row.number(0))
                    return true
                }
                findings[0].entries = ids.reversed()
            } else if findings[0].reading != nil {
                try readPiece(file, seal, now)
            } else if let id = findings[0].entries?.popLast() {
                try readEntry(id, file, seal, now)
            }
            if findings[0].reading == nil, findings[0].entries?.isEmpty ?? false {
                answer(findings[0].found)
            }
        }

        private func answer(_ found: [CachedResponse]) {
            let finding = findings.removeFirst()
            if found.isEmpty { counters.missed += 1 } else { counters.found += 1 }
            finding.answer(found)
        }

        /// What is in line for the key, where anything is: the file doesn't have it yet, or still
        /// has what is to be forgotten.
        private func waiting(for key: CacheKey) -> [CachedResponse]? {
            guard !changes.isEmpty else { return nil }
            var isAnyWaiting = false
            var waiting: [CachedResponse] = []
            func isOfKey(_ response: CachedResponse) -> Bool {
                response.facts.targetHash == key.targetHash
                    && response.facts.partition == key.partition
                    && key.target.isResource(response.uriBytes.span)
            }
            changes.forEach { change in
                switch change {
                case .store(let storing) where isOfKey(storing.response):
                    isAnyWaiting = true
                    waiting.removeAll {
                        $0.selectingBytes == storing.response.selectingBytes
                    }
                    waiting.append(storing.response)
                case .replace(let old, let new, _) where isOfKey(old):
                    isAnyWaiting = true
                    waiting.removeAll { $0 == old }
                    waiting.append(new)
                case .remove(let old) where isOfKey(old):
                    isAnyWaiting = true
                    waiting.removeAll { $0.selectingBytes == old.selectingBytes }
                case .purge(let purging) where purging.takesAny(key.target):
                    isAnyWaiting = true
                    waiting = []
                case .store, .replace, .remove, .purge, .touch: break
                }
            }
            return isAnyWaiting ? waiting : nil
        }

        private func readEntry(
            _ id: Int64, _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) {
            guard let row = try EntryRow(id, file) else { return }
            guard let form = row.form(id, seal) else { return isDamaged(id, row.pieces) }
            let outline: StoredForm.Outline
            do throws(StoredFormError) {
                outline = try StoredForm.Outline(form.span)
            } catch {
                return isDamaged(id, row.pieces)
            }
            let key = findings[0].key
            guard outline.partition == key.partition, id >= oldestID(now),
                outline.bodyCount <= settings.mostFoundBytes - findings[0].foundBytes
            else { return }
            if row.pieces == 0 {
                guard let body = seal.opened(row.body, id, 0) else { return isDamaged(id, 0) }
                entryRead(id, form, body, used: row.used, pieces: 0, now)
                return
            }
            guard outline.bodyCount <= row.pieces * Self.pieceBytes else {
                return isDamaged(id, row.pieces)
            }
            var reading = DiskReading(id: id, form: form, pieces: row.pieces, used: row.used)
            reading.body.reserveCapacity(outline.bodyCount)
            findings[0].reading = reading
        }

        private func readPiece(
            _ file: DiskFile, _ seal: DiskSeal, _ now: Now
        ) throws(SQLiteFailure) {
            guard var reading = findings[0].reading.take() else { return }
            let row = reading.id << 12 | Int64(reading.read)
            let piece = try file.statements.piece.first(.number(row)) {
                ($0.bytes(0), $0.number(1))
            }
            guard let (data, checksum) = piece else {
                // Somebody has removed the entry meanwhile; or it was never whole.
                damaged.append((reading.id, 0))
                return
            }
            guard checksum == RowChecksum.piece(row, data),
                let plain = seal.opened(data, reading.id, reading.read)
            else { return isDamaged(reading.id, reading.pieces) }
            reading.body.append(copying: plain.span)
            reading.read += 1
            if reading.read < reading.pieces {
                findings[0].reading = reading
            } else {
                entryRead(
                    reading.id, reading.form, Bytes(reading.body), used: reading.used,
                    pieces: reading.pieces, now)
            }
        }

        private func entryRead(
            _ id: Int64, _ form: Bytes, _ body: Bytes, used: Int64, pieces: Int, _ now: Now
        ) {
            do throws(StoredFormError) {
                let response = try CachedResponse(
                    form, body: body, under: findings[0].key, findings[0].rules, now: now)
                findings[0].found.append(response)
                findings[0].foundBytes += body.count
                if now.wall.seconds - used > Self.useGrain, changes.isEmpty {
                    changes.append(.touch(id: id, used: now.wall.seconds))
                }
            } catch .otherKey {
                // Another URI of the same hash.
            } catch .otherRules {
                // A cache with other rules shares the file.
            } catch {
                isDamaged(id, pieces)
            }
        }

        /// An entry that can't be read is removed, when writing is next.
        private func isDamaged(_ id: Int64, _ pieces: Int) {
            counters.damaged += 1
            damaged.append((id, max(0, min(pieces, Self.mostPieces))))
        }
    }

    extension DiskPurging {
        /// Whether it takes what is stored for a target.
        func takesAny(_ target: Target) -> Bool {
            switch purge {
            case .resource(let other): target == other
            case .prefix(let prefix): target.resourceText.utf8.starts(with: prefix.utf8)
            case .everything: true
            }
        }
    }
#endif
