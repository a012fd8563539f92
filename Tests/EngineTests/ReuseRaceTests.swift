// A reused connection that dies before any response byte (behaviour 1, RFC 9112 §9.3.1).

import FetchBytes
import FetchEngine
import FetchHTTP
import FetchHTTP1
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

struct ReuseRaceTests {
    @Test(arguments: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"])
    func `an idempotent request is sent once more, on a fresh connection`(
        method: String
    ) throws {
        let world = try World()
        let stream = try world.warmUp()
        let call = try world.call(method: method)
        let request = stream.takeWritten()
        #expect(request.hasPrefix("\(method) / HTTP/1.1\r\n"))
        stream.end()
        world.run()
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten() == request)
        world.streams[1].send(method == "HEAD" ? "HTTP/1.1 200 OK\r\n\r\n" : ok)
        world.run()
        #expect(call.status == 200)
        #expect(call.response?.attempts == 2 && call.response?.reconnects == 1)
        #expect(world.statistics.reuseRacesLost == 1)
        #expect(world.statistics.exchanges == 3)
    }

    @Test(arguments: ["POST", "PATCH"])
    func `a request that may not be repeated fails`(method: String) throws {
        let world = try World()
        let stream = try world.warmUp()
        let call = try world.call(
            method: method, content: .bytes(Bytes("x")), length: .known(1))
        stream.end()
        world.run()
        #expect(call.told == "closedBeforeResponse, first-byte")
        #expect(world.statistics.reuseRacesLost == 0)
        #expect(world.streams.count == 1)
    }

    @Test func `any request is sent once more when no byte of it was written`() throws {
        let world = try World()
        let stream = try world.warmUp()
        stream.writeFailure = .failed(.send, errno: 32)
        let call = try world.call(
            method: "POST", content: .bytes(Bytes("x")), length: .known(1))
        stream.fail()
        world.run()
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten().hasSuffix("\r\n\r\nx"))
        world.streams[1].send(ok)
        world.run()
        #expect(call.status == 200)
    }

    @Test func `a streamed upload of which nothing was written is sent whole`() throws {
        let world = try World()
        let stream = try world.warmUp()
        let pipe = world.uploadPipe(length: nil)
        pipe.value.push(Bytes("hello")) { _ in }
        pipe.value.finish(trailers: nil)
        stream.writeFailure = .failed(.send, errno: 32)
        stream.fail()
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        let fresh = try #require(world.streams.last)
        #expect(fresh !== stream)
        #expect(fresh.takeWritten().hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
        fresh.send(ok)
        world.run()
        #expect(call.status == 200)
    }

    @Test func `an upload whose head could not be written is not lost on the way`() throws {
        let world = try World()
        let stream = try world.warmUp()
        let pipe = world.uploadPipe(length: nil)
        pipe.value.push(Bytes("hello")) { _ in }
        pipe.value.finish(trailers: nil)
        // The probe finds it quiet, the write fails, and the reset is found by the read after it.
        stream.writeFailure = .failed(.send, errno: 32)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        #expect(!call.isOver)
        stream.fail()
        world.run()
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten().hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    }

    @Test func `a streamed upload of which a piece was sent fails`() throws {
        let world = try World()
        let stream = try world.warmUp()
        let pipe = world.uploadPipe(length: nil)
        pipe.value.push(Bytes("hello")) { _ in }
        let call = try world.call(method: "PUT", content: .pipe(pipe), length: .unknown)
        stream.fail()
        world.run()
        #expect(call.told == "broken, write")
        #expect(world.statistics.reuseRacesLost == 0)
    }

    @Test func `it is retried once`() throws {
        let world = try World()
        let stream = try world.warmUp()
        let call = try world.call()
        stream.end()
        world.run()
        world.streams[1].end()
        world.run()
        #expect(call.told == "closedBeforeResponse, first-byte")
        #expect(call.failure?.dispatches == 2)
        #expect(call.failure?.lost.count == 1)
        #expect(world.streams.count == 2)
    }

    @Test func `the second attempt takes no other idle connection`() throws {
        let world = try World()
        let calls = [try world.call(), try world.call(), try world.call()]
        for stream in world.streams { stream.send(ok) }
        world.run()
        #expect(calls.allSatisfy { $0.status == 200 })
        #expect(world.pool == "0 active, 3 idle, 0 connecting")
        try world.call()
        world.streams[2].end()
        world.run()
        #expect(world.streams.count == 4)
        #expect(world.pool == "1 active, 2 idle, 0 connecting")
    }

    @Test func `a first connection that dies is not retried`() throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].end()
        world.run()
        #expect(call.told == "closedBeforeResponse, first-byte")
        #expect(world.streams.count == 1)
    }

    @Test func `one byte of a response ends the matter`() throws {
        let world = try World()
        let stream = try world.warmUp()
        let call = try world.call()
        stream.send("H")
        stream.end()
        world.run()
        #expect(call.told == "truncated(connection closed inside a response head), first-byte")
        #expect(world.streams.count == 1)
    }

    @Test func `it can be switched off`() throws {
        let world = try World { $0.retriesReuseRace = false }
        let stream = try world.warmUp()
        let call = try world.call()
        stream.fail()
        world.run()
        #expect(call.told == "broken, first-byte")
        #expect(world.streams.count == 1)
    }

    @Test func `the deadline is the call's, whatever the attempt`() throws {
        let world = try World()
        let stream = try world.warmUp()
        let call = try world.call { $0.total = 20 * Clocks.second }
        world.pass(.seconds(9))
        stream.end()
        world.run()
        world.pass(.nanoseconds(10_999_999_999))
        #expect(!call.isOver)
        world.pass(.nanoseconds(1))
        #expect(call.told == "timedOut(total), first-byte")
        #expect(call.failure?.elapsedNanoseconds == 20_000_000_000)
    }

    @Test func `an idle connection that the peer has left is not used`() throws {
        let world = try World()
        let stream = try world.warmUp()
        stream.end()
        // Before its event is served, in the same turn: the read before use finds it.
        let call = world.begin(try world.plan("http://10.0.0.1/"))
        world.run()
        #expect(stream.isClosed)
        #expect(stream.takeWritten().isEmpty)
        #expect(world.streams.count == 2)
        world.streams[1].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(world.statistics.reuseRacesLost == 0)
    }

    @Test func `a connection that was opened and rested unused counts as reused`() throws {
        let world = try World()
        let first = try world.call()
        world.network.fate = { _ in .hangs }
        let second = try world.call()
        // The first connection comes free and serves the second call; the new one is left over.
        world.streams[0].send(ok)
        world.run()
        world.streams[1].accept()
        world.streams[0].send(ok)
        world.run()
        #expect((first.status, second.status) == (200, 200))
        #expect(world.pool == "0 active, 2 idle, 0 connecting")
        try world.call()
        world.network.fate = { _ in .connects }
        let third = try world.call()
        // Both carry a request; the peer had given up on the one that it never heard of.
        for stream in world.streams.prefix(2) { stream.end() }
        world.run()
        world.streams[2].send(ok)
        world.streams[3].send(ok)
        world.run()
        #expect(third.status == 200)
        #expect(world.statistics.reuseRacesLost == 2)
    }
}
