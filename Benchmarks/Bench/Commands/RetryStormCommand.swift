// `bench retry-storm`: an origin that fails every second request, and what a client that retries
// adds to its load. Main thread, which is the reactor's.

import ArgumentParser
import Fetch

/// The retry budget under load.
struct RetryStormCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry-storm",
        abstract: "What retries add to the load of an origin that fails every second request.",
        discussion: """
            Requests leave at a fixed rate; half of the answers are 503, and every one of them is \
            to be tried again, up to three times. The origin counts what comes. Ends with exit \
            code 1 where it got more than 20 % beside the calls, or the budget was left unused.
            """)

    @Option(help: "Calls a second; from 100 on the budget is 20 %.") var rate = 500
    @Option(help: "Seconds.") var seconds = 15.0
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard rate >= 100, rate <= 20_000, seconds > 0, seconds <= 3_600 else {
            throw ValidationError("--rate is 100 to 20,000; --seconds is positive")
        }
    }

    func run() throws {
        var configuration = FetcherConfiguration()
        configuration.coalescing = nil
        configuration.retry = RetryPolicy(
            maxAttempts: 4, backoff: Backoff(base: .milliseconds(20), jitter: .full))
        configuration.spentRetries = .returnLast
        configuration.pool.connectionsPerOrigin = 64
        let calls = Int(Double(rate) * seconds)
        let rate = rate
        let figures = try PolicyBench.run(configuration) { bench in
            try await Self.measured(bench, calls: calls, rate: rate)
        }
        try figures.conclude(json: json)
    }

    private static func measured(
        _ bench: PolicyBench, calls: Int, rate: Int
    ) async throws -> PolicyFigures {
        let endings = Endings()
        let url = bench.url + "half"
        let start = monotonicNanoseconds()
        var begun = 0
        while begun < calls, !Interruption.isRequested {
            let due = (monotonicNanoseconds() - start) * UInt64(rate) / 1_000_000_000
            while begun < min(calls, Int(due)) {
                begun += 1
                bench.client.get(url) { endings.note($0) }
            }
            try await bench.reactor.clock.sleep(for: .milliseconds(1))
        }
        let begunCalls = begun
        try await bench.until { endings.count == begunCalls }
        let answered = try await bench.answered()
        let retries = bench.client.statistics.retries
        var figures = PolicyFigures()
        figures.note("calls", "calls", Double(begun))
        figures.note("ended with 200", "succeeded", Double(endings["200"]))
        figures.note("ended with 503", "unavailable", Double(endings["503"]))
        figures.note(
            "ended otherwise", "others",
            Double(endings.count - endings["200"] - endings["503"]))
        figures.note("requests at the origin", "requests", Double(answered))
        figures.note("retries", "retries", Double(retries))
        let extra = Double(answered - begun) / Double(max(1, begun)) * 100
        figures.note("extra load, %", "extra_percent", extra, places: 2)
        figures.demands = [
            Demand("extra load, %:", extra, .atMost(20)),
            Demand("extra load, %:", extra, .atLeast(10)),
            Demand(
                "requests beside calls and retries:", Double(answered - begun - retries),
                .atMost(0), places: 0),
        ]
        return figures
    }
}
