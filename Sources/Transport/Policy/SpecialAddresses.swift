// Which addresses are the public Internet's (IANA's registries of special-purpose addresses, RFC
// 6890 and its successors), and which IPv4 addresses hide in IPv6 ones. Pure.
//
// IPv4 is public unless it is listed here. IPv6 is the other way round: all that was ever given out
// is in 2000::/3, so that unique local (fc00::/7), site-local (fec0::/10), link-local, multicast,
// loopback, IPv4-compatible (::/96), local NAT64 (64:ff9b:1::/48) and everything unassigned are
// refused without being named.

package enum SpecialAddresses {
    /// Not public, in IPv4.
    private static let ipv4: [AddressRange] = ranges([
        "0.0.0.0/8",  // this network (RFC 791); Linux takes 0.0.0.0 for this machine
        "10.0.0.0/8",  // private (RFC 1918)
        "100.64.0.0/10",  // carriers' NAT (RFC 6598), and a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  // loopback (RFC 1122)
        "168.63.129.16/32",  // a cloud's metadata and DNS, from inside it, in public clothes
        "169.254.0.0/16",  // link-local (RFC 3927), and clouds' metadata at 169.254.169.254
        "172.16.0.0/12",  // private (RFC 1918)
        "192.0.0.0/24",  // protocol assignments (RFC 6890), and a cloud's metadata
        "192.0.2.0/24",  // documentation (RFC 5737)
        "192.88.99.0/24",  // relays of 6to4, given up (RFC 7526)
        "192.168.0.0/16",  // private (RFC 1918)
        "198.18.0.0/15",  // benchmarks (RFC 2544)
        "198.51.100.0/24",  // documentation (RFC 5737)
        "203.0.113.0/24",  // documentation (RFC 5737)
        "224.0.0.0/4",  // multicast (RFC 5771)
        "240.0.0.0/4",  // reserved (RFC 1112), and the broadcast address
    ])

    /// Where IPv6 is public.
    private static let global = AddressRange(.ipv6(high: 0x2000 << 48, low: 0, scope: 0), prefix: 3)

    /// Not public, within 2000::/3.
    private static let ipv6: [AddressRange] = ranges([
        "2001:db8::/32",  // documentation (RFC 3849)
        "3fff::/20",  // documentation (RFC 9637)
    ])

    /// Protocol assignments (RFC 2928): benchmarks, ORCHID and the like. Teredo is among them.
    private static let assignments = AddressRange(
        .ipv6(high: 0x2001 << 48, low: 0, scope: 0), prefix: 23)

    private static func ranges(_ texts: [String]) -> [AddressRange] {
        texts.compactMap { AddressRange($0) }
    }

    /// How many ranges are named; a test holds it against what is written above.
    package static var count: Int { ipv4.count + ipv6.count }

    /// Whether an address is the public Internet's, and so is every IPv4 address inside it.
    package static func isPublic(_ host: SocketAddress.Host) -> Bool {
        switch host {
        case .ipv4:
            return !ipv4.contains { $0.contains(host) }
        case .ipv6:
            let inside = host.embedded
            guard inside.allSatisfy({ isPublic($0) }) else { return false }
            // A translator's address stands for the IPv4 one inside.
            if host.isNAT64 { return true }
            guard global.contains(host), !ipv6.contains(where: { $0.contains(host) }) else {
                return false
            }
            return !assignments.contains(host) || host.isTeredo
        }
    }
}

extension SocketAddress.Host {
    /// An IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2) as what it is: the
    /// kernel connects to it by IPv4.
    var unmapped: SocketAddress.Host {
        guard case .ipv6(0, let low, _) = self, low >> 32 == 0xFFFF else { return self }
        return .ipv4(UInt32(truncatingIfNeeded: low))
    }

    /// 64:ff9b::/96 (RFC 6052).
    var isNAT64: Bool {
        guard case .ipv6(0x0064_FF9B_0000_0000, let low, _) = self else { return false }
        return low >> 32 == 0
    }

    /// 2001::/32 (RFC 4380).
    var isTeredo: Bool {
        guard case .ipv6(let high, _, _) = self else { return false }
        return high >> 32 == 0x2001_0000
    }

    /// The IPv4 addresses that packets to this IPv6 address may end up at.
    var embedded: [SocketAddress.Host] {
        guard case .ipv6(let high, let low, _) = self else { return [] }
        let last = UInt32(truncatingIfNeeded: low)
        if high == 0, low >> 32 == 0 || low >> 32 == 0xFFFF {
            return [.ipv4(last)]  // IPv4-compatible and IPv4-mapped (RFC 4291 §2.5.5)
        }
        if isNAT64 { return [.ipv4(last)] }
        if high >> 16 == 0x0064_FF9B_0001 {
            // Local NAT64 (RFC 8215) with a prefix of 48 bits: split around bits 64 to 71, or with
            // one of 96 bits: at the end (RFC 6052 §2.2).
            let split =
                UInt32(truncatingIfNeeded: high & 0xFFFF) << 16
                | UInt32(truncatingIfNeeded: low >> 40) & 0xFFFF
            return [.ipv4(split), .ipv4(last)]
        }
        if high >> 48 == 0x2002 {
            return [.ipv4(UInt32(truncatingIfNeeded: high >> 16))]  // 6to4 (RFC 3056)
        }
        if isTeredo {
            // The server, and the client with all bits turned over (RFC 4380 §4).
            return [.ipv4(UInt32(truncatingIfNeeded: high)), .ipv4(~last)]
        }
        if low >> 32 == 0x0000_5EFE || low >> 32 == 0x0200_5EFE {
            return [.ipv4(last)]  // ISATAP (RFC 5214 §6.1)
        }
        return []
    }
}
