// `bench breaker`: what asking a breaker costs, and that an open one keeps the origin quiet. Main
// thread, which is the reactor's.

import ArgumentParser
import Fetch

/// The circuit breaker under load.
struct BreakerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breaker",
        abstract: "The cost of a breaker's check, and what an open one lets through.",
        discussion: """
            Five failures open the breaker; then so many calls are refused, of which the origin \
            must see none. After the cool-down a hundred calls come at once: one probes, and once \
            it has succeeded all pass. Ends with exit code 1 where the origin counts anything \
            else.
            """)

    @Option(help: "Calls while it is open.") var calls = 100_000
    @Option(help: "Checks that are timed.") var checks = 10_000_000
    @Flag(help: "JSON on standard output.") var json = false

    private static let coolDown = Duration.seconds(2)
    private static let probers = 100

    func validate() throws {
        guard calls > 0, checks > 0 else {
            throw ValidationError("--calls and --checks are positive")
        }
    }

    func run() throws {
        var configuration = FetcherConfiguration()
        configuration.coalescing = nil
        configuration.circuitBreaker = BreakerRules(
            consecutiveFailures: 5, coolDown: Self.coolDown)
        let (calls, checks) = (calls, checks)
        let figures = try PolicyBench.run(configuration) { bench in
            var figures = PolicyFigures()
            Self.time(checks, &figures)
            try await Self.measure(bench, calls, &figures)
            return figures
        }
        try figures.conclude(json: json)
    }

    /// Nanoseconds of a check, closed and open.
    private static func time(_ checks: Int, _ figures: inout PolicyFigures) {
        var breaker = CircuitBreaker(BreakerRules(consecutiveFailures: 1))
        var transition: CircuitBreaker.Transition?
        var now = Instant(nanoseconds: 0)
        func pass() -> (nanoseconds: Double, permit: CircuitBreaker.Permit?) {
            var permit: CircuitBreaker.Permit?
            let start = monotonicNanoseconds()
            for _ in 0..<checks {
                let answer = breaker.requestArrived(now: now, transition: &transition)
                if case .admitted(let given) = answer { permit = given }
            }
            return (Double(monotonicNanoseconds() - start) / Double(checks), permit)
        }
        let closed = pass()
        figures.note("closed, ns a check", "closed_ns", closed.nanoseconds, places: 2)
        now = Instant(nanoseconds: 1)
        if let permit = closed.permit { _ = breaker.ended(permit, .failure, now: now) }
        let open = pass()
        figures.note("open, ns a check", "open_ns", open.nanoseconds, places: 2)
        figures.demands.append(
            Demand(
                "permits while open:", open.permit == nil ? 0 : 1, .atMost(0), places: 0))
    }

    private static func measure(
        _ bench: PolicyBench, _ calls: Int, _ figures: inout PolicyFigures
    ) async throws {
        let failing = Endings()
        for _ in 0..<5 { bench.client.get(bench.url + "status/503") { failing.note($0) } }
        try await bench.until { failing.count == 5 }
        let before = try await bench.answered()
        let refused = Endings()
        let start = monotonicNanoseconds()
        for _ in 0..<calls { bench.client.get(bench.url) { refused.note($0) } }
        try await bench.until { refused.count == calls }
        let each = Double(monotonicNanoseconds() - start) / 1e3 / Double(calls)
        let during = try await bench.answered() - before
        figures.note("refused", "refused", Double(refused["circuit-open"]))
        figures.note("us a refused call", "refused_us", each, places: 2)
        try await bench.reactor.clock.sleep(for: coolDown)
        let probing = Endings()
        for _ in 0..<probers { bench.client.get(bench.url) { probing.note($0) } }
        try await bench.until { probing.count == probers }
        let probes = try await bench.answered() - before - during
        let passing = Endings()
        for _ in 0..<probers { bench.client.get(bench.url) { passing.note($0) } }
        try await bench.until { passing.count == probers }
        figures.note("requests while open", "requests_while_open", Double(during))
        figures.note("probes", "probes", Double(probes))
        figures.note("passed once closed", "passed", Double(passing["200"]))
        figures.demands += [
            Demand("requests while open:", Double(during), .atMost(0), places: 0),
            Demand(
                "refused:", Double(refused["circuit-open"]), .atLeast(Double(calls)), places: 0),
            Demand("probes, at most:", Double(probes), .atMost(1), places: 0),
            Demand("probes, at least:", Double(probes), .atLeast(1), places: 0),
            Demand(
                "passed once closed:", Double(passing["200"]), .atLeast(Double(probers)),
                places: 0),
        ]
    }
}
