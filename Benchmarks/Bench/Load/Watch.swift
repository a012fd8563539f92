// What is looked at while a load runs: time, Ctrl-C, threads, the progress line. Four times a second, so
// that it costs the load nothing. Reactor's thread.

/// Samples of one process under load.
struct Watch {
    /// Between two looks.
    static let interval = Duration.milliseconds(250)
    /// Requests in flight at the end may take this much longer before they are cancelled.
    static let grace: UInt64 = 5_000_000_000

    private let progress: Progress
    private let label: String
    private let startedAt = monotonicNanoseconds()
    private let deadline: UInt64?
    private(set) var threads = 0

    init(_ label: String, amount: Amount, progress: Progress) {
        self.label = label
        self.progress = progress
        deadline = amount.nanoseconds.map { startedAt + $0 }
    }

    /// Looks once.
    mutating func look(at tally: Tally) {
        threads = max(threads, ProcessFigures()?.threads ?? 0)
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
        monotonicNanoseconds() >= end + (Interruption.isRequested ? 0 : Self.grace)
    }
}
