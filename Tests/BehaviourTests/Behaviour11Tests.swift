// Behaviours 11 and 12, and streams both ways: a slow reader stops the sender, an early answer
// stops the upload, nothing is lost.

import Fetch
import FetchTransport
import Synchronization
import TestSupport
import Testing

@Suite struct Behaviour11Tests {
    @Test func `unread data above high water is not read from the socket`() async throws {
        let configuration = configured { $0.limits.highWaterBytes = 100_000 }
        try await onStage(.always(.generate(8 << 20)), configuration) { stage in
            let sum = try await stage.fetcher.stream("http://127.0.0.1/") { response in
                try await stage.pass(.seconds(5))
                let received = try await stage.statistics.bytesReceived
                #expect(received >= 100_000)
                // Beyond the mark, what one read brings.
                #expect(received <= 100_000 + 200_000)
                // A stopped reader is no fault of the peer's: the read clock does not run.
                try await stage.pass(.seconds(120))
                #expect(try await stage.statistics.bytesReceived == received)
                return try await patternCount(response.body)
            }
            #expect(sum == 8 << 20)
            #expect(await stage.pool == "0 active, 1 idle, 0 connecting")
        }
    }

    @Test func `a reader that stops for a while stops the sender, and nothing is lost`()
        async throws
    {
        let total = 48 << 20
        try await onLoopback(.always(.generate(total))) { loop in
            let sum = try await loop.fetcher.stream(loop.origin.url()) { response in
                // The origin's thread is free to send; the kernel's buffers fill and it stops.
                let highWater = FetcherConfiguration().limits.highWaterBytes
                var (before, received) = (-1, 0)
                while received != before || received < highWater {
                    try await loop.reactor.clock.sleep(for: .milliseconds(50))
                    (before, received) = (received, try await loop.fetcher.statistics.bytesReceived)
                }
                #expect(received < 2 << 20)
                try await loop.reactor.clock.sleep(for: .milliseconds(50))
                #expect(try await loop.fetcher.statistics.bytesReceived == received)
                return try await patternCount(response.body)
            }
            #expect(sum == total)
        }
    }

    @Test(arguments: [
        [Step.generate(1_001)], [.chunked(Array(repeating: Bytes("0123456789"), count: 101))],
        [.closeDelimited(BodyPattern.bytes(at: 0, count: 1_001))],
        [.head(200, fields: [("Content-Length", "4000000000000000000")])],
    ])
    func `a whole body above its cap fails the call, however it is framed`(
        steps: [Step]
    ) async throws {
        let configuration = configured { $0.limits.bodyBytes = 1_000 }
        try await onStage(Script { _ in steps }, configuration) { stage in
            let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(code == "body-too-large")
            #expect(stage.open == 0)
        }
    }

    @Test func `whole bodies have a cap of 64 MiB by default`() async throws {
        #expect(FetcherConfiguration().limits.bodyBytes == 64 << 20)
        let head = Step.head(200, fields: [("Content-Length", "\((64 << 20) + 1)")])
        try await onStage(.always(head)) { stage in
            let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(code == "body-too-large")
        }
    }

    @Test func `the first piece comes before the server has finished`() async throws {
        let head = Step.head(200, fields: [("Transfer-Encoding", "chunked")])
        let script = Script.always(
            head, .raw("5\r\nfirst\r\n"), .delay(.seconds(20)), .raw("4\r\nlast\r\n"),
            .raw("0\r\nX-Sum: 9\r\n\r\n"))
        try await onStage(script) { stage in
            let start = stage.reactor.now
            try await stage.fetcher.stream("http://127.0.0.1/") { response in
                var pieces = response.body.makeAsyncIterator()
                let first = try await pieces.next()
                #expect(first == Bytes("first"))
                #expect(stage.reactor.now - start < .milliseconds(10))
                #expect(await response.trailers == nil)
                #expect(try await pieces.next() == Bytes("last"))
                #expect(stage.reactor.now - start >= .seconds(20))
                #expect(try await pieces.next() == nil)
                #expect(await response.trailers?["x-sum"] == "9")
            }
        }
    }
}

/// Reads all of a body that must be the pattern; its length.
private func patternCount(_ body: ResponseBody) async throws -> Int {
    var count = 0
    for try await piece in body {
        #expect(BodyPattern.matches(piece, at: count))
        count += piece.count
    }
    return count
}

/// The pattern as an upload, and how many pieces of it were asked for.
private final class Producer: AsyncSequence, Sendable {
    typealias Element = Bytes
    let total: Int
    let piece: Int
    let produced = Mutex(0)
    /// Waited for before each piece.
    let pace: @Sendable () async throws -> Void

    init(
        _ total: Int, piece: Int = 10_000, pace: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.total = total
        self.piece = piece
        self.pace = pace
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let producer: Producer
        var offset = 0

        mutating func next() async throws -> Bytes? {
            guard offset < producer.total else { return nil }
            try await producer.pace()
            let count = Swift.min(producer.piece, producer.total - offset)
            let bytes = BodyPattern.bytes(at: offset, count: count)
            offset += bytes.count
            producer.produced.withLock { $0 = offset }
            return bytes
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(producer: self) }
}

@Suite struct Behaviour12Tests {
    @Test(arguments: [true, false])
    func `a final response during an upload stops the producer, is delivered, and closes`(
        isChunked: Bool
    ) async throws {
        // The origin reads no byte of the content: writing would wait for ever.
        let script = Script.atHead { _ in
            [.stopReading, .text("too large", status: 413), .hang]
        }
        let total = 64 << 20
        try await onStage(script) { stage in
            let producer = Producer(total)
            let response = try await stage.fetcher.post(
                "http://127.0.0.1/", body: .stream(length: isChunked ? nil : total, producer))
            #expect(response.statusCode == 413)
            #expect(response.text == "too large")
            #expect(stage.open == 0)
            let produced = producer.produced.withLock { $0 }
            #expect(produced < 2 << 20)
            try await stage.pass(.seconds(10))
            #expect(producer.produced.withLock { $0 } == produced)
            try await stage.expectBaseline()
        }
    }

    @Test func `reading does not wait for writing`() async throws {
        // 32 MiB up and 32 MiB down at once: the origin reads nothing before it has said all.
        let total = 32 << 20
        let script = Script.atHead { _ in [.stopReading, .generate(total), .hang] }
        try await onStage(script) { stage in
            var request = Request(.post, "http://127.0.0.1/")
            request.body = .bytes([UInt8](repeating: 1, count: total))
            let count = try await stage.fetcher.stream(request) { response in
                try await patternCount(response.body)
            }
            #expect(count == total)
            #expect(stage.open == 0)
        }
    }

    @Test func `a response that comes with the upload's end leaves the connection open`()
        async throws
    {
        try await onStage(.atHead { _ in [.swallow, .tally] }) { stage in
            let producer = Producer(1 << 20)
            for _ in 0..<3 {
                _ = try await stage.fetcher.post("http://127.0.0.1/", body: .stream(producer))
            }
            #expect(stage.seen.requestsOnConnection == [3])
        }
    }

    @Test(arguments: [true, false])
    func `an upload arrives as it was given, and its producer is held by a slow reader`(
        isChunked: Bool
    ) async throws {
        let script = Script.atHead { _ in
            [.stopReading, .delay(.seconds(8)), .resumeReading, .swallow, .tally]
        }
        let total = 5_000_003
        try await onStage(script) { stage in
            let producer = Producer(total)
            let call = try await stage.begin { fetcher in
                try await fetcher.post(
                    "http://127.0.0.1/",
                    body: .stream(length: isChunked ? nil : total, producer))
            }
            try await stage.pass(.seconds(7))
            #expect(producer.produced.withLock { $0 } < 1 << 20)
            #expect(try await call.value.ok)
            let seen = try #require(stage.seen.requests.first)
            #expect(seen.upload.bytes == total)
            #expect(seen.upload.followsPattern)
            #expect(seen["content-length"] == (isChunked ? nil : "\(total)"))
            #expect(seen["transfer-encoding"] == (isChunked ? "chunked" : nil))
        }
    }

    @Test func `an upload over TCP arrives as it was given`() async throws {
        let total = 20_000_000
        try await onLoopback(.atHead { _ in [.swallow, .tally] }) { loop in
            let response = try await loop.fetcher.put(
                loop.origin.url(), body: .stream(Producer(total, piece: 60_000)))
            #expect(response.ok)
            let seen = try #require(loop.seen.requests.first)
            #expect(seen.upload.bytes == total)
            #expect(seen.upload.followsPattern)
        }
    }

    @Test func `trailers go both ways`() async throws {
        let script = Script { request in
            [.chunked([Bytes(request.body)], trailers: [("X-Back", request.trailers[0].value)])]
        }
        try await onStage(script) { stage in
            let body = RequestBody.stream(Producer(30)) { try Headers([("X-Sum", "thirty")]) }
            let response = try await stage.fetcher.post("http://127.0.0.1/", body: body)
            #expect(response.body == BodyPattern.bytes(at: 0, count: 30))
            #expect(stage.seen.requests[0].trailers.map { "\($0): \($1)" } == ["X-Sum: thirty"])
            #expect(response.trailers?["x-back"] == "thirty")
        }
    }

    @Test func `an upload that fails or misjudges its length fails the call and its connection`()
        async throws
    {
        struct Own: Error {}
        try await onStage(.atHead { _ in [.swallow, .tally] }) { stage in
            let bad = Producer(100) { throw Own() }
            #expect(
                await failure {
                    try await stage.fetcher.post("http://127.0.0.1/", body: .stream(bad))
                } == "Own")
            for length in [99, 101] {
                let code = await failure {
                    try await stage.fetcher.post(
                        "http://127.0.0.1/", body: .stream(length: length, Producer(100)))
                }
                #expect(code == "upload-length-mismatch")
            }
            #expect(stage.open == 0)
        }
    }
}
