// Loopback ports for fixtures that must be told one. Any thread; blocking calls.

package import FetchTransport
internal import Glibc

package enum Loopback {
    /// A port that nobody listened on a moment ago.
    package static func freePort() throws(ServerError) -> UInt16 {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        defer { _ = close(descriptor) }
        let any = SocketAddress.loopback(port: 0)
        // bind reads the address during the call only.
        guard unsafe any.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0 else {
            throw .system("bind", errno)
        }
        return try port(of: descriptor)
    }

    /// What the kernel bound the socket to.
    private static func port(of descriptor: CInt) throws(ServerError) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // getsockname writes at most `length` bytes, which is all of `storage`.
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0, let bound = SocketAddress(storage: storage) else {
            throw .system("getsockname", errno)
        }
        return bound.port
    }

    /// Whether somebody accepts connections there.
    package static func accepts(_ address: SocketAddress) -> Bool {
        let descriptor = socket(
            address.family, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        // connect reads the address during the call only.
        return unsafe address.withSockaddr { unsafe connect(descriptor, $0, $1) } == 0
    }

    /// Waits until somebody does, in steps of five milliseconds; false after a minute.
    package static func waitUntilAccepts(_ address: SocketAddress) -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if accepts(address) { return true }
            // Nothing to wait for but time: no descriptor, five milliseconds.
            _ = poll(nil, 0, 5)
        }
        return false
    }
}
