// TLS on virtual time: over the simulated network in any weather, and under its owner's clock.

import FetchBytes
import FetchReactor
import FetchTLS
import FetchTime
import FetchTransport
import Glibc
import TestSupport
import Testing

private let address = SocketAddress.loopback(port: 443)

/// The server's end of a simulated connection: echoes what it decrypts, then says goodbye.
private final class EchoServer: ByteStreamHandler {
    private let peer: TestTLSConnection
    private let stream: any ByteStream
    private let outbox = ByteBuffer(capacity: 65_536)
    private let inbox = ByteBuffer(capacity: 65_536)
    private var left: Int

    init(_ server: TestTLSServer, _ stream: any ByteStream, echoes count: Int) {
        peer = TestTLSConnection(server)
        self.stream = stream
        left = count
        stream.handler = self
    }

    func streamConnected() {}
    func streamFailed(_ failure: ConnectFailure) {}

    func streamReady(_ readiness: Readiness) {
        while case .bytes = stream.read(into: inbox, atMost: 65_536) {
            peer.receive([UInt8](inbox.takeBytes(inbox.readableCount)))
        }
        let bytes = peer.takeReceived()
        peer.send(bytes)
        left -= bytes.count
        if left == 0, !bytes.isEmpty { peer.sendCloseNotify() }
        outbox.append(peer.takeOutput())
        if !outbox.isEmpty { _ = stream.write(outbox) }
        stream.setWriting(!outbox.isEmpty)
        if peer.hasEnded || (readiness.contains(.readClosed) && inbox.isEmpty) { stream.close() }
    }
}

/// The client: connects, secures on a clock of ten seconds, writes all and reads it back.
private final class Client: ByteStreamHandler, HandshakeHandler, TimerHandler {
    let reactor: Reactor
    let connector: TLSConnector
    let network: any Network
    let context: TLSContext
    let body: Bytes
    var below: (any ByteStream)?
    var stream: TLSStream?
    var timer: TimerID?
    var connectedAt: Instant?
    var timedOutAt: Instant?
    var failure: HandshakeFailure?
    var connectFailure: ConnectFailure?
    var sent = 0
    var received: [UInt8] = []
    var isTruncated = false
    var readFailed = false
    var isDone = false

    init(_ reactor: Reactor, _ network: any Network, sending body: [UInt8]) throws {
        self.reactor = reactor
        connector = TLSConnector(on: reactor)
        context = try connector.context(GivenTLS.configuration)
        self.network = network
        self.body = Bytes(body)
    }

    func begin() { below = network.connect(to: address, handler: self) }

    func streamConnected() {
        guard let below else { return }
        connectedAt = reactor.now
        timer = reactor.schedule(self, at: reactor.now + .seconds(10))
        stream = connector.secure(
            below, with: context, host: "good.test", port: 443, handler: self)
    }

    func streamFailed(_ failure: ConnectFailure) {
        connectFailure = failure
        end()
    }

    func timerFired(_ token: Int) {
        timer = nil
        timedOutAt = reactor.now
        end()
    }

    func handshakeFailed(_ failure: HandshakeFailure) {
        self.failure = failure
        end()
    }

    func handshakeDone(_ stream: TLSStream) {
        if let timer { reactor.cancel(timer) }
        timer = nil
        stream.handler = self
        write()
    }

    func streamReady(_ readiness: Readiness) {
        if readiness.contains(.writable) { write() }
        let buffer = ByteBuffer(capacity: 4_096)
        while let stream {
            let outcome = stream.read(into: buffer, atMost: 4_096)
            if case .wouldBlock = outcome { break }
            received += [UInt8](buffer.takeBytes(buffer.readableCount))
            guard case .bytes = outcome else {
                isTruncated = stream.tls?.isTruncated ?? false
                readFailed = outcome != .end
                end()
                return
            }
        }
    }

    private func write() {
        guard let stream, case .taken(let count) = stream.write(body, from: sent) else { return }
        sent += count
        stream.setWriting(sent < body.count)
    }

    private func end() {
        if let timer { reactor.cancel(timer) }
        timer = nil
        isDone = true
        stream?.close()
        below?.close()
        stream = nil
    }
}

private func setRealTime(_ reactor: Reactor) {
    reactor.virtualClock?.setWall(Timestamp(seconds: Int64(time(nil))))
}

private struct Told: Sendable {
    var received: [UInt8] = []
    var isTruncated = false
    /// The connection, its handshake or a read failed.
    var hasFailed = false
    var isOver = false
    var failure: HandshakeFailure?
    var secondsToTimeout: Double?
    var openLeft = 0
}

private struct Scene {
    let network: SimulatedNetwork
    let client: Client
    /// Its connections find it by a pointer: it outlives them.
    let server: TestTLSServer
}

/// Plays one seed; `serve` false accepts connections and says nothing.
private func play(
    seed: UInt64, _ weather: Weather, body: [UInt8], serve: Bool = true
) async throws -> Told {
    try await simulate { reactor in
        setRealTime(reactor)
        let network = SimulatedNetwork(on: reactor, seed: seed, weather: weather)
        let server = TestTLSServer(.init(GivenTLS.certificate))
        network.listen(at: address) { stream in
            // The stream keeps its handler, and the network the stream.
            if serve {
                _ = EchoServer(server, stream, echoes: body.count)
            } else {
                stream.setReading(false)
            }
        }
        let client = try Client(reactor, network, sending: body)
        client.begin()
        return Scene(network: network, client: client, server: server)
    } until: { (scene: Scene) in
        scene.client.isDone
    } then: { scene in
        let (network, client) = (scene.network, scene.client)
        defer { network.stop() }
        var told = Told(
            received: client.received, isTruncated: client.isTruncated,
            hasFailed: client.readFailed || client.failure != nil || client.connectFailure != nil,
            isOver: client.isDone,
            failure: client.failure, openLeft: network.openInAll)
        if let end = client.timedOutAt, let start = client.connectedAt {
            told.secondsToTimeout = Double(end.nanoseconds(since: start)) / 1e9
        }
        return told
    }
}

@Suite struct TLSSimulationTests {
    @Test(arguments: 1...25)
    func `bytes come back whole over a network that splits and delays`(seed: UInt64) async throws {
        let body = pattern(100_000)
        let told = try await play(seed: seed, Weather(), body: body)
        #expect(told.isOver)
        #expect(told.received == body)
        #expect(!told.isTruncated)
        #expect(told.failure == nil)
        #expect(told.openLeft == 0)
    }

    @Test(arguments: 1...100)
    func `in a storm a stream ends once, and never passes a cut off as an end`(
        seed: UInt64
    ) async throws {
        var weather = Weather.storm
        weather.blackHole = 0
        weather.loss = 0
        let body = pattern(20_000)
        let told = try await play(seed: seed, weather, body: body)
        #expect(told.isOver)
        #expect(told.received == Array(body.prefix(told.received.count)))
        #expect(told.openLeft == 0)
        // The server says goodbye behind the last byte only.
        #expect(told.isTruncated || told.hasFailed || told.received.count == body.count)
    }

    @Test func `a server that accepts and says nothing is left when the owner's clock runs out`()
        async throws
    {
        let told = try await play(seed: 1, .still, body: [1], serve: false)
        #expect(told.isOver)
        let seconds = try #require(told.secondsToTimeout)
        #expect(seconds >= 10 && seconds <= 10.002)
        #expect(told.failure == nil)
        #expect(told.openLeft == 0)
    }
}
