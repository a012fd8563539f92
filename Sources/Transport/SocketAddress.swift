// A peer's address and port, as a value. Used on any thread; owns nothing.
// IPv4 and IPv6 (RFC 4291, scope of RFC 4007). Text is parsed by inet_pton, so `127.1` or
// `0x7f000001` are names here and never addresses.

package import Glibc

/// An Internet address with a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Host: Hashable, Sendable {
        /// In host byte order.
        case ipv4(UInt32)
        /// The two halves in host byte order, and the interface index of a link-local address.
        case ipv6(high: UInt64, low: UInt64, scope: UInt32)
    }

    package var host: Host
    package var port: UInt16

    package init(_ host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    package static func loopback(port: UInt16) -> SocketAddress {
        SocketAddress(.ipv4(0x7F00_0001), port: port)
    }

    package static func loopbackV6(port: UInt16) -> SocketAddress {
        SocketAddress(.ipv6(high: 0, low: 1, scope: 0), port: port)
    }

    /// Parses `127.0.0.1`, `::1` or `fe80::1%eth0`; nil for anything else. No brackets.
    package init?(literal text: String, port: UInt16) {
        // C would take what stands before a NUL for all of it.
        guard !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        // inet_pton writes exactly one in_addr / in6_addr into the value handed in.
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(.ipv4(UInt32(bigEndian: v4.s_addr)), port: port)
            return
        }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var v6 = in6_addr()
        // As above, sixteen bytes.
        guard unsafe inet_pton(AF_INET6, String(parts[0]), &v6) == 1 else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            // if_nametoindex reads the name during the call only.
            scope = unsafe UInt32(parts[1]) ?? if_nametoindex(String(parts[1]))
            guard scope != 0 else { return nil }
        }
        let (high, low) = SocketAddress.halves(of: v6)
        self.init(.ipv6(high: high, low: low, scope: scope), port: port)
    }

    private static func halves(of address: in6_addr) -> (UInt64, UInt64) {
        // in6_addr is sixteen bytes in network order.
        unsafe withUnsafeBytes(of: address) { bytes in
            (
                unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// The kernel's address family number.
    package var family: CInt {
        switch host {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        }
    }

    /// Lends the kernel's form of this address for the length of `body`.
    package func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        switch host {
        case .ipv4(let bits):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr.s_addr = bits.bigEndian
            // The pointer is used only inside `body`; a sockaddr_in begins as a sockaddr does.
            return unsafe withUnsafePointer(to: raw) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .ipv6(let high, let low, let scope):
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            raw.sin6_scope_id = scope
            // sin6_addr is sixteen bytes: two halves.
            unsafe withUnsafeMutableBytes(of: &raw.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            // As above: only inside `body`.
            return unsafe withUnsafePointer(to: raw) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    /// Reads the kernel's form; nil for a family that is not an Internet one.
    package init?(storage: sockaddr_storage) {
        switch CInt(storage.ss_family) {
        case AF_INET:
            // ss_family says that the storage holds a sockaddr_in, which is smaller than it.
            let raw = unsafe withUnsafeBytes(of: storage) {
                unsafe $0.loadUnaligned(as: sockaddr_in.self)
            }
            self.init(
                .ipv4(UInt32(bigEndian: raw.sin_addr.s_addr)), port: UInt16(bigEndian: raw.sin_port)
            )
        case AF_INET6:
            // As above, for sockaddr_in6.
            let raw = unsafe withUnsafeBytes(of: storage) {
                unsafe $0.loadUnaligned(as: sockaddr_in6.self)
            }
            let (high, low) = SocketAddress.halves(of: raw.sin6_addr)
            self.init(
                .ipv6(high: high, low: low, scope: raw.sin6_scope_id),
                port: UInt16(bigEndian: raw.sin6_port))
        default:
            return nil
        }
    }

    /// `127.0.0.1:80` or `[::1]:80`.
    package var description: String {
        switch host {
        case .ipv4: "\(hostText):\(port)"
        case .ipv6: "[\(hostText)]:\(port)"
        }
    }

    /// `127.0.0.1`, `::1` or `fe80::1%2`.
    package var hostText: String {
        switch host {
        case .ipv4(let bits):
            let octets = [bits >> 24, bits >> 16 & 255, bits >> 8 & 255, bits & 255]
            return octets.map { String($0) }.joined(separator: ".")
        case .ipv6(_, _, let scope):
            return ipv6Text + (scope == 0 ? "" : "%\(scope)")
        }
    }

    /// RFC 5952's shortest form, as inet_ntop writes it.
    private var ipv6Text: String {
        guard case .ipv6(let high, let low, _) = host else { return "" }
        var raw = (high.bigEndian, low.bigEndian)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // inet_ntop reads sixteen bytes of `raw` and writes at most the length it is given.
        let made = unsafe inet_ntop(AF_INET6, &raw, &text, socklen_t(INET6_ADDRSTRLEN))
        guard unsafe made != nil else { return "?" }
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
