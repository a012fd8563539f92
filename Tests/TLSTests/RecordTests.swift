// Plaintext and ciphertext after the handshake: sizes, pieces, answers, ends.

import FetchBytes
import FetchTLS
import TestSupport
import Testing

private func open(version: Int = 13) throws -> Stage {
    var settings = TestTLSServer.Settings(Given.good)
    settings.newestVersion = version
    let stage = try Stage(Given.configuration, settings)
    #expect(stage.shakeHands() == .done)
    return stage
}

private func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

@Suite struct RecordTests {
    @Test(arguments: [12, 13], [0, 1, 16_383, 16_384, 16_385, 1_000_000])
    func `any number of bytes goes both ways`(version: Int, count: Int) throws {
        let stage = try open(version: version)
        let bytes = pattern(count)
        #expect(stage.write(bytes) == .taken(count))
        #expect(stage.peer.takeReceived() == bytes)
        stage.peer.send(bytes)
        #expect(stage.readAll() == (.needsInput, bytes))
    }

    @Test func `a large write is few records`() throws {
        let stage = try open()
        let bytes = pattern(1 << 20)
        let step = bytes.withUnsafeBytes { stage.client.write($0, to: stage.output) }
        #expect(step == .taken(1 << 20))
        // 64 records of 16 KiB, each with a header of 5, a type of 1 and a tag of 16.
        #expect(stage.output.readableCount == 1 << 20 + 64 * 22)
    }

    @Test func `a read takes at most what it is allowed, and keeps the rest`() throws {
        let stage = try open()
        let bytes = pattern(50_000)
        stage.peer.send(bytes)
        stage.carryToClient()
        var seen: [UInt8] = []
        while seen.count < bytes.count {
            let step = stage.client.read(
                from: stage.input, into: stage.plaintext, atMost: 777, answeringIn: stage.output)
            guard case .bytes(let count) = step else {
                Issue.record("\(step)")
                return
            }
            #expect(count <= 777)
            #expect(
                seen.count + count == bytes.count || stage.client.hasPlaintext
                    || !stage.input.isEmpty)
            seen += [UInt8](stage.plaintext.takeBytes(count))
        }
        #expect(seen == bytes)
        #expect(!stage.client.hasPlaintext)
    }

    @Test func `a part of a record is known as such`() throws {
        let stage = try open()
        _ = stage.readAll()
        #expect(!stage.client.holdsPartOfRecord)
        stage.peer.send([1, 2, 3])
        let record = stage.peer.takeOutput()
        for (index, byte) in record.enumerated() {
            stage.input.append(byte)
            let step = stage.client.read(
                from: stage.input, into: stage.plaintext, atMost: 100, answeringIn: stage.output)
            let isLast = index == record.count - 1
            #expect(step == (isLast ? .bytes(3) : .needsInput))
            #expect(stage.client.holdsPartOfRecord == !isLast, "after \(index + 1) bytes")
        }
    }

    @Test func `new keys are answered, and nothing is lost`() throws {
        let stage = try open()
        _ = stage.readAll()
        stage.peer.updateKeys()
        stage.peer.send([1, 2, 3])
        #expect(stage.readAll() == (.needsInput, [1, 2, 3]))
        // The answer goes before the next write.
        stage.write([4, 5])
        #expect(stage.peer.takeReceived() == [4, 5])
        #expect(stage.peer.failure == nil)
    }

    @Test func `a changed byte is a failure`() throws {
        let stage = try open()
        _ = stage.readAll()
        stage.peer.send(pattern(100))
        var record = stage.peer.takeOutput()
        record[50] ^= 1
        stage.input.append(record)
        let step = stage.client.read(
            from: stage.input, into: stage.plaintext, atMost: 1_000, answeringIn: stage.output)
        guard case .failed(.other) = step else {
            Issue.record("\(step)")
            return
        }
        // The server is told by an alert.
        stage.carryToServer()
        #expect(stage.peer.failure != nil)
    }
}

@Suite struct EndTests {
    @Test(arguments: [12, 13])
    func `close_notify is an orderly end`(version: Int) throws {
        let stage = try open(version: version)
        stage.peer.send([7])
        stage.peer.sendCloseNotify()
        #expect(stage.readAll() == (.end, [7]))
        #expect(stage.client.state == .ended)
        stage.client.inputEnded()
        #expect(!stage.client.isTruncated)
        #expect(stage.client.failure == nil)
    }

    @Test func `an end without close_notify is a truncation`() throws {
        let stage = try open()
        stage.peer.send([7])
        #expect(stage.readAll() == (.needsInput, [7]))
        stage.client.inputEnded()
        #expect(stage.client.isTruncated)
        // A fact, and no failure: whether content is missing is for its framing to say.
        #expect(stage.client.failure == nil)
    }

    @Test func `close_notify is sent once, and not before the handshake is done`() throws {
        let stage = try Stage()
        stage.client.close(to: stage.output)
        #expect(stage.output.isEmpty)
        #expect(stage.shakeHands() == .done)
        stage.client.close(to: stage.output)
        let count = stage.output.readableCount
        #expect(count > 0)
        stage.client.close(to: stage.output)
        #expect(stage.output.readableCount == count)
        stage.carryToServer()
        #expect(stage.peer.hasEnded)
        #expect(stage.peer.failure == nil)
    }

    @Test func `an alert in the middle is the server's reason`() throws {
        let stage = try open()
        // Garbage from us makes the server say bad_record_mac or the like.
        stage.peer.receive([23, 3, 3, 0, 40] + pattern(40))
        guard case .failed(.alertReceived) = stage.readAll().0 else {
            Issue.record("no alert")
            return
        }
    }
}
