// `bench`: load tests for HTTP servers and for this client. Without a subcommand it runs the scenario
// list. The commands only read arguments; the work is elsewhere. Main thread.

import ArgumentParser

/// The root command.
@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures this HTTP client, or any HTTP/1.1 server with it.",
        version: "0.1.0",
        subcommands: [OriginCommand.self, FloorCommand.self])
}

/// `bench origin`: the server of the scenario list. It prints its port and ends with its standard input.
struct OriginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "origin", shouldDisplay: false)

    @Option(help: "TCP port; 0 for any.") var port: UInt16 = 0

    func run() throws {
        Interruption.ignore()
        _ = raiseDescriptorLimit()
        let origin = try EmbeddedOrigin(port: port)
        writeAll(1, "\(origin.port)\n")
        try origin.run()
    }
}

/// `bench floor`: one run of the parse-nothing loop, for `bench compare`.
struct FloorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "floor", shouldDisplay: false)

    @Argument var url: String
    @Option var connections = 64
    @Option var duration = 2.0

    func run() throws {
        Interruption.install()
        _ = raiseDescriptorLimit()
        guard let url = LoopbackURL(url) else { throw ValidationError("not a loopback URL") }
        let floor = try Floor(url, connections: connections)
        var report = Report()
        let before = monotonicNanoseconds()
        report.requests = try floor.run(nanoseconds: UInt64(duration * 1e9))
        report.wallSeconds = Double(monotonicNanoseconds() - before) / 1e9
        print(report.lines)
    }
}
