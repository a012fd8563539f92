// Hostile cases of the policies: everybody leaves at once wherever they stand, a server that says
// 429 for ever, a clock that jumps, callers who outlive their client. Virtual time, a network in
// memory.

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// Where a call can stand when its caller leaves.
enum Stand: String, CaseIterable, Sendable {
    case following
    /// One is its origin's probe, and the others follow it.
    case probing
    case waitingForASlot = "waiting for a slot"
    case waitingForAToken = "waiting for a token"
    case waitingForAConnection = "waiting for a connection"
    case keptFromASite = "kept from a site"
    case backingOff = "backing off"
    case parked
    case resolving
    case dialling
    case handshaking
    case writing
    case dispatched
    /// Each with a second exchange.
    case hedged
    case inTheHead = "in the head"
    case reading
}

struct StormTests {
    private static let callers = 100

    /// A world in which the calls that `brought` makes stand at that place.
    private func world(_ stand: Stand) throws -> World {
        try World {
            $0.pool.connectionsPerOrigin = stand == .waitingForAConnection ? 1 : 500
            $0.pool.connections = 500
            $0.pool.idleConnections = 500
            $0.policies.coalescing = CoalescingRules()
            $0.policies.breaker = BreakerRules(
                consecutiveFailures: stand == .probing ? 1 : 100_000)
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 5, backoff: Backoff(base: .seconds(20), jitter: .none)))
            $0.policies.retryAllowance = .unlimited
            $0.policies.concurrency = stand == .waitingForASlot ? 1 : 500
            switch stand {
            case .waitingForAToken:
                $0.policies.clientLimit = .leakyBucket(Rate(1, per: .seconds(1)))
            case .keptFromASite:
                $0.policies.politeness = PolitenessRules(minDelay: .seconds(1), jitter: 0)
            case .resolving:
                $0.names.resolver = HeldResolver()
            case .hedged:
                $0.policies.hedging = .after(.milliseconds(100))
            case .following, .probing, .waitingForASlot, .waitingForAConnection, .backingOff,
                .parked, .dialling, .handshaking, .writing, .dispatched, .inTheHead, .reading:
                break
            }
        }
    }

    private func brought(to stand: Stand, _ world: World) throws -> [TestCall] {
        try prepare(stand, world)
        let calls = try (0..<Self.callers).map { number in
            world.begin(try plan(number, stand, world))
        }
        world.run()
        for stream in world.network.open {
            switch stand {
            case .backingOff: stream.send(answer(503))
            case .inTheHead: stream.send("HTTP/1.1 200 OK\r\nContent-Le")
            case .reading: stream.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            case .writing:
                stream.room = 10
                stream.accept()
            case .following, .probing, .waitingForASlot, .waitingForAToken,
                .waitingForAConnection, .keptFromASite, .parked, .resolving, .dialling,
                .handshaking, .dispatched, .hedged:
                break
            }
        }
        world.run()
        if stand == .hedged {
            world.pass(.milliseconds(100))
            #expect(world.network.open.count == 2 * Self.callers)
        }
        return calls
    }

    /// What has to come before.
    private func prepare(_ stand: Stand, _ world: World) throws {
        if stand == .parked || stand == .probing {
            let first = try world.call("http://10.0.0.1/first")
            world.streams[0].send(
                stand == .parked ? answer(429, "Retry-After: 30\r\n") : answer(503))
            world.run()
            world.cancel(first)
        }
        if stand == .probing { world.pass(.seconds(60)) }
        if stand == .dialling || stand == .writing { world.network.fate = { _ in .hangs } }
    }

    private func plan(_ number: Int, _ stand: Stand, _ world: World) throws -> CallPlan {
        switch stand {
        case .following, .probing:
            try world.plan("http://10.0.0.1/")
        case .resolving:
            try world.plan("http://a\(number % 7).test/\(number)")
        case .handshaking:
            try world.plan("https://10.0.0.1/\(number)")
        case .writing:
            try world.plan(
                "http://10.0.0.1/\(number)", "PUT", [],
                .bytes(Bytes([UInt8](repeating: 0, count: 50_000))), .known(50_000))
        case .waitingForASlot, .waitingForAToken, .waitingForAConnection, .keptFromASite,
            .backingOff, .parked, .dialling, .dispatched, .hedged, .inTheHead, .reading:
            try world.plan("http://10.0.0.1/\(number)")
        }
    }

    private func answer(_ status: Int, _ fields: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: 0\r\n\r\n"
    }

    @Test(arguments: Stand.allCases)
    func `everybody leaves at once, and nothing is left of them`(stand: Stand) throws {
        let world = try world(stand)
        let calls = try brought(to: stand, world)
        #expect(calls.allSatisfy { !$0.isOver })
        for call in calls { world.engine?.cancel(call.id) }
        world.run()
        #expect(calls.allSatisfy { $0.told?.hasPrefix("cancelled") ?? false })
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.statistics.admitted == 0)
        #expect(world.statistics.onHold == 0)
        // Whoever comes next finds everything free.
        world.network.fate = { _ in .connects }
        world.pass(.seconds(31))
        let next = try world.call("http://10.0.0.1/next")
        if let stream = world.network.open.last(where: { !$0.takeWritten().isEmpty }) {
            stream.send(ok)
        }
        world.run()
        #expect(next.status == 200)
        world.expectBaseline()
    }

    @Test(arguments: Stand.allCases)
    func `every second one leaves, in no order, and the others stand where they stood`(
        stand: Stand
    ) throws {
        let world = try world(stand)
        let calls = try brought(to: stand, world)
        var dice = Dice(seed: 7)
        var order = Array(calls.indices)
        for index in order.indices { order.swapAt(index, dice.pick(0...index)) }
        for index in order.prefix(Self.callers / 2) {
            world.engine?.cancel(calls[index].id)
            if dice.chance(0.3) { world.run() }
        }
        world.run()
        #expect(calls.count { $0.isOver } == Self.callers / 2)
        #expect(world.statistics.callsInFlight == Self.callers / 2)
        for call in calls where !call.isOver { world.engine?.cancel(call.id) }
        world.run()
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.statistics.admitted == 0)
        #expect(world.statistics.onHold == 0)
        #expect(world.statistics.waiting == 0)
    }

    @Test(arguments: Stand.allCases)
    func `callers who outlive their client are told at once that it is gone`(stand: Stand) throws {
        let world = try world(stand)
        let calls = try brought(to: stand, world)
        world.dropEngine()
        world.run()
        #expect(calls.allSatisfy { $0.told?.hasPrefix("clientClosed") ?? false })
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.network.open.isEmpty)
    }

    @Test(arguments: Stand.allCases)
    func `the total clock ends everybody, wherever they stand`(stand: Stand) throws {
        let world = try world(stand)
        let calls = try brought(to: stand, world)
        world.pass(.seconds(301))
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.statistics.admitted == 0)
        #expect(world.statistics.onHold == 0)
        #expect(world.statistics.waiting == 0)
    }

    @Test(arguments: Stand.allCases)
    func `a century that passes at once ends everybody, and whoever comes next is served`(
        stand: Stand
    ) throws {
        let world = try world(stand)
        let calls = try brought(to: stand, world)
        world.pass(.seconds(100 * 365 * 86_400))
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.network.open.isEmpty)
        world.network.fate = { _ in .connects }
        let next = try world.call("http://10.0.0.1/next")
        world.network.open.last?.send(ok)
        world.run()
        #expect(next.status == 200)
        world.expectBaseline()
    }

    @Test func `a server that says 429 for ever is asked as often as it allows, and then let be`()
        throws
    {
        let world = try World {
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 10, backoff: Backoff(base: .seconds(1), jitter: .none)))
        }
        var asked: [Duration] = []
        let calls = try (0..<5).map { try world.call("http://10.0.0.1/\($0)") }
        while calls.contains(where: { !$0.isOver }), world.elapsed < .seconds(600) {
            for stream in world.network.open where !stream.takeWritten().isEmpty {
                asked.append(world.elapsed)
                stream.send(answer(429, "Retry-After: 10\r\n"))
            }
            world.run()
            world.pass(.seconds(1))
        }
        #expect(calls.allSatisfy { $0.isOver && $0.status == nil })
        // Every call ends by a rule that has a name: attempts, deadline, budget.
        for call in calls {
            switch call.failure?.refusal {
            case .attemptsSpent, .pastDeadline, .budgetSpent: break
            default: Issue.record("\(call.told ?? "") \(String(describing: call.failure?.refusal))")
            }
        }
        // Whoever had been sent before the first 429 came had been sent at the same moment.
        let moments = Set(asked).sorted()
        for (one, next) in zip(moments, moments.dropFirst()) { #expect(next - one >= .seconds(10)) }
        #expect(asked.count <= 50)
    }

    @Test func `429 without end and without Retry-After ends with the attempts`() throws {
        let world = try World {
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 4, backoff: Backoff(base: .seconds(1), jitter: .none)))
        }
        let call = try world.call()
        for _ in 0..<20 {
            for stream in world.network.open where !stream.takeWritten().isEmpty {
                stream.send(answer(429))
            }
            world.run()
            world.pass(.seconds(5))
        }
        #expect(call.failure?.refusal == .attemptsSpent(limit: 4))
        #expect(world.statistics.exchanges == 4)
        #expect(world.elapsed >= .seconds(7))
        world.expectBaseline()
    }
}
