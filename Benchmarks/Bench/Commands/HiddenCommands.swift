// The commands that bench starts itself with, in processes of their own. Not for users; their
// arguments may change at any time. Main thread.

import ArgumentParser
import CBench
import Glibc

/// `bench origin`: the server of the scenario list. It prints its port and ends with its standard
/// input.
struct OriginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "origin", shouldDisplay: false)

    @Option(help: "TCP port; 0 for any.") var port: UInt16 = 0

    func run() throws {
        Interruption.ignore()
        // Input that ends says the same, but a load may keep this process from looking.
        bench_die_with_parent()
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

/// `bench guard PROGRAM …`: becomes that program, which then cannot outlive bench and hears no
/// Ctrl-C.
struct GuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "guard", shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var command: [String]

    func run() throws {
        setpgid(0, 0)
        bench_die_with_parent()
        guard let path = command.first else { throw ValidationError("no program") }
        // Lives until execv has copied it.
        let code = unsafe withCStrings(command) { unsafe bench_execute(path, $0) }
        throw SystemFailure("execv \(path)", code: code)
    }
}
