// `bench limiter`: how exactly limiters let go, on the real clock and without any network. Main
// thread, which is the reactor's.

import ArgumentParser
import Fetch
import FetchPolicy

/// The achieved rates beside those asked for.
struct LimiterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limiter",
        abstract: "The rate that a limiter achieves, and the most of a sliding window.",
        discussion: """
            Token buckets of 10, 1,000 and 100,000 a second, all at once on one reactor's wheel, \
            each for ten seconds or a thousand grants, whichever is longer: 100 s in all. Then a \
            sliding window that is asked without pause. Ends with exit code 1 where a rate is more \
            than 1 % off, or a window holds more than its limit.
            """)

    @Option(help: "Rates a second; may be repeated.") var rate: [Int] = [10, 1_000, 100_000]
    @Option(help: "Seconds of each, at least.") var seconds = 10.0
    @Option(help: "Grants of each, at least.") var grants = 1_000
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard !rate.isEmpty, rate.allSatisfy({ $0 > 0 && $0 <= 1_000_000 }), seconds > 0, grants > 0
        else { throw ValidationError("--rate (a million at most), --seconds, --grants: positive") }
    }

    func run() throws {
        Progress.begin()
        let (rates, seconds, grants) = (rate, seconds, grants)
        let achieved = try Reactor.run {
            guard let reactor = Reactor.current else { throw ExitCode(1) }
            return try await withThrowingTaskGroup(of: (Int, Double).self) { group in
                for (index, rate) in rates.enumerated() {
                    let count = max(grants, Int(Double(rate) * seconds))
                    let run = try PacedRun(rate: rate, grants: count, on: reactor)
                    group.addTask { (index, try await run.achieved()) }
                }
                var achieved = [Double](repeating: 0, count: rates.count)
                for try await (index, rate) in group { achieved[index] = rate }
                return achieved
            }
        }
        let window = WindowRun(limit: 1_000, seconds: 1).most(forSeconds: min(seconds, 5))
        try show(achieved, window)
    }

    private func show(_ achieved: [Double], _ window: (limit: Int, most: Int)) throws {
        var demands: [Demand] = []
        for (rate, achieved) in zip(rate, achieved) {
            let error = abs(achieved - Double(rate)) / Double(rate) * 100
            demands.append(Demand("error at \(rate) a second, %:", error, .atMost(1)))
        }
        demands.append(
            Demand(
                "most in a window of \(window.limit):", Double(window.most),
                .atMost(Double(window.limit)), places: 0))
        if json {
            let targets = zip(rate, achieved).map { rate, achieved in
                "{\"rate\":\(rate),\"achieved\":\(decimal(achieved, 3))}"
            }
            print(
                "{\"targets\":[\(targets.joined(separator: ","))],"
                    + "\"windows\":[{\"limit\":\(window.limit),\"most\":\(window.most)}],"
                    + "\"demands\":\(Demand.json(demands))}")
        } else {
            for (rate, achieved) in zip(rate, achieved) {
                print("\(grouped(rate)) a second: achieved \(decimal(achieved, 3))")
            }
            for demand in demands { print(demand.text) }
        }
        if Interruption.isRequested { throw ExitCode(130) }
        if !demands.allSatisfy(\.isHeld) { throw ExitCode(1) }
    }
}

/// Callers in line at one gate, always more of them than a turn of the loop lets go.
private struct PacedRun: Sendable {
    private let gate: RateGate
    private let rate: Int
    private let grants: Int
    private let reactor: Reactor

    /// The bucket holds what a tenth of a second brings: lateness below that is made good.
    private let burst: Int

    init(rate: Int, grants: Int, on reactor: Reactor) throws {
        self.rate = rate
        self.grants = grants
        self.reactor = reactor
        burst = max(2, rate / 10)
        gate = try RateGate(
            .tokenBucket(.perSecond(rate), burst: burst), mostWaiting: .max, on: reactor)
    }

    /// Grants a second, from the moment at which the bucket is empty to the last grant.
    func achieved() async throws -> Double {
        try await gate.acquire(burst)
        let start = reactor.clock.now
        let callers = min(grants, max(4, rate / 50))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                // Each takes its share, one grant after the other.
                let share = grants / callers + (caller < grants % callers ? 1 : 0)
                group.addTask { for _ in 0..<share { try await gate.acquire() } }
            }
            try await group.waitForAll()
        }
        return Double(grants) / (start.duration(to: reactor.clock.now) / .seconds(1))
    }
}

/// A sliding window that is asked without pause.
private struct WindowRun {
    let limit: Int
    let seconds: Int

    /// The most grants in any span of the window's length.
    func most(forSeconds duration: Double) -> (limit: Int, most: Int) {
        var window = SlidingWindow(Rate(limit, per: .seconds(seconds)))
        let start = monotonicNanoseconds()
        let end = start + UInt64(duration * 1e9)
        var times: [UInt64] = []
        var now = start
        while now < end, !Interruption.isRequested {
            now = monotonicNanoseconds()
            if window.admit(1, now: Instant(nanoseconds: Int64(now))) == .now { times.append(now) }
        }
        let length = UInt64(seconds) * 1_000_000_000
        var (first, most) = (0, 0)
        for (last, time) in times.enumerated() {
            while times[first] + length <= time { first += 1 }
            most = max(most, last - first + 1)
        }
        return (limit, most)
    }
}
