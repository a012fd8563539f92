// In which order dials try a name's addresses: what the kernel says of the way there, and what
// earlier dials met.

import FetchReactor
import FetchTransport
import TestSupport
import Testing

@Suite struct DialOrderTests {
    @Test func `a family without a way goes last, without a delay for the other one`() throws {
        let scene = try DialScene()
        scene.network.sourceTowards = { AddressFamily($0) == .ipv6 ? .none : .unknown }
        let (dial, _) = scene.dial()
        defer { dial.cancel() }
        scene.answer("2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.2")
        scene.pass(750)
        #expect(scene.tried == ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"])
    }

    @Test func `the family of the best address begins, then they take turns`() throws {
        let scene = try DialScene()
        // From a unique local address to a global one: another label.
        scene.network.sourceTowards = { host in
            AddressFamily(host) == .ipv6
                ? SocketAddress(literal: "fd00::2", port: 0).map { .host($0.host) } ?? .none
                : .host(.ipv4(0xC000_0209))
        }
        let (first, _) = scene.dial()
        scene.answer("2001:db8::1", "fd00::1", "192.0.2.1", "192.0.2.2")
        first.cancel()
        // IPv6 came first and was begun with at once (RFC 8305 §3). Now both are known.
        let (second, _) = scene.dial()
        defer { second.cancel() }
        scene.pass(750)
        // Unique local ranks below IPv4, and global reached from there below both. The two of IPv4
        // are equals: it is the second one's turn.
        let order = ["192.0.2.2", "fd00::1", "192.0.2.1", "2001:db8::1"]
        #expect(scene.tried == ["-fd00::1"] + order)
    }

    @Test func `an address that did not answer is skipped by the next dial`() throws {
        let scene = try DialScene()
        scene.network.fate = { $0.hostText == "::1" ? .hangs : .connects }
        let (_, first) = scene.dial()
        scene.answer("::1", "10.0.0.1")
        scene.pass(250)
        #expect(first.stream?.peer.hostText == "10.0.0.1")
        let (_, second) = scene.dial()
        #expect(second.stream?.peer.hostText == "10.0.0.1")
        #expect(second.times?.connect == 0)
        #expect(scene.tried == ["-::1", "10.0.0.1", "10.0.0.1"])
        // It is forgotten, and answers now.
        scene.network.fate = { _ in .connects }
        scene.pass(30_000)
        let (_, third) = scene.dial()
        #expect(third.stream?.peer.hostText == "::1")
    }

    @Test func `one that refused is tried again when the others fail as well`() throws {
        let scene = try DialScene()
        scene.network.fate = { $0.hostText == "::1" ? .fails(.refused) : .connects }
        let (_, first) = scene.dial()
        scene.answer("::1", "10.0.0.1")
        #expect(first.stream?.peer.hostText == "10.0.0.1")
        scene.network.fate = { $0.hostText == "::1" ? .connects : .fails(.refused) }
        let (_, second) = scene.dial()
        #expect(second.stream?.peer.hostText == "::1")
        #expect(scene.milliseconds == 0)
        #expect(scene.tried == ["-::1", "10.0.0.1", "-10.0.0.1", "::1"])
    }

    @Test func `this machine's own shortage is no address's fault`() throws {
        let scene = try DialScene()
        let shortage = ConnectFailure.outOfResources(.failed(.socket, errno: 24))
        scene.network.fate = { $0.hostText == "::1" ? .fails(shortage) : .connects }
        _ = scene.dial()
        scene.answer("::1", "10.0.0.1")
        scene.network.fate = { _ in .connects }
        let (_, second) = scene.dial()
        #expect(second.stream?.peer.hostText == "::1")
    }
}
