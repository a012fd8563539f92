// Several endpoints behind one origin: LB-01. Virtual time, a network in memory.

import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchPolicy
import FetchTransport
import TestSupport
import Testing

private let name = "http://service.test/"

/// A world in which `http://service.test` is these endpoints.
private func world(
    _ endpoints: [Endpoint], _ rule: BalanceRule = .roundRobin,
    _ change: (inout EngineSettings) -> Void = { _ in }
) throws -> World {
    let targets = try endpoints.map { try Target($0.url) }
    let origin = BalancedOrigin(try Target(name), rule, endpoints, at: targets)
    return try World { settings in
        settings.policies.balanced = [origin]
        change(&settings)
    }
}

private func endpoints(_ count: Int) -> [Endpoint] {
    (1...count).map { Endpoint("http://10.0.1.\($0)") }
}

/// Back-offs of 10 ms, and a breaker that two failures open for five seconds.
private func resilient(_ settings: inout EngineSettings) {
    settings.policies.retries = .policy(
        RetryPolicy(
            maxAttempts: 3, backoff: Backoff(base: .milliseconds(10), factor: 1, jitter: .none)))
    settings.policies.breaker = BreakerRules(consecutiveFailures: 2, coolDown: .seconds(5))
}

extension World {
    /// Answers what has been asked for, and tells of whom it was: the last number of each address.
    @discardableResult
    fileprivate func answer(_ text: String = ok) -> [Int] {
        var asked: [Int] = []
        for stream in streams where !stream.isClosed {
            guard stream.takeWritten().hasPrefix("GET ") else { continue }
            asked.append(number(stream.peer))
            stream.send(text)
        }
        run()
        return asked
    }

    fileprivate func number(_ address: SocketAddress) -> Int {
        Int(address.hostText.split(separator: ".").last ?? "") ?? 0
    }

    /// Connections that were asked for at an endpoint.
    fileprivate func dials(_ endpoint: Int) -> Int {
        streams.count { number($0.peer) == endpoint }
    }
}

struct BalanceTests {
    @Test func `LB-01 requests are split evenly, and each names the origin that was asked for`()
        throws
    {
        let world = try world(endpoints(3))
        var counts: [Int: Int] = [:]
        for _ in 0..<9 {
            let call = try world.call(name + "path")
            let written = world.streams.map(\.written).max { $0.count < $1.count } ?? []
            #expect(String(decoding: written, as: UTF8.self).contains("Host: service.test\r\n"))
            for endpoint in world.answer() { counts[endpoint, default: 0] += 1 }
            #expect(call.status == 200)
            #expect(call.response?.target.description == "http://service.test/path")
        }
        #expect(counts == [1: 3, 2: 3, 3: 3])
        #expect(world.streams.count == 3)
        world.expectBaseline()
    }

    @Test func `who is next does not depend on whether the origin was forgotten meanwhile`() throws
    {
        let world = try world(endpoints(3))
        var order: [Int] = []
        for _ in 0..<6 {
            try world.call(name)
            order += world.answer()
            world.pass(.seconds(120))
            #expect(world.statistics.trackedOrigins == 0)
        }
        #expect(order == [1, 2, 3, 1, 2, 3])
    }

    @Test func `LB-01 one that dies costs no call, is left alone, and returns on recovery`() throws
    {
        let world = try world(endpoints(3), .roundRobin, resilient)
        func fetch(_ count: Int) throws -> [Int] {
            var order: [Int] = []
            for _ in 0..<count {
                let call = try world.call(name)
                for _ in 0..<3 where !call.isOver {
                    order += world.answer()
                    if !call.isOver { world.pass(.milliseconds(10)) }
                }
                #expect(call.status == 200)
            }
            return order
        }
        #expect(try fetch(6).sorted() == [1, 1, 2, 2, 3, 3])
        world.network.fate = { [unowned world] in
            world.number($0) == 2 ? .fails(.refused) : .connects
        }
        for stream in world.streams where world.number(stream.peer) == 2 { stream.end() }
        world.run()
        let dials = world.dials(2)
        #expect(!(try fetch(12).contains(2)))
        #expect(world.dials(2) == dials + 2)
        #expect(world.statistics.callsFailed == 0)
        #expect(world.statistics.retries == 2)
        // Recovered, it is probed when its time has come.
        world.network.fate = { _ in .connects }
        #expect(!(try fetch(6).contains(2)))
        world.pass(.seconds(5))
        #expect(try fetch(9).count { $0 == 2 } >= 3)
        world.expectBaseline()
    }

    @Test func `an endpoint whose name has no address is passed over, another is asked`() throws {
        let resolver = HeldResolver()
        let gone = Endpoint("http://gone.test")
        let world = try world([gone, Endpoint("http://10.0.1.2")], .roundRobin) { settings in
            resilient(&settings)
            settings.names.resolver = resolver
        }
        let call = try world.call(name)
        resolver.answer?.finish()
        world.run()
        world.pass(.milliseconds(10))
        #expect(world.answer() == [2])
        #expect(call.status == 200)
        #expect(resolver.names == ["gone.test"])
        let alone = try world.call("http://gone.test/")
        resolver.answer?.finish()
        world.run()
        #expect(alone.told == "nameNotResolved, dns")
        world.expectBaseline()
    }

    @Test func `where all breakers are open a call fails at once, and nothing is sent`() throws {
        let world = try world(endpoints(2), .roundRobin) { settings in
            settings.policies.breaker = BreakerRules(
                consecutiveFailures: 1, coolDown: .seconds(5))
        }
        world.network.fate = { _ in .fails(.refused) }
        #expect(try world.call(name).told == "connectFailed, connect")
        world.pass(.seconds(1))
        #expect(try world.call(name).told == "connectFailed, connect")
        let count = world.streams.count
        // The first of them to be asked again has four seconds left.
        #expect(try world.call(name).told == "circuitOpen(4000 ms), queue")
        #expect(world.streams.count == count)
        #expect(world.statistics.refusedByBreaker == 1)
        world.expectBaseline()
    }

    @Test func `a retry goes elsewhere, and comes back when all were tried`() throws {
        let world = try world(endpoints(2), .roundRobin, resilient)
        let call = try world.call(name)
        var order: [Int] = []
        let busy = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
        for text in [busy, busy, ok] {
            order += world.answer(text)
            world.pass(.milliseconds(10))
        }
        #expect(call.status == 200)
        #expect(call.response?.attempts == 3)
        #expect(order == [1, 2, 1])
        world.expectBaseline()
    }

    @Test func `least in flight keeps two endpoints level, whatever chance says`() throws {
        let world = try world(endpoints(2), .leastInFlight)
        let calls = try (0..<20).map { try world.call(name + "\($0)") }
        #expect(world.answer().sorted() == (0..<20).map { 1 + $0 / 10 })
        #expect(calls.allSatisfy { $0.status == 200 })
        // One that is slow gets no more of them.
        let slow = try world.call(name)
        for _ in 0..<5 {
            try world.call(name + "other")
            let others = world.streams.filter { !$0.isClosed && $0.written.count > 20 }
            let fast = others.filter {
                String(decoding: $0.written, as: UTF8.self).hasPrefix("GET /other")
            }
            #expect(fast.count == 1)
            for stream in fast {
                _ = stream.takeWritten()
                stream.send(ok)
            }
            world.run()
        }
        #expect(!slow.isOver)
        world.cancel(slow)
        world.expectBaseline()
    }

    @Test func `weights say how often`() throws {
        let world = try world([
            Endpoint("http://10.0.1.1", weight: 3), Endpoint("http://10.0.1.2"),
        ])
        var order: [Int] = []
        for _ in 0..<40 {
            try world.call(name)
            order += world.answer()
        }
        #expect(order.count { $0 == 1 } == 30)
        #expect(order.count { $0 == 2 } == 10)
    }

    @Test func `an endpoint with a name of its own is asked by that`() throws {
        let world = try world([Endpoint("http://10.0.1.1:8080", keepsAuthority: false)])
        let call = try world.call(name + "a?b=c")
        let written = world.streams[0].takeWritten()
        #expect(written.hasPrefix("GET /a?b=c HTTP/1.1\r\n"))
        #expect(written.contains("Host: 10.0.1.1:8080\r\n"))
        world.streams[0].send(ok)
        world.run()
        #expect(call.response?.target.description == name + "a?b=c")
        world.expectBaseline()
    }

    @Test func `who waits at an endpoint whose breaker opens goes to another`() throws {
        let world = try world(endpoints(2), .roundRobin) { settings in
            settings.pool.connectionsPerOrigin = 1
            settings.policies.breaker = BreakerRules(consecutiveFailures: 1)
        }
        world.network.fate = { _ in .hangs }
        let calls = try (0..<4).map { try world.call(name + "\($0)") }
        #expect(world.streams.count == 2)
        world.streams[0].refuse()
        world.streams[1].accept()
        world.run()
        #expect(calls[0].told == "connectFailed, connect")
        for _ in 0..<3 { world.answer() }
        #expect(calls.dropFirst().allSatisfy { $0.status == 200 })
        #expect(world.streams.count == 2)
        world.expectBaseline()
    }

    @Test func `one that asks to be left alone is passed over while there is another`() throws {
        let world = try world(endpoints(2), .roundRobin, resilient)
        let parked = try world.call(name)
        world.answer("HTTP/1.1 503 X\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")
        var order: [Int] = []
        for number in 0..<4 {
            try world.call(name + "\(number)")
            order += world.answer()
        }
        #expect(order == [2, 2, 2, 2])
        world.pass(.seconds(30))
        #expect(world.answer() == [2])
        #expect(parked.status == 200)
        order = []
        for _ in 0..<2 {
            try world.call(name)
            order += world.answer()
        }
        #expect(order == [2, 1])
        world.expectBaseline()
    }

    @Test func `who asks the same is answered by one request to one endpoint`() throws {
        let world = try world(endpoints(3)) { $0.policies.coalescing = CoalescingRules() }
        let calls = try (0..<5).map { _ in try world.call(name) }
        // The leader's exchange goes on for the next.
        world.cancel(calls[0])
        #expect(world.answer() == [1])
        #expect(calls.dropFirst().allSatisfy { $0.status == 200 })
        #expect(world.statistics.coalesced == 4)
        world.expectBaseline()
    }

    @Test func `the allowance of retries is the origin's, not each endpoint's`() throws {
        let world = try world(endpoints(3)) { settings in
            resilient(&settings)
            settings.policies.breaker = nil
            settings.policies.retryAllowance = RetryAllowance(percent: 0, floor: 1)
        }
        world.network.fate = { _ in .fails(.refused) }
        let call = try world.call(name)
        world.pass(.seconds(1))
        #expect(call.failure?.attempts == 2)
        #expect(call.failure?.refusal == .budgetSpent)
        world.expectBaseline()
    }
}
