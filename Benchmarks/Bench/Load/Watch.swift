// What is looked at while a load runs: time, Ctrl-C, threads, the progress line. Four times a
// second, so that it costs the load nothing. Reactor's thread.

import Fetch

/// Samples of one process under load.
struct Watch: Sendable {
    /// Between two looks.
    static let interval = Duration.nanoseconds(intervalNanoseconds)
    static let intervalNanoseconds: UInt64 = 250_000_000
    /// Requests in flight at the end may take this much longer before they are cancelled.
    static let grace: UInt64 = 5_000_000_000

    private let progress: Progress
    private let label: String
    private let startedAt: UInt64
    private let deadline: UInt64?
    private let looksAtOrigins: Bool
    private var threads = 0
    private var mostOrigins = 0
    private var mostDescriptors = 0
    private let descriptorsBefore = ProcessFigures.openDescriptors

    init(_ label: String, _ plan: LoadPlan, progress: Progress) {
        self.label = label
        self.progress = progress
        let now = monotonicNanoseconds()
        startedAt = now
        deadline = plan.amount.nanoseconds.map { now + $0 }
        if case .origins = plan.target { looksAtOrigins = true } else { looksAtOrigins = false }
    }

    /// Looks once.
    mutating func look(
        at tally: Tally, _ statistics: (() async -> FetcherStatistics?)?
    ) async {
        look(at: tally, looksAtOrigins ? await statistics?() : nil)
    }

    /// The same, for those who have the client's figures at hand.
    mutating func look(at tally: Tally, _ statistics: FetcherStatistics?) {
        threads = max(threads, ProcessFigures()?.threads ?? 0)
        if looksAtOrigins, let tracked = statistics?.trackedOrigins {
            mostOrigins = max(mostOrigins, tracked)
            mostDescriptors = max(mostDescriptors, ProcessFigures.openDescriptors)
        }
        let seconds = Double(monotonicNanoseconds() - startedAt) / 1e9
        let rate = seconds > 0 ? Int(Double(tally.requests) / seconds) : 0
        let failed = tally.errors > 0 ? ", \(grouped(tally.errors)) errors" : ""
        progress.update(
            "\(label): \(decimal(seconds, 1)) s, \(grouped(tally.requests)) requests, "
                + "\(grouped(rate)) a second\(failed)")
    }

    /// Whether no request may start any more.
    var isOver: Bool {
        Interruption.isRequested || deadline.map { monotonicNanoseconds() >= $0 } ?? false
    }

    /// Whether those in flight have had their grace.
    func isExhausted(since end: UInt64) -> Bool {
        Interruption.isRequested || monotonicNanoseconds() >= end + Self.grace
    }

    /// What was seen.
    func fill(_ report: inout Report) {
        let figures = ProcessFigures()
        report.threads = max(threads, figures?.threads ?? 0)
        report.peakResidentKilobytes = figures?.peakResidentKilobytes ?? 0
        if looksAtOrigins {
            report.notes.append(
                "at most \(grouped(mostOrigins)) origins tracked (bound "
                    + "\(grouped(LoadPlan.trackedOrigins))), at most \(grouped(mostDescriptors)) "
                    + "descriptors open (\(descriptorsBefore) before)")
        }
    }
}
