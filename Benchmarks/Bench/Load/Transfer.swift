// One body of any length, down or up, and what it costs: CPU time and memory before, at most and
// after. The bytes are mockserver's pattern, so that each one is known. Main thread.

import Fetch
import FetchReactor
import FetchTime
import TestSupport

/// A transfer and its figures.
struct Transfer: Sendable {
    enum Direction: String, Sendable {
        case down
        case up
    }

    let url: String
    let direction: Direction
    let bytes: Int
    /// Every received byte is compared with the pattern.
    let checks: Bool
    /// A reader or producer that stops for so long, once, in the middle.
    let pause: Duration
    let progress: Progress

    /// What came of it.
    struct Outcome: Sendable {
        var status = 0
        var bytes = 0
        var wallSeconds = 0.0
        var processor = ProcessorTime(user: 0, system: 0)
        /// Resident kB before the first byte, at most while they went, and after the last.
        var residentBefore = 0
        var residentMost = 0
        var residentAfter = 0
        var threads = 0
        /// Where the first wrong byte was, in a checked download.
        var firstWrong: Int?
        /// What the server said to an upload.
        var answer = ""
    }

    /// Runs on the calling thread.
    func run() throws -> Outcome {
        try Reactor.run { try await transfer() }
    }

    private func transfer() async throws -> Outcome {
        var configuration = FetcherConfiguration()
        configuration.cache = .disabled
        configuration.timeouts.total = .seconds(86_400)
        let fetcher = try Fetcher(configuration)
        var outcome = Outcome()
        let before = ProcessorTime.own
        let start = monotonicNanoseconds()
        outcome.residentBefore = ProcessFigures()?.residentKilobytes ?? 0
        switch direction {
        case .down: try await download(fetcher, &outcome)
        case .up: try await upload(fetcher, &outcome)
        }
        outcome.wallSeconds = Double(monotonicNanoseconds() - start) / 1e9
        outcome.processor = ProcessorTime.own - before
        outcome.look()
        outcome.residentAfter = ProcessFigures()?.residentKilobytes ?? 0
        await fetcher.shutdown(.immediate)
        return outcome
    }

    private func download(_ fetcher: Fetcher, _ outcome: inout Outcome) async throws {
        outcome = try await fetcher.stream(url) { [outcome] response in
            var outcome = outcome
            outcome.status = response.statusCode
            for try await piece in response.body {
                if checks, outcome.firstWrong == nil,
                    !BodyPattern.matches(piece, at: outcome.bytes)
                {
                    outcome.firstWrong = outcome.bytes
                }
                let isMiddle = outcome.bytes < bytes / 2 && outcome.bytes + piece.count >= bytes / 2
                outcome.bytes += piece.count
                if isMiddle, pause > .zero { try await rest() }
                if Progression.isMilestone(outcome.bytes, after: piece.count) {
                    outcome.look()
                    report(outcome.bytes)
                }
            }
            return outcome
        }
    }

    private func upload(_ fetcher: Fetcher, _ outcome: inout Outcome) async throws {
        var request = Request(.put, url)
        let pieces = PatternPieces(transfer: self)
        request.body = .stream(length: bytes, pieces)
        let response = try await fetcher.execute(request)
        outcome.status = response.statusCode
        outcome.answer = response.text
        outcome.bytes = bytes
    }

    /// Waits on the reactor's clock.
    fileprivate func rest() async throws {
        guard let reactor = Reactor.current else { preconditionFailure("not on the reactor") }
        try await reactor.clock.sleep(for: pause)
    }

    fileprivate func report(_ done: Int) {
        progress.update("\(direction.rawValue): \(grouped(done)) bytes")
    }
}

extension Transfer.Outcome {
    /// Takes down the memory and the threads of now.
    mutating func look() {
        guard let figures = ProcessFigures() else { return }
        residentMost = max(residentMost, figures.residentKilobytes, figures.peakResidentKilobytes)
        threads = max(threads, figures.threads)
    }

    /// `JSON`, one object.
    var json: String {
        let members = [
            ("status", "\(status)"), ("bytes", "\(bytes)"), ("wall_s", decimal(wallSeconds, 6)),
            ("user_s", decimal(processor.user, 6)), ("sys_s", decimal(processor.system, 6)),
            ("rss_before_kb", "\(residentBefore)"), ("rss_most_kb", "\(residentMost)"),
            ("rss_after_kb", "\(residentAfter)"), ("threads", "\(threads)"),
            ("first_wrong", firstWrong.map { "\($0)" } ?? "null"),
        ]
        return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
}

/// How often a transfer is looked at.
private enum Progression {
    static let step = 64 << 20

    static func isMilestone(_ bytes: Int, after count: Int) -> Bool {
        bytes / step != (bytes - count) / step
    }
}

/// The pattern in pieces of 64 KiB less a little, as long as the upload.
private struct PatternPieces: AsyncSequence, Sendable {
    let transfer: Transfer

    func makeAsyncIterator() -> Iterator { Iterator(transfer: transfer) }

    struct Iterator: AsyncIteratorProtocol {
        let transfer: Transfer
        var offset = 0

        mutating func next() async throws -> Bytes? {
            let left = transfer.bytes - offset
            guard left > 0 else { return nil }
            let piece = BodyPattern.bytes(at: offset, count: left)
            let half = transfer.bytes / 2
            if offset < half, offset + piece.count >= half, transfer.pause > .zero {
                try await transfer.rest()
            }
            offset += piece.count
            if Progression.isMilestone(offset, after: piece.count) { transfer.report(offset) }
            return piece
        }
    }
}
