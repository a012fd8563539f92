// Behaviours 2 and 3: what may happen to a connection at rest, and how long it rests.

import Fetch
import TestSupport
import Testing

@Suite struct Behaviour02Tests {
    @Test(arguments: [Step.close, .reset, .raw("x"), .raw("HTTP/1.1 200 OK\r\n\r\n")])
    func `an end, a reset or any byte while idle closes the connection`(
        event: Step
    ) async throws {
        try await onStage(.always(.text("x"), .delay(.seconds(1)), event)) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            try await stage.pass(.milliseconds(990))
            #expect(await stage.pool == "0 active, 1 idle, 0 connecting")
            try await stage.pass(.milliseconds(15))
            #expect(await stage.pool == "0 active, 0 idle, 0 connecting")
            #expect(stage.open == 0)
        }
    }

    @Test func `a peer that closes idle connections empties the pool, and the next call succeeds`()
        async throws
    {
        try await onLoopback(.always(.text("x"))) { loop in
            _ = try await loop.fetcher.get(loop.origin.url())
            loop.origin.closeConnections()
            #expect(
                try await loop.eventually {
                    await loop.fetcher.poolDescription == "0 active, 0 idle, 0 connecting"
                })
            let response = try await loop.fetcher.get(loop.origin.url())
            #expect(response.metadata.attempts == 1)
            #expect(try await loop.fetcher.statistics.reuseRacesLost == 0)
        }
    }

    @Test func `what a peer sends unasked is never the next response`() async throws {
        let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        try await onStage(.always(.text("good"), .extraBytes(evil))) { stage in
            for _ in 0..<10 {
                let response = try await stage.fetcher.get("http://127.0.0.1/")
                #expect(response.text == "good")
            }
            #expect(stage.seen.accepted == 10)
        }
    }

    @Test func `before a reused connection is written to, one read sees whether it lives`()
        async throws
    {
        try await onLoopback(.always(.text("x"))) { loop in
            // A busy kernel may carry the end over a moment after it was sent: then the race is
            // lost, as it always is for who does not look. One round of ten is enough to tell them
            // apart.
            var hasSeen = false
            for _ in 0..<10 where !hasSeen {
                _ = try await loop.fetcher.get(loop.origin.url())
                // Another turn, in which nothing was read.
                try await loop.reactor.clock.sleep(for: .milliseconds(2))
                loop.origin.closeConnections()
                // The thread is kept, so that no event can tell of the close.
                #expect(loop.block { loop.seen.open == 0 })
                let lost = try await loop.fetcher.statistics.reuseRacesLost
                let response = try await loop.fetcher.get(loop.origin.url())
                let isLost = try await loop.fetcher.statistics.reuseRacesLost > lost
                #expect(response.metadata.attempts == (isLost ? 2 : 1))
                hasSeen = !isLost
            }
            #expect(hasSeen)
        }
    }
}

@Suite struct Behaviour03Tests {
    /// When the connection that rests after one GET is closed, to the millisecond.
    private func rest(
        _ steps: [Step], _ configuration: FetcherConfiguration = .alone,
        around expected: Duration
    ) async throws -> Duration? {
        try await onStage(Script { _ in steps }, configuration) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let start = stage.reactor.now
            try await stage.pass(expected - .milliseconds(3))
            for _ in 0..<6 {
                if stage.open == 0 { return stage.reactor.now - start }
                try await stage.pass(.milliseconds(1))
            }
            return nil
        }
    }

    @Test(arguments: [(5, 3), (30, 28), (62, 60), (600, 60), (2_147_483_647, 60)])
    func `a Keep-Alive hint is obeyed less two seconds, up to the cap`(
        hint: Int, seconds: Int
    ) async throws {
        let expected = Duration.seconds(seconds)
        let closed = try await rest([.keepAliveHint(hint), .text("x")], around: expected)
        let rest = try #require(closed)
        #expect(rest >= expected - .milliseconds(1) && rest <= expected + .milliseconds(1))
    }

    @Test func `without a hint a connection rests ten seconds`() async throws {
        let rest = try #require(try await rest([.text("x")], around: .seconds(10)))
        #expect(rest >= .milliseconds(9_999) && rest <= .milliseconds(10_001))
    }

    @Test(arguments: [0, 1, 2])
    func `a hint that leaves no time keeps the connection out of the pool`(
        hint: Int
    ) async throws {
        try await onStage(.always(.keepAliveHint(hint), .text("x"))) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            #expect(await stage.pool == "0 active, 0 idle, 0 connecting")
            #expect(stage.open == 0)
        }
    }

    @Test func `Connection close wins over the hint`() async throws {
        let step = Step.text("x", fields: [("Connection", "close"), ("Keep-Alive", "timeout=60")])
        try await onStage(.always(step)) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            #expect(stage.open == 0)
        }
    }

    @Test func `the caller's own Connection close is sent and obeyed`() async throws {
        try await onStage(.always(.keepAliveHint(60), .text("x"))) { stage in
            _ = try await stage.fetcher.get(
                "http://127.0.0.1/", headers: [("Connection", "close")])
            #expect(stage.open == 0)
            #expect(stage.seen.requests[0]["connection"] == "close")
        }
    }

    @Test func `a thousand GETs one after the other use one connection`() async throws {
        try await onLoopback(.always(.text("x"))) { loop in
            for _ in 0..<1_000 { _ = try await loop.fetcher.get(loop.origin.url()) }
            #expect(loop.seen.requestsOnConnection == [1_000])
            #expect(try await loop.fetcher.statistics.reuseRatio > 0.99)
        }
    }

    @Test func `uses and age end a connection when the configuration says so`() async throws {
        let uses = configured { $0.pool.usesPerConnection = 3 }
        try await onStage(.always(.text("x")), uses) { stage in
            for _ in 0..<7 { _ = try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(stage.seen.requestsOnConnection == [3, 3, 1])
        }
        let age = configured { $0.pool.lifetime = .seconds(20) }
        try await onStage(.always(.text("x")), age) { stage in
            for _ in 0..<9 {
                _ = try await stage.fetcher.get("http://127.0.0.1/")
                try await stage.pass(.seconds(5))
            }
            #expect(stage.seen.requestsOnConnection == [4, 4, 1])
        }
    }
}
