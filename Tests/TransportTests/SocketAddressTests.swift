// Addresses as text and as the kernel's bytes.

import FetchTransport
import Glibc
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80"),
        ("255.255.255.255", "255.255.255.255:80"),
        ("::1", "[::1]:80"),
        ("::", "[::]:80"),
        ("2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:80"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"),
        ("fe80::1%7", "[fe80::1%7]:80"),
        ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:80"),
    ])
    func `a literal is an address and prints in its shortest form`(
        text: String, printed: String
    ) throws {
        let address = try #require(SocketAddress(literal: text, port: 80))
        #expect(address.description == printed)
    }

    @Test(arguments: [
        "", "localhost", "127.1", "0x7f000001", "2130706433", "127.0.0.1 ", " 127.0.0.1",
        "127.0.0.256", "127.0.0.01", "1.2.3.4.5", "::g", "[::1]", ":::", "1:2:3:4:5:6:7:8:9",
        "fe80::1%", "fe80::1%no-such-interface", "fe80::1%0", "127.0.0.1%lo", "::1\u{0}", "例",
    ])
    func `what inet_pton refuses is a name and never an address`(text: String) {
        #expect(SocketAddress(literal: text, port: 80) == nil)
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7:1", "fe80::1%3"])
    func `the kernel's form comes back as the same address`(text: String) throws {
        let address = try #require(SocketAddress(literal: text, port: 54_321))
        var storage = sockaddr_storage()
        // Both lie inside `storage`, which is the largest of the kernel's forms.
        unsafe address.withSockaddr { pointer, length in
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.copyMemory(
                    from: UnsafeRawBufferPointer(start: pointer, count: Int(length)))
            }
        }
        #expect(SocketAddress(storage: storage) == address)
        #expect(CInt(storage.ss_family) == address.family)
    }

    @Test func `a family that is not an Internet one is no address`() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        #expect(SocketAddress(storage: storage) == nil)
    }

    @Test func `a scope by name is the interface's number`() throws {
        let address = try #require(SocketAddress(literal: "fe80::1%lo", port: 1))
        guard case .ipv6(_, _, let scope) = address.host else {
            Issue.record("not an IPv6 address")
            return
        }
        #expect(scope > 0)
    }
}

@Suite struct HostTableTests {
    private let table = HostTable(overrides: [
        "Example.Test": ["192.0.2.1", "2001:db8::1", "not-an-address"], "127.0.0.9": ["192.0.2.9"],
    ])

    @Test(arguments: [
        ("127.0.0.1", ["127.0.0.1:7"]),
        ("::1", ["[::1]:7"]),
        ("localhost", ["127.0.0.1:7", "[::1]:7"]),
        ("deep.below.localhost", ["127.0.0.1:7", "[::1]:7"]),
        ("example.test", ["192.0.2.1:7", "[2001:db8::1]:7"]),
        ("127.0.0.9", ["192.0.2.9:7"]),
    ])
    func `a host that needs no query has its addresses in order`(
        host: String, addresses: [String]
    ) throws {
        let found = try #require(table.addresses(of: host, port: 7))
        #expect(found.map { $0.description } == addresses)
    }

    @Test(arguments: ["example.com", "localhost.example.com", "notlocalhost", "127.1", ""])
    func `any other name is for a name server`(host: String) {
        #expect(table.addresses(of: host, port: 7) == nil)
    }
}
