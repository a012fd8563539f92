// `bench cache-hit`: how many stored responses a second a program gets, from the reactor's thread
// and from another. Main thread, which is the reactor's.
//
// A thousand URLs in turn, as Strings that are parsed each time; the status and every byte of the
// body are read. The origin is asked once for each, before the clock runs.

import ArgumentParser
import Fetch
import FetchReactor

/// Hits a second.
struct CacheHitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache-hit",
        abstract: "Stored responses a second, from the reactor's thread and from another.",
        discussion: """
            Stores the answers to 1,000 URLs and asks for them in turn, the status and the body \
            being read. Ends with exit code 1 where fewer than a million a second come from a task \
            on the reactor, or where one of them asked the origin.
            """)

    @Option(help: "Seconds of each part.") var seconds = 2.0
    @Option(help: "Callers at once on the other thread.") var callers = 64
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard seconds > 0, seconds <= 3_600, callers > 0 else {
            throw ValidationError("--seconds and --callers are positive")
        }
    }

    func run() throws {
        Progress.begin()
        let origin = try OriginProcess()
        defer { origin.stop() }
        let caller = CachedCaller(url: origin.url, urls: 1_000)
        let (seconds, callers) = (seconds, callers)
        let here = try Reactor.run { try await caller.rate(seconds: seconds) }
        let elsewhere = try Reactor.run {
            try await caller.rateElsewhere(seconds: seconds, callers: callers)
        }
        let demands = [
            Demand("hits a second on the reactor:", here.perSecond, .atLeast(1e6), places: 0),
            Demand("requests to the origin meanwhile:", Double(here.asked), .atMost(0), places: 0),
        ]
        if json {
            print(
                "{\"urls\":\(caller.urls),\"here\":\(here.json),\"elsewhere\":\(elsewhere.json),"
                    + "\"demands\":\(Demand.json(demands))}")
        } else {
            print("on the reactor: \(here.text)")
            print("from another thread, \(callers) callers: \(elsewhere.text)")
            for demand in demands { print(demand.text) }
        }
        if Interruption.isRequested { throw ExitCode(130) }
        if !demands.allSatisfy(\.isHeld) { throw ExitCode(1) }
    }
}

/// Hits and what they took.
struct HitFigures: Sendable {
    var hits = 0
    var nanoseconds: UInt64 = 0
    /// Requests that went to the origin while the clock ran.
    var asked = 0

    var perSecond: Double { Double(hits) / max(Double(nanoseconds) / 1e9, 1e-9) }

    var text: String {
        "\(grouped(Int(perSecond))) hits a second, "
            + "\(decimal(Double(nanoseconds) / Double(max(hits, 1)), 0)) ns each"
    }

    var json: String {
        "{\"hits\":\(hits),\"per_second\":\(decimal(perSecond, 0)),\"asked\":\(asked)}"
    }
}

/// The measured caller: URLs in turn, the status and the body read.
struct CachedCaller: Sendable {
    let url: String
    let urls: Int

    private var configuration: FetcherConfiguration {
        var configuration = FetcherConfiguration()
        // Whatever the origin says of freshness, or doesn't.
        configuration.cache = .forced(ttl: .seconds(86_400))
        return configuration
    }

    private var all: [String] { (0..<urls).map { "\(url)?as/they/come/\($0)" } }

    private func filled(_ fetcher: Fetcher) async throws -> [String] {
        let all = all
        for url in all { _ = read(try await fetcher.get(url)) }
        return all
    }

    /// The status and the body's bytes.
    @inline(__always)
    private func read(_ response: Response) -> Int {
        var sum = response.statusCode
        let body = response.body.span
        for index in body.indices { sum &+= Int(body[index]) }
        return sum
    }

    /// So many hits from a task on the reactor; a checksum.
    func hits(_ count: Int) async throws -> Int {
        let fetcher = try Fetcher(configuration)
        let all = try await filled(fetcher)
        return try await hits(count, all, fetcher)
    }

    private func hits(_ count: Int, _ all: [String], _ fetcher: Fetcher) async throws -> Int {
        var (sum, next) = (0, 0)
        for _ in 0..<count {
            sum &+= read(try await fetcher.get(all[next]))
            next = next == all.count - 1 ? 0 : next + 1
        }
        return sum
    }

    /// From a task on the reactor.
    func rate(seconds: Double) async throws -> HitFigures {
        let fetcher = try Fetcher(configuration)
        let all = try await filled(fetcher)
        let before = try await fetcher.statistics
        var figures = HitFigures()
        let start = monotonicNanoseconds()
        while figures.nanoseconds < UInt64(seconds * 1e9), !Interruption.isRequested {
            _ = try await hits(10_000, all, fetcher)
            figures.hits += 10_000
            figures.nanoseconds = monotonicNanoseconds() - start
        }
        let after = try await fetcher.statistics
        figures.asked = after.exchanges - before.exchanges
        return figures
    }

    /// From another thread than the client's.
    func rateElsewhere(seconds: Double, callers: Int) async throws -> HitFigures {
        let reactor = try Reactor.startThread(name: "client")
        defer { reactor.stop() }
        let fetcher = try Fetcher(configuration, on: reactor)
        let all = try await filled(fetcher)
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds * 1e9)
        let hits = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var hits = 0
                    while monotonicNanoseconds() < end, !Interruption.isRequested {
                        _ = try await self.hits(100, all, fetcher)
                        hits += 100
                    }
                    return hits
                }
            }
            return try await group.reduce(0, +)
        }
        return HitFigures(hits: hits, nanoseconds: monotonicNanoseconds() - start)
    }
}
