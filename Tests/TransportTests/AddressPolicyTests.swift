// Address policies: a table of addresses, and how ranges and closures work together.

import FetchHTTP
import FetchTransport
import Testing

private func address(_ literal: String) throws -> SocketAddress {
    try #require(SocketAddress(literal: literal, port: 80), "\(literal)")
}

private func ranges(_ texts: String...) throws -> [AddressRange] {
    try texts.map { try #require(AddressRange($0)) }
}

@Suite struct AddressPolicyTests {
    @Test(arguments: [
        // This machine, this network.
        "0.0.0.0", "0.0.0.1", "0.255.255.255", "127.0.0.1", "127.0.0.2", "127.255.255.255",
        "::", "::1",
        // Private networks.
        "10.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.0", "172.16.5.4", "172.31.255.255",
        "192.168.0.0", "192.168.1.1", "192.168.255.255", "fc00::1", "fd00::1", "fdff:ffff::1",
        "fec0::1", "feff::1",
        // Carriers' NAT.
        "100.64.0.0", "100.64.0.1", "100.127.255.255", "100.100.100.200",
        // Link-local, clouds' metadata.
        "169.254.0.1", "169.254.169.254", "169.254.170.2", "169.254.255.255", "fe80::1",
        "fe80::a9fe:a9fe", "febf::1", "fd00:ec2::254", "fd20:ce::254", "168.63.129.16",
        "192.0.0.192",
        // Multicast, broadcast, reserved.
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "254.1.2.3", "255.255.255.255", "ff02::1",
        "ff0e::1", "4000::1", "8000::1", "100::1", "5f00::1",
        // Documentation, benchmarks, protocol assignments.
        "192.0.2.1", "198.51.100.1", "203.0.113.9", "198.18.0.1", "198.19.255.255", "192.0.0.1",
        "192.88.99.1", "2001:db8::1", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1", "2001:2::1",
        "2001:10::1", "2001:20::1", "2001:1ff::1",
        // IPv4 mapped into IPv6.
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:192.168.0.1",
        "::ffff:0.0.0.0", "::ffff:100.64.0.1",
        // IPv4-compatible.
        "::127.0.0.1", "::10.0.0.1", "::169.254.169.254", "::8.8.8.8",
        // Translators.
        "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
        "64:ff9b::192.168.1.1", "64:ff9b:1::1", "64:ff9b:1:a00:0:100::", "64:ff9b:1::8.8.8.8",
        "64:ff9b:0:1::8.8.8.8",
        // 6to4 and Teredo around local addresses.
        "2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:c0a8:101::1",
        "2001:0:7f00:1::f7f7:f7f7", "2001:0:808:808::80ff:fffe", "2001:0:808:808::5601:5601",
        // ISATAP around a local one.
        "2600::5efe:10.0.0.1", "2600::200:5efe:192.168.0.1",
    ])
    func `an address that is not public is refused`(literal: String) throws {
        #expect(!AddressPolicy.publicInternetOnly.permits(try address(literal)))
        #expect(AddressPolicy.any.permits(try address(literal)))
        #expect(!SpecialAddresses.isPublic(try address(literal).host))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.112.255",
        "203.0.114.0", "223.255.255.255", "168.63.129.15", "2000::1", "2001:200::1",
        "2001:4860:4860::8888", "2600::1", "2606:4700::1111", "2a00::1", "3ffe::1", "3fff:1000::1",
        "2001:db7:ffff::1", "2001:db9::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
        "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "2600::5efe:8.8.8.8",
    ])
    func `a public address is permitted`(literal: String) throws {
        #expect(AddressPolicy.publicInternetOnly.permits(try address(literal)))
    }

    @Test func `every range that is written down is there`() {
        #expect(SpecialAddresses.count == 18)
    }

    @Test func `what is allowed is permitted where the base is not`() throws {
        let policy = AddressPolicy(
            .publicInternetOnly, allowed: try ranges("10.1.0.0/16", "fd00:1::/32"))
        #expect(policy.permits(try address("10.1.2.3")))
        #expect(policy.permits(try address("::ffff:10.1.2.3")))
        #expect(policy.permits(try address("fd00:1::5")))
        #expect(!policy.permits(try address("10.2.0.0")))
        // A translator might bring it elsewhere than where it is allowed.
        #expect(!policy.permits(try address("64:ff9b::10.1.2.3")))
        let only = AddressPolicy(.none, allowed: try ranges("10.1.0.0/16"))
        #expect(only.permits(try address("10.1.2.3")))
        #expect(!only.permits(try address("8.8.8.8")))
    }

    @Test(arguments: [
        "8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "::8.8.8.8",
        "64:ff9b:1:808:8:800::", "2001:0:808:808::1",
    ])
    func `what is denied is refused in every disguise`(literal: String) throws {
        for base in [AddressPolicy.Base.any, .publicInternetOnly] {
            let policy = AddressPolicy(
                base, allowed: try ranges("8.8.8.8", "::/0"), denied: try ranges("8.0.0.0/8"))
            #expect(!policy.permits(try address(literal)))
        }
    }

    @Test func `a closure decides on what the rest permits`() throws {
        var policy = AddressPolicy.publicInternetOnly
        policy.custom = { $0.port == 80 }
        #expect(policy.permits(try address("8.8.8.8")))
        #expect(!policy.permits(try address("10.0.0.1")))
        #expect(!policy.permits(SocketAddress(try address("8.8.8.8").host, port: 22)))
        let mapped = AddressPolicy.custom { $0.host == .ipv4(0x7F00_0001) }
        #expect(mapped.permits(try address("::ffff:127.0.0.1")))
        #expect(!mapped.permits(try address("127.0.0.2")))
    }

    /// Whatever way a local address is written, it is either no host of a URL or the very address
    /// that the policy sees: there is no third thing that a resolver would turn into it.
    @Test(arguments: [
        "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0X7F.0.0.1", "017700000001",
        "0177.0.0.1", "2130706433", "127.0.0.1.", "127.1.", "0x7f.1.", "127.0.0.01", "0", "0.0",
        "00000", "127.0.0.0x1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
        "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "１２７.0.0.1", "127。0。0。1",
        "１２７．０．０．１", "0x７f.1", "①②⑦.0.0.1", "[::1%25lo]", "256.256.256.256", "1.2.3.4.5",
        "169.254.169.254", "[fd00:ec2::254]", "127%2e0%2e0%2e1",
    ])
    func `no spelling of a local address gets by`(host: String) throws {
        guard let target = try? Target("http://\(host)/") else { return }
        #expect(target.hostKind != .name, "\(target.host)")
        let policy = AddressPolicy.publicInternetOnly
        #expect(!policy.permits(try address(target.host)))
        #expect(!HostName.isValid(target.host))
    }
}

@Suite struct AddressRangeTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"), ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("0.0.0.0/0", "255.255.255.255", "::"), ("::/0", "ffff::", "0.0.0.0"),
        ("fc00::/7", "fdff::1", "fe00::"), ("2001:db8::/32", "2001:db8::1", "2001:db9::"),
        ("2001:db8::/64", "2001:db8::ffff", "2001:db8:0:1::"),
        ("2001:db8::/65", "2001:db8::7fff:0:0:1", "2001:db8::8000:0:0:0"),
        ("::1/128", "::1", "::2"), ("128.0.0.0/1", "200.0.0.1", "127.0.0.1"),
    ])
    func `a range holds what has its prefix`(text: String, inside: String, outside: String) throws {
        let range = try #require(AddressRange(text))
        #expect(range.contains(try address(inside).host))
        #expect(!range.contains(try address(outside).host))
        #expect(AddressRange("\(range)") == range)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
        "10.0.0.1/8", "::1/64", "10.0.0/8", "host/8", "10.0.0.0/ 8", "fe80::1%lo/64",
        "10.0.0.0/99999999999999999999",
    ])
    func `anything else is no range`(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
