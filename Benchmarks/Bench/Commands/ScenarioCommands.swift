// `bench` without a subcommand, and the hidden command by which it runs one scenario in a process
// of its own. Main thread.

import ArgumentParser

/// The scenario list.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Runs the scenario list (the default).")

    @Option(help: "Seconds of one scenario; 10,000 origins may take three times as long.")
    var seconds = 8.0
    @Option(help: "Only these; may be repeated.") var only: [Scenario] = []
    @Flag(
        help: """
            Only the load through a reactor inside a poll(2) loop, in this very process: \
            /proc/PID/task shows its one thread.
            """)
    var embedded = false

    func validate() throws {
        guard seconds > 0, seconds <= 3_600 else { throw ValidationError("--seconds is positive") }
        guard !(embedded && !only.isEmpty) else {
            throw ValidationError("--only and --embedded exclude each other")
        }
    }

    func run() throws {
        let progress = Progress.begin()
        _ = raiseDescriptorLimit()
        progress.say("caching and coalescing are off: every request is sent")
        if embedded { return try runEmbedded(progress) }
        var list = ScenarioList(
            only.isEmpty ? Scenario.allCases : only, seconds: seconds, progress: progress)
        try list.run()
        progress.clear()
        print(list.text)
        if Interruption.isRequested { throw ExitCode(130) }
        if !list.isClean { throw ExitCode(1) }
    }

    private func runEmbedded(_ progress: Progress) throws {
        let origin = try OriginProcess()
        defer { origin.stop() }
        let scenario = Scenario.keepAliveEmbedded
        let plan = scenario.plan(port: origin.port, seconds: seconds)
        let report = try LoadTest(plan: plan, label: scenario.title, progress: progress).run()
        progress.clear()
        print(Table.of([(scenario.title, report)]).text)
        if Interruption.isRequested { throw ExitCode(130) }
        if report.errors > 0 || report.threads != 1 { throw ExitCode(1) }
    }
}

/// `bench scenario NAME`: one scenario, its report as lines.
struct ScenarioCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scenario", shouldDisplay: false)

    @Argument var scenario: Scenario
    @Option var port: UInt16
    @Option var seconds: Double

    func run() throws {
        Interruption.install()
        _ = raiseDescriptorLimit()
        let test = LoadTest(
            plan: scenario.plan(port: port, seconds: seconds), label: scenario.title,
            progress: Progress())
        print(try test.run().lines)
    }
}

extension Scenario: ExpressibleByArgument {}
