// How long connections rest (behaviours 2, 3 and 6), and when they are not kept at all.

import FetchBytes
import FetchEngine
import FetchReactor
import TestSupport
import Testing

struct IdleTests {
    @Test func `an idle connection is closed after 10 s`() throws {
        let world = try World()
        let stream = try world.warmUp()
        world.pass(.nanoseconds(9_999_999_999))
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        world.pass(.nanoseconds(1))
        #expect(world.pool == "0 active, 0 idle, 0 connecting")
        #expect(stream.isClosed)
        #expect(world.statistics.trackedOrigins == 0)
    }

    @Test func `more than the idle cap are closed as soon as their second is over`() throws {
        let world = try World { $0.pool.idleConnections = 1 }
        for origin in 1...3 { try world.call("http://10.0.0.\(origin)/") }
        for (stream, wait) in zip(world.streams, [500, 400, 599] as [Int]) {
            stream.send(ok)
            world.run()
            world.pass(.milliseconds(wait))
        }
        // Idle since 0, 500 and 900 ms.
        #expect(world.elapsed == .milliseconds(1_499))
        #expect(world.pool == "0 active, 3 idle, 0 connecting")
        world.pass(.milliseconds(1))
        #expect(world.pool == "0 active, 2 idle, 0 connecting")
        #expect(world.streams[0].isClosed)
        world.pass(.milliseconds(399))
        #expect(world.pool == "0 active, 2 idle, 0 connecting")
        world.pass(.milliseconds(1))
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        #expect(!world.streams[2].isClosed)
    }

    @Test func `use sets the idle clock back`() throws {
        let world = try World()
        let stream = try world.warmUp()
        for _ in 0..<10 {
            world.pass(.milliseconds(9_999))
            let call = try world.call()
            stream.send(ok)
            world.run()
            #expect(call.status == 200)
        }
        #expect(world.streams.count == 1)
        world.pass(.nanoseconds(9_999_999_999))
        #expect(!stream.isClosed)
        world.pass(.nanoseconds(1))
        #expect(stream.isClosed)
    }

    @Test(arguments: [(5, 3), (30, 28), (62, 60), (600, 60), (3, 1), (2_147_483_647, 60)])
    func `a hint is obeyed, less two seconds and up to a minute`(
        hint: Int, seconds: Int
    ) throws {
        let world = try World()
        try world.call()
        world.streams[0].send(Self.hinted("timeout=\(hint)"))
        world.run()
        world.pass(.seconds(seconds) - .nanoseconds(1))
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        world.pass(.nanoseconds(1))
        #expect(world.pool == "0 active, 0 idle, 0 connecting")
    }

    @Test(arguments: [0, 1, 2])
    func `a hint of two seconds or less means: not kept`(hint: Int) throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].send(Self.hinted("timeout=\(hint)"))
        world.run()
        #expect(call.status == 200)
        #expect(world.pool == "0 active, 0 idle, 0 connecting")
        #expect(world.statistics.trackedOrigins == 0)
    }

    private static func hinted(_ value: String) -> String {
        "HTTP/1.1 200 OK\r\nKeep-Alive: \(value)\r\nContent-Length: 2\r\n\r\nok"
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=60\r\n"
            + "Content-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            + "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
    ])
    func `a connection is not kept after close, HTTP 1.0 or bytes beyond the response`(
        response: String
    ) throws {
        let world = try World()
        let call = try world.call()
        world.streams[0].send(response)
        world.run()
        #expect(call.body == "ok")
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `a caller who says close gets a connection that is closed`() throws {
        let world = try World()
        let call = try world.call(headers: [("Connection", "close")])
        world.streams[0].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(world.streams[0].isClosed)
    }

    @Test(arguments: ["x", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", ""])
    func `bytes on an idle connection, or its end, close it`(bytes: String) throws {
        let world = try World()
        let stream = try world.warmUp()
        if bytes.isEmpty { stream.end() } else { stream.send(bytes) }
        world.run()
        #expect(stream.isClosed)
        #expect(world.pool == "0 active, 0 idle, 0 connecting")
        let next = try world.call()
        world.streams[1].send(ok)
        world.run()
        #expect(next.body == "ok")
    }

    /// The first response ends exactly where a read does; the bytes behind it are still unread
    /// when the next request of the same turn looks for a connection.
    @Test func `bytes beyond a response that fills a read never poison the next response`() throws {
        let world = try World { $0.bytesPerRead = 64 }
        let first = try world.call()
        let waiting = try world.plan("http://10.0.0.1/")
        let head = "HTTP/1.1 200 OK\r\nContent-Length: "
        let body = String(repeating: "a", count: 64 - head.utf8.count - 2 - 4)
        let response = "\(head)\(body.count)\r\n\r\n\(body)"
        #expect(response.utf8.count == 64)
        world.streams[0].send(response + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        var second: TestCall?
        world.reactor.enqueue { second = world.begin(waiting) }
        world.run()
        #expect(first.body == body)
        #expect(world.streams.count == 2)
        world.streams[1].send(ok)
        world.run()
        #expect(second?.body == "ok")
    }

    @Test func `more than twenty idle connections are closed after one second, oldest first`()
        throws
    {
        let world = try World { $0.pool.connectionsPerOrigin = 30 }
        for _ in 0..<30 { try world.call() }
        for stream in world.streams {
            stream.send(ok)
            world.run()
        }
        #expect(world.pool == "0 active, 30 idle, 0 connecting")
        world.pass(.nanoseconds(999_999_999))
        #expect(world.pool == "0 active, 30 idle, 0 connecting")
        world.pass(.nanoseconds(1))
        #expect(world.pool == "0 active, 20 idle, 0 connecting")
        #expect(world.streams.prefix(10).allSatisfy { $0.isClosed })
    }

    @Test func `a connection is used as often as is allowed`() throws {
        let world = try World { $0.pool.usesPerConnection = 3 }
        for use in 1...7 {
            let call = try world.call()
            let stream = try #require(world.streams.last)
            stream.send(ok)
            world.run()
            #expect(call.status == 200)
            #expect(world.streams.count == (use + 2) / 3)
        }
        #expect(world.statistics.reuses == 4)
    }

    @Test func `a connection is used until its age is reached`() throws {
        let world = try World { $0.pool.lifetime = 12 * Clocks.second }
        let stream = try world.warmUp()
        world.pass(.seconds(7))
        try world.call()
        stream.send(ok)
        world.run()
        #expect(!stream.isClosed)
        world.pass(.seconds(5))
        // Twelve seconds old: not used again, however short it has been idle.
        let late = try world.call()
        #expect(world.streams.count == 2)
        world.streams[1].send(ok)
        world.run()
        #expect(late.status == 200)
        #expect(stream.isClosed)
    }

    @Test func `a paused reader's connection is kept with reading on`() throws {
        let world = try World()
        let stream = try world.stream(highWater: 1)
        let body = String(repeating: "b", count: 5_000)
        world.streams[0].send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body)
        world.run()
        #expect(stream.takeAll().count == 5_000)
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        #expect(world.streams[0].isReading)
        let next = try world.call()
        world.streams[0].send(ok)
        world.run()
        #expect(next.status == 200)
    }
}
