// https and names on virtual time, over a network in memory: clocks, slots, who shares what with
// whom, and settings of single hosts (CFG-07, POOL-01).

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct SecureWorldTests {
    private static let authority = TestCertificate.authority()

    private func trusting(_ change: (inout TLSConfiguration) -> Void = { _ in })
        -> TLSConfiguration
    {
        var tls = TLSConfiguration()
        tls.trust = .pem(Bytes(Self.authority.certificatePEM))
        change(&tls)
        return tls
    }

    private func world(_ change: (inout FetcherConfiguration) -> Void = { _ in }) throws
        -> LocalWorld
    {
        try LocalWorld {
            $0.tls = trusting()
            $0.hostOverrides = ["a.test": ["10.0.0.1"], "b.test": ["10.0.0.2"]]
            change(&$0)
        }
    }

    @Test func `a server that accepts and says nothing runs into the TLS clock`() throws {
        let world = try world()
        let told = world.get("https://a.test/")
        #expect(world.network.streams[0].peer.port == 443)
        world.pass(.nanoseconds(9_999_999_999))
        #expect(told.outcome == nil)
        world.pass(.nanoseconds(1))
        #expect(told.error?.code == .tlsTimeout)
        #expect(told.error?.phase == .tls)
        #expect(told.error?.isRetryable == true)
        #expect(world.network.open.isEmpty)
        #expect(world.fetcher.poolDescription == "0 active, 0 idle, 0 connecting")
    }

    @Test func `connecting and the handshake have a clock each`() throws {
        let world = try world()
        world.network.fate = { _ in .hangs }
        let told = world.get("https://a.test/")
        world.pass(.seconds(9))
        world.network.streams[0].accept()
        world.pass(.nanoseconds(9_999_999_999))
        #expect(told.outcome == nil)
        world.pass(.nanoseconds(1))
        #expect(told.error?.code == .tlsTimeout)
        #expect(told.error?.elapsed == .seconds(19))
    }

    @Test func `a hosts file of the configuration's is obeyed`() throws {
        let folder = try Files.makeTemporaryDirectory("hosts")
        defer { Files.remove(folder) }
        try Files.write("10.9.8.7 hosted.test\n", to: folder + "/hosts")
        let world = try LocalWorld { $0.names.hostsFile = folder + "/hosts" }
        _ = world.get("http://hosted.test/")
        #expect(world.network.streams.map(\.peer.hostText) == ["10.9.8.7"])
    }

    @Test func `an address that failed is skipped for as long as the configuration says`() throws {
        let resolver = HeldResolver()
        let world = try LocalWorld {
            $0.names.resolver = resolver
            $0.names.failedAddressLifetime = .seconds(7)
        }
        world.network.fate = { $0.hostText == "::1" ? .fails(.refused) : .connects }
        _ = world.get("http://two.test/")
        resolver.answer(["::1", "10.0.0.1"])
        world.reactor.runUntilIdle()
        for seconds in [6, 1] {
            world.pass(.seconds(seconds))
            // The ones before have no answer yet, and no two ask the same: each needs a connection.
            _ = world.get("http://two.test/\(seconds)")
        }
        let tried = world.network.streams.map(\.peer.hostText)
        #expect(tried == ["::1", "10.0.0.1", "10.0.0.1", "::1", "10.0.0.1"])
    }

    @Test func `the race's delays are the configuration's`() throws {
        let resolver = HeldResolver()
        let world = try LocalWorld {
            $0.names.resolver = resolver
            $0.names.attemptDelay = .seconds(2)
            $0.names.resolutionDelay = .seconds(1)
        }
        world.network.fate = { _ in .hangs }
        _ = world.get("http://two.test/")
        let hosts: [SocketAddress.Host] = [.ipv4(0x0A00_0001), .ipv4(0x0A00_0002)]
        resolver.answer?.addresses(.ipv4, hosts, seconds: 60)
        world.reactor.runUntilIdle()
        var tried: [Int] = []
        for _ in 0..<6 {
            world.pass(.milliseconds(500))
            tried.append(world.network.streams.count)
        }
        #expect(tried == [0, 1, 1, 1, 1, 2])
    }

    @Test func `name servers that say nothing run into the DNS clock`() throws {
        let resolver = HeldResolver()
        let world = try world { $0.names.resolver = resolver }
        let told = world.get("https://c.test/")
        #expect(resolver.names == ["c.test"])
        world.pass(.nanoseconds(9_999_999_999))
        #expect(told.outcome == nil)
        world.pass(.nanoseconds(1))
        #expect(told.error?.code == .dnsTimeout)
        #expect(told.error?.phase == .dns)
        #expect(world.network.streams.isEmpty)
    }

    @Test func `a call cancelled during its handshake gives its slot away at once`() throws {
        let world = try world { $0.pool.connections = 1 }
        let first = world.get("https://a.test/")
        let hello = world.network.streams[0].takeWrittenBytes()
        // A handshake record with a ClientHello (RFC 8446 §5.1, §4).
        #expect(hello.first == 22 && hello.dropFirst(5).first == 1)
        let second = world.get("https://b.test/")
        #expect(world.fetcher.statistics.callsWaiting == 1)
        #expect(world.network.streams.count == 1)
        if let handle = first.handle { world.fetcher.cancel(handle) }
        #expect(world.network.streams[0].isClosed)
        world.reactor.turn()
        #expect(world.fetcher.statistics.callsWaiting == 0)
        #expect(world.network.streams.map { "\($0.peer)" } == ["10.0.0.1:443", "10.0.0.2:443"])
        world.reactor.runUntilIdle()
        #expect(first.outcome != nil && first.error == nil)
        #expect(second.outcome == nil)
        if let handle = second.handle { world.fetcher.cancel(handle) }
        world.reactor.runUntilIdle()
        #expect(world.network.open.isEmpty)
        #expect(world.fetcher.poolDescription == "0 active, 0 idle, 0 connecting")
    }

    @Test func `who waits behind a call that leaves takes over its handshake`() throws {
        let world = try world { $0.pool.connectionsPerOrigin = 1 }
        let first = world.get("https://a.test/1")
        let second = world.get("https://a.test/2")
        if let handle = first.handle { world.fetcher.cancel(handle) }
        world.reactor.runUntilIdle()
        #expect(world.network.streams.count == 1 && world.network.open.count == 1)
        #expect(world.fetcher.statistics.callsInFlight == 1)
        if let handle = second.handle { world.fetcher.cancel(handle) }
        world.reactor.runUntilIdle()
        #expect(world.network.open.isEmpty)
        #expect(world.fetcher.poolDescription == "0 active, 0 idle, 0 connecting")
    }

    @Test func `requests that ask for different TLS never wait for one connection`() throws {
        let world = try world {
            $0.pool.connectionsPerOrigin = 1
            $0.coalescing = nil
        }
        var told: [Told] = []
        for tls in [nil, trusting { $0.minimumVersion = .tls13 }, trusting { $0.pins = [pin] }] {
            for _ in 0..<2 {
                var request = Request("https://a.test/")
                request.tls = tls
                told.append(world.execute(request))
            }
        }
        // One for each way, and the second of each in line behind its first.
        #expect(world.network.streams.count == 3)
        #expect(world.fetcher.statistics.callsWaiting == 3)
        #expect(world.fetcher.statistics.trackedOrigins == 3)
        for call in told { if let handle = call.handle { world.fetcher.cancel(handle) } }
        world.reactor.runUntilIdle()
        #expect(world.fetcher.statistics.trackedOrigins == 0)
    }

    private let pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

    @Test func `http and https of one host and port share nothing`() throws {
        let world = try world()
        _ = world.get("http://a.test:443/")
        _ = world.get("https://a.test/")
        #expect(world.network.streams.count == 2)
        #expect(world.network.streams[0].takeWritten().hasPrefix("GET / HTTP/1.1\r\n"))
        #expect(world.network.streams[1].takeWrittenBytes().first == 22)
    }

    @Test func `a host's own connections and clocks hold for it alone`() throws {
        let timeouts = Timeouts().with(\.tls, .seconds(1))
        let world = try world {
            $0.origins["a.test"] = OriginConfiguration(timeouts: timeouts, connections: 1)
            $0.coalescing = nil
        }
        let first = world.get("https://a.test/")
        let elsewhere = world.get("https://b.test/")
        for _ in 0..<2 {
            _ = world.get("https://a.test/")
            _ = world.get("https://b.test/")
        }
        let peers = world.network.streams.map { "\($0.peer)" }
        #expect(peers.count { $0 == "10.0.0.1:443" } == 1)
        #expect(peers.count { $0 == "10.0.0.2:443" } == 3)
        world.pass(.seconds(1))
        #expect(first.error?.code == .tlsTimeout)
        #expect(elsewhere.outcome == nil)
        // A request's own clocks win over its host's.
        var request = Request("https://a.test/")
        request.timeouts = Timeouts()
        let patient = world.execute(request)
        world.pass(.seconds(8))
        #expect(patient.outcome == nil)
    }

    @Test(arguments: [
        ("https://127.0.0.1/", FetchError.Code.addressRefused),
        ("http://[::1]/", .addressRefused), ("http://[::ffff:7f00:1]/", .addressRefused),
        ("http://[64:ff9b::7f00:1]/", .addressRefused), ("http://localhost/", .addressRefused),
        ("http://deep.localhost/", .addressRefused), ("http://10.1.2.3/", .addressRefused),
        ("http://169.254.169.254/", .addressRefused), ("http://100.64.0.1/", .addressRefused),
        ("http://0.0.0.0/", .addressRefused), ("http://[fd00::1]/", .addressRefused),
        ("http://a.test/", .addressRefused), ("http://0x7f.1/", .invalidURL),
        ("http://0177.0.0.1/", .invalidURL), ("http://127.1/", .invalidURL),
        ("http://2130706433/", .invalidURL),
    ])
    func `nothing but the public Internet is connected to, however it is spelt`(
        url: String, code: FetchError.Code
    ) throws {
        let world = try world { $0.addressPolicy = .publicInternetOnly }
        let told = world.get(url)
        #expect(told.error?.code == code, "\(told.error.map { "\($0)" } ?? "no error")")
        #expect(told.error?.isRetryable == false)
        #expect(world.network.streams.isEmpty)
    }

    @Test func `names that lead inside are refused, with the good ones among them used`() throws {
        let resolver = HeldResolver()
        let world = try world {
            $0.names.resolver = resolver
            $0.addressPolicy = .publicInternetOnly
        }
        let inside = world.get("http://inside.test/")
        resolver.answer(["127.0.0.1", "::1"])
        world.reactor.runUntilIdle()
        #expect(inside.error?.code == .addressRefused)
        #expect(inside.error?.reason.contains("127.0.0.1:80") == true)
        #expect(world.network.streams.isEmpty)
        _ = world.get("http://mixed.test/")
        resolver.answer(["192.168.1.1", "8.8.8.8"])
        world.reactor.runUntilIdle()
        world.pass(.seconds(1))
        #expect(world.network.streams.map { "\($0.peer)" } == ["8.8.8.8:80"])
    }
}
