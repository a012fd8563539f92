// Which addresses may be connected to: the last word before connect(2), on every attempt, whatever
// name led there. A value; any thread.
//
// The decision is the address's alone. So a name that is public at its first look and local at its
// second (DNS rebinding), a redirect, a literal in some odd spelling, or an IPv6 address that holds
// an IPv4 one: all end up here, as the address that they are.

/// Decides on an address that is about to be connected to.
public struct AddressPolicy: Sendable {
    /// What holds for addresses that no range speaks of.
    public enum Base: Hashable, Sendable {
        /// Every address.
        case any
        /// Addresses of the public Internet; see `SpecialAddresses`.
        case publicInternetOnly
        /// None: only what `allowed` holds.
        case none
    }

    /// What holds for addresses that neither list speaks of.
    public var base: Base
    /// Never connected to, whatever else allows it.
    public var denied: [AddressRange]
    /// Connected to, even where the base would not.
    public var allowed: [AddressRange]
    /// Asked last, about what the rest permits; false refuses. Runs on the reactor's thread.
    package var custom: (@Sendable (SocketAddress) -> Bool)?

    /// A base with exceptions.
    public init(
        _ base: Base, allowed: [AddressRange] = [], denied: [AddressRange] = []
    ) {
        self.base = base
        self.allowed = allowed
        self.denied = denied
    }

    /// Every address may be connected to.
    public static let any = AddressPolicy(.any)

    /// Nothing private, local, special or reserved may be connected to.
    public static let publicInternetOnly = AddressPolicy(.publicInternetOnly)

    /// Only addresses that the closure accepts may be connected to.
    package static func custom(
        _ permits: @escaping @Sendable (SocketAddress) -> Bool
    ) -> AddressPolicy {
        var policy = AddressPolicy.any
        policy.custom = permits
        return policy
    }

    /// Only addresses that the closure accepts may be connected to. It is asked on the reactor's
    /// thread, with the address as text (`192.0.2.1`, `2001:db8::1`; an IPv4 address mapped into
    /// IPv6 as itself) and the port.
    public static func custom(
        _ permits: @escaping @Sendable (_ address: String, _ port: UInt16) -> Bool
    ) -> AddressPolicy {
        .custom { permits($0.hostText, $0.port) }
    }

    /// Whether an address may be connected to.
    package func permits(_ address: SocketAddress) -> Bool {
        if base == .any, denied.isEmpty, custom == nil { return true }
        let host = address.host.unmapped
        guard permits(host) else { return false }
        return custom?(SocketAddress(host, port: address.port)) ?? true
    }

    private func permits(_ host: SocketAddress.Host) -> Bool {
        // What is denied stays so inside another address; what is allowed has to be the address.
        let inside = host.embedded
        for range in denied where range.contains(host) || inside.contains(where: range.contains) {
            return false
        }
        if allowed.contains(where: { $0.contains(host) }) { return true }
        switch base {
        case .any: return true
        case .publicInternetOnly: return SpecialAddresses.isPublic(host)
        case .none: return false
        }
    }
}
