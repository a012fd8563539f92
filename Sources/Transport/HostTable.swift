// Addresses that need no query: literals, `localhost` (RFC 6761 §6.3) and the configuration's own
// table. A value; the resolver that asks name servers joins behind it.

package struct HostTable: Equatable, Sendable {
    /// Lower-case host name, or name and port, to address literals, tried in order.
    private var overrides: [String: [String]]

    package init(overrides: [String: [String]] = [:]) {
        self.overrides = [:]
        for (host, addresses) in overrides {
            self.overrides[host.lowercased()] = addresses
        }
    }

    /// The addresses of `host` (lower-case, no brackets), or nil if only a name server could tell.
    package func addresses(of host: String, port: UInt16) -> [SocketAddress]? {
        if let listed = overrides["\(host):\(port)"] ?? overrides[host] {
            return listed.compactMap { SocketAddress(literal: $0, port: port) }
        }
        if let literal = SocketAddress(literal: host, port: port) {
            return [literal]
        }
        if HostTable.isLocalhost(host) {
            return [.loopback(port: port), .loopbackV6(port: port)]
        }
        return nil
    }

    /// `localhost` and every name below it mean this machine and are never asked for.
    private static func isLocalhost(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost")
    }
}
