// Behaviours 7, 8 and 9: clocks, what they may not do, and cancellation.

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct Behaviour07Tests {
    @Test func `all eight clocks are on by default`() {
        let clocks = FetcherConfiguration().timeouts
        let seconds = [
            clocks.queue, clocks.dns, clocks.connect, clocks.tls, clocks.writeIdle,
            clocks.firstByte, clocks.readIdle, clocks.total,
        ].map { $0?.components.seconds }
        #expect(seconds == [30, 10, 10, 10, 30, 30, 30, 300])
    }

    /// What a peer does, which clock finds it, and when it runs out.
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var steps: [Step]
        var code: String
        var seconds: Int
        var blackHole = false
        var dripsBody = false

        var testDescription: String { name }
    }

    static let faults = [
        Fault(
            name: "never connects", steps: [], code: "connect-timeout in connect", seconds: 10,
            blackHole: true),
        Fault(
            name: "never answers", steps: [.hang], code: "first-byte-timeout in first-byte",
            seconds: 30),
        Fault(
            name: "stops in the head", steps: [.raw("HTTP/1.1 200 OK\r\nA: "), .hang],
            code: "read-timeout in first-byte", seconds: 30),
        Fault(
            name: "stops in the body",
            steps: [.head(200, fields: [("Content-Length", "9")]), .raw("abc"), .hang],
            code: "read-timeout in body", seconds: 30),
        Fault(
            name: "drips for ever",
            steps: [
                .head(200, fields: [("Content-Length", "9999")]),
                .drip(BodyPattern.bytes(at: 0, count: 9_999), every: .seconds(1)),
            ],
            code: "total-timeout in body", seconds: 300),
    ]

    @Test(arguments: faults)
    func `a silent peer ends the call when its phase's clock runs out, by name`(
        fault: Fault
    ) async throws {
        var weather = Weather.still
        if fault.blackHole { weather.blackHole = 1 }
        try await onStage(Script { _ in fault.steps }, weather: weather) { stage in
            var code = ""
            let elapsed = await stage.time {
                code = await failureAndPhase { try await stage.fetcher.get("http://127.0.0.1/") }
            }
            #expect(code == fault.code)
            #expect(elapsed >= .seconds(fault.seconds))
            #expect(elapsed <= .seconds(fault.seconds) + .milliseconds(5))
            #expect(stage.open == 0)
            try await stage.expectBaseline()
        }
    }

    @Test func `a peer that takes no more of the request runs into the write clock`() async throws {
        let script = Script.atHead { _ in [.stopReading, .hang] }
        try await onStage(script) { stage in
            let body = RequestBody.bytes([UInt8](repeating: 0, count: 1 << 20))
            let elapsed = await stage.time {
                let code = await failureAndPhase {
                    try await stage.fetcher.put("http://127.0.0.1/", body: body)
                }
                #expect(code == "write-timeout in write")
            }
            #expect(elapsed >= .seconds(30) && elapsed <= .milliseconds(30_050))
        }
    }

    @Test func `who waits for a slot runs into the queue clock, not the connect clock`()
        async throws
    {
        let configuration = configured {
            $0.pool.connectionsPerOrigin = 1
            $0.timeouts.firstByte = nil
        }
        try await onStage(.always(.hang), configuration) { stage in
            let first = try await stage.begin("http://127.0.0.1/")
            let elapsed = await stage.time {
                let code = await failureAndPhase {
                    try await stage.fetcher.get("http://127.0.0.1/")
                }
                #expect(code == "queue-timeout in queue")
            }
            #expect(elapsed == .seconds(30))
            first.cancel()
            _ = await first.result
        }
    }

    @Test func `six faults have six distinct codes`() async throws {
        let codes =
            Self.faults.map { $0.code.prefix { $0 != " " } }
            + ["queue-timeout", "write-timeout"]
        #expect(Set(codes).count == 6)
    }

    @Test func `a refused connection fails at once, whatever the clocks`() async throws {
        try await onStage(.always(.text("x"))) { stage in
            stage.network.stopListening(at: home)
            let elapsed = await stage.time {
                let code = await failureAndPhase {
                    try await stage.fetcher.get("http://127.0.0.1/")
                }
                #expect(code == "refused in connect")
            }
            #expect(elapsed <= .milliseconds(2))
        }
    }

    @Test func `refused on all addresses is a refusal that names each`() async throws {
        let configuration = configured(.patient) {
            $0.hostOverrides = ["two.test": ["127.0.0.1", "::1"]]
        }
        let port = try await onThreadOfItsOwn { try Loopback.freePort() }
        try await onReactor { _ in
            let fetcher = try Fetcher(configuration)
            // At once: no clock would end it within minutes.
            let error = await #expect(throws: FetchError.self) {
                try await fetcher.get("http://two.test:\(port)/")
            }
            #expect(error?.code == .refused)
            #expect(error?.reason.contains("127.0.0.1:\(port): connection refused") == true)
            #expect(error?.reason.contains("[::1]:\(port)") == true)
        }
    }

    @Test func `a dead first address leaves the second one to answer`() async throws {
        let addresses = ["127.0.0.9", "127.0.0.1"]
        let configuration = configured(.patient) {
            $0.hostOverrides = ["two.test": addresses]
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let response = try await loop.fetcher.get("http://two.test:\(loop.origin.port)/")
            #expect(response.ok)
            #expect(response.metadata.remoteAddress == "127.0.0.1:\(loop.origin.port)")
            #expect(loop.seen.requests[0]["host"] == "two.test:\(loop.origin.port)")
        }
    }

    @Test func `a read clock starts again with every byte`() async throws {
        let drip = Step.drip(Bytes("0123456789"), every: .seconds(29))
        let script = Script.always(.head(200, fields: [("Content-Length", "10")]), drip)
        try await onStage(script) { stage in
            let start = stage.reactor.now
            let response = try await stage.fetcher.get("http://127.0.0.1/")
            #expect(response.text == "0123456789")
            #expect(stage.reactor.now - start >= .seconds(9 * 29))
        }
    }
}

@Suite struct Behaviour08Tests {
    @Test func `data that has arrived never times out, however late the loop is`() async throws {
        var request = Request(.get, "")
        request.timeouts = Timeouts()
        request.timeouts?.firstByte = .milliseconds(1_000)
        request.timeouts?.total = .milliseconds(1_200)
        try await onLoopback(.always(.text("x"))) { [request] loop in
            _ = try await loop.fetcher.get(loop.origin.url())
            for _ in 0..<2 {
                var request = request
                request.url = loop.origin.url()
                let before = loop.seen.requestCount
                let sent = try await loop.fetcher.statistics.bytesSent
                async let response = loop.fetcher.execute(request)
                while try await loop.fetcher.statistics.bytesSent == sent {}
                // The answer arrives while nobody looks, and every clock runs out.
                #expect(loop.block { loop.seen.requestCount > before })
                spin(.milliseconds(1_500))
                let status = try await response.statusCode
                #expect(status == 200)
            }
        }
    }

    @Test func `a call that begins behind a long computation has all of its time`() async throws {
        var request = Request(.get, "")
        request.totalTimeout = .milliseconds(2_000)
        try await onLoopback(.always(.delay(.milliseconds(5)), .text("x"))) { [request] loop in
            var request = request
            request.url = loop.origin.url()
            _ = try await loop.fetcher.get(loop.origin.url())
            for _ in 0..<2 {
                // Inside one job: the reactor's cached time is as old as the job.
                spin(.milliseconds(2_050))
                let start = ContinuousClock.now
                let told = await failure {
                    let response = try await loop.fetcher.execute(request)
                    #expect(response.ok)
                    #expect(response.metadata.totalTime <= ContinuousClock.now - start)
                }
                // On a machine that is too busy to answer in time, it had that time all the same.
                let hadItsTime = ContinuousClock.now - start >= .milliseconds(2_000)
                #expect(told == "none" || told == "total-timeout" && hadItsTime)
            }
        }
    }
}
