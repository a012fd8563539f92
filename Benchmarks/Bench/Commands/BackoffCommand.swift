// `bench backoff`: what a call costs that waits for its next attempt. The measured client is a
// process of its own for each face. Main thread.

import ArgumentParser
import CBench
import Fetch
import FetchReactor
import Glibc

/// Calls in back-off: memory and system calls.
struct BackoffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backoff",
        abstract: "Resident memory of calls that wait for their next attempt.",
        discussion: """
            So many calls get 503 and back off for an hour: what resident memory grows by \
            meanwhile, divided by the calls, through callbacks and through async calls. Then as \
            many entries are made on the wheel while the kernel would end the process at any \
            system call. Ends with exit code 1 where a demand is missed.
            """)

    @Option(help: "Calls in back-off.") var calls = 100_000
    @Flag(help: "JSON on standard output.") var json = false

    func validate() throws {
        guard calls >= 100, calls <= 1_000_000 else {
            throw ValidationError("--calls is 100 to a million")
        }
    }

    func run() throws {
        Progress.begin()
        let origin = try OriginProcess()
        defer { origin.stop() }
        var result = PolicyFigures()
        result.note("calls in back-off", "calls", Double(calls))
        for (face, most) in [(BackoffFaceCommand.Face.callback, 1_024), (.async, 4_096)] {
            let lines = try figures(of: [
                "backoff-face", face.rawValue, origin.url, "--calls", "\(calls)",
            ])
            let each = Double(lines["resident"] ?? .max) / Double(calls)
            result.note("\(face), resident bytes a call", "\(face)_bytes", each, places: 1)
            let allocated = Double(lines["allocated"] ?? .max) / Double(calls)
            result.note(
                "\(face), bytes of malloc a call", "\(face)_allocated", allocated, places: 1)
            result.demands += [
                Demand("\(face), bytes a call:", each, .atMost(Double(most)), places: 1),
                Demand(
                    "\(face), calls in back-off:", lines["held"].map(Double.init),
                    .atLeast(Double(calls)), places: 0),
            ]
        }
        let entries = try figures(of: ["entries", "\(calls)"])
        let size = Double(entries["bytes"] ?? .max)
        result.note("bytes an entry", "entry_bytes", size)
        result.note("entries without a system call", "entries", Double(entries["made"] ?? 0))
        result.demands += [
            Demand("bytes an entry:", size, .atMost(64), places: 0),
            Demand(
                "entries without a system call:", entries["made"].map(Double.init),
                .atLeast(Double(calls)), places: 0),
        ]
        try result.conclude(json: json)
    }
}

/// `bench backoff-face FACE URL`: the measured client.
struct BackoffFaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backoff-face", shouldDisplay: false)

    enum Face: String, ExpressibleByArgument {
        case callback
        case async
    }

    @Argument var face: Face
    @Argument var url: String
    @Option var calls: Int

    /// On their way at once, of those that are not yet in back-off.
    private static let atOnce = 256
    /// In back-off before the first look, so that pools, buffers and caches have their size.
    private static let before = 1_000

    func run() throws {
        let (face, calls, url) = (face, calls, url + "status/503")
        let figures: FigureLines = try Reactor.run {
            guard let reactor = Reactor.current else { throw ExitCode(1) }
            switch face {
            case .callback: return try await Self.callbacks(url, calls, on: reactor)
            case .async: return try await Self.tasks(url, calls, on: reactor)
            }
        }
        print(figures.text)
    }

    private static func settings(_ calls: Int) -> FetcherConfiguration {
        var configuration = FetcherConfiguration()
        let hour = Backoff(base: .seconds(3_600), cap: .seconds(3_600), jitter: .none)
        configuration.retry = RetryPolicy(maxAttempts: 2, backoff: hour)
        configuration.retryAllowance = .unlimited
        configuration.timeouts.total = nil
        configuration.pool.waitingCalls = calls + before + atOnce
        return configuration
    }

    /// One closure for all calls: what a caller's own closures hold is his.
    private static func callbacks(
        _ url: String, _ calls: Int, on reactor: Reactor
    ) async throws -> FigureLines {
        let client = try LocalFetcher(settings(calls), on: reactor)
        let completion: LocalFetcher.Completion = { _ in }
        var begun = 0
        func hold(_ count: Int) async throws {
            while client.statistics.callsOnHold < count {
                let moving = begun - client.statistics.callsOnHold
                for _ in 0..<min(atOnce - moving, count - begun) {
                    begun += 1
                    client.get("\(url)?\(begun)", completion)
                }
                try await reactor.clock.sleep(for: .milliseconds(1))
                if client.statistics.callsInFlight < begun { throw ExitCode(1) }
            }
        }
        try await hold(before)
        var figures = Memory.now.figures
        try await hold(before + calls)
        Memory.now.note(since: &figures)
        figures["held"] = client.statistics.callsOnHold - before
        return figures
    }

    /// A task for each call.
    private static func tasks(
        _ url: String, _ calls: Int, on reactor: Reactor
    ) async throws -> FigureLines {
        let fetcher = try Fetcher(settings(calls))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            var (begun, held) = (0, 0)
            func hold(_ count: Int) async throws {
                while held < count {
                    for _ in 0..<min(atOnce - (begun - held), count - begun) {
                        begun += 1
                        let number = begun
                        group.addTask { _ = try await fetcher.get("\(url)?\(number)") }
                    }
                    try await reactor.clock.sleep(for: .milliseconds(1))
                    held = try await fetcher.statistics.callsOnHold
                }
            }
            try await hold(before)
            var figures = Memory.now.figures
            try await hold(before + calls)
            Memory.now.note(since: &figures)
            figures["held"] = try await fetcher.statistics.callsOnHold - before
            group.cancelAll()
            return figures
        }
    }
}

/// What a process holds.
private struct Memory {
    let resident: Int
    let allocated: Int

    static var now: Memory {
        Memory(
            resident: (ProcessFigures()?.residentKilobytes ?? 0) * 1_024,
            allocated: bench_allocated_bytes())
    }

    var figures: FigureLines {
        var lines = FigureLines()
        lines["resident"] = resident
        lines["allocated"] = allocated
        return lines
    }

    /// The difference to what was noted before.
    func note(since lines: inout FigureLines) {
        lines["resident"] = resident - (lines["resident"] ?? 0)
        lines["allocated"] = allocated - (lines["allocated"] ?? 0)
    }
}

/// `bench entries COUNT`: makes timers on a reactor's wheel under seccomp(2)'s strict mode, in
/// which any system call but read, write and exit ends the process.
struct EntriesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "entries", shouldDisplay: false)

    @Argument var count: Int

    func run() throws {
        let count = count
        try Reactor.run {
            guard let reactor = Reactor.current else { throw ExitCode(1) }
            let quiet = Quiet()
            let due = reactor.now.adding(nanoseconds: 3_600_000_000_000)
            // The wheel takes its memory once.
            let first = (0..<count).map { reactor.schedule(quiet, token: $0, at: due) }
            for timer in first { reactor.cancel(timer) }
            let bytes = Reactor.timerBytes
            guard bench_allow_no_system_call() == 0 else { throw ExitCode(1) }
            for number in 0..<count {
                _ = reactor.schedule(
                    quiet, token: number, at: due.adding(nanoseconds: Int64(number) * 1_000))
            }
            writeAll(1, "bytes \(bytes)\nmade \(count)\n")
            bench_exit_thread()
        }
    }
}

private final class Quiet: TimerHandler {
    func timerFired(_ token: Int) {}
}
