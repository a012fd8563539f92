// `bench coalesce`: callers who ask the same at the same time, answered by one request. Main
// thread, which is the reactor's.

import ArgumentParser
import Fetch

/// What coalescing saves.
struct CoalesceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coalesce",
        abstract:
            "Callers who ask the same at once: requests at the origin, CPU time of each call.",
        discussion: """
            In each round all callers ask for one URL, which the origin answers after a \
            millisecond; then as many ask without coalescing. Ends with exit code 1 where the \
            origin gets more than one request a round, or a caller gets no body.
            """)

    @Option(help: "Callers.") var callers = 100
    @Option(help: "Rounds.") var rounds = 500
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard callers > 1, callers <= 5_000, rounds > 0 else {
            throw ValidationError("--callers is 2 to 5,000; --rounds is positive")
        }
    }

    func run() throws {
        let (callers, rounds) = (callers, rounds)
        var configuration = FetcherConfiguration()
        configuration.pool.connectionsPerOrigin = callers
        configuration.pool.connections = callers
        configuration.pool.idleConnections = callers
        var figures = PolicyFigures()
        let together = try PolicyBench.run(configuration) { bench in
            try await Round.measured(bench, callers: callers, rounds: rounds)
        }
        configuration.coalescing = nil
        let alone = try PolicyBench.run(configuration) { bench in
            try await Round.measured(bench, callers: callers, rounds: rounds)
        }
        figures.note("calls", "calls", Double(callers * rounds))
        figures.note("requests, together", "requests", Double(together.requests))
        figures.note("requests, alone", "requests_alone", Double(alone.requests))
        figures.note("coalesced", "coalesced", Double(together.coalesced))
        figures.note("CPU us a call, together", "cpu_us", together.microseconds, places: 2)
        figures.note("CPU us a call, alone", "cpu_us_alone", alone.microseconds, places: 2)
        figures.demands = [
            Demand(
                "requests, together:", Double(together.requests), .atMost(Double(rounds)), places: 0
            ),
            Demand(
                "coalesced:", Double(together.coalesced), .atLeast(Double((callers - 1) * rounds)),
                places: 0),
            Demand(
                "bodies, together:", Double(together.bodies), .atLeast(Double(callers * rounds)),
                places: 0),
        ]
        try figures.conclude(json: json)
    }
}

/// What all rounds came to.
private struct Round: Sendable {
    var requests = 0
    var coalesced = 0
    var bodies = 0
    /// Of CPU, each call.
    var microseconds = 0.0

    static func measured(
        _ bench: PolicyBench, callers: Int, rounds: Int
    ) async throws -> Round {
        var round = Round()
        let bodies = Bodies()
        let before = ProcessorTime.own
        for number in 0..<rounds where !Interruption.isRequested {
            let url = "\(bench.url)delay/1?round=\(number)"
            for _ in 0..<callers { bench.client.get(url) { bodies.note($0) } }
            let ends = (number + 1) * callers
            try await bench.until { bodies.ended == ends }
        }
        let used = ProcessorTime.own - before
        round.bodies = bodies.whole
        round.requests = try await bench.answered()
        round.coalesced = bench.client.statistics.callsCoalesced
        round.microseconds = (used.user + used.system) * 1e6 / Double(callers * rounds)
        return round
    }
}

private final class Bodies {
    private(set) var ended = 0
    private(set) var whole = 0

    func note(_ result: Result<Response, any Error>) {
        ended += 1
        if case .success(let response) = result, response.body.count == 13 { whole += 1 }
    }
}
