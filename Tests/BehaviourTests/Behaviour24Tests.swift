// Behaviours 24, 25 and 26: embedding, the process's own matters, and signals.

import Fetch
import FetchTransport
import Dispatch
import Glibc
import Synchronization
import TestSupport
import Testing

private let hasNginx = Files.isExecutable("/usr/sbin/nginx")

/// Whether poll(2) says that the descriptor is readable now.
private func isReadable(_ descriptor: CInt, within milliseconds: CInt = 0) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // The pointer is to a local.
    return unsafe poll(&entry, 1, milliseconds) == 1
}

/// Runs the body with an origin and an embedded reactor on a thread of its own.
private func embedding<R: Sendable>(
    _ script: Script, _ body: @escaping @Sendable (Reactor, RunningOrigin) throws -> R
) async throws -> R {
    try await onThreadOfItsOwn {
        let origin = try ScriptedOrigin.start(script)
        defer { origin.stop() }
        let reactor = try Reactor.embedded()
        defer { reactor.stop() }
        return try body(reactor, origin)
    }
}

@Suite struct Behaviour24Tests {
    @Test func `the one descriptor is readable exactly when there is work, timers included`()
        async throws
    {
        try await embedding(.always(.delay(.milliseconds(30)), .text("x"))) { reactor, origin in
            let fetcher = try LocalFetcher(.patient, on: reactor)
            #expect(!isReadable(reactor.fileDescriptor))
            var status = 0
            fetcher.get(origin.url()) { status = (try? $0.get().statusCode) ?? -1 }
            var idleTurns = 0
            while status == 0 {
                try #require(isReadable(reactor.fileDescriptor, within: 60_000))
                if reactor.turn() == 0 { idleTurns += 1 }
            }
            #expect(status == 200)
            // A wake-up without work is allowed (the timer's), a busy loop is not.
            #expect(idleTurns <= 5)
            while isReadable(reactor.fileDescriptor) { reactor.turn() }
            #expect(!isReadable(reactor.fileDescriptor, within: 20))
        }
    }

    @Test func `a clock that runs out makes the descriptor readable in time`() async throws {
        try await embedding(.always(.hang)) { reactor, origin in
            let fetcher = try LocalFetcher(.patient, on: reactor)
            var request = Request(.get, origin.url())
            request.totalTimeout = .milliseconds(60)
            var code = ""
            let start = ContinuousClock.now
            fetcher.execute(request) { result in
                if case .failure(let error as FetchError) = result { code = error.code.rawValue }
            }
            while code.isEmpty, isReadable(reactor.fileDescriptor, within: 60_000) {
                reactor.turn()
            }
            #expect(code == "total-timeout")
            #expect(ContinuousClock.now - start >= .milliseconds(60))
        }
    }

    @Test func `a host that did not turn for long loses no time of its next call`() async throws {
        try await embedding(.always(.delay(.milliseconds(5)), .text("x"))) { reactor, origin in
            let fetcher = try LocalFetcher(.patient, on: reactor)
            reactor.turn()
            spin(.milliseconds(2_050))
            var request = Request(.get, origin.url())
            request.totalTimeout = .milliseconds(2_000)
            var told = ""
            let start = ContinuousClock.now
            fetcher.execute(request) { result in
                switch result {
                case .success(let response): told = "\(response.statusCode)"
                case .failure(let error): told = (error as? FetchError)?.code.rawValue ?? "else"
                }
            }
            while told.isEmpty, isReadable(reactor.fileDescriptor, within: 60_000) {
                reactor.turn()
            }
            // On a machine that is too busy to answer in time, it had that time all the same.
            let hadItsTime = ContinuousClock.now - start >= .milliseconds(2_000)
            #expect(told == "200" || told == "total-timeout" && hadItsTime)
        }
    }

    @Test func `completions are queued: none runs inside a call of the host's`() async throws {
        try await embedding(.always(.text("x"))) { reactor, origin in
            let fetcher = try LocalFetcher(.patient, on: reactor)
            var isInside = true
            var told = 0
            func tell(_ result: Result<Response, any Error>) {
                #expect(!isInside)
                told += 1
            }
            // Refused before it is sent, refused by the peer's absence, cancelled, shut down.
            fetcher.get("no url", tell)
            fetcher.get("http://127.0.0.1:1/", tell)
            let call = fetcher.get(origin.url(), tell)
            fetcher.cancel(call)
            fetcher.cancel(call)
            fetcher.get(origin.url(), tell)
            fetcher.shutdown(.immediate)
            fetcher.get(origin.url(), tell)
            #expect(told == 0)
            isInside = false
            while told < 5, isReadable(reactor.fileDescriptor, within: 60_000) { reactor.turn() }
            #expect(told == 5)
        }
    }

    @Test func `a turn is bounded and never waits`() async throws {
        try await embedding(.always(.hang)) { reactor, origin in
            let fetcher = try LocalFetcher(.patient, on: reactor)
            var isOver = false
            fetcher.get(origin.url()) { _ in isOver = true }
            // One that waited would wait for a clock, for nobody answers.
            for _ in 0..<1_000 { reactor.turn(maxEvents: 1) }
            #expect(!isOver)
        }
    }

    @Test func `nothing happens after stop, and what was in flight is told before`() async throws {
        try await embedding(.always(.hang)) { reactor, origin in
            let fetcher = try LocalFetcher(.patient, on: reactor)
            var codes: [String] = []
            fetcher.get(origin.url()) { result in
                if case .failure(let error as FetchError) = result {
                    codes.append(error.code.rawValue)
                }
            }
            while origin.seen.requestCount == 0 {
                _ = isReadable(reactor.fileDescriptor, within: 100)
                reactor.turn()
            }
            reactor.stop()
            #expect(codes == ["client-closed"])
            #expect(reactor.turn() == 0)
            #expect(codes.count == 1)
        }
    }

    @Test func `a foreign poll loop finishes a thousand requests with one thread`() async throws {
        try await snippetAgainstOrigin(
            "EmbedInPollLoop", expects: ["1000 ended, 0 failed, Threads: 1"])
    }

    @Test func `a DispatchSource on the descriptor finishes a thousand requests`() async throws {
        try await snippetAgainstOrigin("EmbedInDispatch", expects: ["1000 ended, 0 failed"])
    }

    private func snippetAgainstOrigin(_ name: String, expects: [String]) async throws {
        let origin = try await onThreadOfItsOwn {
            try ScriptedOrigin.start(.always(.text("Hello, World!")))
        }
        defer { origin.stop() }
        #expect(try await child(name, [origin.url(), "1000"]) == expects)
        #expect(origin.seen.requestCount == 1_000)
        #expect(origin.seen.accepted == 10)
    }

    @Test func `the first program of the README prints status, type and text`() async throws {
        let origin = try await onThreadOfItsOwn {
            try ScriptedOrigin.start(.always(.text("Hello, World!")))
        }
        defer { origin.stop() }
        let lines = try await child("FirstProgram", [origin.url()])
        #expect(lines == ["200 OK text/plain", "Hello, World!"])
    }

    @Test(.enabled(if: hasNginx, "needs nginx: apt-get install nginx-light"))
    func `the three programs do the same against nginx`() async throws {
        let nginx = try await onThreadOfItsOwn { try Nginx.start() }
        defer { nginx.stop() }
        let poll = try await child("EmbedInPollLoop", [nginx.url(), "1000"])
        #expect(poll == ["1000 ended, 0 failed, Threads: 1"])
        let dispatch = try await child("EmbedInDispatch", [nginx.url(), "1000"])
        #expect(dispatch == ["1000 ended, 0 failed"])
        let first = try await child("FirstProgram", [nginx.url()])
        #expect(first == ["200 OK text/plain", "Hello, World!"])
    }

    @Test func `a program on Reactor.run shows one thread under load`() async throws {
        #expect(try await fetchProbe("threads", 6_400) == ["6400 good, Threads: 1"])
    }
}

@Suite struct Behaviour25Tests {
    @Test func `every socket is closed on exec`() async throws {
        #expect(try await fetchProbe("close-on-exec") == ["sockets that exec would keep: 0"])
    }

    @Test func `a forked child gets a typed error, and the parent's calls go on undisturbed`()
        async throws
    {
        #expect(
            try await fetchProbe("fork") == [
                "child's get: forked", "child's client: forked", "child's status 0",
                "parent's call in flight: slow", "parent: 0 failed, 1 opened",
            ])
    }

    @Test func `a client leaves no descriptor behind, however it ends`() async throws {
        #expect(
            try await fetchProbe("scopes", 60) == [
                "escaped: client-closed", "descriptors flat true",
            ])
    }

    @Test func `a client with a thread of its own ends it and leaves no descriptor`() async throws {
        #expect(
            try await fetchProbe("owned-threads", 50) == [
                "threads true", "descriptors flat true",
            ])
    }

    @Test func `a gigabyte goes through in flat memory`() async throws {
        #expect(
            try await fetchProbe("flat-memory", 1_024) == [
                "1024 MiB, all there true, grown little true"
            ])
    }

    @Test func `graceful shutdown lets calls in flight end, up to its deadline`() async throws {
        let script = Script { request in
            [.delay(.seconds(request.target == "/slow" ? 60 : 3)), .text("x")]
        }
        try await onStage(script) { stage in
            let quick = try await stage.begin("http://127.0.0.1/quick")
            let slow = try await stage.begin("http://127.0.0.1/slow")
            let elapsed = await stage.time {
                await stage.fetcher.shutdown(.graceful(within: .seconds(5)))
            }
            #expect(elapsed == .seconds(5))
            #expect(try await quick.value.ok)
            #expect(await failure { try await slow.value } == "client-closed")
            let late = await failure { try await stage.fetcher.get("http://127.0.0.1/") }
            #expect(late == "client-closed")
            #expect(stage.open == 0)
            let again = await stage.time { await stage.fetcher.shutdown() }
            #expect(again == .zero)
        }
    }

    @Test func `immediate shutdown fails calls in flight at once, in every state`() async throws {
        let configuration = configured { $0.pool.connectionsPerOrigin = 1 }
        try await onStage(.always(.hang), configuration) { stage in
            let active = try await stage.begin("http://127.0.0.1/")
            let queued = try await stage.begin("http://127.0.0.1/")
            let elapsed = await stage.time { await stage.fetcher.shutdown(.immediate) }
            #expect(elapsed == .zero)
            #expect(await failure { try await active.value } == "client-closed")
            #expect(await failure { try await queued.value } == "client-closed")
            #expect(stage.open == 0)
            await stage.fetcher.shutdown(.immediate)
        }
    }
}

@Suite struct Behaviour26Tests {
    @Test func `a peer's resets under a thousand writes raise no signal`() async throws {
        #expect(
            try await fetchProbe("resets", 1_000) == [
                "default disposition true", "1000 failed: [\"closed-before-response\"]",
                "alive, still default true",
            ])
    }
}
