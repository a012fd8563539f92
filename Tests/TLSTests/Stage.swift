// A client's session and a server in one thread, and what carries bytes between them.

import FetchBytes
import FetchTLS
import Glibc
import TestSupport

/// The real time, which certificates are made by.
func secondsNow() -> Int64 {
    Int64(Duration.sinceEpoch.components.seconds)
}

/// One authority and one good server certificate for all tests: making keys takes time.
enum Given {
    static let authority = TestCertificate.authority()
    static let good = TestCertificate.make(
        .init("good.test", hosts: ["DNS:good.test", "DNS:*.wild.test", "IP:127.0.0.1", "IP:::1"]),
        by: authority)
    static let client = TestCertificate.make(.init("a client"), by: authority)

    /// Trusts the authority and nobody else.
    static var configuration: TLSConfiguration {
        var configuration = TLSConfiguration()
        configuration.trust = .pem(Bytes(authority.certificatePEM))
        return configuration
    }
}

/// A client and a server with a wire between them that a test can pull at.
final class Stage {
    let context: TLSContext
    let server: TestTLSServer
    private(set) var client: TLSSession
    private(set) var peer: TestTLSConnection
    let input = ByteBuffer(capacity: 65_536)
    let output = ByteBuffer(capacity: 65_536)
    let plaintext = ByteBuffer(capacity: 65_536)
    let host: String

    init(
        _ configuration: TLSConfiguration = Given.configuration,
        _ settings: TestTLSServer.Settings = .init(Given.good), host: String = "good.test",
        now: Int64 = secondsNow(), environment: TLSEnvironment = .ofProcess
    ) throws {
        context = try TLSContext(configuration, environment: environment)
        server = TestTLSServer(settings)
        self.host = host
        client = try TLSSession(context, host: host, port: 443, now: now)
        peer = TestTLSConnection(server)
    }

    /// Another connection between the same two.
    func reconnect(host: String? = nil, port: UInt16 = 443, now: Int64 = secondsNow()) throws {
        client = try TLSSession(context, host: host ?? self.host, port: port, now: now)
        peer = TestTLSConnection(server)
        input.removeAll()
        output.removeAll()
        plaintext.removeAll()
    }

    /// The present client will speak to another server.
    func meet(_ other: TestTLSServer) {
        peer = TestTLSConnection(other)
    }

    /// What the client has to say goes to the server, and back, until both are silent. `piece` is
    /// how many bytes the client gets to see at once.
    @discardableResult
    func shakeHands(piece: Int = .max) -> HandshakeStep {
        var step = client.handshake(from: input, to: output)
        while true {
            carryToServer()
            let bytes = peer.takeOutput()
            if bytes.isEmpty { return step }
            for start in stride(from: 0, to: bytes.count, by: min(piece, bytes.count)) {
                let end = bytes.count - start > piece ? start + piece : bytes.count
                input.append(Array(bytes[start..<end]))
                step = client.handshake(from: input, to: output)
            }
        }
    }

    func carryToServer() {
        let bytes = [UInt8](output.takeBytes(output.readableCount))
        if !bytes.isEmpty { peer.receive(bytes) }
    }

    func carryToClient() {
        input.append(peer.takeOutput())
    }

    /// Reads everything that is there; how it ended, and what came.
    func readAll(atMost: Int = 65_536) -> (PlaintextStep, [UInt8]) {
        carryToClient()
        while true {
            let step = client.read(
                from: input, into: plaintext, atMost: atMost, answeringIn: output)
            guard case .bytes = step else {
                return (step, [UInt8](plaintext.takeBytes(plaintext.readableCount)))
            }
        }
    }

    @discardableResult
    func write(_ bytes: [UInt8]) -> EncryptStep {
        let step = bytes.withUnsafeBytes { client.write($0, to: output) }
        carryToServer()
        return step
    }
}

extension Duration {
    /// The wall clock.
    fileprivate static var sinceEpoch: Duration {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return .seconds(time.tv_sec)
    }
}
