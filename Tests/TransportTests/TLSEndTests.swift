// Ends of a TLS stream, and what an unused one may hear without being given up.

import FetchBytes
import FetchReactor
import FetchTLS
import FetchTransport
import Glibc
import TestSupport
import Testing

@Suite struct TLSEndTests {
    @Test func `close_notify is an end, told behind the bytes before it`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            stage.peer.send(Array("last".utf8))
            stage.peer.sendCloseNotify()
            var ends: [ReadOutcome] = []
            var seen: [UInt8] = []
            stage.notes.whenReady = { stream, _ in
                let (bytes, outcome) = readAll(stream)
                seen += bytes
                ends.append(outcome)
                if outcome == .end { stream.close() }
            }
            stage.settle()
            #expect(seen == Array("last".utf8))
            #expect(ends == [.end])
            #expect(stage.begun?.tls?.isTruncated == false)
        }
    }

    @Test func `an end below without close_notify reads as an end that is known to be a cut`()
        async throws
    {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            stage.peer.send(Array("cut".utf8))
            stage.below.send(stage.peer.takeOutput())
            stage.below.end()
            #expect(readAll(stream) == (Array("cut".utf8), .end))
            #expect(stream.tls?.isTruncated == true)
        }
    }

    @Test func `an end within a record is a cut too`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            var found: [ReadOutcome] = []
            stage.notes.whenReady = { stream, _ in
                found.append(readAll(stream).1)
                if found.last == .end { stream.close() }
            }
            stage.peer.send(Array("cut".utf8))
            stage.below.send(Array(stage.peer.takeOutput().dropLast(5)))
            stage.below.end()
            stage.settle()
            #expect(found == [.wouldBlock, .end])
            #expect(stage.begun?.tls?.isTruncated == true)
        }
    }

    @Test func `damage and alerts are failures whose facts are known`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            stage.peer.send(pattern(100))
            var record = stage.peer.takeOutput()
            record[40] ^= 1
            stage.below.send(record)
            #expect(readAll(stream) == ([], .failed(.failed(.receive, errno: EPROTO))))
            guard case .other = stream.tls?.failure else {
                Issue.record("\(String(describing: stream.tls?.failure))")
                return
            }
            #expect(
                stream.write(Bytes("x"), from: 0) == .failed(.failed(.send, errno: EPROTO)))
        }
    }

    @Test func `close says goodbye once, when it can go at once`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            stream.close()
            stream.close()
            #expect(stage.below.isClosed)
            stage.peer.receive(stage.below.takeWrittenBytes())
            #expect(stage.peer.hasEnded)
            #expect(readAll(stream) == ([], .end))
            #expect(
                stream.write(Bytes("x"), from: 0) == .failed(.failed(.send, errno: ENOTCONN)))
            let narrow = try TLSStage.open()
            defer { narrow.end() }
            let blocked = try #require(narrow.notes.stream)
            narrow.below.room = 10
            #expect(blocked.write(Bytes("x"), from: 0) == .taken(1))
            blocked.close()
            #expect(narrow.below.isClosed)
            #expect(narrow.below.takeWrittenBytes().count == 10)
        }
    }

    @Test func `reset says nothing`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let before = stage.below.writtenCount
            stage.notes.stream?.reset()
            #expect(stage.below.wasReset)
            #expect(stage.below.writtenCount == before)
        }
    }

    @Test func `nothing is told after close`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let buffer = ByteBuffer(capacity: 10)
            // A telling of the stream's own is due when it is closed.
            stage.notes.whenReady = { stream, _ in
                _ = stream.read(into: buffer, atMost: 1)
                stream.close()
            }
            stage.peer.send(pattern(1_000))
            stage.settle()
            #expect(stage.notes.told.count == 1)
        }
    }
}

@Suite struct TLSQuietTests {
    /// Whether an unused stream is quiet after `happens`.
    private func isQuiet(
        _ happens: @escaping @Sendable (TLSStage) -> Void
    ) async throws -> Bool {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            #expect(stream.isQuiet())
            happens(stage)
            let outcome = stream.isQuiet()
            // Asking twice finds the same.
            #expect(stream.isQuiet() == outcome)
            return outcome
        }
    }

    @Test func `tickets are no reason to give a connection up, and they are kept`() async throws {
        let quiet = try await isQuiet { stage in
            for _ in 0..<3 { stage.peer.sendTicket() }
            stage.below.send(stage.peer.takeOutput())
        }
        #expect(quiet)
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let before = try stage.connector.context(GivenTLS.configuration).keptSessions
            stage.peer.sendTicket()
            stage.below.send(stage.peer.takeOutput())
            #expect(stage.notes.stream?.isQuiet() == true)
            let after = try stage.connector.context(GivenTLS.configuration).keptSessions
            #expect(after == before + 1)
        }
    }

    @Test func `a byte that nobody asked for is one`() async throws {
        let quiet = try await isQuiet { stage in
            stage.peer.sendTicket()
            stage.peer.send([1])
            stage.below.send(stage.peer.takeOutput())
        }
        #expect(!quiet)
    }

    @Test func `a part of a record is one, since nobody knows what it holds`() async throws {
        for length in [1, 4, 5, 6, 20] {
            let quiet = try await isQuiet { stage in
                stage.peer.send([1])
                stage.below.send(Array(stage.peer.takeOutput().prefix(length)))
            }
            #expect(!quiet, "\(length) bytes")
        }
    }

    @Test func `close_notify, an end, a reset and damage are each one`() async throws {
        #expect(
            try await !isQuiet { stage in
                stage.peer.sendCloseNotify()
                stage.below.send(stage.peer.takeOutput())
            })
        #expect(try await !isQuiet { $0.below.end() })
        #expect(try await !isQuiet { $0.below.fail() })
        #expect(try await !isQuiet { $0.below.send(pattern(40)) })
    }

    @Test func `what was found is still there to be read`() async throws {
        try await onThreadOfItsOwn {
            let stage = try TLSStage.open()
            defer { stage.end() }
            let stream = try #require(stage.notes.stream)
            stage.peer.send(Array("late".utf8))
            stage.below.send(stage.peer.takeOutput())
            #expect(!stream.isQuiet())
            #expect(readAll(stream).0 == Array("late".utf8))
            #expect(stream.isQuiet())
        }
    }
}
