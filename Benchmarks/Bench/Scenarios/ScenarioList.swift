// Runs the scenario list: an embedded origin in one process, each scenario in another, so that
// threads, memory and CPU time are one scenario's alone. Main thread.

/// The list and what came of it.
struct ScenarioList {
    private let scenarios: [Scenario]
    private let seconds: Double
    private let progress: Progress
    private(set) var reports: [(name: String, report: Report)] = []

    init(_ scenarios: [Scenario], seconds: Double, progress: Progress) {
        self.scenarios = scenarios
        self.seconds = seconds
        self.progress = progress
    }

    /// Runs until the end of the list or Ctrl-C; what was interrupted still has its line.
    mutating func run() throws {
        let origin = try OriginProcess()
        defer { origin.stop() }
        for scenario in scenarios where !Interruption.isRequested {
            let child = try ChildProcess(
                ChildProcess.ownPath,
                [
                    "scenario", scenario.rawValue, "--port", "\(origin.port)", "--seconds",
                    "\(seconds)",
                ])
            let outcome = try child.finish()
            guard let report = Report(lines: outcome.output) else {
                progress.say("\(scenario.title): failed with exit code \(outcome.exitCode)")
                continue
            }
            reports.append((scenario.title, report))
            progress.say(
                "\(scenario.title): \(grouped(report.requests)) requests, "
                    + "\(grouped(Int(report.requestsPerSecond))) a second")
        }
    }

    /// The table, and under it what doesn't fit into it.
    var text: String {
        var lines = [Table.of(reports).text, ""]
        for (name, report) in reports {
            lines += report.notes.map { "\(name): \($0)" }
            if report.errors > 0 {
                let codes = report.errorsByCode.sorted { $0.key < $1.key }
                    .map { "\($0.key) \(grouped($0.value))" }.joined(separator: ", ")
                lines.append("\(name): \(grouped(report.errors)) errors: \(codes)")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Whether every scenario ran and no request failed.
    var isClean: Bool {
        reports.count == scenarios.count && reports.allSatisfy { $0.report.errors == 0 }
    }
}
