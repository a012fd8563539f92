// Names on the road: the dns phase with its own clock, its end, and who may leave during it.

import FetchEngine
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

@Suite struct NameTests {
    private let resolver = HeldResolver()

    private func world(_ change: (inout EngineSettings) -> Void = { _ in }) throws -> World {
        let world = try World {
            $0.names.resolver = resolver
            change(&$0)
        }
        world.network.fate = { _ in .hangs }
        return world
    }

    private func answer(_ world: World, _ literals: String...) {
        resolver.answer(literals)
        world.run()
    }

    @Test func `a name is asked for, and the response tells how long each phase took`() throws {
        let world = try world()
        let call = try world.call("http://a.test/")
        #expect(resolver.names == ["a.test"])
        world.pass(.milliseconds(20))
        answer(world, "10.0.0.1")
        world.pass(.milliseconds(30))
        world.streams[0].accept()
        world.run()
        world.streams[0].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(call.response?.times.dnsNanoseconds == 20_000_000)
        #expect(call.response?.times.connectNanoseconds == 30_000_000)
        #expect(world.streams[0].takeWritten().contains("Host: a.test\r\n"))
        let again = try world.call("http://a.test/")
        world.streams[0].send(ok)
        world.run()
        #expect(again.response?.times.dnsNanoseconds == 0)
        #expect(again.response?.times.connectNanoseconds == 0)
    }

    @Test func `the dot of an absolute name is obeyed and not sent`() throws {
        let world = try world()
        try world.call("http://a.test./")
        #expect(resolver.names == ["a.test."])
        answer(world, "10.0.0.1")
        world.streams[0].accept()
        world.run()
        #expect(world.streams[0].takeWritten().contains("Host: a.test\r\n"))
    }

    @Test func `asking ends after 10 s`() throws {
        let world = try world()
        let call = try world.call("http://a.test/")
        world.pass(.nanoseconds(9_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(dns), dns")
        #expect(world.statistics.connectionsFailed == 1)
        world.expectBaseline()
    }

    @Test func `connecting has its own 10 s after that`() throws {
        let world = try world()
        let call = try world.call("http://a.test/")
        world.pass(.seconds(9))
        answer(world, "10.0.0.1")
        world.pass(.nanoseconds(9_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(connect), connect")
        #expect(world.elapsed == .seconds(19))
        world.expectBaseline()
    }

    @Test func `each failure says its phase`() throws {
        let world = try world()
        let unknown = try world.call("http://a.test/")
        resolver.answer?.finish()
        world.run()
        #expect(unknown.told == "nameNotResolved, dns")
        let failed = try world.call("http://b.test/")
        resolver.answer?.fail("out of order")
        world.run()
        #expect(failed.told == "nameNotResolved, dns")
        world.network.fate = { _ in .fails(.refused) }
        let refused = try world.call("http://c.test/")
        answer(world, "10.0.0.1", "::1")
        #expect(refused.told == "connectFailed, connect")
        world.expectBaseline()
    }

    @Test func `a call that is cancelled while its name is asked for leaves nothing`() throws {
        let world = try world()
        let call = try world.call("http://a.test/")
        world.cancel(call)
        #expect(call.told == "cancelled, dns")
        #expect(world.network.streams.isEmpty)
        world.expectBaseline()
    }

    @Test func `one call's leaving does not disturb another that waits for the name`() throws {
        let world = try world()
        let leaving = try world.call("http://a.test/")
        let staying = try world.call("http://a.test/")
        #expect(resolver.count == 1)
        world.cancel(leaving)
        answer(world, "10.0.0.1")
        world.streams[0].accept()
        world.run()
        world.streams[0].send(ok)
        world.run()
        #expect(staying.status == 200)
        #expect(resolver.count == 1)
    }

    @Test func `who takes over a connection whose name is asked for has a dns clock of its own`()
        throws
    {
        let world = try world { $0.pool.connectionsPerOrigin = 1 }
        let first = try world.call("http://a.test/")
        let second = try world.call("http://a.test/")
        world.pass(.seconds(8))
        world.cancel(first)
        world.pass(.nanoseconds(9_999_999_999))
        #expect(!second.isOver)
        world.pass(.nanoseconds(1))
        #expect(second.told == "timedOut(dns), dns")
        world.expectBaseline()
    }

    @Test func `addresses that the policy refuses fail in the connect phase`() throws {
        let world = try world { $0.addressPolicy = .publicInternetOnly }
        let literal = try world.call("http://127.0.0.1/")
        #expect(literal.told == "connectFailed, connect")
        let named = try world.call("http://a.test/")
        answer(world, "10.0.0.1", "fd00::1")
        guard case .connect(.failed(let failures)) = named.failure?.error else {
            Issue.record("told \(named.told ?? "nothing")")
            return
        }
        #expect(failures.map(\.failure) == [.refusedByPolicy, .refusedByPolicy])
        #expect(failures.map { "\($0.address)" } == ["[fd00::1]:80", "10.0.0.1:80"])
        #expect(world.network.streams.isEmpty)
        world.expectBaseline()
    }

    @Test func `a client that is dropped while a name is asked for ends it`() throws {
        let world = try world()
        let call = try world.call("http://a.test/")
        world.dropEngine()
        world.run()
        #expect(call.told == "clientClosed, dns")
        answer(world, "10.0.0.1")
        #expect(world.network.streams.isEmpty)
    }

    /// Only the scope can tell which link a link-local address is on.
    @Test func `the zone of a literal is connected to and not sent`() throws {
        let world = try world()
        try world.call("http://[fe80::1%25lo]/")
        guard case .ipv6(_, _, let scope) = world.streams[0].peer.host else {
            Issue.record("not IPv6")
            return
        }
        #expect(scope > 0)
        #expect(resolver.count == 0)
    }
}
