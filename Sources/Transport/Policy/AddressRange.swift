// A range of addresses with a common prefix (RFC 4632, RFC 4291 §2.3). A value; any thread.

/// `10.0.0.0/8`, `fd00::/8`, or one address.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The first address of the range.
    private let first: SocketAddress.Host
    /// How many leading bits all have in common.
    public let prefix: Int

    /// Parses an address, and a slash and a number of bits. Nil for anything else, and for an
    /// address that has bits behind its prefix: `10.0.0.1/8` is more likely a mistake.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = SocketAddress(literal: String(parts[0]), port: 0),
            address.scope == 0
        else { return nil }
        let width = AddressFamily(address.host) == .ipv4 ? 32 : 128
        var bits = width
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let number = Int(parts[1]), number <= width
            else { return nil }
            bits = number
        }
        self.init(address.host, prefix: bits)
        guard first == address.host else { return nil }
    }

    /// The range that an address is in.
    init(_ host: SocketAddress.Host, prefix: Int) {
        first = Self.masked(host, prefix)
        self.prefix = prefix
    }

    /// Whether an address is in it. An IPv4 address and the same one mapped into IPv6 are two; see
    /// `AddressPolicy`.
    package func contains(_ host: SocketAddress.Host) -> Bool {
        Self.masked(host, prefix) == first
    }

    /// The address with every bit behind the prefix zero, without its scope.
    private static func masked(_ host: SocketAddress.Host, _ prefix: Int) -> SocketAddress.Host {
        switch host {
        case .ipv4(let bits):
            // A shift by the whole width gives zero.
            return .ipv4(bits & (UInt32.max << UInt32(32 - min(prefix, 32))))
        case .ipv6(let high, let low, _):
            let highMask = UInt64.max << UInt64(64 - min(prefix, 64))
            let lowMask = UInt64.max << UInt64(128 - max(prefix, 64))
            return .ipv6(high: high & highMask, low: low & lowMask, scope: 0)
        }
    }

    /// The range as it is written.
    public var description: String { "\(SocketAddress(first, port: 0).hostText)/\(prefix)" }
}
