// The public client against a scripted origin on loopback, from a thread of its own and on the
// reactor's (CORE-05 to CORE-08, CORE-16 to CORE-18, ERR-01).

import Fetch
import Glibc
import TestSupport
import Testing

/// From where a test calls.
enum Caller: Sendable, CaseIterable {
    /// The client has a background thread; the caller is elsewhere.
    case elsewhere
    /// The caller is on the client's reactor.
    case onReactor

    func run<R: Sendable>(
        _ configuration: FetcherConfiguration = .patient,
        _ body: @escaping @Sendable (Fetcher) async throws -> R
    ) async throws -> R {
        switch self {
        case .elsewhere:
            try await withFetcher(configuration) { try await body($0) }
        case .onReactor:
            try await TestSupport.onReactor { _ in
                try await withFetcher(configuration) { try await body($0) }
            }
        }
    }
}

struct FetcherTests {
    static let verbs: [HTTPRequest.Method] = [
        .get, .head, .options, .delete, .post, .put, .patch,
    ]

    @Test(arguments: verbs, Caller.allCases)
    func `a verb sends its method, query, fields and body`(
        verb: HTTPRequest.Method, caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("hello")))
        defer { origin.stop() }
        let url = origin.url("/path")
        let response = try await caller.run { fetcher in
            let query = [("a", "1 2"), ("b", "&")]
            let headers = [("X-One", "1"), ("x-two", "Zwei"), ("X-One", "again")]
            let body = RequestBody.string("content of \(verb)")
            return switch verb {
            case .get: try await fetcher.get(url, query: query, headers: headers)
            case .head: try await fetcher.head(url, query: query, headers: headers)
            case .options: try await fetcher.options(url, query: query, headers: headers)
            case .delete:
                try await fetcher.delete(url, query: query, headers: headers, body: body)
            case .post: try await fetcher.post(url, body: body, query: query, headers: headers)
            case .put: try await fetcher.put(url, body: body, query: query, headers: headers)
            default: try await fetcher.patch(url, body: body, query: query, headers: headers)
            }
        }
        #expect(response.statusCode == 200)
        #expect(response.text == (verb == .head ? "" : "hello"))
        #expect(response[.contentType] == "text/plain")
        #expect(response.url == url + "?a=1%202&b=%26")
        #expect(response.metadata.attempts == 1)
        #expect(response.metadata.remoteAddress == "\(origin.address)")
        let seen = try #require(origin.seen.requests.first)
        #expect(seen.method == verb.rawValue)
        #expect(seen.target == "/path?a=1%202&b=%26")
        let sent = seen.fields.filter { $0.name.lowercased().hasPrefix("x-") }
        #expect(sent.map(\.name) == ["X-One", "x-two", "X-One"])
        #expect(sent.map(\.value) == ["1", "Zwei", "again"])
        let hasBody = ![.get, .head, .options].contains(verb)
        #expect(seen.body == (hasBody ? [UInt8]("content of \(verb)".utf8) : []))
    }

    @Test func `one call serves one connection after the other on any thread`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        for caller in Caller.allCases {
            let url = origin.url()
            let statistics = try await caller.run { fetcher in
                for _ in 0..<50 {
                    let response = try await fetcher.get(url)
                    #expect(response.statusCode == 200)
                }
                let pool = await fetcher.poolDescription
                #expect(pool == "0 active, 1 idle, 0 connecting")
                return try await fetcher.statistics
            }
            #expect(statistics.connectionsOpened == 1)
            #expect(statistics.reuses == 49)
            #expect(statistics.reuseRatio == 0.98)
        }
    }

    @Test func `bytes of a body come back as they were`() async throws {
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let origin = try ScriptedOrigin.start(
            Script { [.respond(200, body: Bytes($0.body))] })
        defer { origin.stop() }
        for caller in Caller.allCases {
            let url = origin.url()
            let response = try await caller.run { try await $0.post(url, body: .bytes(bytes)) }
            #expect(response.body == Bytes(bytes))
        }
    }

    @Test func `an HTTPRequest goes out and an HTTPResponse comes back`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("t", fields: [("X-Up", "Yes")])))
        defer { origin.stop() }
        var request = HTTPRequest(
            method: .put, scheme: "http", authority: "\(origin.address)", path: "/p?q=1")
        request.headerFields[.accept] = "text/plain"
        let sent = request
        let response = try await Caller.elsewhere.run {
            try await $0.execute(sent, body: .string("b"))
        }
        let seen = try #require(origin.seen.requests.first)
        #expect(seen.method == "PUT")
        #expect(seen.target == "/p?q=1")
        #expect(seen["Accept"] == "text/plain")
        #expect(response.httpResponse.status == .ok)
        #expect(response.httpResponse.headerFields[.contentType] == "text/plain")
    }

    @Test func `a status of 404 is a response`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("no", status: 404)))
        defer { origin.stop() }
        let url = origin.url()
        let response = try await Caller.elsewhere.run { try await $0.get(url) }
        #expect(response.statusCode == 404)
        #expect(!response.ok)
        #expect(throws: FetchError.self) { try response.validate() }
    }

    @Test func `eight tasks may call at once from any thread`() async throws {
        let origin = try ScriptedOrigin.start(Script { [.text($0.target)] })
        defer { origin.stop() }
        let fetcher = try Fetcher(.patient)
        let url = origin.url("/")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<50 {
                        let response = try await fetcher.get(url + "\(task)/\(number)")
                        #expect(response.text == "/\(task)/\(number)")
                    }
                }
            }
            try await group.waitForAll()
        }
        let statistics = try await fetcher.statistics
        #expect(statistics.callsSucceeded == 400)
        #expect(statistics.callsInFlight == 0)
        #expect(origin.seen.accepted <= 8)
        await fetcher.shutdown()
    }

    // MARK: The end

    @Test(arguments: Caller.allCases)
    func `a client that escaped its scope is closed`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        let escaped = try await caller.run { fetcher in
            _ = try await fetcher.get(url)
            return fetcher
        }
        let error = await #expect(throws: FetchError.self) { _ = try await escaped.get(url) }
        #expect(error?.code == .clientClosed)
        #expect(origin.seen.requestCount == 1)
    }

    @Test func `graceful shutdown lets a call end, immediate does not, and both may come again`()
        async throws
    {
        let origin = try ScriptedOrigin.start(MockPaths().script)
        defer { origin.stop() }
        for (path, mode, code) in [
            ("/delay/50", ShutdownMode.graceful(), nil), ("/hang", .immediate, .clientClosed),
        ] as [(String, ShutdownMode, FetchError.Code?)] {
            let url = origin.url(path)
            let fetcher = try Fetcher(.patient)
            async let answer = Self.outcome { try await fetcher.get(url) }
            while try await fetcher.statistics.exchanges == 0 { await Task.yield() }
            await fetcher.shutdown(mode)
            await fetcher.shutdown(mode)
            let error = await answer
            #expect((error as? FetchError)?.code == code)
            let pool = await fetcher.poolDescription
            #expect(pool == "0 active, 0 idle, 0 connecting")
        }
    }

    private static func outcome(
        _ call: @Sendable () async throws -> Response
    ) async -> (any Error)? {
        do {
            _ = try await call()
            return nil
        } catch {
            return error
        }
    }

    // MARK: Cancellation

    @Test(arguments: Caller.allCases)
    func `a storm of a thousand cancelled calls leaves nothing behind`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.hang))
        defer { origin.stop() }
        let url = origin.url()
        let statistics = try await caller.run { fetcher in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        do {
                            _ = try await fetcher.get(url)
                            return false
                        } catch {
                            return error is CancellationError
                        }
                    }
                    // Cancelled in every state: some before they begin, some on a connection.
                    if number % 100 == 99 { await Task.yield() }
                }
                group.cancelAll()
                for await wasCancelled in group { #expect(wasCancelled) }
            }
            return try await fetcher.statistics
        }
        #expect(statistics.callsInFlight == 0)
        #expect(statistics.callsWaiting == 0)
        #expect(statistics.active + statistics.connecting + statistics.idle == 0)
        #expect(statistics.trackedOrigins == 0)
        #expect(statistics.callsCancelled == statistics.callsStarted)
    }

    @Test(arguments: Caller.allCases)
    func `a task that was cancelled before its call gets CancellationError each time`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        try await caller.run { fetcher in
            // The slot of a call that was answered serves the cancelled one.
            for _ in 0..<3 {
                let response = try await fetcher.get(url)
                #expect(response.statusCode == 200)
                let task = Task {
                    withUnsafeCurrentTask { unsafe $0?.cancel() }
                    return try await fetcher.get(url)
                }
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
        #expect(origin.seen.requestCount == 3)
    }

    @Test func `a client dropped without shutdown leaves no thread and no descriptor`() async {
        // Alone in a process, so that the counts are its own.
        await #expect(processExitsWith: .success) {
            let origin = try ScriptedOrigin.start(.always(.text("x")))
            let url = origin.url()
            func isSoon(_ condition: () -> Bool) async -> Bool {
                await eventually(condition) {
                    sched_yield()
                    await Task.yield()
                }
            }
            try await useAndDrop(url)
            // The dropped client ends its thread and closes its connection; the origin hears of it
            // a moment later.
            let isGone = await isSoon { origin.seen.open == 0 && Resources.now.threads == 0 }
            #expect(isGone, "\(Resources.now)")
            let before = Resources.now
            for _ in 0..<5 { try await useAndDrop(url) }
            let isBack = await isSoon {
                let now = Resources.now
                return now.threads == 0 && now.descriptors <= before.descriptors
            }
            #expect(isBack, "\(Resources.now) instead of \(before)")
            // Alive until here: dropped, it would stop.
            origin.stop()
        }
    }
}

private func useAndDrop(_ url: String) async throws {
    let fetcher = try Fetcher(.patient)
    let response = try await fetcher.get(url)
    #expect(response.statusCode == 200)
}
