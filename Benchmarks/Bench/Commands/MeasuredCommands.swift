// The hidden commands that bench runs as processes of their own where a load run is not the
// measure: connections at rest, connections opened and closed, names. Each prints figure lines.
// One thread, which is the reactor's.

import ArgumentParser
import CBench
import Fetch
import FetchTransport

/// `bench rest PORT`: opens connections to a server over TLS on that port of 127.0.0.1 and counts
/// the memory they take while they rest. Each has an origin of its own, so that none takes
/// another's place, and a few are opened at once: a thousand handshakes at the same time would
/// leave a heap behind that holds what they needed, not what connections need.
struct RestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rest", shouldDisplay: false)

    /// Opened at once.
    private static let atOnce = 16

    @Argument var port: UInt16
    @Option var connections: Int
    @Option var cacert: String

    func run() throws {
        _ = raiseDescriptorLimit()
        var configuration = FetcherConfiguration()
        configuration.cache = .disabled
        configuration.pool.connections = connections + 1
        configuration.pool.idleConnections = connections + 1
        configuration.pool.idleTimeout = .seconds(60)
        configuration.tls.trust = .file(cacert)
        for number in 0...connections {
            configuration.hostOverrides["h\(number).rest.test"] = ["127.0.0.1"]
        }
        print(try Reactor.run { [configuration] in try await rest(configuration) }.text)
    }

    /// The first connection is open in both counts: what the client itself takes is in neither.
    private func rest(_ configuration: FetcherConfiguration) async throws -> FigureLines {
        let fetcher = try Fetcher(configuration)
        _ = try await fetcher.get(url(of: 0))
        var figures = FigureLines()
        note("before", &figures)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in 1...Self.atOnce {
                group.addTask {
                    for number in stride(from: first, through: connections, by: Self.atOnce) {
                        _ = try await fetcher.get(url(of: number))
                    }
                }
            }
            try await group.waitForAll()
        }
        let idle = try await fetcher.statistics.idle
        guard idle == connections + 1 else {
            throw ValidationError("only \(idle) connections rest")
        }
        note("after", &figures)
        figures["idle"] = idle
        await fetcher.shutdown(.immediate)
        return figures
    }

    private func url(of number: Int) -> String { "https://h\(number).rest.test:\(port)/" }

    private func note(_ moment: String, _ figures: inout FigureLines) {
        figures["resident-\(moment)"] = (ProcessFigures()?.residentKilobytes ?? 0) * 1_024
        figures["allocated-\(moment)"] = bench_allocated_bytes()
    }
}

/// `bench churn URL`: opens and closes connections and counts what malloc has given out.
struct ChurnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "churn", shouldDisplay: false)

    /// Opened and closed before the first count, so that pools and caches have their size.
    static let warmUp = 2_000
    /// Opened and closed between the counts.
    static let counted = 10_000
    /// Counts on the way: a leak grows in every window.
    static let windows = 5
    private static let atOnce = 16

    @Argument var url: String
    @Option var cacert: String?

    func run() throws {
        var plan = LoadPlan(target: .url(url), amount: Amount())
        plan.connections = Self.atOnce
        plan.authority = cacert
        let configuration = plan.configuration
        print(try Reactor.run { try await churn(configuration) }.text)
    }

    private func churn(_ configuration: FetcherConfiguration) async throws -> FigureLines {
        let fetcher = try Fetcher(configuration)
        var figures = FigureLines()
        try await openAndClose(Self.warmUp, fetcher)
        figures["allocated-0"] = bench_allocated_bytes()
        for window in 1...Self.windows {
            try await openAndClose(Self.counted / Self.windows, fetcher)
            figures["allocated-\(window)"] = bench_allocated_bytes()
        }
        let opened = try await fetcher.statistics.connectionsOpened
        guard opened >= Self.warmUp + Self.counted else {
            throw ValidationError("only \(opened) connections were opened")
        }
        await fetcher.shutdown(.immediate)
        return figures
    }

    private func openAndClose(_ count: Int, _ fetcher: Fetcher) async throws {
        var request = Request(url)
        try request.headers.append("Connection", "close")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.atOnce {
                group.addTask { [request] in
                    for _ in 0..<count / Self.atOnce { _ = try await fetcher.execute(request) }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// `bench resolve PORT`: looks names up at the name server on that port of 127.0.0.1.
struct ResolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resolve", shouldDisplay: false)

    @Argument var port: UInt16
    @Option var names: Int

    func run() throws {
        print(try Reactor.run { try await resolve() }.text)
    }

    private func resolve() async throws -> FigureLines {
        guard let reactor = Reactor.current else { preconditionFailure("not on the reactor") }
        var settings = NameSettings()
        settings.hostsPath = nil
        settings.resolvConfPath = nil
        settings.searchDomains = []
        settings.nameServers = [.loopback(port: port)]
        settings.waitingLookups = names
        settings.cachedNames = names
        let resolver = Names(settings, hosts: HostTable(), reactor: reactor)
        let (began, before) = (monotonicNanoseconds(), ProcessorTime.own)
        let count = NameCount()
        await withCheckedContinuation { ended in
            count.look(for: names, in: resolver) { ended.resume() }
        }
        let used = ProcessorTime.own - before
        var figures = FigureLines()
        figures["found"] = count.found
        figures["wall-ns"] = Int(monotonicNanoseconds() - began)
        figures["processor-ns"] = Int((used.user + used.system) * 1e9)
        figures["threads"] = ProcessFigures()?.threads ?? 0
        resolver.close()
        return figures
    }
}

/// Waits for all names of a run.
private final class NameCount: NameHandler {
    private(set) var found = 0
    private var left = 0
    private var whenEnded: (() -> Void)?

    func look(for names: Int, in resolver: Names, _ whenEnded: @escaping () -> Void) {
        self.whenEnded = whenEnded
        // One more than there are, so that the end comes after the last has begun.
        left = names + 1
        for number in 0..<names {
            switch resolver.lookUp("n\(number).bulk.test", isAbsolute: true, for: self) {
            case .asked: continue
            case .known: lookupEnded(nil)
            case .failed(let error): lookupEnded(error)
            }
        }
        end()
    }

    func addressesFound(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {}

    func lookupEnded(_ error: NameError?) {
        if error == nil { found += 1 }
        end()
    }

    private func end() {
        left -= 1
        if left == 0 {
            whenEnded?()
            whenEnded = nil
        }
    }
}
