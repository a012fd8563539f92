// One request and one response: what is written, what is read, and what comes back when they cross
// (behaviours 10 to 12, RFC 9112).

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchReactor
import FetchTransport
import TestSupport
import Testing

struct ExchangeTests {
    @Test func `a request is written with its defaults`() throws {
        let world = try World()
        try world.call("http://10.0.0.1:8080/a?b=c", headers: [("X-One", "1")])
        #expect(
            world.streams[0].takeWritten()
                == "GET /a?b=c HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nUser-Agent: test\r\n"
                + "Accept: */*\r\nX-One: 1\r\n\r\n")
    }

    @Test(arguments: [1, 2, 7, 64, 4096])
    func `a response comes whole however it is split`(piece: Int) throws {
        let world = try World()
        let body = String(repeating: "0123456789", count: 300)
        let chunked =
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "bb8\r\n\(body)\r\n5;x=y\r\nabcde\r\n0\r\nX-Sum: 9\r\nX-End: yes\r\n\r\n"
        let call = try world.call()
        let bytes = [UInt8](chunked.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            world.streams[0].send([UInt8](bytes[start..<min(start + piece, bytes.count)]))
            world.run()
        }
        #expect(call.body == body + "abcde")
        #expect(call.response?.trailers?["x-sum"] == "9")
        #expect(call.response?.trailers?["X-End"] == "yes")
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        let next = try world.call()
        world.streams[0].send(ok)
        world.run()
        #expect(next.body == "ok")
    }

    @Test func `a body that ends with the connection is whole, and nothing is kept`() throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].send("HTTP/1.1 200 OK\r\n\r\nall of it")
        world.run()
        #expect(!call.isOver)
        world.streams[0].end()
        world.run()
        #expect(call.body == "all of it")
        world.expectBaseline()
    }

    @Test func `a body cut short is an error, and so is a reset`() throws {
        for (isReset, told) in [
            (false, "truncated(connection closed inside a response body), body"),
            (true, "broken during body, body"),
        ] {
            let world = try World()
            let call = try world.call()
            world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            if isReset { world.streams[0].fail() } else { world.streams[0].end() }
            world.run()
            #expect(call.told == told)
            world.expectBaseline()
        }
    }

    @Test func `what is not HTTP fails the call and closes the connection`() throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].send("SSH-2.0-OpenSSH_9.6\r\n")
        world.run()
        #expect(call.told == "malformed(invalid status line), first-byte")
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    // MARK: The cap on bodies

    @Test func `a declared length over the cap fails before the body is read`() throws {
        let world = try World()
        let call = try world.call(bodyLimit: 10)
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        world.run()
        #expect(call.told == "bodyTooLarge(10), body")
        #expect(world.streams[0].isClosed)
    }

    @Test(arguments: [10, 11])
    func `a short body is held against the cap too`(count: Int) throws {
        let world = try World()
        let call = try world.call(bodyLimit: 10)
        let body = String(repeating: "x", count: count)
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n\(body)")
        world.run()
        #expect(call.isOver)
        #expect(call.body == (count == 10 ? body : nil))
    }

    @Test(arguments: [1, 2, 3, 5, 100])
    func `a chunked body over the cap fails, however it is split`(piece: Int) throws {
        let world = try World()
        let call = try world.call(bodyLimit: 10)
        let bytes = [UInt8](
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n"
                + "8\r\n12345678\r\n0\r\n\r\n").utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            world.streams[0].send([UInt8](bytes[start..<min(start + piece, bytes.count)]))
            world.run()
        }
        #expect(call.told == "bodyTooLarge(10), body")
        world.expectBaseline()
    }

    @Test func `a body that ends with the connection is held against the cap`() throws {
        let world = try World()
        let call = try world.call(bodyLimit: 10)
        world.streams[0].send("HTTP/1.1 200 OK\r\n\r\n12345678")
        world.run()
        world.streams[0].send("9012")
        world.run()
        #expect(call.told == "bodyTooLarge(10), body")
    }

    // MARK: Writing

    @Test(arguments: [1, 100, 16 << 10, 100_000, 3_000_000])
    func `a body of bytes arrives whole, however little the peer takes`(count: Int) throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let call = try world.call(
            method: "PUT", content: .bytes(Bytes(bytes)), length: .known(count))
        let stream = world.streams[0]
        stream.room = 3
        stream.accept()
        world.run()
        var total = 0
        while stream.isWriting {
            stream.grant(1 + total * 3)
            total += 1 + total * 3
            world.run()
        }
        let headCount = stream.writtenCount - count
        #expect(Array(stream.written[headCount...]) == bytes)
        stream.send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
    }

    @Test func `a chunked upload carries its trailers`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        for piece in ["one", "", "three"] { pipe.value.push(Bytes(piece)) { _ in } }
        pipe.value.finish(trailers: try Headers([("X-Sum", "8")]))
        world.run()
        let written = world.streams[0].takeWritten()
        #expect(written.contains("Transfer-Encoding: chunked\r\n"))
        #expect(
            written.hasSuffix("\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\nX-Sum: 8\r\n\r\n"))
        world.streams[0].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
    }

    @Test func `trailers that are none fail the call, and the body is not ended`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        pipe.value.push(Bytes("some")) { _ in }
        world.run()
        pipe.value.finish(trailers: try Headers([("X-Sum", "8"), ("Transfer-Encoding", "5")]))
        world.run()
        #expect(
            call.told == "uploadTrailers(Transfer-Encoding can't be sent as a trailer), write")
        #expect(world.streams[0].takeWritten().hasSuffix("\r\n\r\n4\r\nsome\r\n"))
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test(arguments: [("four", 5), ("sixsix", 5)])
    func `an upload that is not as long as it said fails`(text: String, length: Int) throws {
        let world = try World()
        let pipe = world.uploadPipe(length: length)
        pipe.value.push(Bytes(text)) { _ in }
        pipe.value.finish(trailers: nil)
        let call = try world.call(method: "PUT", content: .pipe(pipe), length: .known(length))
        #expect(call.told == "uploadLength(5, \(text.count)), write")
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `an upload's own error fails the call with it`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        pipe.value.push(Bytes("some")) { _ in }
        pipe.value.fail(Mishap())
        world.run()
        #expect(call.told == "uploadFailed(Mishap()), write")
        world.expectBaseline()
    }

    @Test func `the producer of an upload is held while the peer takes nothing`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let pipe = world.uploadPipe(length: nil, highWater: 1_000)
        try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        world.streams[0].room = 0
        world.streams[0].accept()
        world.run()
        let producer = Producer(pipe)
        producer.push(100)
        world.run()
        #expect(producer.pushed < 200_000 / 100)
        #expect(producer.isHeld)
        world.streams[0].room = .max
        world.streams[0].grant(0)
        world.run()
        #expect(producer.pushed >= 2_000)
    }

    // MARK: A response before the request's end

    @Test func `a final response during an upload ends the upload and the connection`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        var wanted: Bool?
        pipe.value.push(Bytes("piece")) { wanted = $0 }
        #expect(wanted == true)
        world.streams[0].send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
        world.run()
        #expect(call.status == 413)
        #expect(call.body == "no!")
        pipe.value.push(Bytes("piece")) { wanted = $0 }
        #expect(wanted == false)
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `an early response's body is read to its end while the upload is stopped`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let call = try world.call(
            method: "PUT", content: .bytes(Bytes([UInt8](repeating: 0, count: 1 << 20))),
            length: .known(1 << 20))
        world.streams[0].room = 1_000
        world.streams[0].accept()
        world.run()
        world.streams[0].send("HTTP/1.1 403 No\r\nContent-Length: 100000\r\n\r\n")
        world.run()
        #expect(!world.streams[0].isWriting)
        world.streams[0].send([UInt8](repeating: 65, count: 100_000))
        world.run()
        #expect(call.status == 403)
        #expect(call.response?.body.count == 100_000)
        #expect(world.streams[0].isClosed)
    }

    @Test func `a peer that answers, then resets under the upload, is heard`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let call = try world.call(
            method: "PUT", content: .bytes(Bytes([UInt8](repeating: 0, count: 1 << 20))),
            length: .known(1 << 20))
        world.streams[0].room = 1_000
        world.streams[0].accept()
        world.run()
        world.streams[0].send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        world.streams[0].fail()
        world.run()
        #expect(call.status == 413)
        world.expectBaseline()
    }

    @Test func `interim responses are passed over, during an upload too`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        world.streams[0].send("HTTP/1.1 100 Continue\r\n\r\n")
        world.run()
        pipe.value.push(Bytes("x")) { _ in }
        pipe.value.finish(trailers: nil)
        world.streams[0].send("HTTP/1.1 102 Processing\r\n\r\n" + ok)
        world.run()
        #expect(call.body == "ok")
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
    }
}

struct Mishap: Error {}

/// Pushes pieces of a hundred bytes as long as they are wanted.
private final class Producer {
    private let pipe: ReactorBound<UploadPipe>
    private(set) var pushed = 0
    private(set) var isHeld = true

    init(_ pipe: ReactorBound<UploadPipe>) {
        self.pipe = pipe
    }

    func push(_ size: Int) {
        isHeld = false
        while !isHeld, pushed < 2_000 {
            pushed += 1
            isHeld = true
            var answered = false
            pipe.value.push(Bytes([UInt8](repeating: 1, count: size))) { [self] wanted in
                isHeld = !wanted
                if answered, wanted { push(size) }
            }
            answered = true
        }
    }
}
