// TCP streams against the kernel's loopback: each test drives an embedded reactor on a thread of
// its own.

import FetchBytes
import FetchReactor
import FetchTransport
import Glibc
import TestSupport
import Testing

/// Takes down what a stream tells.
private final class Listener: ByteStreamHandler {
    var isConnected = false
    var failure: ConnectFailure?
    var readiness: [Readiness] = []
    var whenReady: (Readiness) -> Void = { _ in }

    func streamConnected() { isConnected = true }
    func streamFailed(_ failure: ConnectFailure) { self.failure = failure }
    func streamReady(_ readiness: Readiness) {
        self.readiness.append(readiness)
        whenReady(readiness)
    }
}

/// Two ends of one loopback connection on one reactor.
private final class Pair {
    let reactor: Reactor
    let listener: TCPListener
    let near: any ByteStream
    var far: any ByteStream
    let nearHandler = Listener()
    let farHandler = Listener()

    init() throws {
        let reactor = try Reactor.embedded()
        final class Accepted { var stream: (any ByteStream)? }
        let accepted = Accepted()
        let listener = try TCPListener(on: .loopback(port: 0), reactor: reactor) {
            accepted.stream = $0
        }
        let handler = nearHandler
        near = TCPNetwork(reactor: reactor).connect(to: listener.address, handler: handler)
        guard drive(reactor, until: { accepted.stream != nil && handler.isConnected }),
            let stream = accepted.stream
        else { throw ServerError.didNotListen(program: "the listener", output: "") }
        far = stream
        self.reactor = reactor
        self.listener = listener
        far.handler = farHandler
    }

    func end() {
        // What a test does on readiness mostly holds the pair.
        nearHandler.whenReady = { _ in }
        farHandler.whenReady = { _ in }
        near.close()
        far.close()
        listener.close()
        reactor.stop()
    }
}

@Suite struct TCPStreamTests {
    @Test func `a connection is told after connect returned, and bytes go both ways`() async throws
    {
        let (there, back) = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            let buffer = ByteBuffer(capacity: 16)
            buffer.append(utf8: "there")
            #expect(pair.near.write(buffer) == .taken(5))
            #expect(buffer.isEmpty)
            _ = drive(pair.reactor) { !pair.farHandler.readiness.isEmpty }
            let there = readAll(pair.far)
            #expect(pair.far.write(Bytes("and back"), from: 4) == .taken(4))
            _ = drive(pair.reactor) { !pair.nearHandler.readiness.isEmpty }
            return (there, readAll(pair.near))
        }
        #expect(there == (Array("there".utf8), .wouldBlock))
        #expect(back == (Array("back".utf8), .wouldBlock))
    }

    @Test func `a refused connection is refused, and not before connect returned`() async throws {
        let port = try Loopback.freePort()
        let failure = try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            defer { reactor.stop() }
            let handler = Listener()
            let stream = TCPNetwork(reactor: reactor)
                .connect(to: .loopback(port: port), handler: handler)
            defer { stream.close() }
            #expect(handler.failure == nil)
            _ = drive(reactor) { handler.failure != nil }
            return handler.failure
        }
        #expect(failure == .refused)
    }

    @Test(arguments: ["255.255.255.255", "::ffff:0:0"])
    func `an address that cannot be connected to is a failure and no trap`(
        literal: String
    ) async throws {
        let address = try #require(SocketAddress(literal: literal, port: 9))
        let failure = try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            defer { reactor.stop() }
            let handler = Listener()
            let stream = TCPNetwork(reactor: reactor).connect(to: address, handler: handler)
            defer { stream.close() }
            #expect(handler.failure == nil)
            _ = drive(reactor) { handler.failure != nil }
            return handler.failure
        }
        #expect(failure != nil)
    }

    @Test func `a full socket takes a part and tells when there is room again`() async throws {
        let total = 16 * 1_048_576
        let (partial, received) = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            let body = Bytes([UInt8](repeating: 7, count: total))
            guard case .taken(let first) = pair.near.write(body, from: 0) else { return (0, 0) }
            var sent = first
            pair.nearHandler.whenReady = { readiness in
                guard readiness.contains(.writable), sent < total,
                    case .taken(let count) = pair.near.write(body, from: sent)
                else { return }
                sent += count
                if sent == total { pair.near.close() }
            }
            pair.near.setWriting(true)
            var received = 0
            var ended = false
            pair.farHandler.whenReady = { _ in
                let buffer = ByteBuffer(capacity: 65_536)
                while case .bytes(let count) = pair.far.read(into: buffer, atMost: 65_536) {
                    received += count
                    buffer.removeAll()
                }
                ended = received == total
            }
            _ = drive(pair.reactor) { ended }
            return (first, received)
        }
        #expect(partial > 0 && partial < total)
        #expect(received == total)
    }

    @Test func `reading that is off tells nothing until it is on`() async throws {
        let (before, after) = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            pair.far.setReading(false)
            _ = pair.near.write(Bytes("x"), from: 0)
            for _ in 0..<10 { pair.reactor.turn() }
            let before = pair.farHandler.readiness.count
            pair.far.setReading(true)
            _ = drive(pair.reactor) { !pair.farHandler.readiness.isEmpty }
            return (before, pair.farHandler.readiness.count)
        }
        #expect(before == 0)
        #expect(after > 0)
    }

    @Test func `an orderly end is an end after the bytes before it`() async throws {
        let result = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            _ = pair.far.write(Bytes("last"), from: 0)
            pair.far.close()
            _ = drive(pair.reactor) {
                pair.nearHandler.readiness.contains { $0.contains(.readClosed) }
            }
            return readAll(pair.near)
        }
        #expect(result == (Array("last".utf8), .end))
    }

    @Test func `a reset is a failed read and a failed write`() async throws {
        let (read, write) = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            pair.far.reset()
            _ = drive(pair.reactor) { !pair.nearHandler.readiness.isEmpty }
            return (readAll(pair.near).1, pair.near.write(Bytes("x"), from: 0))
        }
        #expect(read == .failed(.failed(.receive, errno: ECONNRESET)))
        #expect(write == .failed(.failed(.send, errno: EPIPE)))
    }

    @Test func `writes after a reset raise no signal`() async throws {
        // SIGPIPE's disposition is the default here; one signal would end the test process.
        let failures = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            pair.far.reset()
            _ = drive(pair.reactor) { !pair.nearHandler.readiness.isEmpty }
            var failures = 0
            for _ in 0..<1_000 {
                if case .failed = pair.near.write(Bytes("x"), from: 0) { failures += 1 }
            }
            return failures
        }
        #expect(failures == 1_000)
    }

    @Test func `after close nothing is told, and calls are harmless`() async throws {
        let told = try await onThreadOfItsOwn {
            let pair = try Pair()
            defer { pair.end() }
            _ = pair.far.write(Bytes("x"), from: 0)
            pair.near.close()
            pair.near.close()
            pair.near.reset()
            pair.near.setReading(true)
            pair.near.setWriting(true)
            #expect(pair.near.read(into: ByteBuffer(capacity: 1), atMost: 1) == .end)
            #expect(
                pair.near.write(Bytes("x"), from: 0) == .failed(.failed(.send, errno: ENOTCONN)))
            for _ in 0..<10 { pair.reactor.turn() }
            return pair.nearHandler.readiness.count
        }
        #expect(told == 0)
    }

    @Test func `closing while connecting tells nothing`() async throws {
        let port = try Loopback.freePort()
        let told = try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            defer { reactor.stop() }
            let handler = Listener()
            let network = TCPNetwork(reactor: reactor)
            network.connect(to: .loopback(port: port), handler: handler).close()
            for _ in 0..<10 { reactor.turn() }
            return handler.failure != nil || handler.isConnected
        }
        #expect(!told)
    }

    @Test func `a descriptor that cannot be watched is told as an error`() async throws {
        let told = try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            defer { reactor.stop() }
            // A regular file stands for whatever epoll refuses; the stream takes it over.
            // open reads the path during the call only.
            let file = unsafe open("/proc/self/status", O_RDONLY | O_CLOEXEC)
            let stream = TCPStream(adopting: file, peer: .loopback(port: 1), on: reactor)
            defer { stream.close() }
            let handler = Listener()
            stream.handler = handler
            _ = drive(reactor) { !handler.readiness.isEmpty || handler.failure != nil }
            return handler.readiness.contains { $0.contains(.error) } || handler.failure != nil
        }
        #expect(told)
    }

    @Test func `an IPv6 connection is one like any other`() async throws {
        let connected = try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            defer { reactor.stop() }
            let listener = try TCPListener(on: .loopbackV6(port: 0), reactor: reactor) {
                $0.close()
            }
            defer { listener.close() }
            let handler = Listener()
            let stream = TCPNetwork(reactor: reactor)
                .connect(to: listener.address, handler: handler)
            defer { stream.close() }
            _ = drive(reactor) { handler.isConnected || handler.failure != nil }
            return handler.isConnected
        }
        #expect(connected)
    }
}
