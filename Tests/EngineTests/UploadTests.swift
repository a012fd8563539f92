// When an upload is whole, and what its failure ends (RFC 9112 §6.2, behaviour 12).

import FetchBytes
import FetchEngine
import FetchHTTP1
import FetchReactor
import TestSupport
import Testing

struct UploadTests {
    @Test func `an upload that fails ends its call at once, whatever of it waits to be sent`()
        throws
    {
        let world = try World()
        world.network.fate = { _ in .hangs }
        let pipe = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(pipe), length: .unknown)
        world.streams[0].room = 10
        world.streams[0].accept()
        world.run()
        pipe.value.push(Bytes("some")) { _ in }
        pipe.value.push(Bytes("more")) { _ in }
        pipe.value.fail(Mishap())
        world.run()
        #expect(call.told == "uploadFailed(Mishap()), write")
        #expect(world.streams[0].writtenCount == 10)
        #expect(world.streams[0].isClosed)
        world.expectBaseline()
    }

    @Test func `an upload that fails ends its call in the line, and before it began`() throws {
        let world = try World { $0.pool.connectionsPerOrigin = 1 }
        try world.call()
        let waiting = world.uploadPipe(length: nil)
        let call = try world.call(method: "POST", content: .pipe(waiting), length: .unknown)
        waiting.value.fail(Mishap())
        world.run()
        #expect(call.told == "uploadFailed(Mishap()), queue")
        let broken = world.uploadPipe(length: nil)
        broken.value.fail(Mishap())
        let second = try world.call(method: "POST", content: .pipe(broken), length: .unknown)
        #expect(second.told == "uploadFailed(Mishap()), none")
        #expect(world.statistics.waiting == 0)
        world.streams[0].send(ok)
        world.run()
        world.expectBaseline()
    }

    @Test(arguments: [0, 8])
    func `an upload is written with its last announced byte, whenever its producer ends`(
        length: Int
    ) throws {
        let world = try World()
        let pipe = world.uploadPipe(length: length)
        let call = try world.call(method: "PUT", content: .pipe(pipe), length: .known(length))
        var wanted: Bool?
        if length > 0 { pipe.value.push(Bytes("all of i")) { _ in } }
        world.run()
        world.streams[0].send(ok)
        world.run()
        #expect(call.status == 200)
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        pipe.value.push(Bytes("more")) { wanted = $0 }
        #expect(wanted == false)
        pipe.value.fail(Mishap())
        world.run()
        #expect(world.pool == "0 active, 1 idle, 0 connecting")
        world.expectBaseline()
    }

    @Test func `a piece beyond the announced length fails the call until the response comes`()
        throws
    {
        let world = try World()
        let pipe = world.uploadPipe(length: 4)
        let call = try world.call(method: "PUT", content: .pipe(pipe), length: .known(4))
        pipe.value.push(Bytes("four")) { _ in }
        world.run()
        #expect(!call.isOver)
        pipe.value.push(Bytes("!")) { _ in }
        world.run()
        #expect(call.told == "uploadLength(4, 5), first-byte")
        #expect(world.streams[0].takeWritten().hasSuffix("\r\n\r\nfour"))
        world.expectBaseline()
    }

    @Test func `with its last announced byte the first byte's clock runs`() throws {
        let world = try World()
        let pipe = world.uploadPipe(length: 4)
        let call = try world.call(
            method: "PUT", content: .pipe(pipe), length: .known(4),
            clocks: { $0.firstByte = 5_000_000_000 })
        pipe.value.push(Bytes("four")) { _ in }
        world.pass(.seconds(5))
        #expect(call.told == "timedOut(firstByte), first-byte")
        world.expectBaseline()
    }
}
