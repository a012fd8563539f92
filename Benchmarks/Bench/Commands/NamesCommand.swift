// `bench names`: thousands of names through a real name server. Reads arguments, starts dnsmasq,
// prints. Main thread.

import ArgumentParser
import FetchTransport
import TestSupport

/// Names through dnsmasq.
struct NamesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "names",
        abstract: "CPU time per host name through a real name server.",
        discussion: """
            Starts dnsmasq on a free port of one core, and looks all names up at once in a \
            process pinned to another, five times; the figures are medians. Each name costs a \
            query for A and one for AAAA, which dnsmasq counts; a datagram that was lost is sent \
            again. Ends with exit code 1 where a demand is missed.
            """)

    @Option(help: "Names to look up.") var names = 10_000
    @Option(help: "Runs.") var runs = 5
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard names > 0, names <= 1_000_000 else {
            throw ValidationError("--names is positive, and a million at most")
        }
        guard runs > 0 else { throw ValidationError("--runs is positive") }
    }

    func run() throws {
        let progress = Progress.begin()
        let server = try onCoresOfTheirOwn(progress) {
            try Dnsmasq.start(["address=/bulk.test/10.1.2.3"])
        }
        defer { server.stop() }
        let rounds = try (1...runs).map { round in
            progress.update("run \(round) of \(runs)")
            let figures = try figures(of: [
                "resolve", "\(server.address.port)", "--names", "\(names)",
            ])
            if Interruption.isRequested { throw ExitCode(130) }
            return figures
        }
        progress.clear()
        let queries = server.queries
        let demands = [
            Demand("names found:", least("found", rounds), .atLeast(Double(names)), places: 0),
            Demand(
                "names and types asked for:", Double(Set(queries).count),
                .atMost(Double(2 * names)), places: 0),
            Demand("threads:", most("threads", rounds), .atMost(1), places: 0),
        ]
        conclude(rounds, queries: queries.count, demands)
        if !demands.allSatisfy(\.isHeld) { throw ExitCode(1) }
    }

    private func conclude(_ rounds: [FigureLines], queries: Int, _ demands: [Demand]) {
        let seconds = (rounds.compactMap { $0["wall-ns"] }.median).map { Double($0) / 1e9 } ?? 0
        let all = rounds.compactMap { $0["processor-ns"] }
            .map { Double($0) / 1e3 / Double(names) }
        let (processor, lowest, highest) = (all.median ?? 0, all.min() ?? 0, all.max() ?? 0)
        if json {
            print(
                "{\"names\":\(names),\"runs\":\(runs),\"queries\":\(queries),"
                    + "\"wall_s\":\(decimal(seconds, 3)),"
                    + "\"cpu_us_per_name\":\(decimal(processor, 2)),"
                    + "\"demands\":\(Demand.json(demands))}")
        } else {
            print(
                "\(grouped(names)) names, medians of \(runs) runs: \(decimal(seconds, 3)) s, "
                    + "\(decimal(processor, 2)) CPU µs per name (\(decimal(lowest, 2)) to "
                    + "\(decimal(highest, 2))); \(grouped(queries)) queries in all; "
                    + "load average \(loadAverage)\n")
            for demand in demands { print(demand.text) }
        }
    }

    private func least(_ key: String, _ rounds: [FigureLines]) -> Double? {
        rounds.map { $0[key] ?? 0 }.min().map(Double.init)
    }

    private func most(_ key: String, _ rounds: [FigureLines]) -> Double? {
        rounds.map { $0[key] ?? .max }.max().map(Double.init)
    }
}
