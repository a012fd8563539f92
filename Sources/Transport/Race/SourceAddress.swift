// What the kernel would send from, asked without sending anything: a datagram socket that is
// connected has been given its source address (RFC 6724 §4, connect(2)). Any thread.

internal import CFetchAres  // its header brings sys/socket.h along, and keeps the enumerators
internal import FetchReactor
internal import Glibc

/// What this machine would send from to reach an address.
package enum SourceAddress: Equatable, Sendable {
    case host(SocketAddress.Host)
    /// There is no way there.
    case none
    /// It could not be asked, or there is nobody to ask.
    case unknown
}

extension SourceAddress {
    /// The kernel's answer.
    init(towards host: SocketAddress.Host) {
        // Any port will do; nothing is sent to it.
        let destination = SocketAddress(host, port: 9)
        let descriptor = socket(
            destination.family, CInt(SOCK_DGRAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            // A kernel without IPv6 has no way to any of its addresses.
            self = errno == EAFNOSUPPORT ? .none : .unknown
            return
        }
        defer { _ = close(descriptor) }
        // The pointer is read by connect() only during the call.
        let result = unsafe destination.withSockaddr { unsafe Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else {
            switch errno {
            case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL: self = .none
            default: self = .unknown
            }
            return
        }
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // getsockname writes at most the size it is given; a sockaddr_storage begins as a sockaddr.
        let named = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        guard named == 0, let own = SocketAddress(storage: storage) else {
            self = .unknown
            return
        }
        self = .host(own.host)
    }
}
