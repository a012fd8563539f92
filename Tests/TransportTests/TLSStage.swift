// A TLS stream over a stream in memory, a server behind it, and a listener that takes notes.

import FetchBytes
import FetchReactor
import FetchTLS
import FetchTransport
import Glibc
import TestSupport
import Testing

enum GivenTLS {
    static let authority = TestCertificate.authority()
    static let certificate = TestCertificate.make(
        .init("good.test", hosts: ["DNS:good.test", "DNS:localhost", "IP:127.0.0.1"]),
        by: authority)

    static var configuration: TLSConfiguration {
        var configuration = TLSConfiguration()
        configuration.trust = .pem(Bytes(authority.certificatePEM))
        return configuration
    }
}

/// Takes down what a handshake and a stream tell.
final class TLSNotes: HandshakeHandler, ByteStreamHandler {
    var stream: TLSStream?
    var failure: HandshakeFailure?
    var outcomes = 0
    var told: [Readiness] = []
    /// Called within `handshakeDone`.
    var whenDone: (TLSStream) -> Void = { _ in }
    /// Called for each readiness; takes in what comes, such as tickets, unless told otherwise.
    var whenReady: (TLSStream, Readiness) -> Void = { stream, _ in readAll(stream) }

    func handshakeDone(_ stream: TLSStream) {
        self.stream = stream
        outcomes += 1
        stream.handler = self
        whenDone(stream)
    }

    func handshakeFailed(_ failure: HandshakeFailure) {
        self.failure = failure
        outcomes += 1
    }

    func streamConnected() {}
    func streamFailed(_ failure: ConnectFailure) {}
    func streamReady(_ readiness: Readiness) {
        told.append(readiness)
        if let stream { whenReady(stream, readiness) }
    }
}

/// An embedded reactor with a client on it; the network and the server are the test's own.
final class TLSStage {
    let reactor: Reactor
    let network: MemoryNetwork
    let connector: TLSConnector
    let server: TestTLSServer
    let notes = TLSNotes()
    private(set) var below: MemoryStream
    private(set) var peer: TestTLSConnection
    private(set) var begun: TLSStream?
    private let context: TLSContext

    private final class Nobody: ByteStreamHandler {
        func streamConnected() {}
        func streamFailed(_ failure: ConnectFailure) {}
        func streamReady(_ readiness: Readiness) {}
    }

    init(
        _ settings: TestTLSServer.Settings = .init(GivenTLS.certificate),
        _ configuration: TLSConfiguration = GivenTLS.configuration
    ) throws {
        reactor = try Reactor.embedded()
        network = MemoryNetwork(on: reactor)
        connector = TLSConnector(on: reactor)
        server = TestTLSServer(settings)
        context = try connector.context(configuration)
        below = TLSStage.connect(network, reactor)
        peer = TestTLSConnection(server)
    }

    private static func connect(_ network: MemoryNetwork, _ reactor: Reactor) -> MemoryStream {
        _ = network.connect(to: .loopback(port: 443), handler: Nobody())
        for _ in 0..<3 { reactor.turn() }
        return network.streams[network.streams.count - 1]
    }

    func begin(host: String = "good.test") {
        begun = connector.secure(below, with: context, host: host, port: 443, handler: notes)
    }

    /// Another connection, whose handshake goes through.
    func reconnect() {
        below = TLSStage.connect(network, reactor)
        peer = TestTLSConnection(server)
        notes.stream = nil
        begin()
        settle()
    }

    /// Carries bytes until both sides are silent; `piece` is how many the client gets at once.
    func settle(piece: Int = .max) {
        for _ in 0..<100_000 {
            let out = below.takeWrittenBytes()
            if !out.isEmpty { peer.receive(out) }
            let back = peer.takeOutput()
            for start in stride(from: 0, to: back.count, by: min(piece, max(1, back.count))) {
                let end = back.count - start > piece ? start + piece : back.count
                below.send(Array(back[start..<end]))
                reactor.turn()
            }
            if out.isEmpty, back.isEmpty, reactor.turn() == 0 { return }
        }
        Issue.record("it never settles")
    }

    /// Connected, tickets taken in.
    static func open(
        _ settings: TestTLSServer.Settings = .init(GivenTLS.certificate)
    ) throws -> TLSStage {
        let stage = try TLSStage(settings)
        stage.begin()
        stage.settle()
        #expect(stage.notes.stream != nil)
        stage.notes.told = []
        return stage
    }

    func end() {
        // What a test does within them mostly holds the stage.
        notes.whenDone = { _ in }
        notes.whenReady = { _, _ in }
        notes.stream?.close()
        begun?.close()
        reactor.stop()
    }
}
