// Tokens, slots, priorities and breakers on the road: RATE-01 to RATE-12, CONC-01 to CONC-05, CB-01
// to CB-06, LB-02. Virtual time, a network in memory.

import FetchEngine
import FetchHTTP
import FetchPolicy
import FetchTime
import FetchTransport
import TestSupport
import Testing

struct LimitTests {
    /// Answers whatever is asked, at once, and notes when each origin was asked.
    private final class Answering {
        let world: World
        private(set) var times: [String: [Duration]] = [:]

        init(_ world: World) { self.world = world }

        /// Passes time in steps of a millisecond.
        func pass(_ duration: Duration) {
            let end = world.elapsed + duration
            answer()
            while world.elapsed < end {
                world.pass(.milliseconds(1))
                answer()
            }
        }

        func answer() {
            var isBusy = true
            while isBusy {
                isBusy = false
                for stream in world.network.open where !stream.written.isEmpty {
                    _ = stream.takeWritten()
                    times["\(stream.peer)", default: []].append(world.elapsed)
                    stream.send(ok)
                    isBusy = true
                }
                world.run()
            }
        }
    }

    @Test func `RATE-01 each domain has its own rate, and others don't wait for it`() throws {
        let world = try World {
            $0.policies.domainLimit = .leakyBucket(Rate(1, per: .seconds(1)))
        }
        let answering = Answering(world)
        for host in 1...5 {
            for path in 0..<3 { try world.call("http://10.0.0.\(host)/\(path)") }
        }
        answering.pass(.seconds(3))
        for host in 1...5 {
            let times = answering.times["10.0.0.\(host):80"] ?? []
            #expect(times == [.zero, .seconds(1), .seconds(2)])
        }
        world.expectBaseline()
    }

    @Test func `CFG-07 a host's own rate holds in place of what holds for all`() throws {
        let world = try World {
            $0.policies.domainLimit = .leakyBucket(Rate(1, per: .seconds(1)))
            $0.policies.limitOfHosts = ["10.0.0.2": .leakyBucket(Rate(1, per: .milliseconds(250)))]
        }
        let answering = Answering(world)
        for path in 0..<3 {
            try world.call("http://10.0.0.1/\(path)")
            // One limit for the host, whatever the port.
            try world.call("http://10.0.0.2:\(path == 1 ? 81 : 80)/\(path)")
        }
        answering.pass(.seconds(2))
        #expect(answering.times["10.0.0.1:80"] == [.zero, .seconds(1), .seconds(2)])
        let own = (answering.times["10.0.0.2:80"] ?? []) + (answering.times["10.0.0.2:81"] ?? [])
        #expect(own.sorted() == [.zero, .milliseconds(250), .milliseconds(500)])
        world.expectBaseline()
    }

    @Test func `CFG-07 a host's own slots hold in place of what holds for all`() throws {
        let world = try World {
            $0.policies.concurrencyPerOrigin = 2
            $0.policies.concurrencyOfHosts = ["10.0.0.1": 1]
        }
        for path in 0..<4 {
            try world.call("http://10.0.0.1/\(path)")
            try world.call("http://10.0.0.2/\(path)")
        }
        world.run()
        #expect(world.network.open.count { "\($0.peer)" == "10.0.0.1:80" } == 1)
        #expect(world.network.open.count { "\($0.peer)" == "10.0.0.2:80" } == 2)
        Answering(world).pass(.seconds(1))
        world.expectBaseline()
    }

    @Test func `RATE-03 a token bucket lets its burst go at once and then keeps its rate`() throws {
        let world = try World {
            $0.policies.clientLimit = .tokenBucket(.perSecond(10), burst: 20)
            $0.pool.connectionsPerOrigin = 100
        }
        let answering = Answering(world)
        for path in 0..<40 { try world.call("http://10.0.0.1/\(path)") }
        answering.pass(.seconds(3))
        let times = answering.times["10.0.0.1:80"] ?? []
        #expect(times.count == 40)
        #expect(times.prefix(20).allSatisfy { $0 == .zero })
        for (index, time) in times.dropFirst(20).enumerated() {
            #expect(time == .milliseconds(100 * (index + 1)))
        }
        world.expectBaseline()
    }

    @Test func `a limit that origins share lets them go in turn`() throws {
        let world = try World { $0.policies.clientLimit = .leakyBucket(Rate(1, per: .seconds(1))) }
        let answering = Answering(world)
        for path in 0..<10 {
            for host in 1...3 { try world.call("http://10.0.0.\(host)/\(path)") }
        }
        answering.pass(.seconds(12))
        for host in 1...3 {
            let count = answering.times["10.0.0.\(host):80"]?.count ?? 0
            #expect((3...6).contains(count), "host \(host): \(count)")
        }
    }

    @Test func `RATE-07 a request that waits for a token holds no slot`() throws {
        let world = try World {
            $0.policies.concurrency = 1
            $0.policies.domainLimit = .leakyBucket(Rate(1, per: .seconds(10)), shaping: .strict)
        }
        let answering = Answering(world)
        try world.call("http://10.0.0.1/1")
        answering.answer()
        let starved = try world.call("http://10.0.0.1/2")
        let other = try world.call("http://10.0.0.2/")
        answering.answer()
        #expect(!starved.isOver)
        #expect(other.status == 200)
        answering.pass(.seconds(10))
        #expect(starved.status == 200)
        world.expectBaseline()
    }

    @Test func `CONC-02 a request that waits for a slot burns no token`() throws {
        let world = try World {
            $0.policies.concurrency = 1
            $0.policies.clientLimit = .tokenBucket(.perSecond(1), burst: 2)
        }
        let first = try world.call("http://10.0.0.1/1")
        let second = try world.call("http://10.0.0.1/2")
        let third = try world.call("http://10.0.0.1/3")
        world.cancel(second)
        world.streams[0].send(ok)
        world.run()
        // The second token is the third call's: the second never had it.
        #expect(first.status == 200)
        world.streams[0].send(ok)
        world.run()
        #expect(third.status == 200)
        #expect(world.elapsed == .zero)
        world.expectBaseline()
    }

    @Test func `RATE-08 who can't go before its clocks run out fails at once`() throws {
        let world = try World {
            $0.policies.clientLimit = .leakyBucket(Rate(1, per: .seconds(5)))
        }
        try world.call("http://10.0.0.1/1")
        let hasty = try world.call("http://10.0.0.1/2", clocks: { $0.total = 1_000_000_000 })
        #expect(hasty.told == "rateLimited(5000 ms), queue")
        let patient = try world.call("http://10.0.0.1/3")
        #expect(!patient.isOver)
        world.cancel(patient)
    }

    @Test func `RATE-08 a cancelled waiter gives its place to the next`() throws {
        let world = try World {
            $0.policies.clientLimit = .leakyBucket(Rate(1, per: .seconds(1)))
        }
        let answering = Answering(world)
        try world.call("http://10.0.0.1/0")
        let calls = try (1...3).map { try world.call("http://10.0.0.1/\($0)") }
        world.cancel(calls[1])
        answering.pass(.seconds(2))
        #expect(calls[0].status == 200)
        #expect(calls[2].status == 200)
        #expect(answering.times["10.0.0.1:80"] == [.zero, .seconds(1), .seconds(2)])
        world.expectBaseline()
    }

    @Test func `CONC-01 no more are under way than the client allows, origins in turn`() throws {
        let world = try World { $0.policies.concurrency = 2 }
        var calls: [TestCall] = []
        for path in 0..<3 {
            for host in 1...3 { calls.append(try world.call("http://10.0.0.\(host)/\(path)")) }
        }
        var order: [String] = []
        var busy: [MemoryStream] = []
        while true {
            for stream in world.network.open where !stream.takeWritten().isEmpty {
                order.append("\(stream.peer)")
                busy.append(stream)
            }
            #expect(busy.count <= 2)
            if busy.isEmpty { break }
            busy.removeFirst().send(ok)
            world.run()
        }
        #expect(calls.allSatisfy { $0.status == 200 })
        // Nobody has a second turn before everybody had a first.
        #expect(Set(order.prefix(3)).count == 3, "\(order)")
        world.expectBaseline()
    }

    @Test func `CONC-03 each origin has its own bound`() throws {
        let world = try World { $0.policies.concurrencyPerOrigin = 2 }
        var calls: [TestCall] = []
        for path in 0..<4 {
            for host in 1...2 { calls.append(try world.call("http://10.0.0.\(host)/\(path)")) }
        }
        #expect(world.network.open.count == 4)
        #expect(world.statistics.waiting == 4)
        let answering = Answering(world)
        answering.answer()
        #expect(calls.allSatisfy { $0.status == 200 })
        world.expectBaseline()
    }

    @Test func `LB-02 a call of high priority goes before those that wait`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        let first = try world.call("http://10.0.0.1/first")
        let low = try world.prioritised("http://10.0.0.1/low", .low)
        let high = try world.prioritised("http://10.0.0.1/high", .high)
        let stream = world.streams[0]
        #expect(stream.takeWritten().hasPrefix("GET /first "))
        stream.send(ok)
        world.run()
        #expect(stream.takeWritten().hasPrefix("GET /high "))
        stream.send(ok)
        world.run()
        #expect(stream.takeWritten().hasPrefix("GET /low "))
        stream.send(ok)
        world.run()
        #expect([first, low, high].allSatisfy { $0.status == 200 })
        world.expectBaseline()
    }

    // MARK: Breakers

    @Test func `CB-01 five failures open the breaker, one probe closes it again`() throws {
        let world = try World { $0.policies.breaker = BreakerRules(coolDown: .seconds(60)) }
        world.network.fate = { _ in .fails(.refused) }
        for path in 0..<5 {
            #expect(try world.call("http://10.0.0.1/\(path)").told == "connectFailed, connect")
        }
        let asked = world.network.streams.count
        let refused = try world.call("http://10.0.0.1/")
        #expect(refused.told == "circuitOpen(60000 ms), queue")
        #expect(world.network.streams.count == asked)
        #expect(world.statistics.refusedByBreaker == 1)
        // The record of an origin whose breaker is open is kept.
        #expect(world.statistics.trackedOrigins == 1)
        world.network.fate = { _ in .connects }
        let elsewhere = try world.call("http://10.0.0.2/")
        #expect(!elsewhere.isOver)
        world.cancel(elsewhere)
        world.pass(.seconds(60))
        let probe = try world.call("http://10.0.0.1/probe")
        let second = try world.call("http://10.0.0.1/second")
        #expect(second.told?.hasPrefix("circuitOpen") ?? false)
        world.network.open.first?.send(ok)
        world.run()
        #expect(probe.status == 200)
        let after = try world.call("http://10.0.0.1/after")
        world.network.open.first?.send(ok)
        world.run()
        #expect(after.status == 200)
        world.expectBaseline()
    }

    @Test func `CB-02 an open breaker spends no token`() throws {
        let world = try World {
            $0.policies.breaker = BreakerRules(consecutiveFailures: 1)
            $0.policies.clientLimit = .tokenBucket(.perSecond(1), burst: 2)
        }
        world.network.fate = { _ in .fails(.refused) }
        try world.call("http://10.0.0.1/")
        for _ in 0..<10 {
            #expect(try world.call("http://10.0.0.1/").told?.hasPrefix("circuitOpen") ?? false)
        }
        world.network.fate = { _ in .connects }
        let elsewhere = try world.call("http://10.0.0.2/")
        #expect(world.network.open.count == 1)
        world.cancel(elsewhere)
    }

    @Test func `CB-04 a cancelled probe lets the next one through`() throws {
        let world = try World { $0.policies.breaker = BreakerRules(consecutiveFailures: 1) }
        world.network.fate = { _ in .fails(.refused) }
        try world.call()
        world.network.fate = { _ in .connects }
        world.pass(.seconds(60))
        let probe = try world.call()
        world.cancel(probe)
        let next = try world.call()
        #expect(!next.isOver)
        world.network.open.first?.send(ok)
        world.run()
        #expect(next.status == 200)
        world.expectBaseline()
    }

    @Test func `a retry is refused when the breaker has opened meanwhile`() throws {
        let world = try World {
            $0.policies.breaker = BreakerRules(consecutiveFailures: 2)
            $0.policies.retries = .policy(RetryPolicy(maxAttempts: 5))
        }
        world.network.fate = { _ in .fails(.refused) }
        let call = try world.call()
        world.pass(.seconds(10))
        #expect(call.told?.hasPrefix("circuitOpen") ?? false)
        #expect(call.failure?.lost.count == 2)
        #expect(world.network.streams.count == 2)
    }
}

extension World {
    /// A call with a priority of its own.
    func prioritised(_ url: String, _ priority: RequestPriority) throws -> TestCall {
        let call = begin(try plan(url, policy: CallPolicy(priority: priority)))
        run()
        return call
    }
}
