// A breaker around any asynchronous work (CB-01 to CB-04, CB-06), on virtual time.

import Fetch
import Synchronization
import TestSupport
import Testing

private struct Broken: Error {}

struct BreakerTests {
    @Test func `CB-06 transitions are told in order, and an open breaker calls nothing`()
        async throws
    {
        try await onReactor(virtual: true) { reactor in
            let told = Mutex<[CircuitBreaker.Transition]>([])
            let breaker = try Breaker(
                BreakerRules(consecutiveFailures: 2, coolDown: .seconds(60)), on: reactor,
                onTransition: { step in told.withLock { $0.append(step) } })
            let start = reactor.clock.now
            for _ in 0..<2 {
                await #expect(throws: Broken.self) { try await breaker.call { throw Broken() } }
            }
            try await reactor.clock.sleep(for: .seconds(20))
            let refusal = await #expect(throws: FetchError.self) {
                try await breaker.call { Issue.record("called while open") }
            }
            #expect(refusal?.code == .circuitOpen)
            #expect(refusal?.retryAfter == .seconds(40))
            try await reactor.clock.sleep(for: .seconds(40))
            // The probe fails, the next one does not.
            await #expect(throws: Broken.self) { try await breaker.call { throw Broken() } }
            try await reactor.clock.sleep(for: .seconds(60))
            let answer = try await breaker.call { 7 }
            #expect(answer == 7)
            #expect(breaker.state == .closed)
            let steps = told.withLock { $0 }
            let (first, second) = (start + .seconds(60), start + .seconds(120))
            #expect(
                steps.map(\.to) == [
                    .open(until: first), .halfOpen, .open(until: second), .halfOpen, .closed,
                ])
            #expect(steps.map(\.at) == [start, first, first, second, second])
        }
    }

    @Test func `CB-04 one probe at a time, and a cancelled one gives the permit back`()
        async throws
    {
        try await onReactor(virtual: true) { reactor in
            let breaker = try Breaker(
                BreakerRules(consecutiveFailures: 1, coolDown: .seconds(1)), on: reactor)
            await #expect(throws: Broken.self) { try await breaker.call { throw Broken() } }
            try await reactor.clock.sleep(for: .seconds(1))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) {
                        try await breaker.call { try await reactor.clock.sleep(for: .seconds(600)) }
                    }
                }
                while breaker.state != .halfOpen { await Task.yield() }
                for _ in 0..<100 {
                    let refusal = await #expect(throws: FetchError.self) {
                        try await breaker.call {}
                    }
                    #expect(refusal?.code == .circuitOpen)
                }
                group.cancelAll()
            }
            #expect(breaker.state == .halfOpen)
            try await breaker.call {}
            #expect(breaker.state == .closed)
        }
    }

    @Test func `CB-03 what counts is the status, the cause, or what the caller says`()
        async throws
    {
        let origin = try ScriptedOrigin.start(MockPaths().script)
        defer { origin.stop() }
        let fetcher = try Fetcher()
        let rules = BreakerRules(consecutiveFailures: 2)
        func state(after urls: [String]) async throws -> CircuitBreaker.State {
            let breaker = try fetcher.breaker(rules)
            for url in urls { _ = try? await breaker.call { try await fetcher.get(url) } }
            return breaker.state
        }
        let (bad, missing) = (origin.url("/status/503"), origin.url("/status/404"))
        #expect(try await state(after: [bad, bad]) != .closed)
        #expect(try await state(after: [bad, missing, bad]) == .closed)
        #expect(try await state(after: ["http://127.0.0.1:1/", "http://127.0.0.1:1/"]) != .closed)
        #expect(try await state(after: ["not-a-url", "ftp://x/", "http://"]) == .closed)
        let breaker = try fetcher.breaker(rules)
        for _ in 0..<2 { _ = try await breaker.call(verdict: { _ in .failure }, { 1 }) }
        #expect(breaker.state != .closed)
        await fetcher.shutdown()
    }

    @Test func `a setting that makes no sense is named`() throws {
        let reactor = try Reactor.embedded()
        let error = #expect(throws: FetchError.self) {
            try Breaker(BreakerRules(probes: 0), on: reactor)
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.reason.hasPrefix("probes: ") == true)
        reactor.stop()
    }
}
