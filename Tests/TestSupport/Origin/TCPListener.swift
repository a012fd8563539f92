// A listening TCP socket on the reactor (accept(2)). Owned by the origin; reactor thread.

internal import CFetchLinux
package import FetchReactor
internal import FetchTime
package import FetchTransport
internal import Glibc

package final class TCPListener: ReadinessHandler, TimerHandler {
    /// What was bound, the port chosen by the kernel included.
    package let address: SocketAddress
    private let reactor: Reactor
    private let accepted: (any ByteStream) -> Void
    private var descriptor: CInt
    private var registration: Registration?
    private var pause: TimerID?

    package init(
        on address: SocketAddress, reactor: Reactor,
        accepted: @escaping (any ByteStream) -> Void
    ) throws(SystemError) {
        let descriptor = socket(
            address.family, CInt(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SystemError.failed(.socket, errno: errno) }
        do throws(SystemError) {
            self.address = try TCPListener.bind(descriptor, to: address)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
        self.reactor = reactor
        self.accepted = accepted
        self.descriptor = descriptor
        registration = try reactor.register(descriptor, .readable, self)
    }

    private static func bind(
        _ descriptor: CInt, to address: SocketAddress
    ) throws(SystemError) -> SocketAddress {
        var on: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        // setsockopt reads one int; bind reads the address during the call only.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        guard unsafe address.withSockaddr({ unsafe Glibc.bind(descriptor, $0, $1) }) == 0 else {
            throw SystemError.failed(.bind, errno: errno)
        }
        guard Glibc.listen(descriptor, 4_096) == 0 else {
            throw SystemError.failed(.listen, errno: errno)
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // getsockname writes at most `length` bytes, which is all of `storage`.
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw SystemError.failed(.getsockname, errno: errno) }
        return SocketAddress(storage: storage) ?? address
    }

    package func descriptorReady(_ readiness: Readiness) {
        // A bounded share: the rest is told again.
        for _ in 0..<256 where descriptor >= 0 {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            // fetch_accept writes at most `length` bytes, which is all of `storage`.
            let connection = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe fetch_accept(descriptor, $0, &length)
                }
            }
            guard connection >= 0 else { return acceptFailed(errno) }
            let peer = SocketAddress(storage: storage) ?? address
            accepted(TCPStream(adopting: connection, peer: peer, on: reactor))
        }
    }

    /// Without descriptors the queue stays readable: wait a little instead of spinning.
    private func acceptFailed(_ error: CInt) {
        guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error), let registration else { return }
        reactor.setInterest([], registration)
        pause = reactor.schedule(self, token: 0, at: reactor.now + .milliseconds(50))
    }

    package func timerFired(_ token: Int) {
        pause = nil
        if let registration { reactor.setInterest(.readable, registration) }
    }

    /// Stops listening; what was accepted goes on.
    package func close() {
        if let registration { reactor.deregister(registration) }
        registration = nil
        if let pause { reactor.cancel(pause) }
        pause = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }
}
