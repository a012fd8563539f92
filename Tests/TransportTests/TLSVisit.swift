// One visit to a real TLS server over TCP: connect, shake hands, ask, read to the end.

import FetchBytes
import FetchReactor
import FetchTLS
import FetchTransport
import TestSupport
import Testing

/// What a visit found.
struct TLSVisit: Sendable {
    var failure: HandshakeFailure?
    /// What a read or write found later.
    var later: TLSFailure?
    var answer = ""
    var isResumed = false
    var isTruncated = false
    var version = ""
    var applicationProtocol: String?
}

/// A client that visits servers one after the other and keeps its sessions.
final class TLSVisitor {
    private let reactor: Reactor
    private let connector: TLSConnector
    private let network: TCPNetwork
    let context: TLSContext

    init(_ configuration: TLSConfiguration) throws {
        reactor = try Reactor.embedded()
        connector = TLSConnector(on: reactor)
        network = TCPNetwork(reactor: reactor)
        context = try connector.context(configuration)
    }

    func end() { reactor.stop() }

    private final class Guest: ByteStreamHandler, HandshakeHandler {
        var below: (any ByteStream)?
        var stream: TLSStream?
        var secure: (any ByteStream) -> Void = { _ in }
        var visit = TLSVisit()
        var isDone = false
        let request: Bytes
        private let buffer = ByteBuffer(capacity: 65_536)

        init(_ request: Bytes) { self.request = request }

        func streamConnected() {
            if let below { secure(below) }
        }

        func streamFailed(_ failure: ConnectFailure) {
            Issue.record("\(failure)")
            isDone = true
        }

        func handshakeFailed(_ failure: HandshakeFailure) {
            visit.failure = failure
            isDone = true
        }

        func handshakeDone(_ stream: TLSStream) {
            self.stream = stream
            stream.handler = self
            #expect(stream.write(request, from: 0) == .taken(request.count))
        }

        func streamReady(_ readiness: Readiness) {
            guard let stream else { return }
            while true {
                switch stream.read(into: buffer, atMost: 65_536) {
                case .bytes: continue
                case .wouldBlock: return
                case .end, .failed: break
                }
                break
            }
            let answer = buffer.takeBytes(buffer.readableCount)
            visit.answer = String(answer)
            visit.later = stream.tls?.failure
            visit.isResumed = stream.tls?.isResumed ?? false
            visit.isTruncated = stream.tls?.isTruncated ?? false
            visit.version = stream.tls?.versionName ?? ""
            visit.applicationProtocol = stream.tls?.applicationProtocol
            stream.close()
            isDone = true
        }
    }

    /// Asks for `/` and reads until the server ends the connection.
    func visit(
        _ address: SocketAddress, host: String = "good.test", path: String = "/"
    ) -> TLSVisit {
        let request = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
        let guest = Guest(Bytes(request))
        guest.secure = { [connector, context] below in
            _ = connector.secure(
                below, with: context, host: host, port: address.port, handler: guest)
        }
        guest.below = network.connect(to: address, handler: guest)
        #expect(drive(reactor) { guest.isDone })
        guest.below?.close()
        guest.secure = { _ in }
        return guest.visit
    }
}

/// Visits once with a configuration of its own.
func visit(
    _ address: SocketAddress, host: String = "good.test",
    _ configuration: TLSConfiguration = GivenTLS.configuration
) async throws -> TLSVisit {
    try await onThreadOfItsOwn {
        let visitor = try TLSVisitor(configuration)
        defer { visitor.end() }
        return visitor.visit(address, host: host)
    }
}
