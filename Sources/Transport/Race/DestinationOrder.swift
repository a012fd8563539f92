// In which order a name's addresses are to be tried (RFC 6724 §6). Pure: what the kernel would send
// from is handed in.
//
// Of the ten rules those apply for which an application can know something: 1 (unusable ones last),
// 2 (matching scope), 5 (matching label), 6 (precedence) and 8 (smaller scope). Deprecated, home
// and tunnel addresses (3, 4, 7) are the kernel's to know. The longest matching prefix (9) would
// send everybody to the same one of a name's addresses; it may be left out (§6), and equals take
// turns.

/// A place in the order; the smaller one goes first, and equals take turns.
package struct DestinationRank: Comparable, Hashable, Sendable {
    /// Whether an address can be expected to answer. It weighs more than all the rules.
    package enum Standing: UInt8, Comparable, Sendable {
        case usable
        /// It did not answer a short while ago.
        case failedLately
        /// There is no way there (rule 1).
        case unreachable

        package static func < (one: Standing, other: Standing) -> Bool {
            one.rawValue < other.rawValue
        }
    }

    package let standing: Standing
    /// The rules from 2 on, the first one highest.
    private let preference: UInt32

    /// The best rank there is: nothing speaks against it.
    package static let first = DestinationRank(standing: .usable, preference: 0)

    private init(standing: Standing, preference: UInt32) {
        self.standing = standing
        self.preference = preference
    }

    /// The rank of `destination`, reached from `source`.
    package init(of destination: SocketAddress.Host, from source: SourceAddress) {
        let policy = AddressTraits(destination)
        var preference = UInt32(255 - policy.precedence) << 8 | UInt32(policy.scope)
        switch source {
        case .none:
            self.init(standing: .unreachable, preference: preference)
        case .unknown:
            self.init(standing: .usable, preference: preference)
        case .host(let host):
            let own = AddressTraits(host)
            if own.scope != policy.scope { preference |= 1 << 17 }
            if own.label != policy.label { preference |= 1 << 16 }
            self.init(standing: .usable, preference: preference)
        }
    }

    /// The same place among those who did not answer a short while ago.
    package var afterFailure: DestinationRank {
        DestinationRank(standing: max(standing, .failedLately), preference: preference)
    }

    package static func < (one: DestinationRank, other: DestinationRank) -> Bool {
        one.standing == other.standing
            ? one.preference < other.preference : one.standing < other.standing
    }
}

/// An address and its place.
package struct RankedHost: Equatable, Sendable {
    package let host: SocketAddress.Host
    package let rank: DestinationRank

    package init(_ host: SocketAddress.Host, _ rank: DestinationRank = .first) {
        self.host = host
        self.rank = rank
    }

    /// By rank; equals stay in their order, which is whose turn it is.
    package static func sorted(_ hosts: [RankedHost]) -> [RankedHost] {
        guard hosts.count > 1 else { return hosts }
        return hosts.enumerated()
            .sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element)
    }
}

/// What the policy table (RFC 6724 §2.1) and the address itself (§3) say.
package struct AddressTraits: Equatable, Sendable {
    package let precedence: UInt8
    package let label: UInt8
    /// 2 link-local, 5 site-local, 14 global; of a multicast address its own.
    package let scope: UInt8

    private struct Row {
        let range: AddressRange
        let precedence: UInt8
        let label: UInt8

        init(_ high: UInt64, _ low: UInt64, _ prefix: Int, _ precedence: UInt8, _ label: UInt8) {
            range = AddressRange(.ipv6(high: high, low: low, scope: 0), prefix: prefix)
            self.precedence = precedence
            self.label = label
        }
    }

    /// The longest prefix first.
    private static let table = [
        Row(0, 1, 128, 50, 0),  // ::1/128
        Row(0, 0xffff_0000_0000, 96, 35, 4),  // ::ffff:0:0/96
        Row(0, 0, 96, 1, 3),  // ::/96
        Row(0x2001_0000 << 32, 0, 32, 5, 5),  // 2001::/32, Teredo
        Row(0x2002 << 48, 0, 16, 30, 2),  // 2002::/16, 6to4
        Row(0x3ffe << 48, 0, 16, 1, 12),  // 3ffe::/16, the 6bone
        Row(0xfec0 << 48, 0, 10, 1, 11),  // fec0::/10, site-local
        Row(0xfc00 << 48, 0, 7, 3, 13),  // fc00::/7, unique local
    ]

    package init(_ host: SocketAddress.Host) {
        switch host {
        case .ipv4(let bits):
            // As ::ffff:0:0/96 (§3.2).
            (precedence, label) = (35, 4)
            scope = bits >> 24 == 127 || bits >> 16 == 0xa9fe ? 2 : 14
        case .ipv6(let high, let low, _):
            let row = AddressTraits.table.first { $0.range.contains(host) }
            (precedence, label) = (row?.precedence ?? 40, row?.label ?? 1)
            if high >> 56 == 0xff {
                scope = UInt8(high >> 48 & 15)
            } else if high >> 54 == 0xfe80 >> 6 || (high == 0 && low == 1) {
                scope = 2
            } else if high >> 54 == 0xfec0 >> 6 {
                scope = 5
            } else {
                scope = 14
            }
        }
    }
}
