// Loopback ports for fixtures that must be told one. Any thread; blocking calls.

package import FetchTransport
internal import Glibc
internal import Synchronization

package enum Loopback {
    /// A port that was free a moment ago, and is told to nobody else in this process.
    ///
    /// It lies below those that the kernel gives away (ip(7), ip_local_port_range): a program that
    /// needs seconds to start would find one of them taken by somebody's connection.
    package static func freePort() throws(ServerError) -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: 10_000..<32_768)
            guard told.withLock({ $0.insert(port).inserted }) else { continue }
            if try isFree(port) { return port }
        }
        throw .system("bind", EADDRINUSE)
    }

    private static let told = Mutex<Set<UInt16>>([])

    private static func isFree(_ port: UInt16) throws(ServerError) -> Bool {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        defer { _ = close(descriptor) }
        let address = SocketAddress.loopback(port: port)
        // bind reads the address during the call only.
        return unsafe address.withSockaddr { unsafe bind(descriptor, $0, $1) } == 0
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
