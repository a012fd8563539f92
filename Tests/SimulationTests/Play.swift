// Plays a scenario: the whole client on the simulated network and virtual time. On the thread that
// drives the reactor.

import Fetch
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport

/// How one call ended.
struct Ending {
    var call: PlannedCall
    var result: Result<Response, any Error>
    /// From the call's start, on the virtual clock.
    var elapsed: Duration
    var isCancelAsked: Bool
}

/// What a seed came to.
struct Played: Sendable {
    var trace: Trace
    var findings: [String]
    var tally: [String: Int]
}

final class Play: TimerHandler {
    let scenario: Scenario
    let reactor: Reactor
    let network: SimulatedNetwork
    let origins: [ScriptedOrigin]
    let fetcher: LocalFetcher
    let findings = Findings()
    private(set) var endings: [Ending?]
    private(set) var endedCount = 0
    private var handles: [CallHandle?]
    private var starts: [Instant]
    private var cancelled: Set<Int> = []
    private var outcomes = Trace()
    private let begun: Instant

    init(_ scenario: Scenario, on reactor: Reactor) throws {
        self.scenario = scenario
        self.reactor = reactor
        begun = reactor.now
        network = SimulatedNetwork(on: reactor, seed: scenario.seed, weather: scenario.weather)
        let script = scenario.script(findings)
        origins = (0..<scenario.origins).map { _ in ScriptedOrigin(on: reactor, script) }
        for (index, origin) in origins.enumerated() {
            network.listen(at: Play.address(index), origin)
        }
        fetcher = try LocalFetcher(scenario.configuration, on: reactor, network: network)
        endings = Array(repeating: nil, count: scenario.calls.count)
        handles = Array(repeating: nil, count: scenario.calls.count)
        starts = Array(repeating: begun, count: scenario.calls.count)
        for call in scenario.calls { schedule(3 * call.id, after: call.start) }
        for time in scenario.restarts { schedule(2, after: time) }
    }

    static func address(_ origin: Int) -> SocketAddress {
        SocketAddress(.ipv4(0xC000_0201 + UInt32(origin)), port: 80)
    }

    /// Tokens: 3 × id starts a call, 3 × id + 1 cancels it, 2 restarts the origins.
    private func schedule(_ token: Int, after delay: Duration) {
        _ = reactor.schedule(self, token: token, at: begun + delay)
    }

    func timerFired(_ token: Int) {
        switch token % 3 {
        case 0: start(scenario.calls[token / 3])
        case 1: cancel(token / 3)
        default: for origin in origins { origin.closeConnections() }
        }
    }

    private func start(_ call: PlannedCall) {
        var request = Request(call.method, "http://origin\(call.origin).test/\(call.asks)")
        do {
            try request.headers.append("X-Id", "\(call.asks)")
        } catch {
            findings.add("call \(call.id): \(error)")
        }
        if call.upload != nil { request.body = .bytes(call.uploadBody) }
        request.totalTimeout = call.total
        starts[call.id] = reactor.now
        var hasReturned = false
        handles[call.id] = fetcher.execute(request) { [unowned self] result in
            if !hasReturned { findings.add("call \(call.id) ended inside execute") }
            ended(call, result)
        }
        hasReturned = true
        if let delay = call.cancel { schedule(3 * call.id + 1, after: call.start + delay) }
    }

    private func cancel(_ id: Int) {
        guard let handle = handles[id] else { return }
        let wasOver = endings[id] != nil
        if !wasOver { cancelled.insert(id) }
        fetcher.cancel(handle)
        guard !wasOver else { return }
        // Cancellation resolves in one turn.
        let turn = reactor.turnNumber
        reactor.enqueue { [self] in
            reactor.enqueue { [self] in
                if endings[id] == nil || reactor.turnNumber > turn + 1 {
                    findings.add("call \(id) was not over one turn after its cancellation")
                }
            }
        }
    }

    private func ended(_ call: PlannedCall, _ result: Result<Response, any Error>) {
        guard endings[call.id] == nil else { return findings.add("call \(call.id) ended twice") }
        endings[call.id] = Ending(
            call: call, result: result, elapsed: reactor.now - starts[call.id],
            isCancelAsked: cancelled.contains(call.id))
        endedCount += 1
        outcomes.add(reactor.now, call.id, (try? result.get().body.count) ?? -1)
    }

    var isOver: Bool { endedCount == scenario.calls.count }

    /// Both what the network did and how the calls ended.
    var trace: Trace {
        var whole = network.trace
        whole.add(reactor.now, Int(truncatingIfNeeded: outcomes.hash))
        return whole
    }

    func stop() {
        for origin in origins { origin.stop() }
        network.stop()
    }
}

extension Scenario {
    /// Plays and judges; on a thread that may own a reactor.
    func play() throws -> Played {
        var configuration = Reactor.Configuration()
        configuration.virtualTime = VirtualTime()
        let reactor = try Reactor.embedded(configuration)
        defer { reactor.stop() }
        let play = try Play(self, on: reactor)
        defer { play.stop() }
        var idleTurns = 0
        while !play.isOver, idleTurns < 1_000 {
            idleTurns = reactor.turn() == 0 ? idleTurns + 1 : 0
        }
        var judge = Judge(play)
        judge.judgeCalls()
        let trace = play.trace
        // Idle connections, and whatever the origins have to say, run out by themselves.
        reactor.advance(by: .seconds(70))
        judge.judgeRest()
        return Played(trace: trace, findings: judge.findings, tally: judge.tally)
    }
}
