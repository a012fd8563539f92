// The end of a client: graceful, forced, by its reactor, or because nobody holds it any more
// (behaviour 25).

import FetchBytes
import FetchEngine
import FetchHTTP1
import FetchReactor
import FetchTransport
import TestSupport
import Testing

struct ShutdownTests {
    private static let fiveSeconds: Int64 = 5_000_000_000

    @Test func `graceful lets calls end, and is done when the last one has`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        let first = try world.call()
        let waiting = try world.call()
        var isDone = false
        world.engine?.shutdown(within: Self.fiveSeconds) { isDone = true }
        let late = try world.call()
        #expect(late.told == "clientClosed, none")
        world.streams[0].send(ok)
        world.run()
        #expect(first.status == 200)
        #expect(!isDone)
        world.streams[1].send(ok)
        world.run()
        #expect(waiting.status == 200)
        #expect(isDone)
        #expect(world.network.open.isEmpty)
        #expect(world.statistics.trackedOrigins == 0)
    }

    @Test func `graceful ends what does not end by itself, exactly in time`() throws {
        let world = try World()
        let call = try world.call()
        var isDone = false
        world.engine?.shutdown(within: Self.fiveSeconds) { isDone = true }
        world.pass(.nanoseconds(4_999_999_999))
        #expect(!call.isOver && !isDone)
        world.pass(.nanoseconds(1))
        #expect(call.told == "clientClosed, first-byte")
        #expect(isDone)
        #expect(world.network.open.isEmpty)
    }

    @Test func `graceful closes idle connections at once`() throws {
        let world = try World()
        try world.warmUp()
        try world.call("http://10.0.0.2/")
        world.engine?.shutdown(within: Self.fiveSeconds) {}
        #expect(world.pool == "1 active, 0 idle, 0 connecting")
    }

    @Test func `forced ends every call wherever it stands`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 2 }
        let active = try world.call()
        world.network.fate = { _ in .hangs }
        let connecting = try world.call()
        let waiting = try world.call()
        let stream = try world.stream("http://10.0.0.2/")
        var isDone = false
        world.engine?.shutdown(within: 0) { isDone = true }
        world.run()
        #expect(isDone)
        #expect(active.told == "clientClosed, first-byte")
        #expect(connecting.told == "clientClosed, connect")
        #expect(waiting.told?.hasPrefix("clientClosed") == true)
        #expect(stream.failure.map { TestCall.name($0.error) } == "clientClosed")
        #expect(world.network.open.isEmpty)
        #expect(world.streams.count == 3)
        #expect(world.statistics.trackedOrigins == 0)
    }

    @Test func `shutting down twice is done twice, and forced overtakes graceful`() throws {
        let world = try World()
        let call = try world.call()
        var done: [String] = []
        world.engine?.shutdown(within: Self.fiveSeconds) { done.append("graceful") }
        world.engine?.shutdown(within: 0) { done.append("forced") }
        world.run()
        #expect(call.told == "clientClosed, first-byte")
        #expect(done.sorted() == ["forced", "graceful"])
        world.engine?.shutdown(within: Self.fiveSeconds) { done.append("again") }
        #expect(done.last == "again")
        world.pass(.seconds(10))
        #expect(done.count == 3)
    }

    @Test func `an upload's producer is told when its call is ended`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: nil, highWater: 1)
        world.network.fate = { _ in .hangs }
        try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        var wanted: Bool?
        pipe.value.push(Bytes("held")) { wanted = $0 }
        #expect(wanted == nil)
        world.engine?.shutdown(within: 0) {}
        #expect(wanted == false)
    }

    @Test func `the reactor's end ends the calls`() throws {
        let world = try World()
        let call = try world.call()
        world.reactor.stop()
        #expect(call.told == "clientClosed, first-byte")
        #expect(world.network.open.isEmpty)
    }

    @Test func `an engine that is dropped tells its calls and closes its connections`() throws {
        let world = try World()
        try world.warmUp("http://10.0.0.2/")
        let call = try world.call()
        world.dropEngine()
        world.run()
        #expect(call.told == "clientClosed, first-byte")
        #expect(world.network.open.isEmpty)
    }

    @Test func `an engine dropped after its reactor's end, on another thread, traps nowhere`()
        async throws
    {
        let reactor = try Reactor.startThread(name: "test")
        let settings = EngineSettings(encoder: try RequestEncoder(userAgent: "test"))
        let ended = AsyncStream<Void>.makeStream()
        let bound = ReactorBound(Engine(settings, reactor: reactor), on: reactor)
        reactor.post {
            bound.value.attach()
            reactor.onClose { ended.continuation.finish() }
        }
        reactor.stop()
        for await _ in ended.stream {}
        _ = consume bound
    }
}
