// Large bodies that are streamed: read past the parser where the framing allows it, and whole all
// the same.

import FetchBytes
import FetchEngine
import FetchHTTP
import TestSupport
import Testing

struct PieceTests {
    /// A body on the wire, and whether the connection ends it.
    struct Shape: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let head: String
        let wire: [UInt8]
        var endsWithConnection = false
    }

    private static let body = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 / 253) }

    private static func chunked(_ sizes: [Int]) -> [UInt8] {
        var wire: [UInt8] = []
        var start = 0
        for size in sizes + [body.count - sizes.reduce(0, +)] {
            wire += Array("\(String(size, radix: 16))\r\n".utf8)
            wire += body[start..<start + size] + Array("\r\n".utf8)
            start += size
        }
        return wire + Array("0\r\nX-Sum: 7\r\n\r\n".utf8)
    }

    private static let shapes = [
        Shape(
            testDescription: "counted", head: "Content-Length: \(body.count)\r\n", wire: body),
        Shape(
            testDescription: "chunks, large and small",
            head: "Transfer-Encoding: chunked\r\n",
            wire: chunked([300_000, 1, 16_384, 16_385, 5, 131_072, 131_073])),
        Shape(
            testDescription: "until close", head: "", wire: body, endsWithConnection: true),
    ]

    /// As a reader that takes whatever is there, until nothing comes any more.
    private func readToEnd(_ stream: TestStream, _ world: World) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            world.run()
            let now = stream.takeAll()
            all += now
            if now.isEmpty { return all }
        }
    }

    @Test(arguments: shapes, [131_072, 40_000, 16_384, 3])
    func `every byte of it comes once and in order`(_ shape: Shape, atOnce: Int) throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send("HTTP/1.1 200 OK\r\n\(shape.head)\r\n")
        world.run()
        var received: [UInt8] = []
        var numbers = Numbers(state: UInt64(atOnce))
        var sent = 0
        // Bytes by the handful at first, that few of them become many at once.
        while sent < shape.wire.count {
            let most = sent < 100 ? 10 : max(atOnce, shape.wire.count / 50)
            let end = min(shape.wire.count, sent + 1 + numbers.below(2 * most))
            world.streams[0].send(Array(shape.wire[sent..<end]))
            sent = end
            world.run()
            for _ in 0..<numbers.below(4) { received += stream.takePiece() ?? Bytes() }
        }
        if shape.endsWithConnection { world.streams[0].end() }
        received += readToEnd(stream, world)
        // Told by its length: all of it would be three megabytes of report.
        let isWhole = received == Self.body
        #expect(isWhole, "\(received.count) bytes")
        #expect(stream.ended)
        #expect(world.statistics.bytesReceived >= Self.body.count)
        let rest = shape.endsWithConnection ? "0 idle" : "1 idle"
        #expect(world.pool == "0 active, \(rest), 0 connecting")
    }

    @Test func `the next response begins behind a large body, not in it`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
        world.streams[0].send([UInt8](repeating: 7, count: 300_000))
        #expect(readToEnd(stream, world).count == 300_000)
        let next = try world.call()
        world.streams[0].send(ok)
        world.run()
        #expect(next.body == "ok")
        #expect(world.streams.count == 1)
    }

    @Test func `a large body that is cut off is an error`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
        world.streams[0].send([UInt8](repeating: 7, count: 200_000))
        #expect(readToEnd(stream, world).count == 200_000)
        world.streams[0].end()
        world.run()
        #expect(stream.takePiece() == nil)
        #expect(!stream.ended)
        #expect(stream.failure != nil)
    }
}
