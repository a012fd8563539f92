// The order of a name's addresses (RFC 6724 §6), by the RFC's own examples (§10.2) and others.

import FetchReactor
import FetchTransport
import Testing

private func host(_ literal: String) -> SocketAddress.Host {
    guard let address = SocketAddress(literal: literal, port: 0) else {
        preconditionFailure("\(literal) is no address")
    }
    return address.host
}

private func source(_ literal: String) -> SourceAddress {
    switch literal {
    case "-": .none
    case "?": .unknown
    default: .host(host(literal))
    }
}

@Suite struct DestinationOrderTests {
    /// `destination<source` in the order that is right; `-` for no way, `?` for not known.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let right: [String]

        init(_ name: String, _ right: String...) {
            testDescription = name
            self.right = right
        }
    }

    @Test(arguments: [
        Row("matching scope", "2001:db8:1::1<2001:db8:1::2", "198.51.100.121<169.254.13.78"),
        Row("matching scope, IPv4", "198.51.100.121<198.51.100.117", "2001:db8:1::1<fe80::1"),
        Row("higher precedence", "2001:db8:1::1<2001:db8:1::2", "10.1.2.3<10.1.2.4"),
        Row("smaller scope", "fe80::1<fe80::2", "2001:db8:1::1<2001:db8:1::2"),
        Row(
            "matching label", "2002:c633:6401::1<2002:c633:6401::2",
            "2001:db8:1::1<2002:c633:6401::2"),
        Row(
            "higher precedence than 6to4", "2001:db8:1::1<2001:db8:1::2",
            "2002:c633:6401::1<2002:c633:6401::2"),
        Row("IPv4 before Teredo", "192.0.2.1<192.0.2.2", "2001:db8::1<2001:0:1::1"),
        Row("IPv4 before unique local", "192.0.2.1<192.0.2.2", "fd00::1<fd00::2"),
        Row("loopback first", "::1<::1", "127.0.0.1<127.0.0.1"),
        Row("unusable last", "fec0::1<fec0::2", "2001:db8:1::1<-"),
        Row("unusable by precedence", "10.0.0.1<10.0.0.2", "2001:db8:1::1<-", "192.0.2.1<-"),
        Row("not known is no fault", "2001:db8:1::1<?", "192.0.2.1<192.0.2.2"),
    ])
    func `whatever the order they come in, they are tried in the right one`(_ row: Row) {
        let ranked = row.right.map { text in
            let parts = text.split(separator: "<").map(String.init)
            let destination = host(parts[0])
            return RankedHost(destination, DestinationRank(of: destination, from: source(parts[1])))
        }
        for turn in ranked.indices {
            let turned = Array(ranked[turn...] + ranked[..<turn])
            #expect(RankedHost.sorted(turned) == ranked)
            #expect(RankedHost.sorted(turned.reversed()) == ranked)
        }
    }

    @Test func `equals stay in the order of their turn`() {
        let hosts = ["192.0.2.3", "192.0.2.1", "192.0.2.2"].map { host($0) }
        let ranked = hosts.map {
            RankedHost($0, DestinationRank(of: $0, from: source("192.0.2.9")))
        }
        #expect(RankedHost.sorted(ranked).map(\.host) == hosts)
    }

    @Test func `one that failed comes behind all that did not, and before those without a way`() {
        let far = DestinationRank(of: host("fd00::1"), from: source("192.0.2.1"))
        let good = DestinationRank(of: host("2001:db8::1"), from: source("2001:db8::2"))
        let failed = good.afterFailure
        let nowhere = DestinationRank(of: host("2001:db8::1"), from: .none)
        #expect(far < failed && failed < nowhere)
        #expect(nowhere.afterFailure == nowhere)
        #expect(DestinationRank.first < far)
    }

    @Test(arguments: [
        ("::1", 50, 0, 2), ("::", 1, 3, 14), ("::ffff:192.0.2.1", 35, 4, 14),
        ("::192.0.2.1", 1, 3, 14), ("2001:db8::1", 40, 1, 14), ("2001::1", 5, 5, 14),
        ("2002:1::1", 30, 2, 14), ("fc00::1", 3, 13, 14), ("fdff::1", 3, 13, 14),
        ("fec0::1", 1, 11, 5), ("3ffe::1", 1, 12, 14), ("fe80::1%1", 40, 1, 2),
        ("ff05::1", 40, 1, 5), ("192.0.2.1", 35, 4, 14), ("10.0.0.1", 35, 4, 14),
        ("127.0.0.1", 35, 4, 2), ("169.254.1.1", 35, 4, 2),
    ])
    func `the policy table gives precedence, label and scope`(
        literal: String, precedence: Int, label: Int, scope: Int
    ) {
        let traits = AddressTraits(host(literal))
        #expect(Int(traits.precedence) == precedence)
        #expect(Int(traits.label) == label)
        #expect(Int(traits.scope) == scope)
    }

    @Test func `this machine reaches itself from itself`() throws {
        let network = TCPNetwork(reactor: try Reactor.embedded())
        #expect(network.source(towards: host("127.0.0.1")) == source("127.0.0.1"))
        // A kernel without IPv6 has no way there.
        let six = network.source(towards: host("::1"))
        #expect(six == source("::1") || six == .none)
    }
}
