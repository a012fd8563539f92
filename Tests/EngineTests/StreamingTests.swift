// A response's body read piece by piece: back-pressure, leaving early, and what becomes of the
// connection (behaviours 10 and 11).

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import TestSupport
import Testing

struct StreamingTests {
    private static func head(_ length: Int) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test func `the head comes before the body, the body in pieces, the trailers last`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        world.run()
        #expect(stream.head?.head.status == 200)
        #expect(stream.takePiece() == nil)
        for piece in ["first", "second"] {
            world.streams[0].send("\(String(piece.count, radix: 16))\r\n\(piece)\r\n")
            world.run()
            #expect(stream.takePiece() == Bytes(piece))
        }
        #expect(stream.pipe.trailers == nil)
        world.streams[0].send("0\r\nX-Sum: 11\r\n\r\n")
        world.run()
        #expect(stream.takePiece() == nil)
        #expect(stream.ended)
        #expect(stream.pipe.trailers?["X-Sum"] == "11")
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
    }

    @Test func `a short response that came at once is streamed all the same`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(ok)
        world.run()
        #expect(stream.head?.head.status == 200)
        #expect(stream.takeAll() == [UInt8]("ok".utf8))
        #expect(stream.ended)
    }

    @Test func `above high water the socket is not read, below half of it it is again`() throws {
        let world = try World { $0.bytesPerRead = 100 }
        let stream = try world.stream(highWater: 1_000)
        world.streams[0].send(Self.head(100_000))
        world.streams[0].send([UInt8](repeating: 7, count: 5_000))
        world.run()
        #expect(!world.streams[0].isReading)
        let before = world.statistics.bytesReceived
        #expect(before < 1_200)
        // Still above half.
        var taken = 0
        for _ in 0..<3 { taken += stream.takePiece()?.count ?? 0 }
        world.run()
        #expect(world.statistics.bytesReceived == before)
        while let piece = stream.takePiece() {
            taken += piece.count
            world.run()
        }
        #expect(taken == 5_000)
        #expect(world.streams[0].isReading)
    }

    @Test func `nothing is lost when the reader stops and goes on`() throws {
        let world = try World { $0.bytesPerRead = 777 }
        let stream = try world.stream(highWater: 2_000)
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
        world.streams[0].send(Self.head(body.count))
        world.streams[0].send(body)
        world.run()
        var received: [UInt8] = []
        var numbers = Numbers(state: 5)
        while !stream.ended, received.count <= body.count {
            for _ in 0..<numbers.below(9) { received += stream.takePiece() ?? Bytes() }
            world.pass(.milliseconds(numbers.below(40_000)))
        }
        #expect(received == body)
        #expect(world.pool == "0 active, 0 idle, 0 connecting" || world.streams[0].isReading)
    }

    @Test func `leaving with a short known rest drains it and keeps the connection`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(Self.head(65_536) + "x")
        world.run()
        stream.pipe.leave()
        #expect(world.pool == "1 active, 0 idle, 0 connecting")
        world.streams[0].send([UInt8](repeating: 0, count: 65_535))
        world.run()
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        #expect(world.statistics.callsSucceeded == 1)
        let next = try world.call()
        world.streams[0].send(ok)
        world.run()
        #expect(next.body == "ok")
    }

    @Test func `leaving while reading is paused drains the rest as well`() throws {
        let world = try World { $0.bytesPerRead = 100 }
        let stream = try world.stream(highWater: 50)
        world.streams[0].send(Self.head(1_000))
        world.streams[0].send([UInt8](repeating: 0, count: 1_000))
        world.run()
        #expect(!world.streams[0].isReading)
        stream.pipe.leave()
        world.run()
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        #expect(world.streams[0].isReading)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil close",
    ])
    func `leaving with a long or unknown rest closes the connection`(start: String) throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(start)
        world.run()
        stream.pipe.leave()
        world.run()
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `leaving after the end does nothing`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(ok)
        world.run()
        stream.pipe.leave()
        world.run()
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
    }

    @Test func `a drain that stalls ends by the read clock`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(Self.head(1_000))
        world.run()
        stream.pipe.leave()
        world.pass(.seconds(30))
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `a body that breaks is told after what came before it`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(Self.head(10) + "half")
        world.streams[0].fail()
        world.run()
        #expect(stream.takeAll() == [UInt8]("half".utf8))
        #expect(stream.failure.map { TestCall.name($0.error) } == "broken during body")
        #expect(stream.failure?.phase == .body)
        world.expectBaseline()
    }

    @Test func `a reset while the reader is full does not make the loop spin`() throws {
        let world = try World()
        let stream = try world.stream(highWater: 2)
        world.streams[0].send(Self.head(10) + "half")
        world.run()
        world.streams[0].fail()
        world.run()
        #expect(stream.takeAll() == [UInt8]("half".utf8))
        world.run()
        #expect(stream.takePiece() == nil)
        #expect(stream.failure != nil)
        world.expectBaseline()
    }

    @Test func `a reader that waits is woken by the next piece and by the end`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(Self.head(3))
        world.run()
        var woken: [String] = []
        for _ in 0..<2 {
            #expect(stream.takePiece() == nil)
            stream.pipe.wait { next in
                switch next {
                case .bytes(let bytes): woken.append(String(bytes))
                case .end: woken.append("end")
                case .failure: woken.append("failure")
                case .left, .busy: woken.append("refused")
                }
            }
            if woken.isEmpty {
                world.streams[0].send("ab")
                world.run()
            }
        }
        world.streams[0].send("c")
        world.run()
        #expect(woken == ["ab", "c"])
    }

    @Test func `cancelling between two pieces ends the stream`() throws {
        let world = try World()
        let stream = try world.stream()
        world.streams[0].send(Self.head(10) + "half")
        world.run()
        world.engine?.cancel(stream.id)
        world.run()
        #expect(stream.takeAll() == [UInt8]("half".utf8))
        #expect(stream.failure?.isCancellation == true)
        world.expectBaseline()
    }
}
