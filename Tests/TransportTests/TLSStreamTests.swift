// The TLS stream as a byte stream: what it tells, reads, writes and ends. The network is memory, so
// that every piece, pause and end is the test's own.

import FetchBytes
import FetchReactor
import FetchTLS
import FetchTransport
import Glibc
import TestSupport
import Testing

@Suite struct TLSHandshakeTests {
    @Test(arguments: [1, 7, 1_000, Int.max])
    func `a handshake is told once, after the call that began it`(piece: Int) async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage()
            defer { stage.end() }
            stage.begin()
            #expect(stage.notes.outcomes == 0)
            stage.settle(piece: piece)
            #expect(stage.notes.outcomes == 1)
            #expect(stage.notes.stream?.tls?.versionName == "TLSv1.3")
            #expect(stage.notes.stream?.peer == .loopback(port: 443))
            #expect(stage.peer.isDone)
        }
    }

    @Test func `a request written at once leaves with the handshake's last message`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage()
            defer { stage.end() }
            stage.notes.whenDone = { stream in
                let before = stage.below.writtenCount
                #expect(stream.write(Bytes("GET /"), from: 0) == .taken(5))
                // Finished and the request, in one write to the stream below.
                #expect(stage.below.writes == 2)
                #expect(stage.below.writtenCount > before + 5)
            }
            stage.begin()
            stage.settle()
            #expect(stage.peer.takeReceived() == Array("GET /".utf8))
        }
    }

    @Test func `what the client does not trust is a failure, and the server hears why`()
        async throws
    {
        try await onThreadOfItsOwn {
            let stranger = TestCertificate.make(
                .init("good.test", hosts: ["DNS:good.test"]),
                by: TestCertificate.authority("Stranger"))
            let stage = try TLSStage(.init(stranger))
            defer { stage.end() }
            stage.begin()
            stage.settle()
            guard case .tls(.unknownAuthority) = stage.notes.failure else {
                Issue.record("\(String(describing: stage.notes.failure))")
                return
            }
            #expect(stage.notes.outcomes == 1)
            #expect(stage.below.isClosed)
            stage.peer.receive(stage.below.takeWrittenBytes())
            #expect(stage.peer.failure?.contains("unknown ca") == true)
        }
    }

    @Test func `an end, a reset and an impossible host are told once each`() async throws {
        try await onThreadOfItsOwn {
            let ended = try TLSStage()
            defer { ended.end() }
            ended.begin()
            ended.below.end()
            for _ in 0..<5 { ended.reactor.turn() }
            #expect(ended.notes.failure == .tls(.closedInHandshake))
            let reset = try TLSStage()
            defer { reset.end() }
            reset.begin()
            reset.below.fail()
            for _ in 0..<5 { reset.reactor.turn() }
            #expect(reset.notes.failure == .broken(.failed(.receive, errno: ECONNRESET)))
            let odd = try TLSStage()
            defer { odd.end() }
            odd.begin(host: "a b")
            #expect(odd.notes.outcomes == 0)
            for _ in 0..<5 { odd.reactor.turn() }
            #expect(odd.notes.failure == .tls(.wrongHost(expected: "a b", names: [])))
            #expect(odd.below.writtenCount == 0)
            for stage in [ended, reset, odd] {
                #expect(stage.notes.outcomes == 1)
                #expect(stage.below.isClosed)
            }
        }
    }

    @Test func `a stream below that takes nothing fails or waits, as it says`() async throws {
        try await onThreadOfItsOwn {
            let broken = try TLSStage()
            defer { broken.end() }
            broken.below.writeFailure = .failed(.send, errno: EPIPE)
            broken.begin()
            #expect(broken.notes.outcomes == 0)
            for _ in 0..<5 { broken.reactor.turn() }
            #expect(broken.notes.failure == .broken(.failed(.send, errno: EPIPE)))
            let narrow = try TLSStage()
            defer { narrow.end() }
            narrow.below.room = 0
            narrow.begin()
            for _ in 0..<2_000 where narrow.notes.stream == nil {
                narrow.below.grant(1)
                narrow.settle()
            }
            #expect(narrow.notes.stream != nil)
        }
    }

    @Test func `an abandoned handshake tells nothing`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage()
            defer { stage.end() }
            stage.begin()
            stage.begun?.close()
            #expect(stage.below.isClosed)
            stage.settle()
            #expect(stage.notes.outcomes == 0)
        }
    }

    @Test func `the second stream to a server takes up the first one's session`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            stage.notes.stream?.close()
            stage.reconnect()
            #expect(stage.notes.stream?.tls?.isResumed == true)
            #expect(stage.peer.isResumed)
        }
    }
}

@Suite struct TLSStreamTests {
    @Test(arguments: [1, 100, 16_384, 1_000_000])
    func `bytes go both ways, whatever the size of a read`(atMost: Int) async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let bytes = pattern(atMost == 1 ? 3_000 : 300_000)
            var seen: [UInt8] = []
            stage.notes.whenReady = { stream, _ in seen += readAll(stream, atMost: atMost).0 }
            stage.peer.send(bytes)
            stage.settle()
            #expect(seen == bytes)
            #expect(stage.notes.stream?.write(Bytes(bytes), from: 0) == .taken(bytes.count))
            stage.settle()
            #expect(stage.peer.takeReceived() == bytes)
        }
    }

    @Test func `what one read leaves is told again without news from below`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let bytes = pattern(100_000)
            let buffer = ByteBuffer(capacity: 1_000)
            var reads = 0
            // One read a telling, of less than a record.
            stage.notes.whenReady = { stream, _ in
                reads += 1
                _ = stream.read(into: buffer, atMost: 1_000)
            }
            stage.peer.send(bytes)
            stage.settle()
            #expect([UInt8](buffer.takeBytes(buffer.readableCount)) == bytes)
            #expect(reads >= 100)
        }
    }

    @Test func `nothing is told while reading is off, and what waits is told when it is on`()
        async throws
    {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            let buffer = ByteBuffer(capacity: 100)
            // The first read leaves the rest of a decrypted record behind.
            stage.notes.whenReady = { stream, _ in
                _ = stream.read(into: buffer, atMost: 10)
                stream.setReading(false)
            }
            stage.peer.send(pattern(1_000))
            stage.settle()
            #expect(buffer.readableCount == 10)
            #expect(stage.notes.told.count == 1)
            stream.setReading(true)
            #expect(stage.notes.told.count == 1)
            stage.settle()
            #expect(buffer.readableCount == 20)
            #expect(stage.notes.told.count == 2)
        }
    }

    @Test func `a telling of the stream's own reads nothing new from below`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let buffer = ByteBuffer(capacity: 100)
            stage.notes.whenReady = { stream, _ in _ = stream.read(into: buffer, atMost: 10) }
            stage.peer.send(pattern(30))
            let first = stage.peer.takeOutput()
            stage.peer.send(pattern(30))
            let second = stage.peer.takeOutput()
            stage.below.send(first)
            stage.reactor.turn()
            let (tellings, found) = (stage.notes.told.count, buffer.readableCount)
            #expect(tellings == 3 && found == 30)
            stage.below.send(second)
            stage.settle()
            #expect(buffer.readableCount == 60)
        }
    }

    @Test func `a stream below that takes a part holds writing up, and the rest follows`()
        async throws
    {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            let bytes = Bytes(pattern(500_000))
            stage.below.room = 100_000
            guard case .taken(let first) = stream.write(bytes, from: 0) else {
                Issue.record("nothing taken")
                return
            }
            // What the stream below took, and one batch more that waits.
            #expect((100_000 - 1_000...100_000 + 65_536).contains(first))
            #expect(stream.write(bytes, from: first) == .taken(0))
            var sent = first
            stage.notes.whenReady = { stream, readiness in
                guard readiness.contains(.writable), sent < bytes.count,
                    case .taken(let count) = stream.write(bytes, from: sent)
                else { return }
                sent += count
                if sent == bytes.count { stream.setWriting(false) }
            }
            stream.setWriting(true)
            stage.settle()
            #expect(sent == first)
            for _ in 0..<200 {
                stage.below.grant(7_000)
                stage.settle()
            }
            #expect(stage.peer.takeReceived() == [UInt8](bytes))
            #expect(!stage.below.isWriting)
        }
    }

    @Test func `writability is told to those who want it`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            stage.notes.whenReady = { stream, _ in stream.setWriting(false) }
            stage.settle()
            #expect(stage.notes.told.isEmpty)
            stream.setWriting(true)
            stage.settle()
            #expect(stage.notes.told == [.writable])
        }
    }

    @Test func `a write that fails before anything left is told so, a later one afterwards`()
        async throws
    {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            stage.below.writeFailure = .failed(.send, errno: EPIPE)
            let failed = WriteOutcome.failed(.failed(.send, errno: EPIPE))
            #expect(stream.write(Bytes("x"), from: 0) == failed)
            #expect(stream.write(Bytes("x"), from: 0) == failed)
            let other = try TLSStage.open()
            defer { other.end() }
            let second = try #require(other.notes.stream)
            other.below.room = 70_000
            let bytes = Bytes(pattern(200_000))
            guard case .taken(let count) = second.write(bytes, from: 0) else {
                Issue.record("a part left")
                return
            }
            #expect(count > 0 && count < bytes.count)
            var next: WriteOutcome?
            other.notes.whenReady = { stream, _ in
                next = stream.write(bytes, from: count)
                stream.close()
            }
            other.below.fail()
            other.settle()
            #expect(next == failed)
        }
    }
}
