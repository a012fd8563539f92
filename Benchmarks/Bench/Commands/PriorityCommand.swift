// `bench priority`: who goes first where calls wait for a slot, and that nobody waits for ever.
// Main thread, which is the reactor's.

import ArgumentParser
import Fetch

/// Priorities and their ageing.
struct PriorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "priority",
        abstract: "Who goes first where calls wait for a slot, and that nobody starves.",
        discussion: """
            Calls of low, normal and high priority ask for four slots at once, the urgent ones \
            last: nobody may be overtaken but by who was under way already. Then calls of high \
            priority keep the one slot busy without an end, and ten of low priority must still \
            go. Ends with exit code 1 where anybody is out of turn.
            """)

    @Option(help: "Calls of each priority.") var calls = 1_000
    @Flag(help: "JSON on standard output.") var json = false

    private static let slots = 4

    func validate() throws {
        guard calls > 0, calls <= 3_000 else {
            throw ValidationError("--calls is positive, and 3,000 at most")
        }
    }

    func run() throws {
        var configuration = FetcherConfiguration()
        configuration.coalescing = nil
        configuration.concurrency = Self.slots
        // Longer than all of the first part takes.
        configuration.priorityAgeing = .seconds(600)
        configuration.timeouts.queue = .seconds(600)
        configuration.timeouts.total = .seconds(600)
        let calls = calls
        var figures = try PolicyBench.run(configuration) { try await Self.inOrder($0, calls) }
        configuration.concurrency = 1
        configuration.priorityAgeing = .milliseconds(500)
        let aged = try PolicyBench.run(configuration) { try await Self.ageing($0) }
        figures.append(aged)
        try figures.conclude(json: json)
    }

    /// The order of the ends.
    private static func inOrder(_ bench: PolicyBench, _ calls: Int) async throws -> PolicyFigures {
        let order = Order()
        let start = monotonicNanoseconds()
        for priority in [RequestPriority.low, .normal, .high] {
            var request = Request(bench.url)
            request.priority = priority
            for _ in 0..<calls {
                bench.client.execute(request) { result in
                    order.ended(
                        priority, result, after: Double(monotonicNanoseconds() - start) / 1e6)
                }
            }
        }
        try await bench.until { order.count == 3 * calls }
        var figures = PolicyFigures()
        for priority in RequestPriority.allCases {
            figures.note(
                "\(priority), ms of waiting on average", "\(priority)_ms", order.mean(of: priority),
                places: 2)
        }
        figures.note("failed", "failed", Double(order.failed))
        let overtaken = [
            order.number(before: .high, ofThoseBelow: .high),
            order.number(before: .normal, ofThoseBelow: .normal),
        ]
        figures.note("ended before the last high one", "before_high", Double(overtaken[0]))
        figures.note("low ones before the last normal one", "before_normal", Double(overtaken[1]))
        // Who was under way already, and who began as another ended.
        let most = Double(slots)
        figures.demands = [
            Demand("failed:", Double(order.failed), .atMost(0), places: 0),
            Demand("before the last high one:", Double(overtaken[0]), .atMost(2 * most), places: 0),
            Demand(
                "before the last normal one:", Double(overtaken[1]), .atMost(2 * most), places: 0),
        ]
        return figures
    }

    /// Calls of high priority without an end, ten of low priority among them.
    private static func ageing(_ bench: PolicyBench) async throws -> PolicyFigures {
        let order = Order()
        var urgent = Request(bench.url + "delay/1")
        urgent.priority = .high
        var patient = Request(bench.url)
        patient.priority = .low
        let chains = Chains(client: bench.client, request: urgent) { order.ended(.high, $0) }
        for _ in 0..<8 { chains.next() }
        for _ in 0..<10 { bench.client.execute(patient) { order.ended(.low, $0) } }
        try await bench.until { order.count(of: .low) == 10 }
        let highs = order.count(of: .high)
        chains.isOver = true
        try await bench.until { chains.running == 0 }
        var figures = PolicyFigures()
        figures.note("low ones among high ones without an end", "aged", 10)
        figures.note("high ones until the last of them", "overtook", Double(highs))
        figures.demands = [
            Demand("high ones before the last low one:", Double(highs), .atLeast(20), places: 0)
        ]
        return figures
    }
}

/// Who ended when.
private final class Order {
    private var ended: [RequestPriority] = []
    private var waited: [RequestPriority: Double] = [:]
    private(set) var failed = 0

    var count: Int { ended.count }

    func ended(
        _ priority: RequestPriority, _ result: Result<Response, any Error>,
        after milliseconds: Double = 0
    ) {
        ended.append(priority)
        waited[priority, default: 0] += milliseconds
        if case .failure = result { failed += 1 }
    }

    func count(of priority: RequestPriority) -> Int { ended.count { $0 == priority } }

    func mean(of priority: RequestPriority) -> Double {
        (waited[priority] ?? 0) / Double(max(1, count(of: priority)))
    }

    /// How many of lower priority ended before the last of this one.
    func number(before last: RequestPriority, ofThoseBelow priority: RequestPriority) -> Int {
        guard let end = ended.lastIndex(of: last) else { return ended.count }
        return ended[..<end].count { $0 < priority }
    }
}

/// A request again and again.
private final class Chains {
    private let client: LocalFetcher
    private let request: Request
    private let ended: (Result<Response, any Error>) -> Void
    var isOver = false
    private(set) var running = 0

    init(
        client: LocalFetcher, request: Request,
        _ ended: @escaping (Result<Response, any Error>) -> Void
    ) {
        self.client = client
        self.request = request
        self.ended = ended
    }

    func next() {
        running += 1
        client.execute(request) { [self] result in
            running -= 1
            ended(result)
            if !isOver { next() }
        }
    }
}
