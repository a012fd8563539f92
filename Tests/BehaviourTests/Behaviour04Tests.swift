// Behaviours 4, 5 and 6: slots are conserved, origins are forgotten, idle connections give way.

import Fetch
import FetchTransport
import TestSupport
import Testing

private func one(_ change: (inout FetcherConfiguration) -> Void = { _ in }) -> FetcherConfiguration {
    configured {
        $0.pool.connectionsPerOrigin = 1
        change(&$0)
    }
}

@Suite struct Behaviour04Tests {
    @Test func `a hundred requests at once to one origin open ten connections`() async throws {
        try await onLoopback(.always(.delay(.milliseconds(5)), .text("x"))) { loop in
            let url = loop.origin.url()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 { group.addTask { try await loop.fetcher.get(url).ok } }
                for try await ok in group { #expect(ok) }
            }
            #expect(loop.seen.mostOpen == 10)
            #expect(loop.seen.accepted == 10)
            #expect(loop.seen.requestCount == 100)
        }
    }

    @Test func `a hundred tasks in a loop over ten origins open exactly a hundred connections`()
        async throws
    {
        let script = Script.always(.delay(.milliseconds(3)), .text("x"))
        try await onStage(script, weather: Weather(), origins: 10) { stage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<100 {
                    group.addTask {
                        for round in 0..<10 {
                            _ = try await stage.fetcher.get(url(1 + (task + round) % 10))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(stage.network.mostOpenInAll == 100)
            #expect(stage.network.connectCount == 100)
            for number in 1...10 { #expect(stage.network.mostOpen[address(number)] == 10) }
            #expect(stage.seen.requestCount == 1_000)
        }
    }

    @Test func `two hundred slow requests over twenty origins hold a hundred sockets at most`()
        async throws
    {
        let script = Script.always(.delay(.seconds(2)), .text("x"))
        try await onStage(script, origins: 20) { stage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for call in 0..<200 {
                    group.addTask { _ = try await stage.fetcher.get(url(1 + call % 20)) }
                }
                try await group.waitForAll()
            }
            #expect(stage.network.mostOpenInAll == 100)
            // A second of grace, and the look that comes a second later at most.
            try await stage.pass(.milliseconds(2_100))
            #expect(stage.open <= 20)
            #expect(try await stage.statistics.idle == stage.open)
        }
    }

    @Test(arguments: ["connecting", "waiting for the response", "in the body"])
    func `a cancel frees the slot in the same turn and wakes the first who waits`(
        state: String
    ) async throws {
        let script = Script { request in
            guard request.target == "/first" else { return [.text("x")] }
            let head = Step.head(200, fields: [("Content-Length", "9")])
            return state == "in the body" ? [head, .raw("abc"), .hang] : [.hang]
        }
        var weather = Weather.still
        if state == "connecting" { weather.connectDelay = .seconds(5) ... .seconds(5) }
        try await onStage(script, one(), weather: weather) { stage in
            let first = try await stage.begin("http://127.0.0.1/first")
            let second = try await stage.begin("http://127.0.0.1/second")
            let third = try await stage.begin("http://127.0.0.1/third")
            #expect(try await stage.statistics.callsWaiting == 2)
            #expect(stage.open == 1)
            let before = stage.reactor.now
            let turn = stage.reactor.turnNumber
            first.cancel()
            #expect(await failure { try await first.value } == "CancellationError")
            #expect(stage.reactor.turnNumber == turn)
            #expect(stage.reactor.now == before)
            #expect(try await second.value.ok)
            #expect(try await third.value.ok)
            let order = stage.seen.requests.map(\.target).filter { $0 != "/first" }
            #expect(order == ["/second", "/third"])
            #expect(stage.network.mostOpenInAll == 1)
            try await stage.expectBaseline()
        }
    }

    @Test func `a cancelled waiter leaves the line, and the others keep their order`() async throws {
        let script = Script.always(.delay(.seconds(1)), .text("x"))
        try await onStage(script, one()) { stage in
            var calls: [Task<Response, any Error>] = []
            for number in 0..<6 {
                calls.append(try await stage.begin("http://127.0.0.1/\(number)"))
            }
            calls[2].cancel()
            calls[4].cancel()
            #expect(await failure { try await calls[2].value } == "CancellationError")
            for number in [0, 1, 3, 5] { #expect(try await calls[number].value.ok) }
            #expect(stage.seen.requests.map(\.target) == ["/0", "/1", "/3", "/5"])
            try await stage.expectBaseline()
        }
    }

    @Test func `a thousand cancels in flight leave every counter at its base line`() async throws {
        let script = Script { request in
            request.number % 3 == 0
                ? [.head(200, fields: [("Content-Length", "9")]), .raw("abc"), .hang] : [.hang]
        }
        try await onStage(script, weather: Weather(), origins: 20) { stage in
            var calls: [Task<Response, any Error>] = []
            for number in 0..<1_000 {
                calls.append(
                    Task(executorPreference: stage.reactor) {
                        try await stage.fetcher.get(url(1 + number % 20))
                    })
            }
            try await stage.pass(.milliseconds(8))
            #expect(try await stage.statistics.callsInFlight == 1_000)
            for call in calls { call.cancel() }
            for call in calls {
                #expect(await failure { try await call.value } == "CancellationError")
            }
            let statistics = try await stage.statistics
            #expect(statistics.callsCancelled == 1_000)
            #expect(stage.open == 0)
            try await stage.expectBaseline()
        }
    }

    @Test func `a failed connection gives its slot to the next who waits`() async throws {
        try await onStage(.always(.text("x")), one(), origins: 1) { stage in
            stage.network.stopListening(at: address(1))
            let codes = await withTaskGroup(of: String.self) { group in
                for _ in 0..<5 {
                    group.addTask { await failure { try await stage.fetcher.get(url(1)) } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == Array(repeating: "refused", count: 5))
            #expect(stage.network.mostOpenInAll == 1)
            try await stage.expectBaseline()
        }
    }

    @Test func `one origin that hangs does not hold up another`() async throws {
        let script = Script { $0["host"] == "10.0.0.1" ? [.hang] : [.text("x")] }
        try await onStage(script, origins: 2) { stage in
            for _ in 0..<20 { _ = try await stage.begin(url(1)) }
            let elapsed = try await stage.time { _ = try await stage.fetcher.get(url(2)) }
            #expect(elapsed <= .milliseconds(5))
        }
    }
}

@Suite struct Behaviour05Tests {
    @Test func `an origin's record is freed when it has no connection and no waiter`() async throws {
        try await onStage(.always(.delay(.seconds(1)), .text("x")), one(), origins: 30) { stage in
            for number in 1...30 { _ = try await stage.begin(url(number)) }
            _ = try await stage.begin(url(1))
            #expect(try await stage.statistics.trackedOrigins == 30)
            try await stage.pass(.seconds(15))
            #expect(try await stage.statistics.trackedOrigins == 0)
            #expect(stage.open == 0)
        }
    }

    @Test func `at the cap on origins the least recently used gives way`() async throws {
        let configuration = configured { $0.pool.trackedOrigins = 3 }
        try await onStage(.always(.text("x")), configuration, origins: 5) { stage in
            // The first is used again, so that the second is the oldest.
            for number in [1, 2, 3, 1, 4] {
                _ = try await stage.fetcher.get(url(number))
                try await stage.pass(.milliseconds(10))
                #expect(try await stage.statistics.trackedOrigins <= 3)
            }
            #expect(stage.network.open[address(1)] == 1)
            #expect(stage.network.open[address(2)] == 0)
            #expect(stage.network.open[address(3)] == 1)
        }
    }

    @Test func `with every origin in use one more is refused by name`() async throws {
        let configuration = configured { $0.pool.trackedOrigins = 2 }
        try await onStage(.always(.hang), configuration, origins: 3) { stage in
            _ = try await stage.begin(url(1))
            _ = try await stage.begin(url(2))
            #expect(await failure { try await stage.fetcher.get(url(3)) } == "overloaded")
        }
    }

    @Test func `origins visited twice leave descriptors flat`() async throws {
        #expect(
            try await fetchProbe("origins", 500) == [
                "tracked at most 50", "descriptors bounded true, flat true",
            ])
    }
}

@Suite struct Behaviour06Tests {
    @Test func `at the total cap a new origin closes the connection that was idle longest`()
        async throws
    {
        let configuration = configured { $0.pool.connections = 3 }
        try await onStage(.always(.text("x")), configuration, origins: 4) { stage in
            for number in [1, 2, 3, 1] {
                _ = try await stage.fetcher.get(url(number))
                try await stage.pass(.milliseconds(10))
            }
            _ = try await stage.fetcher.get(url(4))
            #expect(stage.network.open[address(2)] == 0)
            for number in [1, 3, 4] { #expect(stage.network.open[address(number)] == 1) }
            #expect(stage.network.mostOpenInAll == 3)
        }
    }

    @Test func `more idle connections than the cap are closed, oldest first`() async throws {
        let configuration = configured { $0.pool.idleConnections = 2 }
        try await onStage(.always(.text("x")), configuration, origins: 5) { stage in
            for number in 1...5 {
                _ = try await stage.fetcher.get(url(number))
                try await stage.pass(.milliseconds(5))
            }
            try await stage.pass(.milliseconds(2_100))
            #expect((1...5).map { stage.network.open[address($0)] ?? 0 } == [0, 0, 0, 1, 1])
        }
    }
}
