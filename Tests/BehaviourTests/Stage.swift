// What these tests stand on. A stage is a client, origins and the simulated network on one reactor
// with virtual time: exact figures, no waiting. A loop is a client and an origin over the kernel's
// loopback, each on a thread of its own: order, counts and lower bounds.

import Fetch
import FetchTransport
import TestSupport
import Testing

/// `http://127.0.0.1/` on a stage.
let home = SocketAddress.loopback(port: 80)

/// The n-th origin of a stage, `http://10.0.0.n/`.
func address(_ number: Int) -> SocketAddress {
    SocketAddress(.ipv4(0x0A00_0000 + UInt32(number)), port: 80)
}

func url(_ number: Int) -> String { "http://\(address(number))/" }

/// Everything here is used on the reactor's thread.
struct Stage: Sendable {
    let reactor: Reactor
    let fetcher: Fetcher
    private let boundNetwork: ReactorBound<SimulatedNetwork>
    private let boundOrigin: ReactorBound<ScriptedOrigin>

    init(
        _ reactor: Reactor, _ script: Script, _ configuration: FetcherConfiguration,
        seed: UInt64, _ weather: Weather, origins: Int
    ) throws {
        self.reactor = reactor
        let network = SimulatedNetwork(on: reactor, seed: seed, weather: weather)
        let origin = ScriptedOrigin(on: reactor, script)
        network.listen(at: home, origin)
        for number in 0..<origins { network.listen(at: address(number + 1), origin) }
        boundNetwork = ReactorBound(here: network, on: reactor)
        boundOrigin = ReactorBound(here: origin, on: reactor)
        fetcher = try Fetcher(configuration, on: reactor, network: boundNetwork.value)
    }

    var network: SimulatedNetwork { boundNetwork.value }
    var origin: ScriptedOrigin { boundOrigin.value }
    var seen: OriginSnapshot { origin.seen }
    /// Connections that the client holds.
    var open: Int { network.openInAll }
    var pool: String { get async { await fetcher.poolDescription } }
    var statistics: FetcherStatistics { get async throws { try await fetcher.statistics } }

    func pass(_ duration: Duration) async throws {
        try await reactor.clock.sleep(for: duration)
    }

    /// The origin first: its connections and it hold each other until they end.
    func end() {
        origin.stop()
        network.stop()
    }

    /// A call in a task of its own, on the reactor's thread, as far as it goes by itself.
    func begin<R: Sendable>(
        _ call: @escaping @Sendable (Fetcher) async throws -> R
    ) async throws -> Task<R, any Error> {
        let task = Task(executorPreference: reactor) { [fetcher] in try await call(fetcher) }
        try await pass(.milliseconds(2))
        return task
    }

    func begin(_ url: String) async throws -> Task<Response, any Error> {
        try await begin { try await $0.get(url) }
    }

    /// How long the body takes, in virtual time.
    func time(_ body: () async throws -> Void) async rethrows -> Duration {
        let start = reactor.now
        try await body()
        return reactor.now - start
    }

    /// Nothing is left of any call, and after a minute of any connection or origin.
    func expectBaseline(_ location: SourceLocation = #_sourceLocation) async throws {
        let now = try await statistics
        #expect(now.callsInFlight == 0, sourceLocation: location)
        #expect(now.callsWaiting == 0, sourceLocation: location)
        #expect(now.active == 0, sourceLocation: location)
        try await pass(.seconds(61))
        #expect(await pool == "0 active, 0 idle, 0 connecting", sourceLocation: location)
        #expect(try await statistics.trackedOrigins == 0, sourceLocation: location)
        #expect(open == 0, sourceLocation: location)
    }
}

/// Runs the body on a stage. Nothing is drawn but orders and splits unless a weather says so.
func onStage<R: Sendable>(
    _ script: Script, _ configuration: FetcherConfiguration = FetcherConfiguration(),
    seed: UInt64 = 1, weather: Weather = .still, origins: Int = 0,
    _ body: @escaping @Sendable (Stage) async throws -> R
) async throws -> R {
    try await onReactor(virtual: true) { reactor in
        let stage = try Stage(
            reactor, script, configuration, seed: seed, weather, origins: origins)
        defer { stage.end() }
        return try await body(stage)
    }
}

/// A client on a reactor's thread and an origin on another.
struct Loop: Sendable {
    let reactor: Reactor
    let fetcher: Fetcher
    let origin: RunningOrigin

    var seen: OriginSnapshot { origin.seen }

    /// Turns until the condition holds.
    func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        try await TestSupport.eventually(on: reactor, condition)
    }

    /// Blocks the reactor's thread until the condition holds: no event is served meanwhile.
    func block(until condition: () -> Bool) -> Bool {
        let end = ContinuousClock.now + .patience
        while !condition() {
            if ContinuousClock.now > end { return false }
        }
        return true
    }
}

/// Keeps the calling thread busy for so long.
func spin(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {}
}

/// Runs the body over the kernel's loopback, in real time: no clock of the client's runs out there
/// unless the configuration or the request says so.
func onLoopback<R: Sendable>(
    _ script: Script, closesAfter: Int = 0,
    _ configuration: FetcherConfiguration = .patient,
    _ body: @escaping @Sendable (Loop) async throws -> R
) async throws -> R {
    let origin = try await onThreadOfItsOwn {
        try ScriptedOrigin.start(closesAfter: closesAfter, script)
    }
    defer { origin.stop() }
    return try await onReactor { reactor in
        try await body(
            Loop(reactor: reactor, fetcher: try Fetcher(configuration), origin: origin))
    }
}

/// What a call failed with: the code, or the error's type.
func failure<R>(_ call: () async throws -> R) async -> String {
    do {
        _ = try await call()
        return "none"
    } catch let error as FetchError {
        return error.code.rawValue
    } catch {
        return "\(type(of: error))"
    }
}

/// As `failure`, with the phase: `queue-timeout in queue`.
func failureAndPhase<R>(_ call: () async throws -> R) async -> String {
    do {
        _ = try await call()
        return "none"
    } catch let error as FetchError {
        return "\(error.code.rawValue) in \(error.phase.rawValue)"
    } catch {
        return "\(type(of: error))"
    }
}

/// A configuration, changed: the defaults, which virtual time is for, unless told otherwise.
func configured(
    _ from: FetcherConfiguration = FetcherConfiguration(),
    _ change: (inout FetcherConfiguration) -> Void
) -> FetcherConfiguration {
    var configuration = from
    change(&configuration)
    return configuration
}
