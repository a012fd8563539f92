// An open loop of small requests while large responses come and are stored on disk, and what that
// costs the small ones. One run; main thread, which is the reactor's.

import Fetch
import FetchReactor
import Glibc
import TestSupport

/// One run over one way of storing.
struct StoringLoad: Sendable {
    /// What stands behind the client.
    enum Storing: CaseIterable, Sendable {
        /// No cache at all.
        case nothing
        /// A file, written by the reactor's thread.
        case inTurns
        /// A file, written by a thread of its own.
        case onThread
    }

    let storing: Storing
    let port: UInt16
    /// Small requests a second.
    let rate: Double
    let seconds: Double
    /// Large responses, spread over the run, and the bytes of each.
    let responses: Int
    let bytes: Int

    /// What came of it.
    struct Figures: Sendable {
        var latency = Report.Latency()
        var errors = 0
        /// Large responses that came, and those that a second client finds in the file.
        var arrived = 0
        var stored = 0
        /// Of the client's process, its threads together.
        var processorSeconds = 0.0
    }

    /// Runs on the calling thread.
    func run() throws -> Figures {
        let folder = try Files.makeTemporaryDirectory("bench-cache")
        defer { remove(folder) }
        // What earlier runs have left to be written is none of this one's business.
        sync()
        var figures = try Reactor.run { try await load(folder) }
        if storing != .nothing {
            figures.stored = try Reactor.run { try await found(folder) }
        }
        return figures
    }

    private func load(_ folder: String) async throws -> Figures {
        guard let reactor = Reactor.current else { preconditionFailure("not on the reactor") }
        var plan = LoadPlan(
            target: .url("http://127.0.0.1:\(port)/"),
            amount: Amount(nanoseconds: UInt64(seconds * 1e9)))
        plan.rate = rate
        plan.cache = cache(folder)
        let run = ReactorBound(try LoadRun(plan, on: reactor), on: reactor)
        let load = try CallbackLoad(plan, run.value, on: reactor)
        let endings = Endings()
        let before = ProcessorTime.own
        load.start()
        let begin = reactor.clock.now
        for number in 0..<responses where !Interruption.isRequested {
            let due = Int64(Double(number) * seconds * 1e9 / Double(responses))
            try await reactor.clock.sleep(until: begin.adding(nanoseconds: due))
            load.client.get(url(number)) { endings.note($0) }
        }
        if Interruption.isRequested { run.value.timeIsOver() }
        await run.value.callersEnded()
        while endings.count < responses, !Interruption.isRequested {
            try await reactor.clock.sleep(for: .milliseconds(1))
        }
        run.value.end()
        // What is still to be written gets its time.
        try await reactor.clock.sleep(for: .seconds(1))
        load.client.shutdown(.immediate)
        let used = ProcessorTime.own - before
        let report = Report(run.value.tally, wall: run.value.wallSeconds, used: used)
        return Figures(
            latency: report.latency, errors: report.errors, arrived: endings["200"],
            processorSeconds: used.user + used.system)
    }

    /// An origin of their own, so that they take no connection from the small ones.
    private func url(_ number: Int) -> String {
        "http://127.0.0.2:\(port)/fresh/\(bytes)?\(number)"
    }

    private func cache(_ folder: String) -> CacheConfiguration {
        var cache = CacheConfiguration()
        switch storing {
        case .nothing: return .disabled
        case .inTurns: cache.disk = CacheConfiguration.Disk(directory: folder)
        case .onThread:
            cache.disk = CacheConfiguration.Disk(directory: folder)
            cache.disk?.offload = .thread
        }
        // For all of them, and what the tables take.
        cache.disk?.mostBytes = max(1 << 30, responses * bytes / 4 * 5)
        return cache
    }

    /// How many of them a new client has without asking the origin.
    private func found(_ folder: String) async throws -> Int {
        var configuration = FetcherConfiguration()
        configuration.cache = cache(folder)
        let fetcher = try Fetcher(configuration)
        // The first client may be closing the file, which is done without meanwhile.
        var patience = 200
        while patience > 0, await !isFound(0, fetcher) {
            try await Task.sleep(for: .milliseconds(10))
            patience -= 1
        }
        var found = 0
        for number in 0..<responses where await isFound(number, fetcher) { found += 1 }
        await fetcher.shutdown(.immediate)
        return found
    }

    private func isFound(_ number: Int, _ fetcher: Fetcher) async -> Bool {
        var request = Request(url(number))
        request.cache = .onlyIfCached
        return (try? await fetcher.execute(request))?.body.count == bytes
    }

    private func remove(_ folder: String) {
        // Paths live for the calls.
        guard let directory = unsafe opendir(folder) else { return }
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            unsafe unlink(folder + "/" + name)
        }
        unsafe closedir(directory)
        unsafe rmdir(folder)
    }
}
