// `bench cache-disk`: what storing on disk costs the requests beside it. Main thread, which is the
// reactor's.

import ArgumentParser
import Fetch

/// CACHE-11: the file behind the cache must not stall the loop.
struct CacheDiskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache-disk",
        abstract: "The latency of requests while large responses are stored on disk.",
        discussion: """
            An open loop of small requests that takes half of the client's thread, latencies \
            counted from when each was due, while 1,000 responses of 1 MiB come in: without a \
            cache, with a file that the reactor's thread writes, and with one that has a thread of \
            its own; in turn, five rounds. Every round finds that rate anew: what a closed loop \
            does is no measure, for it serves many requests in a turn. The demands are on the \
            medians of the differences and ratios of one round. Ends with exit code 1 where one \
            is missed, or a response isn't in the file.
            """)

    @Option(help: "Rounds of three runs.") var rounds = 5
    @Option(help: "Seconds of each run.") var seconds = 20.0
    @Option(help: "Large responses.") var responses = 1_000
    @Option(help: "Bytes of each.") var bytes = 1 << 20
    @Option(help: "Small requests a second, in place of half of the capacity.") var rate: Double?
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard rounds > 0, seconds > 0, seconds <= 3_600, responses > 0, bytes > 0,
            bytes <= 5 << 20, rate ?? 1 > 0
        else { throw ValidationError("numbers are positive, --bytes at most 5 MiB") }
    }

    func run() throws {
        let progress = Progress.begin()
        let origin = try OriginProcess()
        defer { origin.stop() }
        var rounds: [[StoringLoad.Figures]] = []
        var rates: [Double] = []
        for number in 1...self.rounds where !Interruption.isRequested {
            progress.update("round \(number) of \(self.rounds)")
            let rate = try self.rate ?? capacity(origin, progress) / 2
            rates.append(rate)
            rounds.append(
                try StoringLoad.Storing.allCases.map { storing in
                    try StoringLoad(
                        storing: storing, port: origin.port, rate: rate, seconds: seconds,
                        responses: responses, bytes: bytes
                    ).run()
                })
        }
        progress.clear()
        try figures(rounds, rates).conclude(json: json)
    }

    /// Small requests a second that would take all of the client's thread, without a cache: what
    /// an open loop takes at half of what a closed one does, and in proportion.
    private func capacity(_ origin: OriginProcess, _ progress: Progress) throws -> Double {
        var plan = LoadPlan(
            target: .url(origin.url), amount: Amount(nanoseconds: 2_000_000_000))
        plan.face = .callback
        let closed = try LoadTest(plan: plan, label: "capacity", progress: progress).run()
        plan.rate = max(1, closed.requestsPerSecond / 2)
        let open = try LoadTest(plan: plan, label: "capacity", progress: progress).run()
        let processor = open.processorMicroseconds
        return 1e6 / max(processor.user + processor.system, 0.1)
    }

    private func figures(
        _ rounds: [[StoringLoad.Figures]], _ rates: [Double]
    ) -> PolicyFigures {
        var figures = PolicyFigures()
        figures.note("small requests a second", "rate", rates.median ?? 0)
        let names = ["without a cache", "written in turns", "written by a thread"]
        let keys = ["none", "turns", "thread"]
        for (index, (name, key)) in zip(names, keys).enumerated() {
            func median(_ value: (Report.Latency) -> UInt64) -> Double {
                Double(rounds.map { value($0[index].latency) }.median ?? 0)
            }
            figures.note("\(name): p50, us", "\(key)_p50_us", median(\.p50))
            figures.note("\(name): p99, us", "\(key)_p99_us", median(\.p99))
            figures.note("\(name): p99.9, us", "\(key)_p999_us", median(\.p999))
            let processor = rounds.map { $0[index].processorSeconds }.median ?? 0
            figures.note("\(name): CPU, s", "\(key)_cpu_s", processor, places: 2)
        }
        let differences = rounds.map { Double($0[1].latency.p99) - Double($0[0].latency.p99) }
        let ratios = Rounds.ratios(
            of: rounds.map { Double($0[2].latency.p99) },
            to: rounds.map { Double($0[0].latency.p99) })
        let all = rounds.joined()
        let stored = rounds.flatMap { $0.dropFirst() }.map(\.stored).min()
        figures.demands = [
            Demand("p99 in turns above none, ms:", differences.median.map { $0 / 1e3 }, .atMost(1)),
            Demand("p99 by a thread, times none:", ratios.median, .atMost(1.1)),
            Demand(
                "stored, least of a run:", stored.map(Double.init),
                .atLeast(Double(responses)), places: 0),
            Demand(
                "failed:", Double(all.map(\.errors).reduce(0, +)), .atMost(0), places: 0),
        ]
        return figures
    }
}
