// Hostile cases of the policies: everybody leaves at once wherever they stand, a server that says
// 429 for ever, clocks that jump, hosts without end, callers who outlive their client. Virtual
// time, a network in memory.

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchPolicy
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// Where a call can stand when its caller leaves.
enum Stand: String, CaseIterable, Sendable {
    case following
    case waitingForASlot = "waiting for a slot"
    case waitingForAToken = "waiting for a token"
    case backingOff = "backing off"
    case parked
    case dialling
    case dispatched
    case reading
}

struct StormTests {
    private static let callers = 200

    /// A world in which the calls that `brought` makes stand at that place.
    private func world(_ stand: Stand) throws -> World {
        try World {
            $0.pool.connectionsPerOrigin = 300
            $0.pool.connections = 300
            $0.pool.idleConnections = 300
            $0.policies.coalescing = CoalescingRules()
            $0.policies.breaker = BreakerRules(consecutiveFailures: 100_000)
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 5, backoff: Backoff(base: .seconds(20), jitter: .none)))
            $0.policies.retryAllowance = .unlimited
            $0.policies.concurrency = 300
            switch stand {
            case .waitingForASlot: $0.policies.concurrency = 1
            case .waitingForAToken:
                $0.policies.clientLimit = .leakyBucket(Rate(1, per: .seconds(1)))
            case .following, .backingOff, .parked, .dialling, .dispatched, .reading: break
            }
        }
    }

    private func brought(to stand: Stand, _ world: World) throws -> [TestCall] {
        if stand == .dialling { world.network.fate = { _ in .hangs } }
        if stand == .parked {
            let first = try world.call("http://10.0.0.1/first")
            world.streams[0].send(answer(429, "Retry-After: 30\r\n"))
            world.run()
            world.cancel(first)
        }
        let isOne = stand == .following
        let calls = try (0..<Self.callers).map { number in
            world.begin(try world.plan("http://10.0.0.1/\(isOne ? 0 : number)"))
        }
        world.run()
        for stream in world.network.open {
            if stand == .backingOff { stream.send(answer(503)) }
            if stand == .reading {
                stream.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            }
        }
        world.run()
        return calls
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

struct JumpingClockTests {
    private let forEver: (inout Clocks) -> Void = {
        $0.total = Clocks.never
        $0.firstByte = Clocks.never
    }

    @Test func `days that pass at once end every wait, in order, and no rate is made good`() throws
    {
        let world = try World {
            $0.policies.clientLimit = .tokenBucket(.perSecond(1), burst: 3)
            $0.policies.breaker = BreakerRules(consecutiveFailures: 1, coolDown: .seconds(60))
        }
        let calls = try (0..<10).map {
            try world.call("http://10.0.0.\($0 + 1)/", clocks: forEver)
        }
        #expect(world.network.open.count == 3)
        world.pass(.seconds(3 * 86_400))
        // All have gone meanwhile, one a second.
        #expect(world.network.open.count == 10)
        for call in calls { world.cancel(call) }
        // After days the bucket holds its burst, and no more.
        let later = try (0..<10).map {
            try world.call("http://10.0.1.\($0 + 1)/", clocks: forEver)
        }
        #expect(world.network.open.count == 3)
        for call in later { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `a reactor that wakes a week late serves what is due, once`() throws {
        let world = try World {
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 2, backoff: Backoff(base: .seconds(5), jitter: .none)))
        }
        let call = try world.call(clocks: forEver)
        world.streams[0].send("HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        world.run()
        #expect(world.statistics.onHold == 1)
        world.pass(.seconds(7 * 86_400))
        #expect(world.statistics.retries == 1)
        #expect(world.streams.count == 2)
        world.streams[1].send(ok)
        world.run()
        #expect(call.status == 200)
        world.expectBaseline()
    }

    /// Dates are read against the wall clock of that moment; what was understood then is a wait on
    /// the monotonic clock, which nobody sets.
    @Test(arguments: [-86_400, -3_600, 0, 3_600, 86_400])
    func `a wall clock that is set while a call waits changes nothing of the wait`(seconds: Int64)
        throws
    {
        let world = try World {
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 2, backoff: Backoff(base: .seconds(1), jitter: .none)))
        }
        let clock = try #require(world.reactor.virtualClock)
        clock.setWall(Timestamp(seconds: 1_700_000_000, nanoseconds: 0))
        world.run()
        let call = try world.call()
        // 10 s from then on.
        world.streams[0].send(
            "HTTP/1.1 503 X\r\nRetry-After: Tue, 14 Nov 2023 22:13:30 GMT\r\n"
                + "Content-Length: 0\r\n\r\n")
        world.run()
        _ = world.streams[0].takeWritten()
        clock.setWall(Timestamp(seconds: 1_700_000_000 + seconds, nanoseconds: 0))
        world.pass(.milliseconds(9_999))
        #expect(world.streams[0].written.isEmpty)
        world.pass(.milliseconds(1))
        #expect(world.network.open.contains { !$0.written.isEmpty })
        world.network.open.last?.send(ok)
        world.run()
        #expect(call.status == 200)
        world.expectBaseline()
    }

    /// A clock that was set back makes of a near date a far one: longer than is waited for.
    @Test func `a date far ahead of a clock that was set back is not waited for`() throws {
        let world = try World { $0.policies.retries = .policy(.standard) }
        let clock = try #require(world.reactor.virtualClock)
        clock.setWall(Timestamp(seconds: 1_600_000_000, nanoseconds: 0))
        world.run()
        let call = try world.call()
        world.streams[0].send(
            "HTTP/1.1 503 X\r\nRetry-After: Tue, 14 Nov 2023 22:13:30 GMT\r\n"
                + "Content-Length: 0\r\n\r\n")
        world.run()
        guard case .retryAfterTooLong? = call.failure?.refusal else {
            Issue.record("\(String(describing: call.failure?.refusal))")
            return
        }
        // And the domain is not parked for years.
        let next = try world.call("http://10.0.0.1/next")
        world.pass(.seconds(60))
        #expect(!world.streams[0].takeWritten().isEmpty)
        world.cancel(next)
    }
}

struct ManyHostsTests {
    @Test func `hosts without end fill every table to its cap and no further`() throws {
        let most = 64
        let world = try World {
            $0.trackedOrigins = most
            $0.policies.mostDomains = most
            $0.policies.domainLimit = .tokenBucket(.perSecond(1))
            $0.policies.politeness = PolitenessRules(mostSlots: most)
            $0.policies.breaker = BreakerRules()
            $0.policies.coalescing = CoalescingRules()
            $0.policies.retries = .policy(.standard)
        }
        for number in 0..<5_000 {
            let call = try world.call("http://10.\(number / 250 % 250).\(number % 250).1/")
            for stream in world.network.open where !stream.takeWritten().isEmpty { stream.send(ok) }
            world.run()
            #expect(call.status == 200)
            #expect(world.statistics.trackedOrigins <= most)
        }
        #expect(world.statistics.idle <= 100)
    }
}
