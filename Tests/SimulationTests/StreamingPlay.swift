// The asynchronous face on the simulated network: bodies read piece by piece or left half read,
// uploads produced while they are sent, tasks cancelled. One reactor, virtual time; every task
// stays on the reactor's thread.

import Fetch
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport

/// Pieces of a body, with pauses.
struct Pieces: AsyncSequence, Sendable {
    typealias Element = Bytes

    let body: [UInt8]
    let seed: UInt64
    let clock: ReactorClock

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: Bytes
        var dice: Dice
        let clock: ReactorClock

        mutating func next() async throws -> Bytes? {
            if rest.isEmpty { return nil }
            if dice.chance(0.2) { try await clock.sleep(for: .milliseconds(dice.pick(1...30))) }
            let count = Swift.min(rest.count, dice.pick(1...4_000))
            defer { rest = rest.slice(count..<rest.count) }
            return rest.slice(0..<count)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: Bytes(body), dice: Dice(seed: seed), clock: clock)
    }
}

/// What the caller's own code throws out of a body.
struct CallersError: Error {}

struct StreamingPlay: Sendable {
    let scenario: Scenario
    let reactor: Reactor
    let fetcher: Fetcher
    let findings: Findings

    /// How a call reads its response.
    private enum Reading: CaseIterable {
        case whole, pieces, slowly, firstPiece, nothing, throwing
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for call in scenario.calls {
                group.addTask { await self.perform(call) }
            }
        }
    }

    private func perform(_ call: PlannedCall) async {
        do {
            try await reactor.clock.sleep(for: call.start)
        } catch {
            return findings.add("call \(call.id): \(error)")
        }
        let task = Task(executorPreference: reactor) { try await self.execute(call) }
        if let delay = call.cancel {
            try? await reactor.clock.sleep(for: delay)
            task.cancel()
        }
        switch await task.result {
        case .success:
            if !call.kind.answersRightly, call.kind != .stall, call.kind != .resetInBody,
                call.kind != .truncated
            {
                findings.add("call \(call.id) (\(call.kind)) succeeded")
            }
        case .failure(is CancellationError):
            if call.cancel == nil { findings.add("call \(call.id) was cancelled by nobody") }
        case .failure(is CallersError), .failure(is FetchError):
            break
        case .failure(let error):
            findings.add("call \(call.id) failed with \(error)")
        }
    }

    private func execute(_ call: PlannedCall) async throws {
        var dice = Dice(seed: scenario.seed &* 1_000 &+ UInt64(call.id))
        var request = Request(call.method, "http://origin\(call.origin).test/\(call.id)")
        try request.headers.append("X-Id", "\(call.id)")
        if call.upload != nil {
            let body = call.uploadBody
            let pieces = Pieces(body: body, seed: dice.next(), clock: reactor.clock)
            request.body = .stream(length: dice.chance(0.5) ? body.count : nil, pieces)
        }
        let reading = dice.pick(Reading.allCases)
        if reading == .whole {
            check(call, [UInt8](try await fetcher.execute(request).body), whole: true)
            return
        }
        try await fetcher.stream(request) { response in
            if call.kind != .truncated, response.headers["X-Id"] != "\(call.id)" {
                findings.add("call \(call.id) got another's response")
            }
            try await read(call, response, reading)
        }
    }

    private func read(
        _ call: PlannedCall, _ response: StreamedResponse, _ reading: Reading
    ) async throws {
        if reading == .nothing { return }
        if reading == .throwing { throw CallersError() }
        var body: [UInt8] = []
        for try await piece in response.body {
            if piece.isEmpty { findings.add("call \(call.id) got an empty piece") }
            body.append(contentsOf: piece)
            if reading == .firstPiece { return check(call, body, whole: false) }
            if reading == .slowly { try await reactor.clock.sleep(for: .milliseconds(20)) }
        }
        check(call, body, whole: true)
    }

    private func check(_ call: PlannedCall, _ body: [UInt8], whole: Bool) {
        let mayBeCut = call.kind == .closeDelimited
        guard call.body.starts(with: body), !whole || mayBeCut || body.count == call.body.count
        else {
            return findings.add("call \(call.id) has \(body.count) bytes that are not its own")
        }
    }
}

extension Scenario {
    /// Plays the scenario's calls as streams and returns what went wrong, and the trace.
    func playStreams() async throws -> (findings: [String], trace: Trace) {
        try await onReactor(virtual: true) { reactor in
            let findings = Findings()
            let network = SimulatedNetwork(on: reactor, seed: seed, weather: weather)
            let script = self.script(findings)
            let origins = (0..<self.origins).map { _ in ScriptedOrigin(on: reactor, script) }
            for (index, origin) in origins.enumerated() {
                network.listen(at: Play.address(index), origin)
            }
            let shared = ReactorBound(here: network, on: reactor)
            let fetcher = try Fetcher(configuration, on: reactor, network: shared.value)
            let play = StreamingPlay(
                scenario: self, reactor: reactor, fetcher: fetcher, findings: findings)
            await play.run()
            let trace = shared.value.trace
            try await reactor.clock.sleep(for: .seconds(70))
            let left = try await fetcher.statistics
            if left.active + left.connecting + left.callsWaiting + left.callsInFlight + left.idle
                + left.trackedOrigins + shared.value.openInAll != 0
            {
                findings.add("left at the end: \(left), \(shared.value.openInAll) streams")
            }
            if shared.value.mostOpenInAll > connections {
                findings.add("\(shared.value.mostOpenInAll) connections at once")
            }
            await fetcher.shutdown(.immediate)
            for origin in origins { origin.stop() }
            shared.value.stop()
            return (findings.all, trace)
        }
    }
}
