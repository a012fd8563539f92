// What a server is called: the name that its certificate must hold and, unless it is an address,
// the name that is sent in the handshake (RFC 6066 §3, RFC 9525 §6). A pure value.
//
// Unsafe: inet_pton reads the text during the call and writes as many bytes as the family has into
// the array that it is handed.

internal import Glibc

/// A host, told apart as the transport tells literals from names: by inet_pton.
struct ServerName: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Without a dot at its end, which DNS knows and certificates don't.
        case name(String)
        /// Four or sixteen bytes in network order.
        case address([UInt8])
        /// Nothing that a certificate could name.
        case unusable
    }

    let text: String
    let kind: Kind

    init(_ host: String) {
        text = host
        kind = ServerName.kind(of: host)
    }

    var isUsable: Bool { kind != .unusable }

    private static func kind(of host: String) -> Kind {
        let bytes = host.utf8
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return .unusable }
        // A link-local address may say its interface, which is this machine's own business.
        let literal = host.split(separator: "%", maxSplits: 1).first.map { String($0) } ?? ""
        if let address = address(host, AF_INET, 4) ?? address(literal, AF_INET6, 16) {
            return .address(address)
        }
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        guard (1...253).contains(name.utf8.count), !name.hasPrefix(".") else { return .unusable }
        return .name(name)
    }

    private static func address(_ text: String, _ family: CInt, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return unsafe inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}
