// A call may be given up wherever it stands: in the same turn its slot is free, one waiter goes on,
// and it is told once (behaviours 4 and 9).

import FetchBytes
import FetchEngine
import FetchHTTP1
import FetchReactor
import FetchTransport
import TestSupport
import Testing

struct CancellationTests {
    @Test func `cancelled in the line, it leaves the line`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        try world.call("http://10.0.0.1/1")
        let second = try world.call("http://10.0.0.1/2")
        let third = try world.call("http://10.0.0.1/3")
        world.cancel(second)
        #expect(second.told == "cancelled, queue")
        #expect(world.statistics.waiting == 1)
        _ = world.streams[0].takeWritten()
        world.streams[0].send(ok)
        world.run()
        #expect(world.streams[0].takeWritten().hasPrefix("GET /3 "))
        #expect(!third.isOver)
    }

    @Test func `cancelled while connecting, the connection goes to the next in line`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        world.network.fate = { _ in .hangs }
        let first = try world.call("http://10.0.0.1/1")
        let second = try world.call("http://10.0.0.1/2")
        world.cancel(first)
        #expect(first.told == "cancelled, connect")
        #expect(world.statistics.waiting == 0)
        world.streams[0].accept()
        world.run()
        #expect(world.streams[0].takeWritten().hasPrefix("GET /2 "))
        #expect(!second.isOver)
    }

    @Test func `cancelled while connecting with nobody behind, the connection is closed`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let call = try world.call()
        world.cancel(call)
        #expect(call.told == "cancelled, connect")
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test(arguments: [
        "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5",
    ])
    func `cancelled in an exchange, its connection is closed and one waiter goes on`(
        received: String
    ) throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        let first = try world.call("http://10.0.0.1/1")
        let second = try world.call("http://10.0.0.1/2")
        let third = try world.call("http://10.0.0.1/3")
        if !received.isEmpty { world.streams[0].send(received) }
        world.run()
        world.cancel(first)
        #expect(first.told?.hasPrefix("cancelled, ") == true)
        #expect(world.streams[0].isClosed)
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten().hasPrefix("GET /2 "))
        #expect(world.statistics.waiting == 1)
        #expect(!second.isOver && !third.isOver)
    }

    @Test func `cancelled while it sends, its connection is closed`() throws {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let call = try world.call(
            method: "PUT", content: .bytes(Bytes([UInt8](repeating: 0, count: 100_000))),
            length: .known(100_000))
        world.streams[0].room = 10
        world.streams[0].accept()
        world.run()
        world.cancel(call)
        #expect(call.told == "cancelled, write")
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `cancelled before it was started, it is told so and nothing is opened`() throws {
        let world = try World()
        let engine = try #require(world.engine)
        for round in 0..<3 {
            let call = TestCall(engine.open(), world.reactor)
            engine.cancel(call.id)
            world.start(call, try world.plan("http://10.0.0.1/"))
            world.run()
            #expect(call.told == "cancelled, none", "round \(round)")
            // The next round's call takes the place of one that was dispatched.
            try world.warmUp()
        }
        #expect(world.streams.count == 1)
        world.expectBaseline()
    }

    @Test
    func `a call that is over can be cancelled without effect, and so can its successor's name`()
        throws
    {
        let world = try World()
        let first = try world.call()
        world.streams[0].send(ok)
        world.run()
        let second = try world.call()
        #expect(second.id.slot == first.id.slot)
        world.cancel(first)
        #expect(!second.isOver)
        world.streams[0].send(ok)
        world.run()
        #expect(second.status == 200)
        #expect([first.timesTold, second.timesTold] == [1, 1])
    }

    @Test func `cancelled in the turn of its answer, it is told once`() throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].send(ok)
        world.reactor.enqueue { world.engine?.cancel(call.id) }
        world.run()
        #expect(call.timesTold == 1)
        #expect(call.status == 200)
    }

    @Test func `a thousand cancelled calls leave nothing behind`() throws {
        let world = try World()
        var numbers = Numbers(state: 3)
        world.network.fate = { $0.port % 3 == 0 ? .hangs : .connects }
        var calls: [TestCall] = []
        for number in 0..<1_000 {
            calls.append(try world.call("http://10.0.0.\(number % 7):\(80 + number % 5)/"))
        }
        for stream in world.streams where numbers.below(2) == 0 && stream.isConnected {
            stream.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        }
        world.run()
        for call in calls.shuffled(using: &numbers) { world.cancel(call) }
        #expect(calls.allSatisfy { $0.timesTold == 1 })
        #expect(world.statistics.callsCancelled == 1_000)
        world.expectBaseline()
    }
}
