// How a file is opened, and what becomes of it where SQLite says no.

#if SQLite
    internal import FetchBytes
    internal import FetchCrypto
    internal import FetchTime

    extension DiskStore {
        /// Nanoseconds until a file that couldn't be opened is tried again.
        private static var patience: Int64 { 1_000_000_000 }
        /// The same for a change, while somebody else is writing.
        private static var shortPatience: Int64 { 10_000_000 }

        /// Times that room is made for one change.
        private static var fewAttempts: Int { 8 }

        /// Opens the file; a new one in its place where it is unusable.
        func reopen(_ now: Now) {
            do throws(SQLiteFailure) {
                try openFile()
            } catch .corrupt {
                replaceFile("it is no database of ours", now)
            } catch {
                bypass(error, now)
            }
        }

        private func openFile() throws(SQLiteFailure) {
            let file = try DiskFile(path, settings)
            do throws(CryptoError) {
                let seal = try DiskSeal(settings.sealingKey, secret: file.secret)
                state = .open(file, seal)
            } catch {
                throw .refused(0)
            }
            sweptTo = 0
            nextAgeing = Instant(nanoseconds: .min)
            isPruning = false
            hasCommitted = true
            isBypassTold = false
            busyOpenings = 0
            damaged = []
            blockedUntil = Instant(nanoseconds: .min)
            scan = .begin
        }

        /// Takes the unusable file away and begins a new one. What is in line stays there: what
        /// isn't stored any more can't be forgotten wrongly.
        func replaceFile(_ reason: String, _ now: Now) {
            counters.replaced += 1
            if case .open(let file, _) = state { file.remove() } else { DiskFile.remove(path) }
            state = .closed(until: now.instant)
            garbage = []
            forgetProgress()
            do throws(SQLiteFailure) {
                try openFile()
                onEvent(.fileReplaced(path: path, reason: reason))
            } catch {
                bypass(error, now)
            }
        }

        /// Does without the file for a while. What can be dropped is.
        private func bypass(_ failure: SQLiteFailure, _ now: Now) {
            counters.bypassed += 1
            state = .closed(until: now.instant.adding(nanoseconds: patience(after: failure)))
            garbage = []
            forgetProgress()
            let dropped = changes.removeDroppable()
            counters.dropped += dropped
            if !isBypassTold { onEvent(.fileBypassed(path: path, reason: "\(failure)")) }
            isBypassTold = true
        }

        /// Somebody who opens or closes the file has it for moments.
        private func patience(after failure: SQLiteFailure) -> Int64 {
            guard failure == .busy else { return Self.patience }
            busyOpenings = min(busyOpenings + 1, 8)
            return min(Self.shortPatience << busyOpenings, Self.patience)
        }

        /// Pieces that were written belong to the file that is gone.
        private func forgetProgress() {
            guard case .store(let storing) = changes.first else { return }
            changes.first = .store(DiskStoring(storing.response, storing.rules))
            attempts = 0
        }

        /// A step has failed.
        func failed(_ failure: SQLiteFailure, _ file: DiskFile, _ now: Now) {
            if !findings.isEmpty {
                // It was the look-up's step. Whoever asks doesn't wait.
                let finding = findings.removeFirst()
                counters.missed += 1
                settle(failure, now)
                finding.answer([])
            } else {
                if !scan.isUnderWay { changeFailed(failure) }
                settle(failure, now)
            }
        }

        private func settle(_ failure: SQLiteFailure, _ now: Now) {
            switch failure {
            case .corrupt: replaceFile("its pages contradict each other", now)
            case .busy:
                counters.bypassed += 1
                blockedUntil = now.instant.adding(nanoseconds: Self.shortPatience)
            case .full:
                // Pruning doesn't help where the disk itself is full.
                if isPruning || attempts > Self.fewAttempts {
                    blockedUntil = now.instant.adding(nanoseconds: Self.patience)
                }
                isPruning = true
            case .conflict: break
            case .refused: bypass(failure, now)
            }
        }

        /// The change that is first in line: tried again, or dropped.
        private func changeFailed(_ failure: SQLiteFailure) {
            guard let change = changes.first else { return }
            attempts += 1
            if failure == .conflict {
                // Somebody else has taken the number, or a piece of it.
                forgetProgress()
            }
            guard attempts > Self.mostAttempts, change.mayBeDropped else { return }
            counters.dropped += 1
            if case .store(let storing) = change, storing.written > 0 {
                garbage.append((storing.id, storing.pieces))
            }
            changeEnded()
        }

        /// The first change in line is done with.
        func changeEnded() {
            changes.removeFirst()
            attempts = 0
        }
    }

    extension DiskQueue {
        /// Takes out what the cache can do without; how many there were.
        mutating func removeDroppable() -> Int {
            var kept = DiskQueue()
            forEach { if !$0.mayBeDropped { kept.append($0) } }
            let dropped = count - kept.count
            self = kept
            return dropped
        }
    }
#endif
