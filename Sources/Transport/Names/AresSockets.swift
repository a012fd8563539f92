// The sockets of a c-ares channel: made, watched and closed here. Reactor thread.
//
// Why they are ours: c-ares writes to TCP with writev(2), which raises SIGPIPE after a reset, and a
// library must never raise a signal; sockets are closed on exec from their first moment; a server's
// link-local scope is kept; an empty datagram does not count as the end of a connection; and what a
// server refuses is seen before c-ares goes on to the next one.
//
// Memory safety: c-ares calls these functions with pointers that live until they return, and with
// the address of a channel's object, which outlives its channel (see AresChannel.swift).

internal import CFetchAres
internal import FetchReactor
internal import Glibc

/// A socket in the reactor's epoll set.
final class AresSocket: ReadinessHandler {
    private let descriptor: CInt
    private let channel: AresChannel
    private var registration: Registration?

    init(_ descriptor: CInt, _ channel: AresChannel) {
        self.descriptor = descriptor
        self.channel = channel
    }

    func descriptorReady(_ readiness: Readiness) {
        channel.socketReady(descriptor, readiness)
    }

    /// Watches it. One that can't be watched is as one whose answers never come.
    fileprivate func watch(_ interest: Interest) {
        if let registration {
            channel.reactor.setInterest(interest, registration)
        } else {
            registration = try? channel.reactor.register(descriptor, interest, self)
        }
    }

    fileprivate func unwatch() {
        if let registration { channel.reactor.deregister(registration) }
        registration = nil
    }
}

extension AresSocket {
    /// What c-ares calls when it wants to hear of a socket, or no longer.
    static let stateChanged:
        @convention(c) (
            UnsafeMutableRawPointer?, ares_socket_t, CInt, CInt
        ) -> Void = { data, descriptor, reads, writes in
            guard let channel = unsafe AresSocket.channel(data) else { return }
            var interest: Interest = reads == 0 ? [] : .readable
            if writes != 0 { interest.insert(.writable) }
            if interest.isEmpty {
                channel.sockets[descriptor]?.unwatch()
            } else {
                channel.sockets[descriptor]?.watch(interest)
            }
        }

    /// What c-ares calls in place of the system's functions. All keep errno for it.
    static var functions: ares_socket_functions {
        unsafe ares_socket_functions(
            asocket: { family, type, number, data in
                guard let channel = unsafe AresSocket.channel(data) else { return -1 }
                return AresSocket.open(family, type, number, channel)
            },
            aclose: { descriptor, data in
                let closing = unsafe AresSocket.channel(data)?.sockets
                    .removeValue(forKey: descriptor)
                closing?.unwatch()
                return close(descriptor)
            },
            aconnect: { descriptor, address, length, data in
                guard let channel = unsafe AresSocket.channel(data) else { return -1 }
                return unsafe AresSocket.connect(descriptor, address, length, channel)
            },
            arecvfrom: { descriptor, space, count, flags, from, length, data in
                let received = unsafe recvfrom(descriptor, space, count, flags, from, length)
                guard received >= 0, unsafe from != nil, let start = unsafe space else {
                    return received
                }
                if received == 0 {
                    errno = EAGAIN
                    return -1
                }
                let bytes = unsafe UnsafeRawBufferPointer(start: start, count: received)
                let server = unsafe AresSocket.address(from, length)
                unsafe AresSocket.channel(data)?.received(
                    bytes.bindMemory(to: UInt8.self).span, from: server)
                return received
            },
            asendv: { descriptor, pieces, count, _ in
                var message = unsafe msghdr()
                unsafe message.msg_iov = UnsafeMutablePointer(mutating: pieces)
                unsafe message.msg_iovlen = Int(max(0, count))
                let sent = unsafe sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
                // An earlier datagram's "port unreachable". This one's own comes as an event, which
                // is what c-ares gives up every query to that server on.
                guard sent < 0, errno == ECONNREFUSED else { return sent }
                return unsafe sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL))
            })
    }

    private static func channel(_ data: UnsafeMutableRawPointer?) -> AresChannel? {
        guard let data = unsafe data else { return nil }
        return unsafe Unmanaged<AresChannel>.fromOpaque(data).takeUnretainedValue()
    }

    private static func open(
        _ family: CInt, _ type: CInt, _ number: CInt, _ channel: AresChannel
    ) -> CInt {
        let descriptor = socket(family, type | O_NONBLOCK | O_CLOEXEC, number)
        guard descriptor >= 0 else { return -1 }
        if type == CInt(SOCK_STREAM.rawValue) {
            var on: CInt = 1
            // setsockopt reads one int. A refused option costs speed, not correctness.
            _ = unsafe setsockopt(
                descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        }
        channel.sockets[descriptor] = AresSocket(descriptor, channel)
        return descriptor
    }

    /// Connects to a server, in its scope if it has one.
    private static func connect(
        _ descriptor: CInt, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t,
        _ channel: AresChannel
    ) -> CInt {
        guard let server = unsafe self.address(address, length),
            let scoped = channel.settings.servers.first(where: {
                $0.scope != 0 && $0.withoutScope == server
            })
        else { return unsafe Glibc.connect(descriptor, address, length) }
        // The pointer is read by connect during the call only.
        return unsafe scoped.withSockaddr { unsafe Glibc.connect(descriptor, $0, $1) }
    }

    /// The kernel's form of an address as ours, without its scope.
    private static func address(
        _ raw: UnsafePointer<sockaddr>?, _ length: socklen_t
    ) -> SocketAddress? {
        guard let raw = unsafe raw else { return nil }
        var storage = sockaddr_storage()
        let count = min(Int(length), MemoryLayout<sockaddr_storage>.size)
        // Copies what is there, and no more than there is room for.
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: count))
        }
        return SocketAddress(storage: storage)?.withoutScope
    }

    private static func address(
        _ raw: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
    ) -> SocketAddress? {
        guard let length = unsafe length else { return nil }
        return unsafe address(UnsafePointer(raw), length.pointee)
    }
}

extension SocketAddress {
    /// The interface of a link-local address; 0 for any other.
    var scope: UInt32 {
        if case .ipv6(_, _, let scope) = host { scope } else { 0 }
    }

    var withoutScope: SocketAddress {
        guard case .ipv6(let high, let low, _) = host else { return self }
        return SocketAddress(.ipv6(high: high, low: low, scope: 0), port: port)
    }
}
