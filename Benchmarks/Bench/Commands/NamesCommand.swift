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
            process pinned to another. Each costs a query for A and one for AAAA, which dnsmasq \
            counts; a datagram that was lost is sent again. Ends with exit code 1 where a demand \
            is missed.
            """)

    @Option(help: "Names to look up.") var names = 10_000
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard names > 0, names <= 1_000_000 else {
            throw ValidationError("--names is positive, and a million at most")
        }
    }

    func run() throws {
        Interruption.install()
        let progress = Progress()
        warnOfDebugBuild(progress)
        let server = try onCoresOfTheirOwn(progress) {
            try Dnsmasq.start(["address=/bulk.test/10.1.2.3"])
        }
        defer { server.stop() }
        let figures = try figures(of: [
            "resolve", "\(server.address.port)", "--names", "\(names)",
        ])
        if Interruption.isRequested { throw ExitCode(130) }
        let nanoseconds = Double(figures["processor-ns"] ?? 0)
        let found = figures["found"]
        let queries = server.queries
        let demands = [
            Demand(
                "names found:", found.map(Double.init), .atLeast(Double(names)), places: 0),
            Demand(
                "names and types asked for:", Double(Set(queries).count),
                .atMost(Double(2 * names)), places: 0),
            Demand("threads:", figures["threads"].map(Double.init), .atMost(1), places: 0),
        ]
        if json {
            print(
                "{\"names\":\(names),\"queries\":\(queries.count),"
                    + "\"wall_s\":\(decimal(Double(figures["wall-ns"] ?? 0) / 1e9, 3)),"
                    + "\"cpu_us_per_name\":\(decimal(nanoseconds / 1e3 / Double(names), 2)),"
                    + "\"demands\":\(Demand.json(demands))}")
        } else {
            print(
                "\(grouped(names)) names, \(grouped(queries.count)) queries, "
                    + "\(decimal(Double(figures["wall-ns"] ?? 0) / 1e9, 3)) s, "
                    + "\(decimal(nanoseconds / 1e3 / Double(names), 2)) CPU µs per name; "
                    + "load average \(loadAverage)\n")
            for demand in demands { print(demand.text) }
        }
        if !demands.allSatisfy(\.isHeld) { throw ExitCode(1) }
    }
}
