// Bodies as streams, down and up, over loopback (STRM-01 to STRM-03 as the public face shows them).

import Fetch
import TestSupport
import Testing

struct BodiesTests {
    private static let size = 3_000_000

    @Test(arguments: Caller.allCases)
    func `a long body streams through a slow reader and nothing is lost`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.generate(Self.size)))
        defer { origin.stop() }
        let url = origin.url()
        try await caller.run { fetcher in
            try await fetcher.stream(url) { response in
                #expect(response.statusCode == 200)
                var offset = 0
                for try await piece in response.body {
                    #expect(BodyPattern.matches(piece, at: offset))
                    offset += piece.count
                    for _ in 0..<3 { await Task.yield() }
                }
                #expect(offset == Self.size)
            }
            let pool = await fetcher.poolDescription
            #expect(pool == "0 active, 1 idle, 0 connecting")
        }
    }

    @Test func `a reader that does not read holds the sender`() async throws {
        let origin = try ScriptedOrigin.start(.always(.generate(1 << 30)))
        defer { origin.stop() }
        let url = origin.url()
        try await Caller.elsewhere.run { fetcher in
            try await fetcher.stream(url) { _ in
                let highWater = FetcherConfiguration().limits.highWaterBytes
                var (before, now) = (-1, 0)
                while now != before || now < highWater {
                    // Each question is a turn of the reactor, which could read in it.
                    before = now
                    for _ in 0..<200 { now = try await fetcher.statistics.bytesReceived }
                }
                #expect(now < 1 << 20)
            }
            let pool = await fetcher.poolDescription
            #expect(pool == "0 active, 0 idle, 0 connecting")
        }
    }

    @Test func `a slow reader's pieces need the memory of a few`() async {
        // Alone in a process, so that the memory is its own.
        await #expect(processExitsWith: .success) {
            let size = 64 << 20
            let origin = try ScriptedOrigin.start(.always(.generate(size)))
            let url = origin.url()
            try await Caller.elsewhere.run { fetcher in
                try await fetcher.stream(url) { response in
                    var (length, before, most) = (0, 0, 0)
                    for try await piece in response.body {
                        length += piece.count
                        // The queue never runs empty.
                        for _ in 0..<20 { await Task.yield() }
                        if before == 0 { before = ProcessFacts.residentKiB }
                        most = max(most, ProcessFacts.residentKiB - before)
                    }
                    #expect(length == size)
                    #expect(most < 16 << 10)
                }
            }
            origin.stop()
        }
    }

    @Test func `of two readers at a time one is refused, and nothing is lost`() async throws {
        let origin = try ScriptedOrigin.start(.always(.generate(Self.size)))
        defer { origin.stop() }
        let url = origin.url()
        for caller in Caller.allCases {
            try await caller.run { fetcher in
                try await fetcher.stream(url) { response in
                    let lengths = await withTaskGroup(of: (Int, FetchError.Code?).self) { group in
                        for _ in 0..<2 {
                            group.addTask {
                                var length = 0
                                do {
                                    for try await piece in response.body { length += piece.count }
                                    return (length, nil)
                                } catch {
                                    return (length, (error as? FetchError)?.code)
                                }
                            }
                        }
                        return await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(lengths.map(\.0).reduce(0, +) == Self.size)
                    #expect(lengths.allSatisfy { $0.1 == nil || $0.1 == .invalidRequest })
                    #expect(lengths.contains { $0.1 == nil })
                }
            }
        }
    }

    @Test func `trailers are there when the body has ended`() async throws {
        let origin = try ScriptedOrigin.start(
            .always(.chunked([Bytes("one"), Bytes("two")], trailers: [("X-Sum", "6")])))
        defer { origin.stop() }
        let url = origin.url()
        for caller in Caller.allCases {
            try await caller.run { fetcher in
                try await fetcher.stream(url) { response in
                    var text = ""
                    for try await piece in response.body { text += String(piece) }
                    #expect(text == "onetwo")
                    let sum = await response.trailers?["x-sum"]
                    #expect(sum == "6")
                }
                let whole = try await fetcher.get(url)
                #expect(whole.trailers?["X-Sum"] == "6")
            }
        }
    }

    @Test func `an error of the scope's own comes back as it was`() async throws {
        let origin = try ScriptedOrigin.start(.always(.generate(1 << 30)))
        defer { origin.stop() }
        let url = origin.url()
        for caller in Caller.allCases {
            await #expect(throws: OwnError.self) {
                try await caller.run { fetcher in
                    try await fetcher.stream(url) { _ in throw OwnError() }
                }
            }
        }
    }

    @Test func `a body that is cut off throws at the reader`() async throws {
        let origin = try ScriptedOrigin.start(
            .always(.truncate(Bytes([UInt8](repeating: 1, count: 50_000)), after: 40_000)))
        defer { origin.stop() }
        let url = origin.url()
        let error = await #expect(throws: FetchError.self) {
            try await Caller.elsewhere.run { fetcher in
                try await fetcher.stream(url) { response in
                    for try await _ in response.body {}
                }
            }
        }
        #expect(error?.code == .truncatedBody)
        #expect(error?.phase == .body)
    }

    @Test func `cancelling a reader ends its wait`() async throws {
        let origin = try ScriptedOrigin.start(
            .always(.head(200, fields: [("Content-Length", "9")]), .hang))
        defer { origin.stop() }
        let url = origin.url()
        try await Caller.elsewhere.run { fetcher in
            let task = Task {
                try await fetcher.stream(url) { response in
                    // The handle is used inside the closure only.
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    for try await _ in response.body {}
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let inFlight = try await fetcher.statistics.callsInFlight
            #expect(inFlight == 0)
        }
    }

    // MARK: Uploads

    @Test(arguments: [nil, size], Caller.allCases)
    func `an upload of pieces arrives whole, of known length or chunked`(
        length: Int?, caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.atHead { _ in [.swallow, .tally] })
        defer { origin.stop() }
        let url = origin.url()
        let response = try await caller.run { fetcher in
            var request = Request(.post, url)
            request.body = .stream(length: length, Pieces(count: Self.size))
            return try await fetcher.execute(request)
        }
        #expect(response.statusCode == 200)
        let seen = try #require(origin.seen.requests.first)
        #expect(seen.upload.bytes == Self.size)
        #expect(seen.upload.followsPattern)
        #expect(seen["Content-Length"] == length.map { "\($0)" })
        #expect(seen["Transfer-Encoding"] == (length == nil ? "chunked" : nil))
    }

    @Test func `a chunked upload's trailers are asked for at its end`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        _ = try await Caller.elsewhere.run { fetcher in
            var request = Request(.post, url)
            request.body = .stream(Pieces(count: 10), trailers: { try Headers([("X-Sum", "9")]) })
            return try await fetcher.execute(request)
        }
        #expect(origin.seen.requests.first?.trailers.map(\.name) == ["X-Sum"])
        #expect(origin.seen.requests.first?.body.count == 10)
    }

    @Test(arguments: ["Transfer-Encoding", "content-length", "Authorization", "If-Match"])
    func `an upload whose trailers are none fails, and they are not sent`(
        name: String
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        let error = await #expect(throws: FetchError.self) {
            try await Caller.elsewhere.run { fetcher in
                var request = Request(.post, url)
                request.body = .stream(Pieces(count: 10), trailers: { try Headers([(name, "5")]) })
                return try await fetcher.execute(request)
            }
        }
        #expect(error?.code == .invalidRequest)
        #expect(error?.reason == "trailers: \(name) can't be sent as a trailer")
        #expect(error?.url == url)
        #expect(!origin.seen.requests.contains { $0.isComplete })
    }

    @Test func `a file is sent as it is`() async throws {
        let origin = try ScriptedOrigin.start(Script { [.respond(200, body: Bytes($0.body))] })
        defer { origin.stop() }
        let directory = try Files.makeTemporaryDirectory("upload")
        let text = String(repeating: "0123456789abcdef", count: 20_000)
        let url = origin.url()
        for (name, content) in [("long", text), ("empty", "")] {
            let path = directory + "/" + name
            try Files.write(content, to: path)
            let response = try await Caller.elsewhere.run {
                try await $0.put(url, body: .file(path))
            }
            #expect(response.text == content)
        }
        #expect(origin.seen.requests.first?["Content-Length"] == "320000")
    }

    @Test func `an upload's own error comes back as it was`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        for caller in Caller.allCases {
            await #expect(throws: OwnError.self) {
                _ = try await caller.run { fetcher in
                    var request = Request(.post, url)
                    request.body = .stream(Pieces(count: 1_000, failsAtEnd: true))
                    return try await fetcher.execute(request)
                }
            }
        }
    }

    @Test func `an upload of another length than declared fails`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        for declared in [999, 1_001] {
            let error = await #expect(throws: FetchError.self) {
                _ = try await Caller.elsewhere.run { fetcher in
                    var request = Request(.post, url)
                    request.body = .stream(length: declared, Pieces(count: 1_000))
                    return try await fetcher.execute(request)
                }
            }
            #expect(error?.code == .uploadLengthMismatch)
        }
    }

    @Test func `an early response ends an upload that would never end`() async throws {
        let origin = try ScriptedOrigin.start(MockPaths().script)
        defer { origin.stop() }
        let url = origin.url("/early")
        for caller in Caller.allCases {
            let response = try await caller.run { fetcher in
                var request = Request(.post, url)
                request.body = .stream(Pieces(count: Int.max))
                return try await fetcher.execute(request)
            }
            #expect(response.text == "answered before the body\n")
        }
    }
}

struct OwnError: Error {}

/// Pieces of the pattern that the origin checks.
struct Pieces: AsyncSequence, Sendable {
    var count: Int
    var failsAtEnd = false

    func makeAsyncIterator() -> Iterator { Iterator(left: count, failsAtEnd: failsAtEnd) }

    struct Iterator: AsyncIteratorProtocol {
        var left: Int
        var offset = 0
        let failsAtEnd: Bool

        init(left: Int, failsAtEnd: Bool) {
            self.left = left
            self.failsAtEnd = failsAtEnd
        }

        mutating func next() async throws -> Bytes? {
            guard left > 0 else {
                if failsAtEnd { throw OwnError() }
                return nil
            }
            let size = Swift.min(left, 50_000)
            defer {
                left -= size
                offset += size
            }
            return BodyPattern.bytes(at: offset, count: size)
        }
    }
}
