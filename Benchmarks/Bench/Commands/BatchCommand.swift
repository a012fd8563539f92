// `bench batch`: a long list of URLs over many origins through `Fetcher.stream`. Reads arguments,
// starts the embedded origin, prints. The load runs in this very process, on the main thread, which
// is the reactor's.

import ArgumentParser
import Fetch

/// CORE-13: what a million URLs cost.
struct BatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "A million URLs over 50,000 origins through a stream, and the memory they take.",
        discussion: """
            The origins are addresses of 127.0.0.0/8, all served by one embedded origin; the URLs \
            visit them in turn, so that each visit finds an origin that the client has had to \
            forget. Resident memory is read all along. Ends with exit code 1 where a request \
            failed, memory grew by more than the bound after the first tenth, or more origins \
            were tracked than may be. With --policies every table that is keyed by host is in use \
            and must keep to its cap: breakers, limits, politeness, retries, coalescing, cache.
            """)

    /// What memory may grow by after the first tenth, in KiB.
    private static let mostGrowth = 16_384

    @Option(help: "URLs.") var urls = 1_000_000
    @Option(help: "Origins.") var origins = 50_000
    @Option(help: "Calls at once.") var concurrency = 1_000
    @Flag(help: "Breaker, limits, politeness, retries, coalescing and cache are on.")
    var policies = false
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard urls > 0, origins > 0, origins <= 15_000_000, concurrency > 0, concurrency <= 10_000
        else { throw ValidationError("--urls, --origins and --concurrency are positive") }
    }

    func run() throws {
        let progress = Progress.begin()
        _ = raiseDescriptorLimit()
        let origin = try OriginProcess()
        defer { origin.stop() }
        let plan = LoadPlan(
            target: .origins(origins, port: origin.port),
            amount: Amount(nanoseconds: UInt64(Int64.max)))
        let (urls, concurrency) = (urls, concurrency)
        let configuration = configuration(plan)
        let figures = try Reactor.run {
            try await BatchFigures.measured(
                plan, configuration, urls: urls, concurrency: concurrency, progress: progress)
        }
        progress.clear()
        print(json ? figures.json : figures.text)
        if Interruption.isRequested { throw ExitCode(130) }
        let most = Double(configuration.pool.trackedOrigins)
        let demands = [
            Demand(
                "growth after the first tenth, KiB:", Double(figures.growth),
                .atMost(Double(Self.mostGrowth)), places: 0),
            Demand(
                "origins tracked:", Double(figures.mostTracked), .atMost(most), places: 0),
            Demand("domains limited:", Double(figures.mostLimited), .atMost(most), places: 0),
            Demand("politeness slots:", Double(figures.mostSlots), .atMost(most), places: 0),
            Demand("failed:", Double(figures.failed), .atMost(0), places: 0),
        ]
        if !json { print(demands.map(\.text).joined(separator: "\n")) }
        if !demands.allSatisfy(\.isHeld) { throw ExitCode(1) }
    }

    private func configuration(_ plan: LoadPlan) -> FetcherConfiguration {
        var configuration = plan.configuration
        configuration.pool.connections = concurrency
        configuration.pool.trackedOrigins = max(LoadPlan.trackedOrigins, 2 * concurrency)
        configuration.pool.waitingCalls = max(concurrency, configuration.pool.waitingCalls)
        guard policies else { return configuration }
        // The least that the tables may be held to: as many as origins are tracked.
        configuration.rate.mostDomains = 1
        configuration.rate.perDomain = .slidingWindow(.perSecond(1_000))
        configuration.rate.client = .tokenBucket(.perSecond(10_000_000))
        configuration.concurrencyPerOrigin = 10
        configuration.politeness = PolitenessRules(jitter: 0, mostSlots: 1)
        configuration.circuitBreaker = BreakerRules()
        configuration.retry = .standard
        configuration.coalescing = CoalescingRules()
        configuration.cache = CacheConfiguration()
        return configuration
    }
}

/// What one pass came to.
private struct BatchFigures {
    var succeeded = 0
    var failed = 0
    var seconds = 0.0
    /// The most resident memory in the first tenth, and up to half and the end, in KiB.
    var atFirstTenth = 0
    var atHalf = 0
    var mostLater = 0
    var mostTracked = 0
    var mostLimited = 0
    var mostSlots = 0
    var threads = 0
    var failures: [String: Int] = [:]

    var growth: Int { max(0, mostLater - atFirstTenth) }

    static func measured(
        _ plan: LoadPlan, _ configuration: FetcherConfiguration, urls: Int, concurrency: Int,
        progress: Progress
    ) async throws -> BatchFigures {
        var figures = BatchFigures()
        let fetcher = try Fetcher(configuration)
        let start = monotonicNanoseconds()
        let source = (0..<urls).lazy.map { plan.url($0) }
        for try await page in fetcher.stream(source, concurrency: concurrency) {
            switch page.result {
            case .success: figures.succeeded += 1
            case .failure(let error):
                figures.failed += 1
                figures.failures[code(of: error), default: 0] += 1
            }
            let done = figures.succeeded + figures.failed
            if done % max(1, urls / 200) == 0 {
                progress.update("\(grouped(done)) of \(grouped(urls)) URLs")
                try await figures.look(Double(done) / Double(urls), fetcher)
            }
            if Interruption.isRequested { break }
        }
        figures.seconds = Double(monotonicNanoseconds() - start) / 1e9
        await fetcher.shutdown(.immediate)
        return figures
    }

    private mutating func look(_ part: Double, _ fetcher: Fetcher) async throws {
        let process = ProcessFigures()
        let resident = process?.residentKilobytes ?? 0
        if part <= 0.1 { atFirstTenth = max(atFirstTenth, resident) }
        if part <= 0.5 { atHalf = max(atHalf, resident) }
        mostLater = max(mostLater, resident)
        threads = max(threads, process?.threads ?? 0)
        let now = try await fetcher.statistics
        mostTracked = max(mostTracked, now.trackedOrigins)
        mostLimited = max(mostLimited, now.limitedDomains)
        mostSlots = max(mostSlots, now.politenessSlots)
    }

    private var rate: Double { Double(succeeded + failed) / max(seconds, 1e-9) }

    var text: String {
        let failed = failures.sorted { $0.key < $1.key }.map { ", \($0.value) \($0.key)" }.joined()
        return """
            \(grouped(succeeded)) fetched, \(grouped(self.failed)) failed\(failed) in \
            \(decimal(seconds, 1)) s, \(decimal(rate, 0)) a second
            resident memory at most: \(grouped(atFirstTenth)) KiB in the first tenth, \
            \(grouped(atHalf)) KiB up to half, \(grouped(mostLater)) KiB up to the end
            origins tracked at most: \(grouped(mostTracked)); threads: \(threads)
            """
    }

    var json: String {
        "{\"succeeded\":\(succeeded),\"failed\":\(failed),\"wall_s\":\(decimal(seconds, 3)),"
            + "\"urls_per_s\":\(decimal(rate, 1)),\"rss_first_tenth_kb\":\(atFirstTenth),"
            + "\"rss_half_kb\":\(atHalf),\"rss_most_kb\":\(mostLater),"
            + "\"origins_tracked_most\":\(mostTracked),\"threads\":\(threads)}"
    }
}
