// The simulated network by itself: it replays, it keeps TCP's promises, and its misfortunes are
// TCP's.

import FetchBytes
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// A client's end that writes a body and reads whatever comes.
private final class Talker: ByteStreamHandler {
    var stream: (any ByteStream)?
    var failure: ConnectFailure?
    let toSend: Bytes
    var sent = 0
    var answer: [UInt8] = []
    var ended: ReadOutcome?

    init(_ request: String) {
        toSend = Bytes(request)
    }

    func streamConnected() {
        send()
    }

    func streamFailed(_ failure: ConnectFailure) {
        self.failure = failure
        stream?.close()
    }

    func streamReady(_ readiness: Readiness) {
        if readiness.contains(.writable) { send() }
        let buffer = ByteBuffer(capacity: 4_096)
        while ended == nil {
            let outcome = stream?.read(into: buffer, atMost: 4_096)
            switch outcome {
            case .bytes:
                answer.append(contentsOf: buffer.takeBytes(buffer.readableCount))
            case .end, .failed:
                ended = outcome
                stream?.close()
            case .wouldBlock, nil:
                return
            }
        }
    }

    private func send() {
        while sent < toSend.count {
            guard case .taken(let count) = stream?.write(toSend, from: sent) else { return }
            sent += count
            stream?.setWriting(count == 0)
            if count == 0 { return }
        }
        stream?.setWriting(false)
    }
}

private let address = SocketAddress.loopback(port: 80)

/// Talkers and an origin on one network.
private final class Scene {
    let network: SimulatedNetwork
    let origin: ScriptedOrigin
    let talkers: [Talker]

    init(
        _ reactor: Reactor, seed: UInt64, _ weather: Weather, _ requests: [String], _ script: Script
    ) {
        network = SimulatedNetwork(on: reactor, seed: seed, weather: weather)
        origin = ScriptedOrigin(on: reactor, script)
        network.listen(at: address, origin)
        talkers = requests.map { Talker($0) }
        for talker in talkers { talker.stream = network.connect(to: address, handler: talker) }
    }

    /// The origin first: its connections and it hold each other until they end.
    func end() {
        origin.stop()
        network.stop()
    }
}

private func post(_ body: String, close: Bool = true) -> String {
    "POST /echo HTTP/1.1\r\nHost: a\r\n\(close ? "Connection: close\r\n" : "")"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

private struct Told: Equatable, Sendable {
    var trace: Trace
    var answers: [[UInt8]]
}

private func history(
    seed: UInt64, _ weather: Weather, _ requests: [String], _ script: Script
) async throws -> Told {
    try await simulate { reactor in
        Scene(reactor, seed: seed, weather, requests, script)
    } until: { _ in
        false
    } then: { scene in
        let told = Told(trace: scene.network.trace, answers: scene.talkers.map { $0.answer })
        scene.end()
        return told
    }
}

@Suite struct SimulatedNetworkTests {
    @Test(arguments: [1, 2, 3, 77, 1_000] as [UInt64])
    func `the same seed tells the same history twice`(seed: UInt64) async throws {
        let requests = (0..<20).map { post(String(repeating: "\($0) ", count: 900)) }
        let one = try await history(seed: seed, .storm, requests, .always(.echo))
        let two = try await history(seed: seed, .storm, requests, .always(.echo))
        #expect(one == two)
        #expect(one.trace.count > 100)
        let other = try await history(seed: seed + 1, .storm, requests, .always(.echo))
        #expect(other.trace != one.trace)
    }

    @Test(arguments: Array(1...40) as [UInt64])
    func `whatever is split and delayed, bytes arrive whole and in order`(
        seed: UInt64
    ) async throws {
        let body = String(repeating: "0123456789", count: 5_000)
        let script = Script { request in
            [.respond(200, body: Bytes(request.body)), .close]
        }
        let told = try await history(seed: seed, Weather(), [post(body)], script)
        let text = String(Bytes(told.answers[0]))
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.hasSuffix("\r\n\r\n" + body))
    }

    @Test func `nobody listening is a refusal`() async throws {
        let failure = try await simulate { reactor in
            let network = SimulatedNetwork(on: reactor, seed: 1)
            let talker = Talker("")
            talker.stream = network.connect(to: address, handler: talker)
            return (network, talker)
        } until: { _ in
            false
        } then: { scene in
            defer { scene.0.stop() }
            #expect(scene.0.openInAll == 0)
            return scene.1.failure
        }
        #expect(failure == .refused)
    }

    @Test func `a black hole says nothing`() async throws {
        var weather = Weather()
        weather.blackHole = 1
        let heard = try await simulate { [weather] reactor in
            Scene(reactor, seed: 1, weather, [post("x")], .always(.echo))
        } until: { _ in
            false
        } then: { scene in
            defer { scene.end() }
            #expect(scene.network.openInAll == 1)
            return scene.talkers[0].failure != nil || scene.talkers[0].ended != nil
        }
        #expect(!heard)
    }

    @Test func `an origin's reset is a reset here, after what came before it`() async throws {
        let script = Script.always(.head(200, fields: [("Content-Length", "9")]), .reset)
        let ended = try await simulate { reactor in
            Scene(reactor, seed: 5, .still, [post("x")], script)
        } until: { _ in
            false
        } then: { scene in
            defer { scene.end() }
            #expect(String(Bytes(scene.talkers[0].answer)).hasPrefix("HTTP/1.1 200"))
            return scene.talkers[0].ended
        }
        guard case .failed(let error) = ended else {
            Issue.record("ended by \(String(describing: ended))")
            return
        }
        #expect("\(error)".contains("reset"))
    }

    @Test func `a reader that stops fills the window and nothing is lost`() async throws {
        let body = String(repeating: "x", count: 300_000)
        let script = Script.atHead { _ in
            [.stopReading, .delay(.seconds(60)), .resumeReading, .swallow, .tally]
        }
        let result = try await simulate { reactor in
            let scene = Scene(reactor, seed: 3, Weather(), [post(body, close: false)], script)
            return (scene, reactor.now, reactor)
        } until: { scene in
            !scene.0.talkers[0].answer.isEmpty
        } then: { scene in
            defer { scene.0.end() }
            #expect(scene.2.now - scene.1 >= .seconds(60))
            return scene.0.origin.seen.requests.first?.upload.bytes
        }
        #expect(result == 300_000)
    }
}
