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

    func validate() throws {
        guard seconds > 0, seconds <= 3_600 else { throw ValidationError("--seconds is positive") }
    }

    func run() throws {
        Interruption.install()
        let progress = Progress()
        warnOfDebugBuild(progress)
        _ = raiseDescriptorLimit()
        progress.say("caching and coalescing are off: every request is sent")
        var list = ScenarioList(
            only.isEmpty ? Scenario.allCases : only, seconds: seconds, progress: progress)
        try list.run()
        progress.clear()
        print(list.text)
        if Interruption.isRequested { throw ExitCode(130) }
        if !list.isClean { throw ExitCode(1) }
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
