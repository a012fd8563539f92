// `bench tls-new`: a TLS connection for every request, with sessions taken up and without, beside
// wrk, which takes them up too. Reads arguments, starts the server, prints. Main thread.

import ArgumentParser

/// A TLS connection per request.
struct TLSNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls-new",
        abstract: "CPU time per new TLS connection, resumed and full, beside wrk.",
        discussion: """
            Every request says `Connection: close`. Which connections took a session up is what \
            nginx logged. Then \(ChurnCommand.counted) connections are opened and closed in one \
            process, and the memory that malloc has given out must not have grown. Ends with exit \
            code 1 where a demand is missed.
            """)

    /// Growth over all counted connections, in bytes: what sessions in the cache and connections
    /// that are just ending make it swing by. The smallest block of malloc's is 32 bytes, so that
    /// one lost with each connection would be 320,000.
    static let growthMost = 131_072.0

    @Option(help: "Connections each client opens at once.") var connections = 16
    @Option(help: "Seconds of one run.") var duration = 4
    @OptionGroup var options: SecureOptions

    func validate() throws {
        guard connections > 0, duration > 0 else {
            throw ValidationError("--connections and --duration are positive")
        }
    }

    func run() throws {
        let wrk = try require("wrk", package: "wrk")
        let bench = try SecureComparison(connections: connections)
        defer { bench.origin.stop() }
        let contenders = [
            Contender.wrk(plan(bench, "/new/wrk"), wrk),
            named("swift-fetch, resumed", plan(bench, "/new/resumed")),
            named("swift-fetch, full", plan(bench, "/new/full", resumes: false)),
        ]
        let comparison = try bench.measured(
            contenders,
            Comparison.Yardstick(noun: "connection", referenceName: "wrk"), runs: options.runs)
        let counts = bench.origin.connections
        for (path, count) in counts.sorted(by: { $0.key < $1.key }) {
            let share = decimal((count.share ?? 0) * 100, 2)
            bench.progress.say(
                "\(path): \(grouped(count.connections)) connections, \(share) % resumed")
        }
        try bench.conclude(
            comparison,
            "\(connections) connections at once, \(duration) s a run",
            [
                Demand(
                    "share resumed by the server's count:", counts["/new/resumed"]?.share,
                    .atLeast(0.99), places: 4),
                Demand(
                    "resumed beside full:", comparison.ratio(of: 1, to: 2), .atMost(0.65)),
                Demand("resumed beside wrk's:", comparison.ratio(of: 1), .atMost(1)),
                Demand(
                    "malloc'd bytes grown in \(ChurnCommand.counted) connections:",
                    try growth(bench), .atMost(Self.growthMost), places: 0),
            ], json: options.json)
    }

    private func plan(
        _ bench: SecureComparison, _ path: String, resumes: Bool = true
    ) -> Contender.Plan {
        var plan = bench.plan(path, connections: connections, seconds: duration)
        plan.ownArguments += ["-H", "Connection: close"] + (resumes ? [] : ["--no-resumption"])
        plan.wrkArguments = ["-H", "Connection: close"]
        return plan
    }

    private func named(_ name: String, _ plan: Contender.Plan) -> Contender {
        var contender = Contender.ours(plan, callback: false)
        contender.name = name
        return contender
    }

    private func growth(_ bench: SecureComparison) throws -> Double? {
        if Interruption.isRequested { return nil }
        bench.progress.update("\(ChurnCommand.counted) connections, opened and closed")
        let figures = try figures(of: [
            "churn", bench.origin.url("/"), "--cacert", bench.origin.authority,
        ])
        bench.progress.clear()
        guard let before = figures["allocated-0"],
            let after = figures["allocated-\(ChurnCommand.windows)"]
        else { return nil }
        return Double(after - before)
    }
}
