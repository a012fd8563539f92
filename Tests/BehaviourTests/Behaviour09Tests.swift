// Behaviours 9 and 10: cancellation, and responses that live in a scope.

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct Behaviour09Tests {
    @Test(arguments: [
        "queued", "connecting", "before the first byte", "in the body", "in an upload",
    ])
    func `a cancelled task gets CancellationError in the same turn`(state: String) async throws {
        let script = Script.atHead { request in
            switch (state, request.target) {
            case ("in the body", _):
                [.head(200, fields: [("Content-Length", "9")]), .raw("abc"), .hang]
            case ("in an upload", _): [.stopReading, .hang]
            default: [.hang]
            }
        }
        var weather = Weather.still
        if state == "connecting" { weather.blackHole = 1 }
        let configuration = configured { if state == "queued" { $0.pool.connections = 1 } }
        try await onStage(script, configuration, weather: weather) { stage in
            if state == "queued" { _ = try await stage.begin("http://127.0.0.1/") }
            let call = try await stage.begin { fetcher in
                let body = [UInt8](repeating: 0, count: state == "in an upload" ? 1 << 20 : 0)
                return try await fetcher.put("http://127.0.0.1/", body: .bytes(body))
            }
            #expect(try await stage.statistics.callsInFlight == (state == "queued" ? 2 : 1))
            let open = stage.open
            let turn = stage.reactor.turnNumber
            call.cancel()
            // A partial exchange closes its connection.
            #expect(stage.open == (state == "queued" ? open : 0))
            #expect(await failure { try await call.value } == "CancellationError")
            #expect(stage.reactor.turnNumber == turn)
            #expect(try await stage.statistics.callsCancelled == 1)
        }
    }

    @Test func `a cancel before the call begins sends nothing`() async throws {
        try await onStage(.always(.text("x"))) { stage in
            let call = Task(executorPreference: stage.reactor) {
                try await stage.fetcher.get("http://127.0.0.1/")
            }
            call.cancel()
            #expect(await failure { try await call.value } == "CancellationError")
            try await stage.pass(.milliseconds(10))
            #expect(stage.network.connectCount == 0)
        }
    }

    @Test func `a cancel is never told as a timeout, nor a timeout as a cancel`() async throws {
        let configuration = configured { $0.timeouts.firstByte = .milliseconds(50) }
        try await onStage(.always(.hang), configuration) { stage in
            // Cancels fall before, on and after the clock's last millisecond.
            for millisecond in 46...56 {
                let begun = stage.reactor.now
                let call = try await stage.begin("http://127.0.0.1/")
                try await stage.reactor.clock.sleep(for: .milliseconds(millisecond - 2))
                let isOver = try await stage.statistics.callsInFlight == 0
                call.cancel()
                let told = await failure { try await call.value }
                #expect(told == (isOver ? "first-byte-timeout" : "CancellationError"))
                #expect(stage.reactor.now - begun <= .milliseconds(60))
            }
            try await stage.expectBaseline()
        }
    }

    @Test func `a cancel from another thread ends the call once`() async throws {
        try await onLoopback(.always(.hang)) { loop in
            for _ in 0..<200 {
                let call = Task(executorPreference: loop.reactor) {
                    try await loop.fetcher.get(loop.origin.url())
                }
                // On Swift's own threads, at any moment of the call's life.
                await Task.detached { call.cancel() }.value
                #expect(await failure { try await call.value } == "CancellationError")
            }
            let inFlight = try await loop.fetcher.statistics.callsInFlight
            #expect(inFlight == 0)
            let pool = await loop.fetcher.poolDescription
            #expect(pool.hasPrefix("0 active"))
        }
    }

    @Test func `a cancelled stream ends its reader with CancellationError`() async throws {
        let head = Step.head(200, fields: [("Content-Length", "9")])
        try await onStage(.always(head, .raw("abc"), .hang)) { stage in
            let call = try await stage.begin { fetcher in
                try await fetcher.stream("http://127.0.0.1/") { response in
                    var text = ""
                    for try await piece in response.body { text += String(piece) }
                    return text
                }
            }
            call.cancel()
            #expect(await failure { try await call.value } == "CancellationError")
            #expect(stage.open == 0)
        }
    }
}

@Suite struct Behaviour10Tests {
    @Test func `leaving the scope drains a known rest of 64 KiB and keeps the connection`()
        async throws
    {
        try await leaving([.generate(65_536)], leaves: "0 active, 1 idle, 0 connecting")
        try await leaving([.generate(10)], leaves: "0 active, 1 idle, 0 connecting")
    }

    @Test func `leaving the scope with a long or unknown rest closes the connection`()
        async throws
    {
        let closed = "0 active, 0 idle, 0 connecting"
        try await leaving([.generate(2 << 20)], leaves: closed)
        let chunked = Step.head(200, fields: [("Transfer-Encoding", "chunked")])
        try await leaving([chunked, .raw("3\r\nabc\r\n"), .hang], leaves: closed)
        try await leaving([.head(200), .raw("abc"), .hang], leaves: closed)
    }

    /// Opens a stream, reads nothing and leaves; what the pool is then, at once where it closes.
    private func leaving(_ steps: [Step], leaves expected: String) async throws {
        try await onStage(Script { _ in steps }) { stage in
            let status = try await stage.fetcher.stream("http://127.0.0.1/") { $0.statusCode }
            #expect(status == 200)
            try await stage.pass(.milliseconds(500))
            #expect(await stage.pool == expected)
            try await stage.expectBaseline()
        }
    }

    @Test func `a scope that throws lets go of its response as well`() async throws {
        struct Own: Error {}
        try await onStage(.always(.generate(2 << 20))) { stage in
            let told = await failure {
                try await stage.fetcher.stream("http://127.0.0.1/") { response in
                    for try await _ in response.body { throw Own() }
                }
            }
            #expect(told == "Own")
            #expect(stage.open == 0)
            try await stage.expectBaseline()
        }
    }

    @Test(arguments: [1_000, 2 << 20])
    func `a response kept beyond its scope holds nothing, and reading it is an error`(
        length: Int
    ) async throws {
        let head = Step.head(200, fields: [("Content-Length", "\(length)")])
        let body = BodyPattern.bytes(at: 0, count: 1_000)
        try await onStage(.always(head, .delay(.milliseconds(9)), .raw(body))) { stage in
            let kept = try await stage.fetcher.stream("http://127.0.0.1/") { $0 }
            try await stage.pass(.milliseconds(500))
            #expect(try await stage.statistics.active == 0)
            #expect(kept.statusCode == 200)
            let told = await failure {
                for try await _ in kept.body {}
            }
            #expect(told == "invalid-request")
            try await stage.expectBaseline()
        }
    }

    @Test func `a client that escapes its scope answers clientClosed`() async throws {
        try await onLoopback(.always(.text("x"))) { loop in
            let escaped = try await withFetcher(.patient) { fetcher in
                _ = try await fetcher.get(loop.origin.url())
                return fetcher
            }
            #expect(await failure { try await escaped.get(loop.origin.url()) } == "client-closed")
            #expect(try await loop.eventually { loop.seen.open == 0 })
        }
    }
}
