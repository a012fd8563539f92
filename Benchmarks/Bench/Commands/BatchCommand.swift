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
            failed, or memory grew by more than the bound after the first tenth.
            """)

    /// What memory may grow by after the first tenth, in KiB.
    private static let mostGrowth = 16_384

    @Option(help: "URLs.") var urls = 1_000_000
    @Option(help: "Origins.") var origins = 50_000
    @Option(help: "Calls at once.") var concurrency = 1_000
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard urls > 0, origins > 0, origins <= 15_000_000, concurrency > 0, concurrency <= 10_000
        else { throw ValidationError("--urls, --origins and --concurrency are positive") }
    }

    func run() throws {
        Interruption.install()
        let progress = Progress()
        warnOfDebugBuild(progress)
        _ = raiseDescriptorLimit()
        let origin = try OriginProcess()
        defer { origin.stop() }
        let plan = LoadPlan(
            target: .origins(origins, port: origin.port),
            amount: Amount(nanoseconds: UInt64(Int64.max)))
        let (urls, concurrency) = (urls, concurrency)
        let figures = try Reactor.run {
            try await BatchFigures.measured(
                plan, urls: urls, concurrency: concurrency, progress: progress)
        }
        progress.clear()
        print(json ? figures.json : figures.text)
        if Interruption.isRequested { throw ExitCode(130) }
        let demand = Demand(
            "growth after the first tenth, KiB:", Double(figures.growth),
            .atMost(Double(Self.mostGrowth)), places: 0)
        if !json { print(demand.text) }
        if figures.failed > 0 || !demand.isHeld { throw ExitCode(1) }
    }
}

/// What one pass came to.
private struct BatchFigures {
    var succeeded = 0
    var failed = 0
    var seconds = 0.0
    /// Resident memory after the first tenth, and the most of it after that, in KiB.
    var atFirstTenth = 0
    var mostLater = 0
    var mostTracked = 0
    var threads = 0
    var failures: [String: Int] = [:]

    var growth: Int { max(0, mostLater - atFirstTenth) }

    static func measured(
        _ plan: LoadPlan, urls: Int, concurrency: Int, progress: Progress
    ) async throws -> BatchFigures {
        var figures = BatchFigures()
        var configuration = plan.configuration
        configuration.pool.connections = concurrency
        configuration.pool.trackedOrigins = max(LoadPlan.trackedOrigins, 2 * concurrency)
        configuration.pool.waitingCalls = max(concurrency, configuration.pool.waitingCalls)
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
                try await figures.look(isEarly: done <= urls / 10, fetcher)
            }
            if Interruption.isRequested { break }
        }
        figures.seconds = Double(monotonicNanoseconds() - start) / 1e9
        await fetcher.shutdown(.immediate)
        return figures
    }

    private mutating func look(isEarly: Bool, _ fetcher: Fetcher) async throws {
        let process = ProcessFigures()
        let resident = process?.residentKilobytes ?? 0
        if isEarly { atFirstTenth = max(atFirstTenth, resident) }
        mostLater = max(mostLater, resident)
        threads = max(threads, process?.threads ?? 0)
        mostTracked = max(mostTracked, try await fetcher.statistics.trackedOrigins)
    }

    private var rate: Double { Double(succeeded + failed) / max(seconds, 1e-9) }

    var text: String {
        let failed = failures.sorted { $0.key < $1.key }.map { ", \($0.value) \($0.key)" }.joined()
        return """
            \(grouped(succeeded)) fetched, \(grouped(self.failed)) failed\(failed) in \
            \(decimal(seconds, 1)) s, \(decimal(rate, 0)) a second
            resident memory: \(grouped(atFirstTenth)) KiB in the first tenth, \
            \(grouped(mostLater)) KiB at most
            origins tracked at most: \(grouped(mostTracked)); threads: \(threads)
            """
    }

    var json: String {
        "{\"succeeded\":\(succeeded),\"failed\":\(failed),\"wall_s\":\(decimal(seconds, 3)),"
            + "\"urls_per_s\":\(decimal(rate, 1)),\"rss_first_tenth_kb\":\(atFirstTenth),"
            + "\"rss_most_kb\":\(mostLater),\"origins_tracked_most\":\(mostTracked),"
            + "\"threads\":\(threads)}"
    }
}
