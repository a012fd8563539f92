// What `bench tls`, `tls-new` and `tls-download` share: the server on one core, the clients on
// another, alternating runs, a verdict on what is demanded. Main thread.

import ArgumentParser
import TestSupport

/// Options of the comparisons over TLS.
struct SecureOptions: ParsableArguments {
    @Option(help: "Alternating runs.") var runs = 5
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard runs > 0 else { throw ValidationError("--runs is positive") }
    }
}

/// A server over TLS and a place for its clients.
struct SecureComparison {
    let progress = Progress.begin()
    let origin: SecureOrigin

    /// Starts the server on the first core; what is started afterwards runs on the last.
    init(connections: Int) throws {
        let limit = raiseDescriptorLimit()
        guard limit >= UInt(connections) + 64 else {
            throw ValidationError(
                "only \(limit) descriptors are allowed for \(connections) connections")
        }
        origin = try onCoresOfTheirOwn(progress) { try SecureOrigin() }
    }

    /// A plan whose clients trust the server, in every tool's own words. wrk verifies nothing.
    func plan(_ path: String, connections: Int, seconds: Int) -> Contender.Plan {
        var plan = Contender.Plan(
            url: origin.url(path), connections: connections, seconds: seconds)
        plan.ownArguments = ["--cacert", origin.authority]
        plan.curlArguments = ["--cacert", origin.authority]
        return plan
    }

    /// Runs everybody so many times, in turns.
    func measured(
        _ contenders: [Contender], _ yardstick: Comparison.Yardstick, runs: Int
    ) throws -> Comparison {
        var comparison = Comparison(contenders, yardstick)
        for round in 1...runs where !Interruption.isRequested {
            try comparison.runOnce(progress: progress, label: "run \(round) of \(runs)")
        }
        progress.clear()
        for failure in comparison.failures { failure.map { progress.say($0) } }
        return comparison
    }

    /// Prints table and demands, or JSON; ends with exit code 1 where a contender failed or a
    /// demand is missed.
    func conclude(
        _ comparison: Comparison, _ heading: String, _ demands: [Demand], json: Bool
    ) throws {
        if Interruption.isRequested { throw ExitCode(130) }
        if json {
            print("{\"clients\":\(comparison.json),\"demands\":\(Demand.json(demands))}")
        } else {
            let method = Comparison.method(runs: comparison.rounds)
            print("\(heading); \(method); load average \(loadAverage)\n")
            print(comparison.table.text + "\n")
            for demand in demands { print(demand.text) }
        }
        let isClean = comparison.failures.allSatisfy { $0 == nil }
        guard isClean, demands.allSatisfy(\.isHeld) else { throw ExitCode(1) }
    }
}

/// Starts a server on the first core, and leaves this process and what it starts later on the last.
func onCoresOfTheirOwn<Server>(
    _ progress: Progress, _ start: () throws -> Server
) throws -> Server {
    let cores = Affinity.current.cores
    Affinity.core(cores.first ?? 0).apply()
    let server = try start()
    Affinity.core(cores.last ?? 0).apply()
    progress.say(
        cores.count > 1
            ? "server on core \(cores.first ?? 0), clients on core \(cores.last ?? 0)"
            : "one core only: clients and server share it")
    return server
}

/// The full path of a tool; throws with the name of its Debian package where it isn't installed.
func require(_ tool: String, package: String) throws -> String {
    guard let program = findTool(tool) else {
        throw ServerError.missing(program: tool, package: package)
    }
    return program
}

/// Of the last minute, as the kernel prints it: how much others disturb.
var loadAverage: String {
    String((readFile("/proc/loadavg") ?? "unknown").prefix { $0 != " " })
}
