// `bench compare [URL]`: reads arguments, starts a server where no URL is given, pins both sides to
// one core each, prints the table. Main thread.

import ArgumentParser
import Glibc

/// This client beside the kernel's floor, wrk, h2load and curl.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "CPU time per request beside the kernel's floor, wrk, h2load and curl.",
        discussion: """
            Every client is a process of its own, pinned to one core; runs alternate and the table \
            shows medians. The ratio to the floor is the median over the rounds of the ratio \
            within one round, because a shared machine changes its speed for seconds at a time. \
            Without a URL the server is nginx if it is installed, otherwise bench's \
            own, pinned to another core. Only loopback.
            """)

    /// Who answers where no URL is given.
    enum Server: String, ExpressibleByArgument {
        case nginx, embedded
    }

    @Argument(help: "http://127.0.0.1:PORT/PATH of a server that runs already.") var url: String?
    @Option(help: "Connections each client keeps busy.") var connections = 64
    @Option(help: "Seconds of one run; 2, or 6 for more than 1,000 connections.") var duration: Int?
    @Option(help: "Alternating runs.") var runs = 5
    @Option(help: "nginx or embedded, where no URL is given.") var server: Server?
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard connections > 0, duration ?? 1 > 0, runs > 0 else {
            throw ValidationError("--connections, --duration and --runs are positive")
        }
        if let url, LoopbackURL(url) == nil { throw ValidationError("\(url): not a loopback URL") }
    }

    func run() throws {
        let progress = Progress.begin()
        let limit = raiseDescriptorLimit()
        guard limit >= UInt(connections) + 64 else {
            throw ValidationError(
                "only \(limit) descriptors are allowed for \(connections) connections")
        }
        let cores = Affinity.current.cores
        let (target, stop) = try startServer(on: cores.first ?? 0, progress)
        defer { stop() }
        Affinity.core(cores.last ?? 0).apply()
        progress.say(
            cores.count > 1
                ? "clients on core \(cores.last ?? 0), one thread each"
                : "one core only: clients and server share it")
        let plan = Contender.Plan(url: target.text, connections: connections, seconds: seconds)
        let (here, absent) = Contender.all(plan, find: findTool)
        if !absent.isEmpty {
            progress.say("not installed: \(absent.joined(separator: ", "))")
        }
        var comparison = Comparison(here)
        for round in 1...runs where !Interruption.isRequested {
            try comparison.runOnce(progress: progress, label: "run \(round) of \(runs)")
        }
        progress.clear()
        for failure in comparison.failures { failure.map { progress.say($0) } }
        print(json ? comparison.json : heading(target) + comparison.table.text)
        if comparison.failures.contains(where: { $0 != nil }) { throw ExitCode(1) }
    }

    /// Opening many connections must not weigh more than using them.
    private var seconds: Int { duration ?? (connections > 1_000 ? 6 : 2) }

    private func heading(_ target: LoopbackURL) -> String {
        "\(target.text), \(connections) connections, \(seconds) s a run; "
            + Comparison.method(runs: runs) + "\n\n"
    }

    /// The server to ask and how to end it.
    private func startServer(
        on core: Int, _ progress: Progress
    ) throws -> (LoopbackURL, () -> Void) {
        if let url, let target = LoopbackURL(url) {
            progress.say("server: \(url), on whatever core it is")
            return (target, {})
        }
        let before = Affinity.current
        Affinity.core(core).apply()
        defer { before.apply() }
        if server != .embedded, let program = findTool("nginx") {
            do {
                let nginx = try NginxOrigin(program: program)
                progress.say("server: nginx (\(program)) on core \(core)")
                return try (target(nginx.url), nginx.stop)
            } catch  where server == nil {
                progress.say("\(error)")
            }
        } else if server == .nginx {
            throw ValidationError("nginx is not installed")
        }
        let origin = try OriginProcess()
        progress.say("server: bench's embedded origin on core \(core)")
        return try (target(origin.url), origin.stop)
    }

    private func target(_ url: String) throws -> LoopbackURL {
        guard let target = LoopbackURL(url) else { throw ValidationError("\(url): not loopback") }
        return target
    }
}
