// The probes of TLS: what a forked child says, and what connections cost in memory.

import CFetchLinux
import FetchBytes
import FetchReactor
import FetchTLS
import FetchTransport
import Glibc
import TestSupport

/// An authority, a certificate of it, and who trusts it.
private struct Trusted {
    let certificate: TestCertificate
    let configuration: TLSConfiguration

    init() {
        let authority = TestCertificate.authority()
        certificate = TestCertificate.make(
            .init("good.test", hosts: ["DNS:good.test"]), by: authority)
        var configuration = TLSConfiguration()
        configuration.trust = .pem(Bytes(authority.certificatePEM))
        self.configuration = configuration
    }
}

/// A connection that reads an answer and then rests.
private final class Guest: ByteStreamHandler, HandshakeHandler {
    var below: (any ByteStream)?
    var secure: (any ByteStream) -> Void = { _ in }
    var stream: TLSStream?
    var isAnswered = false
    private let scratch: ByteBuffer

    init(reading scratch: ByteBuffer) {
        self.scratch = scratch
    }

    func streamConnected() {
        guard let below else { return }
        let secure = secure
        // It holds this guest, and is not asked again.
        self.secure = { _ in }
        secure(below)
    }

    func streamFailed(_ failure: ConnectFailure) { print("\(failure)") }
    func handshakeFailed(_ failure: HandshakeFailure) { print("\(failure)") }

    func handshakeDone(_ stream: TLSStream) {
        self.stream = stream
        stream.handler = self
        _ = stream.write(Bytes("GET / HTTP/1.1\r\nHost: good.test\r\n\r\n"), from: 0)
    }

    func streamReady(_ readiness: Readiness) {
        if case .bytes = stream?.read(into: scratch, atMost: 65_536) { isAnswered = true }
        scratch.removeAll()
    }
}

/// Two streams to nginx, one of them closed in a child of fork(2): the parent's goes on.
func probeTLSFork() throws {
    let trusted = Trusted()
    let (nginx, address) = try Nginx.startTLS(trusted.certificate)
    defer { nginx.stop() }
    let reactor = try Reactor.embedded()
    let connector = TLSConnector(on: reactor)
    let context = try connector.context(trusted.configuration)
    let guest = open(address, reactor, connector, context, ByteBuffer(capacity: 65_536))
    _ = drive(reactor) { guest.isAnswered }
    fflush(nil)
    let child = fetch_fork()
    if child == 0 {
        guest.stream?.close()
        _exit(0)
    }
    var status: CInt = 0
    // The pointer is to a local.
    unsafe waitpid(child, &status, 0)
    guest.isAnswered = false
    _ = guest.stream?.write(Bytes("GET / HTTP/1.1\r\nHost: good.test\r\n\r\n"), from: 0)
    _ = drive(reactor) { guest.isAnswered }
    print("child's status \(status), the parent is answered: \(guest.isAnswered)")
    guest.stream?.close()
    reactor.stop()
}

private func open(
    _ address: SocketAddress, _ reactor: Reactor, _ connector: TLSConnector,
    _ context: TLSContext, _ scratch: ByteBuffer
) -> Guest {
    let guest = Guest(reading: scratch)
    guest.secure = { below in
        _ = connector.secure(
            below, with: context, host: "good.test", port: address.port, handler: guest)
    }
    guest.below = TCPNetwork(reactor: reactor).connect(to: address, handler: guest)
    return guest
}

/// Connections to nginx that have been used and rest: what one of them takes here.
func probeTLSIdle(_ count: Int) throws {
    let trusted = Trusted()
    let (nginx, address) = try Nginx.startTLS(trusted.certificate)
    defer { nginx.stop() }
    let reactor = try Reactor.embedded()
    let connector = TLSConnector(on: reactor)
    let context = try connector.context(trusted.configuration)
    let scratch = ByteBuffer(capacity: 65_536)
    var guests: [Guest] = []
    func open(_ count: Int) {
        for _ in 0..<count {
            let guest = FetchProbe.open(address, reactor, connector, context, scratch)
            guests.append(guest)
            _ = drive(reactor) { guest.isAnswered }
        }
    }
    // What is made once, and the allocator's own slack.
    open(50)
    let before = ProcessFacts.residentKiB
    open(count)
    let each = (ProcessFacts.residentKiB - before) * 1_024 / count
    print("answered \(guests.count { $0.isAnswered }), threads \(ProcessFacts.threads)")
    print("bytes each: \(each)")
    for guest in guests { guest.stream?.close() }
    reactor.stop()
}

/// So many connections opened, used and closed in memory, full handshakes and resumed ones: how
/// much larger the process is afterwards.
func probeTLSMemory(_ count: Int) throws {
    let trusted = Trusted()
    var configuration = trusted.configuration
    // Full long before the warm-up is over.
    configuration.keptSessions = 100
    let context = try TLSContext(configuration)
    let server = TestTLSServer(.init(trusted.certificate))
    let (input, output) = (ByteBuffer(capacity: 65_536), ByteBuffer(capacity: 65_536))
    let plaintext = ByteBuffer(capacity: 65_536)
    func visit(_ number: Int) throws {
        // Every tenth goes to an origin of its own: the cache turns over, the handshake is full.
        let port = UInt16(number % 10 == 0 ? number % 60_000 : 443)
        let client = try TLSSession(
            context, host: "good.test", port: port, now: Int64(time(nil)))
        let peer = TestTLSConnection(server)
        while client.handshake(from: input, to: output) == .needsInput {
            peer.receive([UInt8](output.takeBytes(output.readableCount)))
            input.append(peer.takeOutput())
        }
        peer.receive([UInt8](output.takeBytes(output.readableCount)))
        peer.send([1, 2, 3])
        if number % 3 == 0 { peer.sendCloseNotify() }
        input.append(peer.takeOutput())
        _ = client.read(from: input, into: plaintext, atMost: 100, answeringIn: output)
        if plaintext.readableCount != 3 { print("connection \(number) read nothing") }
        if number % 2 == 0 { client.close(to: output) }
        for buffer in [input, output, plaintext] { buffer.removeAll() }
    }
    let warmUp = max(1, count / 5)
    for number in 0..<warmUp { try visit(number) }
    let before = ProcessFacts.residentKiB
    for number in warmUp..<count { try visit(number) }
    let grown = ProcessFacts.residentKiB - before
    print("accepted \(server.accepted), resumed most: \(server.resumed > server.accepted / 2)")
    print("kept: \(context.keptSessions)")
    print("grown KiB: \(grown)")
}

/// So many connections that rest while tickets reach them: what that leaves in each, as malloc
/// counts it.
func probeTLSTickets(_ count: Int) throws {
    let trusted = Trusted()
    var configuration = trusted.configuration
    // What a ticket is kept for is not what is weighed here.
    configuration.keptSessions = 1
    let context = try TLSContext(configuration)
    let server = TestTLSServer(.init(trusted.certificate))
    let (input, output) = (ByteBuffer(capacity: 65_536), ByteBuffer(capacity: 65_536))
    var guests: [(client: TLSSession, peer: TestTLSConnection, tickets: [UInt8])] = []
    for _ in 0..<count {
        let client = try TLSSession(context, host: "good.test", port: 443, now: Int64(time(nil)))
        let peer = TestTLSConnection(server)
        while client.handshake(from: input, to: output) == .needsInput {
            peer.receive([UInt8](output.takeBytes(output.readableCount)))
            input.append(peer.takeOutput())
        }
        // The server's tickets follow the client's last message, and are held back.
        peer.receive([UInt8](output.takeBytes(output.readableCount)))
        guests.append((client, peer, peer.takeOutput()))
        input.removeAll()
    }
    let before = fetch_allocated_bytes()
    var quiet = 0
    for guest in guests {
        input.append(guest.tickets)
        if guest.client.isQuiet(behind: input, answeringIn: output) { quiet += 1 }
        input.removeAll()
    }
    let grown = Int(fetch_allocated_bytes()) - Int(before)
    print("tickets of \(guests.count { !$0.tickets.isEmpty }), quiet \(quiet)")
    print("kept: \(context.keptSessions)")
    print("bytes each: \(grown / count)")
}
