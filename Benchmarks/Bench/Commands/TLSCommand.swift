// `bench tls`: keep-alive over TLS beside wrk, h2load and curl, and what an idle connection weighs.
// Reads arguments, starts the server, prints. Main thread.

import ArgumentParser

/// Keep-alive requests over TLS.
struct TLSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls",
        abstract: "CPU time per keep-alive request over TLS beside wrk, and memory when idle.",
        discussion: """
            Starts nginx on one core with a certificate made for the run; every client is a \
            process of its own, pinned to another core. Runs alternate and the table shows \
            medians. Ends with exit code 1 where a demand is missed.
            """)

    /// What an idle connection may weigh, in bytes.
    static let idleBytesMost = 32.0 * 1_024

    @Option(help: "Connections each client keeps busy.") var connections = 64
    @Option(help: "Seconds of one run.") var duration = 2
    @Option(help: "Connections that rest while their memory is counted.") var idle = 1_000
    @OptionGroup var options: SecureOptions

    func validate() throws {
        guard connections > 0, duration > 0, idle > 0 else {
            throw ValidationError("--connections, --duration and --idle are positive")
        }
    }

    func run() throws {
        let wrk = try require("wrk", package: "wrk")
        let bench = try SecureComparison(connections: max(connections, idle))
        defer { bench.origin.stop() }
        let plan = bench.plan("/", connections: connections, seconds: duration)
        var contenders = [
            Contender.wrk(plan, wrk), Contender.ours(plan, callback: true),
            Contender.ours(plan, callback: false),
        ]
        if let program = findTool("h2load") { contenders.append(Contender.h2load(plan, program)) }
        if let program = findTool("curl") { contenders.append(Contender.curl(plan, program)) }
        let comparison = try bench.measured(
            contenders, Comparison.Yardstick(referenceName: "wrk"), runs: options.runs)
        let weight = try restingWeight(bench)
        try bench.conclude(
            comparison,
            "\(plan.url), \(connections) connections, \(duration) s a run",
            [
                Demand("async CPU per request beside wrk's:", comparison.ratio(of: 2), .atMost(1)),
                Demand(
                    "resident bytes per idle connection, \(grouped(idle)) of them:",
                    weight, .atMost(Self.idleBytesMost), places: 0),
            ], json: options.json)
    }

    /// Bytes of resident memory per idle connection.
    private func restingWeight(_ bench: SecureComparison) throws -> Double? {
        if Interruption.isRequested { return nil }
        let figures = try figures(of: [
            "rest", "\(bench.origin.port)", "--connections", "\(idle)",
            "--cacert", bench.origin.authority,
        ])
        guard let before = figures["resident-before"], let after = figures["resident-after"] else {
            return nil
        }
        if let given = figures["allocated-after"], let kept = figures["allocated-before"] {
            bench.progress.say(
                "\(grouped(idle)) idle connections: \(grouped((after - before) / 1_024)) KiB "
                    + "resident, \(grouped((given - kept) / 1_024)) KiB given out by malloc")
        }
        return Double(after - before) / Double(idle)
    }
}

/// What a hidden command of bench, run as a process of its own, has to say.
func figures(of arguments: [String]) throws -> FigureLines {
    let outcome = try ChildProcess(ChildProcess.ownPath, arguments).finish()
    guard outcome.exitCode == 0 else {
        throw ValidationError("bench \(arguments[0]) ended with exit code \(outcome.exitCode)")
    }
    return FigureLines(outcome.output)
}
