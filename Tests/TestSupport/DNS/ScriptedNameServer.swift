// A name server whose every answer is a test's own: UDP and TCP on one loopback port, on the test's
// reactor. It counts what it is asked. Reactor thread.

internal import FetchBytes
package import FetchReactor
package import FetchTransport
internal import Glibc

package final class ScriptedNameServer: ReadinessHandler {
    /// What becomes of a question.
    package enum Answer {
        case reply(DNSReply)
        /// These bytes, whatever they are.
        case raw([UInt8])
        /// Several datagrams, in order.
        case several([[UInt8]])
        case silence
        /// Said when the test calls `release`.
        case held(DNSReply)
        /// The TCP connection is reset; over UDP nothing is said.
        case reset
    }

    package let address: SocketAddress
    /// Every question, in order.
    package private(set) var questions: [DNSQuestion] = []
    /// What becomes of the next ones.
    package var script: (DNSQuestion) -> Answer

    private let reactor: Reactor
    private var held: [() -> Void] = []
    private var listener: TCPListener?
    private var connections: [NameServerConnection] = []
    private var descriptor: CInt
    private var registration: Registration?

    package init(
        on reactor: Reactor, _ script: @escaping (DNSQuestion) -> Answer
    ) throws {
        self.reactor = reactor
        self.script = script
        (descriptor, address) = try Self.freePort()
        weak var server: ScriptedNameServer?
        listener = try TCPListener(on: address, reactor: reactor) { server?.accepted($0) }
        registration = try reactor.register(descriptor, .readable, self)
        server = self
    }

    /// A server that knows these names, and no others.
    package convenience init(
        on reactor: Reactor, names: [String: [String]], seconds: UInt32 = 60
    ) throws {
        try self.init(on: reactor) { question in
            guard let addresses = names[question.name] else { return .reply(.noSuchName()) }
            return .reply(.addresses(addresses, seconds: seconds, to: question))
        }
    }

    /// How often a name was asked for, in any or in one family.
    package func count(_ name: String, type: UInt16? = nil) -> Int {
        questions.count { $0.name == name && (type == nil || $0.type == type) }
    }

    /// The questions as text, in order.
    package var asked: [String] { questions.map { "\($0)" } }

    /// Says what was held back so far.
    package func release() {
        let now = held
        held = []
        for send in now { send() }
    }

    package func close() {
        held = []
        listener?.close()
        listener = nil
        for connection in connections { connection.stream.close() }
        connections = []
        if let registration { reactor.deregister(registration) }
        registration = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    /// A UDP socket on a port of 127.0.0.1 that TCP does not use either.
    private static func freePort() throws -> (CInt, SocketAddress) {
        for _ in 0..<64 {
            let address = SocketAddress.loopback(port: try Loopback.freePort())
            let descriptor = socket(
                AF_INET, CInt(SOCK_DGRAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
            guard descriptor >= 0 else { throw ServerError.system("socket", errno) }
            var bytes: CInt = 1 << 22
            let size = socklen_t(MemoryLayout<CInt>.size)
            // setsockopt reads one int; bind reads the address during the call only.
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, size)
            if unsafe address.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0 {
                return (descriptor, address)
            }
            _ = Glibc.close(descriptor)
        }
        throw ServerError.system("bind", EADDRINUSE)
    }

    // MARK: UDP

    package func descriptorReady(_ readiness: Readiness) {
        var space = [UInt8](repeating: 0, count: 2_048)
        while descriptor >= 0 {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            // recvfrom writes at most the space's count and the storage's size.
            let count = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe recvfrom(descriptor, &space, space.count, 0, $0, &length)
                }
            }
            guard count >= 0, let peer = SocketAddress(storage: storage) else { return }
            guard let question = DNSQuestion(Array(space[..<count]), isOverTCP: false) else {
                continue
            }
            answer(question) { [self] in
                send($0, to: peer)
            } reset: {
            }
        }
    }

    private func send(_ bytes: [UInt8], to peer: SocketAddress) {
        guard descriptor >= 0 else { return }
        // sendto reads bytes and address during the call only.
        _ = unsafe peer.withSockaddr { address, length in
            unsafe sendto(
                descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL), address, length)
        }
    }

    fileprivate func answer(
        _ question: DNSQuestion, _ send: @escaping ([UInt8]) -> Void,
        reset: () -> Void
    ) {
        questions.append(question)
        switch script(question) {
        case .reply(let reply): send(reply.bytes(to: question))
        case .raw(let bytes): send(bytes)
        case .several(let datagrams): for bytes in datagrams { send(bytes) }
        case .silence: break
        case .held(let reply): held.append { send(reply.bytes(to: question)) }
        case .reset: reset()
        }
    }

    // MARK: TCP

    private func accepted(_ stream: any ByteStream) {
        let connection = NameServerConnection(stream, self)
        stream.handler = connection
        connections.append(connection)
    }
}

/// Messages over TCP: two bytes of length before each (RFC 1035 §4.2.2).
private final class NameServerConnection: ByteStreamHandler {
    let stream: any ByteStream
    private weak var server: ScriptedNameServer?
    private let input = ByteBuffer(capacity: 4_096)
    private var received: [UInt8] = []

    init(_ stream: any ByteStream, _ server: ScriptedNameServer) {
        self.stream = stream
        self.server = server
    }

    func streamConnected() {}
    func streamFailed(_ error: ConnectFailure) {}

    func streamReady(_ readiness: Readiness) {
        switch stream.read(into: input, atMost: 4_096) {
        case .bytes: break
        case .wouldBlock: return
        case .end, .failed: return stream.close()
        }
        received += [UInt8](input.takeBytes(input.readableCount))
        while received.count >= 2 {
            let end = 2 + (Int(received[0]) << 8 | Int(received[1]))
            guard received.count >= end else { return }
            let message = received[2..<end]
            received.removeFirst(end)
            guard let question = DNSQuestion(Array(message), isOverTCP: true) else { continue }
            server?.answer(question) { [stream] bytes in
                _ = stream.write(Bytes(DNSReply.big(UInt16(bytes.count)) + bytes), from: 0)
            } reset: {
                stream.reset()
            }
        }
    }
}
