// The pool and the lines as a client sees them: caps, order, eviction, bounds (behaviours 4 to 6).

import FetchEngine
import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

struct PoolTests {
    @Test func `the pool says what it holds`() throws {
        let world = try World()
        #expect(world.pool == "0 active, 0 idle, 0 connecting")
        world.network.fate = { _ in .hangs }
        try world.call()
        #expect(world.pool == "0 active, 0 idle, 1 connecting")
        world.streams[0].accept()
        world.run()
        #expect(world.pool == "1 active, 0 idle, 0 connecting")
        world.streams[0].send(ok)
        world.run()
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        world.expectBaseline()
    }

    @Test func `a hundred calls in a row use one connection`() throws {
        let world = try World()
        for _ in 0..<100 {
            let call = try world.call()
            world.streams[0].send(ok)
            world.run()
            #expect(call.status == 200)
        }
        #expect(world.streams.count == 1)
        #expect(world.statistics.reuses == 99)
    }

    @Test func `an origin gets ten connections and no more`() throws {
        let world = try World()
        let calls = try (0..<100).map { _ in try world.call() }
        #expect(world.pool == "10 active, 0 idle, 0 connecting")
        #expect(world.statistics.waiting == 90)
        while let busy = world.streams.first(where: { !$0.written.isEmpty }) {
            _ = busy.takeWritten()
            busy.send(ok)
            world.run()
        }
        #expect(calls.allSatisfy { $0.status == 200 })
        #expect(world.streams.count == 10)
        world.expectBaseline()
    }

    @Test func `a hundred tasks in a loop over ten origins open exactly a hundred connections`()
        throws
    {
        let world = try World()
        var numbers = Numbers(state: 7)
        var tasks = (0..<100).map { Loop(origin: $0 % 10, left: 20) }
        for index in tasks.indices { try tasks[index].next(world) }
        while tasks.contains(where: { !$0.isDone }) {
            // Whoever is answered goes on at once, in any order.
            let busy = world.streams.filter { !$0.written.isEmpty && !$0.isClosed }
            for stream in busy.shuffled(using: &numbers).prefix(1 + numbers.below(30)) {
                _ = stream.takeWritten()
                stream.send(ok)
            }
            world.run()
            world.pass(.milliseconds(numbers.below(20)))
            for index in tasks.indices where tasks[index].isAnswered {
                try tasks[index].next(world)
            }
        }
        #expect(world.streams.count == 100)
        #expect(world.statistics.exchanges == 2_000)
        #expect(world.statistics.callsSucceeded == 2_000)
        world.expectBaseline()
    }

    @Test func `at the client's cap an origin without connections evicts the longest idle`() throws
    {
        let world = try World { $0.pool.connections = 3 }
        for number in 1...3 { try world.warmUp("http://10.0.0.\(number)/") }
        #expect(world.statistics.trackedOrigins == 3)
        try world.call("http://10.0.0.4/")
        #expect(world.streams[0].isClosed)
        #expect(!world.streams[1].isClosed)
        #expect(world.pool == "1 active, 2 idle, 0 connecting")
        // The origin that lost its only connection is forgotten with it.
        #expect(world.statistics.trackedOrigins == 3)
    }

    @Test func `visiting many origins leaves no record behind`() throws {
        let world = try World {
            $0.pool.connections = 3
            $0.trackedOrigins = 5
        }
        for round in 0..<2 {
            for number in 1...50 {
                try world.warmUp("http://10.0.\(round).\(number)/")
                #expect(world.statistics.trackedOrigins <= 3)
            }
        }
        #expect(world.network.open.count == 3)
        world.expectBaseline()
    }

    @Test func `calls are served in the order in which they came`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        let calls = try (0..<6).map { try world.call("http://10.0.0.1/\($0)") }
        for number in calls.indices {
            #expect(world.streams[0].takeWritten().hasPrefix("GET /\(number) "))
            #expect(calls.filter(\.isOver).count == number)
            world.streams[0].send(ok)
            world.run()
        }
        #expect(calls.allSatisfy { $0.status == 200 })
    }

    @Test func `a new call does not overtake one that waits`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        let first = try world.call("http://10.0.0.1/1")
        try world.call("http://10.0.0.1/2")
        _ = world.streams[0].takeWritten()
        world.streams[0].send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        // In the turn in which the slot comes free, before the line is served.
        let plan = try world.plan("http://10.0.0.1/3")
        var third: TestCall?
        world.reactor.enqueue { third = world.begin(plan) }
        world.run()
        #expect(first.status == 200)
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten().hasPrefix("GET /2 "))
        #expect(third?.isOver == false)
    }

    @Test func `a new call does not overtake one that the client's cap keeps out`() throws {
        let world = try World { $0.pool.connections = 1 }
        try world.call("http://10.0.0.1/")
        try world.call("http://10.0.0.2/waited")
        world.streams[0].send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        let plan = try world.plan("http://10.0.0.2/came-later")
        world.reactor.enqueue { _ = world.begin(plan) }
        world.run()
        #expect(world.streams.count == 2)
        #expect(world.streams[1].takeWritten().hasPrefix("GET /waited "))
    }

    @Test func `origins that the client's cap keeps out are served in order`() throws {
        let world = try World { $0.pool.connections = 3 }
        for number in 1...3 { try world.call("http://10.0.0.\(number)/") }
        for number in [2, 3] { try world.call("http://10.0.0.\(number)/waits") }
        // A connection rests: too fresh to be evicted by origins that have connections.
        world.streams[0].send(ok)
        world.run()
        #expect(world.streams.count == 3)
        world.pass(.seconds(1))
        #expect(world.streams.count == 4)
        #expect("\(world.streams[3].peer)" == "10.0.0.2:80")
    }

    @Test func `a connection that comes free serves the first, and the opening one the next`()
        throws
    {
        let world = try World { $0.pool.connectionsPerOrigin = 2 }
        let first = try world.call("http://10.0.0.1/1")
        world.network.fate = { _ in .hangs }
        let second = try world.call("http://10.0.0.1/2")
        let third = try world.call("http://10.0.0.1/3")
        #expect(world.statistics.waiting == 1)
        _ = world.streams[0].takeWritten()
        world.streams[0].send(ok)
        world.run()
        #expect(first.status == 200)
        #expect(world.streams[0].takeWritten().hasPrefix("GET /2 "))
        #expect(world.statistics.waiting == 0)
        world.streams[1].accept()
        world.run()
        #expect(world.streams[1].takeWritten().hasPrefix("GET /3 "))
        for stream in world.streams { stream.send(ok) }
        world.run()
        #expect((second.status, third.status) == (200, 200))
    }

    @Test func `a connection opened for nobody any more rests, or is forgotten if it fails`() throws
    {
        for fails in [false, true] {
            let world = try World()
            let first = try world.call()
            world.network.fate = { _ in .hangs }
            let second = try world.call()
            for _ in 0..<2 {
                world.streams[0].send(ok)
                world.run()
            }
            #expect((first.status, second.status) == (200, 200))
            #expect(world.pool == "0 active, 1 idle, 1 connecting")
            if fails {
                world.streams[0].end()
                world.run()
                world.streams[1].refuse()
                world.run()
                #expect(world.statistics.trackedOrigins == 0)
            } else {
                world.streams[1].accept()
                world.run()
                #expect(world.pool == "0 active, 2 idle, 0 connecting")
            }
            world.expectBaseline()
        }
    }

    @Test func `one call too many in the lines is refused at once`() throws {
        let world = try World {
            $0.pool.connectionsPerOrigin = 1
            $0.waitingCalls = 2
        }
        try world.call()
        let waiting = [try world.call(), try world.call()]
        let refused = try world.call()
        #expect(refused.told == "waitingLineFull(2), queue")
        #expect(waiting.allSatisfy { !$0.isOver })
        // Elsewhere there is room.
        let elsewhere = try world.call("http://10.0.0.2/")
        #expect(!elsewhere.isOver)
        #expect(world.pool == "2 active, 0 idle, 0 connecting")
    }

    @Test func `one origin too many is refused, unless an idle one can be forgotten`() throws {
        let world = try World { $0.trackedOrigins = 2 }
        try world.call("http://10.0.0.1/")
        try world.warmUp("http://10.0.0.2/")
        try world.call("http://10.0.0.3/")
        #expect(world.streams[1].isClosed)
        #expect(world.statistics.trackedOrigins == 2)
        let refused = try world.call("http://10.0.0.4/")
        #expect(refused.told == "tooManyOrigins(2), none")
        // The origins that are known go on.
        let known = try world.call("http://10.0.0.1/")
        #expect(!known.isOver)
    }

    @Test func `the room of a forgotten origin goes to those whom the cap kept out, at once`()
        throws
    {
        let world = try World {
            $0.pool.connections = 3
            $0.trackedOrigins = 2
        }
        try world.call()
        let both = try [world.call("http://10.0.0.2/"), world.call("http://10.0.0.2/")]
        for stream in world.streams[1...2] { stream.send(ok) }
        world.run()
        #expect(both.allSatisfy { $0.status == 200 })
        let keptOut = try world.call()
        #expect(world.pool == "1 active, 2 idle, 0 connecting")
        try world.call("http://10.0.0.3/")
        #expect(world.pool == "3 active, 0 idle, 0 connecting")
        #expect(!keptOut.isOver)
        #expect(world.elapsed == .zero)
    }

    @Test func `one origin's hanging calls do not delay another's`() throws {
        let world = try World()
        for _ in 0..<30 { try world.call("http://10.0.0.1/") }
        let other = try world.call("http://10.0.0.2/")
        world.streams[10].send(ok)
        world.run()
        #expect(other.status == 200)
    }

    @Test func `a refused connection fails its call at once, and the next call tries again`() throws
    {
        let world = try World()
        world.network.fate = { _ in .fails(.refused) }
        let refused = try world.call()
        #expect(refused.told == "connectFailed, connect")
        #expect(world.elapsed == .zero)
        world.network.fate = { _ in .connects }
        let next = try world.call()
        world.streams[1].send(ok)
        world.run()
        #expect(next.status == 200)
    }

    @Test func `every address is tried, and each refusal is told`() throws {
        let world = try World {
            $0.hosts = HostTable(overrides: ["two.test": ["10.0.0.1", "10.0.0.2"]])
        }
        world.network.fate = { "\($0)".hasPrefix("10.0.0.1") ? .fails(.refused) : .connects }
        let call = try world.call("http://two.test/")
        world.streams[1].send(ok)
        world.run()
        #expect(call.status == 200)
        world.network.fate = { _ in .fails(.refused) }
        let refused = try world.call("http://two.test:81/")
        guard case .connect(.failed(let failures)) = refused.failure?.error else {
            Issue.record("told \(refused.told ?? "nothing")")
            return
        }
        #expect(failures.map { "\($0.address)" } == ["10.0.0.1:81", "10.0.0.2:81"])
    }

    @Test func `a name that exists nowhere fails in the dns phase`() throws {
        let world = try World()
        let call = try world.call("http://example.invalid/")
        #expect(call.told == "nameNotResolved, dns")
        world.expectBaseline()
    }
}

/// A task that asks one origin again and again.
private struct Loop {
    let origin: Int
    var left: Int
    var call: TestCall?

    init(origin: Int, left: Int) {
        self.origin = origin
        self.left = left
    }

    var isAnswered: Bool { call?.status == 200 }
    var isDone: Bool { left == 0 && call == nil }

    mutating func next(_ world: World) throws {
        call = nil
        guard left > 0 else { return }
        left -= 1
        call = world.begin(try world.plan("http://10.0.0.\(origin)/"))
        world.run()
    }
}
