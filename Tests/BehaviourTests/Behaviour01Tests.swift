// Behaviour 1: a reused connection that dies before any response byte (RFC 9112 §9.3.1).

import Fetch
import TestSupport
import Testing

/// The first request is answered, so that the next ones find an idle connection.
private func warm(_ second: Step..., then: Step = .text("again")) -> Script {
    .sequence([[.text("warm")], second, [then]])
}

@Suite struct Behaviour01Tests {
    @Test(arguments: [Step.close, .reset])
    func `a reused connection that dies before a response byte is retried on a fresh one`(
        goodbye: Step
    ) async throws {
        try await onLoopback(warm(goodbye)) { loop in
            _ = try await loop.fetcher.get(loop.origin.url())
            let response = try await loop.fetcher.get(loop.origin.url("/second"))
            #expect(response.text == "again")
            #expect(response.metadata.attempts == 2)
            #expect(response.metadata.reconnects == 1)
            #expect(loop.seen.requestsOnConnection == [2, 1])
            #expect(loop.seen.requests.map(\.target) == ["/", "/second", "/second"])
            #expect(try await loop.fetcher.statistics.reuseRacesLost == 1)
        }
    }

    @Test func `the retry takes never another idle connection`() async throws {
        // Three connections rest; the one that is tried dies.
        let script = Script { request in
            if request.number < 3 { return [.delay(.seconds(1)), .text("x")] }
            return request.number == 3 ? [.reset] : [.text("fresh")]
        }
        try await onStage(script) { stage in
            var calls: [Task<Response, any Error>] = []
            for _ in 0..<3 { calls.append(try await stage.begin("http://127.0.0.1/")) }
            for call in calls { _ = try await call.value }
            #expect(await stage.pool == "0 active, 3 idle, 0 connecting")
            #expect(try await stage.fetcher.get("http://127.0.0.1/").text == "fresh")
            #expect(stage.seen.requestsOnConnection.count == 4)
            #expect(stage.seen.requests.last?.connection == 3)
        }
    }

    @Test func `it is retried once`() async throws {
        let script = Script { $0.number == 0 ? [.text("warm")] : [.reset] }
        try await onStage(script) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let error = await #expect(throws: FetchError.self) {
                try await stage.fetcher.get("http://127.0.0.1/")
            }
            #expect(error?.code == .reset)
            #expect(error?.attempts.map(\.number) == [1, 2])
            #expect(stage.seen.requestCount == 3)
        }
    }

    @Test(arguments: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"])
    func `an idempotent method is retried`(method: String) async throws {
        try await onStage(warm(.reset)) { stage in
            let method = try #require(HTTPRequest.Method(rawValue: method))
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let body = method == .put ? RequestBody.string("content") : nil
            let response = try await stage.fetcher.request(
                method, "http://127.0.0.1/", body: body)
            #expect(response.statusCode == 200)
            #expect(stage.seen.requestCount == 3)
            #expect(stage.seen.requests.last?.body.count == (method == .put ? 7 : 0))
        }
    }

    @Test(arguments: ["POST", "PATCH", "X-OWN"])
    func `any other method is not retried once a byte of it was written`(
        method: String
    ) async throws {
        try await onStage(warm(.reset)) { stage in
            let method = try #require(HTTPRequest.Method(rawValue: method))
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let code = await failure {
                try await stage.fetcher.request(method, "http://127.0.0.1/", body: .string("x"))
            }
            #expect(code == "reset")
            #expect(stage.seen.requestCount == 2)
        }
    }

    @Test func `a body that cannot be given again is not retried`() async throws {
        try await onStage(warm(.reset)) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let pieces = AsyncStream { continuation in
                continuation.yield(Bytes("once"))
                continuation.finish()
            }
            let code = await failure {
                try await stage.fetcher.put("http://127.0.0.1/", body: .stream(pieces))
            }
            #expect(code == "reset")
            #expect(stage.seen.requestCount == 2)
        }
    }

    @Test func `any method goes to a fresh connection when no byte of it was written`()
        async throws
    {
        // The peer has left; the look before the first byte finds it, so nothing was written.
        try await onLoopback(.always(.text("x"))) { loop in
            _ = try await loop.fetcher.get(loop.origin.url())
            try await loop.reactor.clock.sleep(for: .milliseconds(2))
            loop.origin.closeConnections()
            #expect(loop.block { loop.seen.open == 0 })
            let response = try await loop.fetcher.post(loop.origin.url(), body: .string("x"))
            #expect(response.statusCode == 200)
            #expect(loop.seen.requestsOnConnection == [1, 1])
        }
    }

    @Test func `the retry has the same deadline as the call`() async throws {
        let script = Script.sequence([[.text("warm")], [.delay(.seconds(9)), .reset], [.hang]])
        try await onStage(script) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let elapsed = await stage.time {
                let code = await failure {
                    try await stage.fetcher.get("http://127.0.0.1/", timeout: .seconds(20))
                }
                #expect(code == "total-timeout")
            }
            #expect(elapsed == .seconds(20))
            #expect(stage.seen.requestCount == 3)
        }
    }

    @Test func `one byte of a response ends the matter`() async throws {
        try await onStage(warm(.raw("H"), .close)) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(code == "malformed-response")
            #expect(stage.seen.requestCount == 2)
        }
    }

    @Test func `a first connection that dies is not retried`() async throws {
        try await onStage(.always(.close)) { stage in
            let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(code == "closed-before-response")
            #expect(stage.seen.requestCount == 1)
        }
    }

    @Test func `the retry can be switched off`() async throws {
        let configuration = configured { $0.pool.retriesReuseRace = false }
        try await onStage(warm(.reset), configuration) { stage in
            _ = try await stage.fetcher.get("http://127.0.0.1/")
            let code = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(code == "reset")
            #expect(try await stage.statistics.reuseRacesLost == 0)
        }
    }

    @Test func `ten thousand GETs fail never where each response is followed by a close`()
        async throws
    {
        try await onLoopback(.always(.text("x"), .close)) { loop in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var good = 0
                        for _ in 0..<1_250 {
                            good += try await loop.fetcher.get(loop.origin.url()).ok ? 1 : 0
                        }
                        return good
                    }
                }
                var good = 0
                for try await part in group { good += part }
                #expect(good == 10_000)
            }
            let statistics = try await loop.fetcher.statistics
            #expect(statistics.callsFailed == 0)
            #expect(statistics.callsSucceeded == 10_000)
        }
    }
}
