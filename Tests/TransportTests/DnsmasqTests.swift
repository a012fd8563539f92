// The resolver against a real name server. What was asked is counted in the server's own log.

import FetchReactor
import FetchTransport
import TestSupport
import Testing

/// Names of a real server, on an embedded reactor on the calling thread.
private func withDnsmasq<R: Sendable>(
    _ lines: [String], _ change: @escaping @Sendable (inout NameSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (NameScene, Dnsmasq) throws -> R
) async throws -> R {
    try await onThreadOfItsOwn {
        let server = try Dnsmasq.start(lines)
        defer { server.stop() }
        let scene = try NameScene(servers: [server.address], change)
        defer { scene.end() }
        return try body(scene, server)
    }
}

@Suite struct DnsmasqTests {
    @Test func `every kind of name gets its own answer`() async throws {
        try await withDnsmasq([
            "host-record=both.test,10.0.0.1,2001:db8::1", "host-record=four.test,10.0.0.4",
            "host-record=six.test,2001:db8::6", "cname=alias.test,both.test",
            "cname=alias2.test,alias.test", "txt-record=text.test,hello",
        ]) { scene, server in
            #expect(scene.find("both.test").all == ["2001:db8::1", "10.0.0.1"])
            #expect(scene.find("four.test").all == ["10.0.0.4"])
            #expect(scene.find("six.test").all == ["2001:db8::6"])
            #expect(scene.find("alias2.test").all == ["2001:db8::1", "10.0.0.1"])
            #expect(scene.find("nobody.test").error?.fact == .noSuchName)
            #expect(scene.find("text.test").error?.fact == .noAddresses)
            // No upstream server: names that are not its own are refused.
            let refused = scene.find("elsewhere.example").error
            #expect(refused?.fact == .refused)
            #expect(refused?.refusals.map(\.server) == [server.address])
        }
    }

    @Test func `1,000 first requests to one name are one query for each family`() async throws {
        try await withDnsmasq(["host-record=a.test,10.0.0.1,2001:db8::1"]) { scene, server in
            let finders = (0..<1_000).map { _ in scene.begin("a.test") }
            scene.wait { finders.allSatisfy(\.isOver) }
            for _ in 0..<100 { _ = scene.find("a.test") }
            #expect(finders.allSatisfy { $0.all == ["2001:db8::1", "10.0.0.1"] })
            #expect(server.count("A", "a.test") == 1)
            #expect(server.count("AAAA", "a.test") == 1)
        }
    }

    @Test func `an answer that does not fit a datagram comes by TCP`() async throws {
        let records = (1...60).map { "host-record=big.test,10.0.1.\($0)" }
        try await withDnsmasq(records, { $0.addressesPerFamily = 100 }) { scene, server in
            #expect(Set(scene.find("big.test").all).count == 60)
            #expect(server.count("A", "big.test") == 2)
        }
    }

    @Test func `a record of one second is asked for again after it`() async throws {
        try await withDnsmasq(["host-record=short.test,10.0.0.1,1"]) { scene, server in
            let clock = ContinuousClock()
            let start = clock.now
            var asked = 0
            // Waits for what the clock does, not for a while: the name must be asked for again.
            while asked < 2, clock.now - start < .patience {
                #expect(scene.find("short.test").all == ["10.0.0.1"])
                scene.reactor.turn()
                asked = server.count("A", "short.test")
                if asked == 2 { #expect(clock.now - start >= .seconds(1)) }
            }
            #expect(asked == 2)
        }
    }

    @Test func `a zone whose server is silent delays its own names only`() async throws {
        try await onThreadOfItsOwn {
            let silent = try NameScene()
            defer { silent.end() }
            let port = silent.server.address.port
            let server = try Dnsmasq.start([
                "server=/silent.test/127.0.0.1#\(port)", "host-record=a.test,10.0.0.1",
                "address=/bulk.test/10.1.2.3",
            ])
            defer { server.stop() }
            let scene = try NameScene(servers: [server.address])
            defer { scene.end() }
            let finders = (0..<50).map { scene.begin("n\($0).silent.test") }
            #expect(scene.find("a.test").all == ["10.0.0.1"])
            for number in 0..<200 { #expect(!scene.find("n\(number).bulk.test").all.isEmpty) }
            #expect(finders.allSatisfy { !$0.isOver })
        }
    }

    /// A busy server loses a datagram now and then, which is sent again.
    @Test func `10,000 names are resolved, kept, and asked for once`() async throws {
        try await withDnsmasq(
            ["address=/bulk.test/10.1.2.3"], { $0.queryTimeout = 1_000_000_000 }
        ) { scene, server in
            let finders = (0..<10_000).map { scene.begin("n\($0).bulk.test") }
            scene.wait { scene.names.openLookups == 0 }
            #expect(finders.allSatisfy { $0.isOver && $0.all == ["10.1.2.3"] })
            #expect(scene.names.cachedNames == 10_000)
            #expect(Set(server.queries).count == 20_000)
            let asked = server.queries.count
            #expect(asked < 30_000)
            let again = (0..<10_000).map { scene.begin("n\($0).bulk.test") }
            #expect(again.allSatisfy { $0.isOver })
            #expect(scene.names.openLookups == 0)
            #expect(server.queries.count == asked)
        }
    }
}
