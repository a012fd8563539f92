// Every clock fires exactly when it should, with its own name and phase (behaviour 7).

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

struct ClockTests {
    @Test func `waiting for a connection ends after 30 s`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        try world.call { $0.firstByte = Clocks.never }
        let second = try world.call()
        world.pass(.nanoseconds(29_999_999_999))
        #expect(!second.isOver)
        world.pass(.nanoseconds(1))
        #expect(second.told == "timedOut(queue), queue")
        #expect(world.elapsed == .seconds(30))
        #expect(world.statistics.waiting == 0)
    }

    @Test func `connecting ends after 10 s`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let call = try world.call()
        #expect(world.pool == "0 active, 0 idle, 1 connecting")
        world.pass(.nanoseconds(9_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(connect), connect")
        #expect(world.statistics.connectionsFailed == 1)
        world.expectBaseline()
    }

    @Test func `the connect clock runs over all addresses together`() throws {
        let world = try World {
            $0.hosts = HostTable(overrides: ["two.test": ["10.0.0.1", "10.0.0.2"]])
        }
        world.network.fate = { _ in .hangs }
        let call = try world.call("http://two.test/")
        world.pass(.seconds(7))
        world.streams[0].refuse()
        world.run()
        #expect(world.streams.count == 2)
        world.pass(.nanoseconds(2_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(connect), connect")
    }

    @Test func `a peer that takes no byte of the request fails the call after 30 s`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let body = Bytes([UInt8](repeating: 1, count: 100_000))
        let call = try world.call(method: "PUT", content: .bytes(body), length: .known(100_000))
        world.streams[0].room = 50_000
        world.streams[0].accept()
        world.run()
        // Progress sets the clock back.
        world.pass(.seconds(20))
        world.streams[0].grant(10)
        world.run()
        world.pass(.nanoseconds(29_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(writeIdle), write")
        #expect(world.elapsed == .seconds(50))
        world.expectBaseline()
    }

    @Test func `a response that does not begin fails the call after 30 s`() throws {
        let world = try World()
        let call = try world.call()
        world.pass(.nanoseconds(29_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(firstByte), first-byte")
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `the first-byte clock starts when the last byte of the request is taken`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let body = Bytes([UInt8](repeating: 1, count: 50_000))
        let call = try world.call(method: "PUT", content: .bytes(body), length: .known(50_000))
        world.streams[0].room = 10
        world.streams[0].accept()
        world.run()
        world.pass(.seconds(29))
        world.streams[0].grant(1 << 20)
        world.run()
        world.pass(.nanoseconds(29_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(firstByte), first-byte")
        #expect(world.elapsed == .seconds(59))
    }

    @Test func `a response that stalls fails the call after 30 s, in its head or its body`() throws
    {
        for (start, phase) in [
            ("HTTP/1.1 200 OK\r\nContent-", "first-byte"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc", "body"),
        ] {
            let world = try World()
            let call = try world.call()
            world.pass(.seconds(10))
            world.streams[0].send(start)
            world.run()
            world.pass(.seconds(25))
            world.streams[0].send("x")
            world.run()
            world.pass(.nanoseconds(29_999_999_999))
            #expect(!call.isOver)
            world.pass(.nanoseconds(1))
            #expect(call.told == "timedOut(readIdle), \(phase)")
            #expect(world.elapsed == .seconds(65))
        }
    }

    @Test func `a call that drips for ever ends after 300 s in all`() throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in 0..<29 {
            world.pass(.seconds(10))
            world.streams[0].send("x")
            world.run()
        }
        world.pass(.nanoseconds(9_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(total), body")
        #expect(call.failure?.elapsedNanoseconds == 300_000_000_000)
    }

    @Test func `the total clock covers waiting and connecting`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        world.network.fate = { _ in .hangs }
        let first = try world.call { $0.total = 5 * Clocks.second }
        let second = try world.call { $0.total = 6 * Clocks.second }
        world.pass(.seconds(5))
        #expect(first.told == "timedOut(total), connect")
        #expect(!second.isOver)
        world.pass(.seconds(1))
        #expect(second.told == "timedOut(total), connect")
        world.expectBaseline()
    }

    @Test func `a streamed response ends the total clock with its head`() throws {
        let world = try World()
        let stream = try world.stream { $0.total = 5 * Clocks.second }
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
        world.run()
        #expect(stream.head != nil)
        for _ in 0..<29 {
            world.pass(.seconds(20))
            world.streams[0].send("x")
            world.run()
        }
        #expect(stream.takeAll().count == 29)
        world.pass(.seconds(30))
        _ = stream.takeAll()
        #expect(stream.failure.map { TestCall.name($0.error) } == "timedOut(readIdle)")
    }

    @Test func `a streamed call without a head still ends by its total clock`() throws {
        let world = try World()
        let stream = try world.stream { $0.total = 5 * Clocks.second }
        world.pass(.seconds(5))
        #expect(stream.failure.map { TestCall.name($0.error) } == "timedOut(total)")
        world.expectBaseline()
    }

    @Test func `no clock runs against the peer while the reader is the slow one`() throws {
        let world = try World()
        let stream = try world.stream(highWater: 4)
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcdef")
        world.run()
        #expect(!world.streams[0].isReading)
        world.pass(.seconds(3_600))
        #expect(String(decoding: stream.takeAll(), as: UTF8.self) == "abcdef")
        world.streams[0].send("ghij")
        world.run()
        #expect(String(decoding: stream.takeAll(), as: UTF8.self) == "ghij")
        #expect(stream.ended)
    }

    @Test func `data that has arrived is served before a clock that is due`() throws {
        let world = try World()
        let call = try world.call()
        world.pass(.nanoseconds(29_999_999_999))
        world.streams[0].send(ok)
        world.pass(.nanoseconds(1))
        #expect(call.status == 200)
    }

    @Test func `a clock that is switched off never fires`() throws {
        let world = try World()
        let call = try world.call {
            $0.firstByte = Clocks.never
            $0.total = Clocks.never
        }
        world.pass(.seconds(1_000_000))
        #expect(!call.isOver)
    }

    @Test func `interim responses during a slow upload do not start the read clock`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(
            method: "POST", content: .pipe(pipe), length: .unknown)
        world.streams[0].send("HTTP/1.1 100 Continue\r\n\r\n")
        world.run()
        // Nothing to send for a minute: our side's slowness, not the peer's.
        world.pass(.seconds(60))
        #expect(!call.isOver)
        pipe.value.finish(trailers: nil)
        world.run()
        world.pass(.nanoseconds(29_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(readIdle), first-byte")
    }
}
