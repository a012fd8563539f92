// A TCP connection as a byte stream (tcp(7), socket(7)), and the network that opens them. Owned by
// whoever opened it; lives on the reactor's thread.
//
// Every write is a send with MSG_NOSIGNAL: a peer's reset must never raise SIGPIPE in the host.
// The descriptor is closed exactly once, after its registration is gone, so that a stale event
// cannot reach the descriptor's next owner.

internal import CFetchAres  // its header brings sys/socket.h along, and keeps the enumerators
package import FetchBytes
package import FetchReactor
internal import Glibc

/// The kernel's TCP.
package final class TCPNetwork: Network {
    private let reactor: Reactor

    package init(reactor: Reactor) {
        self.reactor = reactor
    }

    package func connect(
        to address: SocketAddress, handler: any ByteStreamHandler
    ) -> any ByteStream {
        TCPStream(connectingTo: address, on: reactor, handler: handler)
    }

    package func source(towards host: SocketAddress.Host) -> SourceAddress {
        SourceAddress(towards: host)
    }
}

package final class TCPStream: ByteStream, ReadinessHandler {
    private enum State: Equatable {
        /// connect() was called. Can transition to `open` and `closed`.
        case connecting
        /// Bytes flow. Can transition to `closed`.
        case open
        /// The descriptor is gone.
        case closed
    }

    package let peer: SocketAddress
    // Private storage behind a plain property: accesses to it need no exclusivity check.
    private var listener: (any ByteStreamHandler)?
    package var handler: (any ByteStreamHandler)? {
        get { listener }
        set { listener = newValue }
    }
    private let reactor: Reactor
    private var descriptor: CInt
    private var registration: Registration?
    private var interest: Interest
    /// Open, and not registered; see `descriptorReady`.
    private var isSilent = false
    private var state: State

    init(connectingTo address: SocketAddress, on reactor: Reactor, handler: any ByteStreamHandler) {
        peer = address
        self.reactor = reactor
        listener = handler
        interest = [.readable, .writable]
        state = .connecting
        descriptor = socket(
            address.family, CInt(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            failLater(ConnectFailure(.failed(.socket, errno: errno)))
            return
        }
        TCPStream.setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        // The pointer is read by connect() only during the call.
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(descriptor, $0, $1) }
        if result != 0, errno != EINPROGRESS {
            // EINTR: the connection goes on by itself, as after EINPROGRESS (connect(2)).
            guard errno == EINTR else {
                failLater(ConnectFailure(.failed(.connect, errno: errno)))
                return
            }
        }
        watch()
    }

    /// Takes over a connected, non-blocking descriptor, as accept4(2) gives it.
    package init(adopting descriptor: CInt, peer: SocketAddress, on reactor: Reactor) {
        self.peer = peer
        self.reactor = reactor
        self.descriptor = descriptor
        interest = .readable
        state = .open
        TCPStream.setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        watch()
    }

    private func watch() {
        do throws(SystemError) {
            registration = try reactor.register(descriptor, interest, self)
        } catch {
            failLater(ConnectFailure(error))
        }
    }

    /// The handler must not hear of a failure before the call that opened the stream returns.
    private func failLater(_ failure: ConnectFailure) {
        reactor.enqueue { [self] in
            switch state {
            case .connecting: listener?.streamFailed(failure)
            // Adopted, and the reactor could not watch it: the owner's next call finds out.
            case .open: listener?.streamReady([.error, .hangup])
            case .closed: break
            }
        }
    }

    package func descriptorReady(_ readiness: Readiness) {
        switch state {
        case .open:
            // epoll reports errors and hang-ups asked or unasked: a stream that is neither read nor
            // written would turn the loop without end. Its owner hears of them when it reads on.
            if interest.isEmpty { fallSilent() } else { listener?.streamReady(readiness) }
        case .connecting:
            finishConnecting()
        case .closed:
            break
        }
    }

    private func finishConnecting() {
        var error: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        // getsockopt writes one int into `error`, as SO_ERROR is documented to do.
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        if error != 0 {
            listener?.streamFailed(ConnectFailure(.failed(.connect, errno: error)))
            return
        }
        state = .open
        setInterest(.readable)
        listener?.streamConnected()
    }

    package func read(into buffer: ByteBuffer, atMost: Int) -> ReadOutcome {
        guard state == .open else { return .end }
        // The kernel writes into the buffer's own free space, never past its end.
        return unsafe buffer.withFreeSpace(atLeast: atMost) { space in
            unsafe receive(into: space.baseAddress, min(atMost, space.count))
        }
    }

    package func read(_ piece: inout Bytes, atMost: Int) -> ReadOutcome {
        guard state == .open else { return .end }
        let outcome: ReadOutcome
        // As above, into storage made for it.
        (piece, outcome) = unsafe Bytes.filled(capacity: atMost) { space in
            unsafe receive(into: space.baseAddress, min(atMost, space.count))
        }
        return outcome
    }

    /// One recv(2) of `room` bytes at most, which must be there.
    @inline(__always)
    private func receive(
        into space: UnsafeMutableRawPointer?, _ room: Int
    ) -> (written: Int, result: ReadOutcome) {
        // The kernel writes `room` bytes at most, and the caller has lent as many.
        let count = unsafe recv(descriptor, space, room, 0)
        if count > 0 { return (count, .bytes(count)) }
        if count == 0 { return (0, .end) }
        switch errno {
        case EAGAIN, EINTR: return (0, .wouldBlock)
        default: return (0, .failed(.failed(.receive, errno: errno)))
        }
    }

    package func isQuiet() -> Bool {
        var byte: UInt8 = 0
        // recv writes at most the one byte that it is given.
        let count = unsafe recv(descriptor, &byte, 1, CInt(MSG_PEEK))
        return state == .open && count < 0 && errno == EAGAIN
    }

    package func write(_ buffer: ByteBuffer) -> WriteOutcome {
        // The kernel reads the buffer's readable bytes during the call only.
        let outcome = unsafe buffer.withReadable { bytes in unsafe send(bytes) }
        if case .taken(let count) = outcome { buffer.consume(count) }
        return outcome
    }

    package func write(_ bytes: Bytes, from offset: Int) -> WriteOutcome {
        // As above; the slice lives as long as `bytes`.
        unsafe bytes.withUnsafeBytes { all in
            unsafe send(UnsafeRawBufferPointer(rebasing: all[offset...]))
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard state == .open else {
            return .failed(.failed(.send, errno: ENOTCONN))
        }
        // See `write`: the bytes are read during the call only.
        let count = unsafe Glibc.send(
            descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        if count >= 0 { return .taken(count) }
        switch errno {
        // A full socket buffer, or a signal before the first byte: nothing was taken.
        case EAGAIN, EINTR: return .taken(0)
        default: return .failed(.failed(.send, errno: errno))
        }
    }

    package func setReading(_ on: Bool) {
        setInterest(on ? interest.union(.readable) : interest.subtracting(.readable))
    }

    package func setWriting(_ on: Bool) {
        setInterest(on ? interest.union(.writable) : interest.subtracting(.writable))
    }

    private func setInterest(_ wanted: Interest) {
        guard wanted != interest else { return }
        interest = wanted
        if let registration {
            reactor.setInterest(wanted, registration)
        } else if isSilent {
            isSilent = false
            watch()
        }
    }

    private func fallSilent() {
        if let registration { reactor.deregister(registration) }
        registration = nil
        isSilent = true
    }

    package func close() {
        guard state != .closed else { return }
        state = .closed
        listener = nil
        if let registration { reactor.deregister(registration) }
        registration = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    package func reset() {
        if state != .closed, descriptor >= 0 {
            // Linger of zero makes close() send RST and drop what is unsent (socket(7)).
            var option = linger(l_onoff: 1, l_linger: 0)
            let size = socklen_t(MemoryLayout<linger>.size)
            // setsockopt reads `size` bytes of `option`.
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
        }
        close()
    }

    private static func setOption(_ fd: CInt, _ level: CInt, _ name: CInt, _ value: CInt) {
        var value = value
        // setsockopt reads one int. A refused option costs speed, not correctness.
        _ = unsafe setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit {
        // An owner closes its streams; this catches an engine dropped whole.
        close()
    }
}

extension ConnectFailure {
    init(_ error: SystemError) {
        switch error.errorNumber {
        case ECONNREFUSED: self = .refused
        case ETIMEDOUT: self = .timedOut
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EACCES, EPERM:
            self = .unreachable(error)
        // EADDRNOTAVAIL: every local port towards this peer is taken.
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EAGAIN:
            self = .outOfResources(error)
        default: self = .system(error)
        }
    }
}
