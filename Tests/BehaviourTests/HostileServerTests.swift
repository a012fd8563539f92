// Servers that never mean well, and long lists of work for them: every item ends, by a rule that
// has a name, after a number of requests that is known beforehand. Simulated network, virtual time.

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct HostileServerTests {
    private func configuration(_ allowance: RetryAllowance) -> FetcherConfiguration {
        configured {
            $0.retry = RetryPolicy(
                maxAttempts: 4, backoff: Backoff(base: .milliseconds(200), jitter: .none))
            $0.retryAllowance = allowance
        }
    }

    @Test func `a list of a thousand ends against a server that says 429 for ever`() async throws {
        let script = Script.always(.respond(429))
        try await onStage(script, configuration(RetryAllowance(percent: 20, floor: 0))) { stage in
            let urls = (0..<1_000).map { "http://127.0.0.1/\($0)" }
            let results = await stage.fetcher.results(for: urls)
            for result in results {
                let code = await failure { try result.get() }
                #expect(code == "retries-spent")
            }
            // A fifth more, and no more.
            #expect(stage.seen.requestCount > 1_000)
            #expect(stage.seen.requestCount <= 1_200)
            #expect(try await stage.statistics.retries == stage.seen.requestCount - 1_000)
            try await stage.expectBaseline()
        }
    }

    @Test func `with Retry-After it is asked when it says, and each call ends in its time`()
        async throws
    {
        let script = Script.always(.respond(429, fields: [("Retry-After", "10")]))
        try await onStage(script, configuration(.unlimited)) { stage in
            let urls = (0..<200).map { "http://127.0.0.1/\($0)" }
            let elapsed = await stage.time {
                for result in await stage.fetcher.results(for: urls, concurrency: 50) {
                    let code = await failure { try result.get() }
                    let rules = ["retries-spent", "rate-limited", "queue-timeout"]
                    #expect(rules.contains(code), "\(code)")
                }
            }
            // No two moments at which it is asked are closer together than it wants.
            let arrived = stage.seen.requests.map(\.arrived)
            let moments = arrived.reduce(into: [arrived[0]]) { moments, arrival in
                if arrival - moments[moments.count - 1] > .seconds(1) { moments.append(arrival) }
            }
            for (one, next) in zip(moments, moments.dropFirst()) {
                #expect(next - one >= .seconds(9))
            }
            #expect(stage.seen.requestCount <= 4 * 200)
            #expect(elapsed >= .seconds(30))
            try await stage.expectBaseline()
        }
    }

    @Test(arguments: [
        "says nothing", "resets", "closes", "answers with 503", "stops within the body",
        "drips a byte a minute",
    ])
    func `whatever a server does for ever, a list of work for it ends`(habit: String) async throws {
        let script = Script { _ in
            switch habit {
            case "says nothing": [.hang]
            case "resets": [.reset]
            case "closes": [.close]
            case "answers with 503": [.respond(503)]
            case "stops within the body": [.truncate(Bytes("0123456789"), after: 5)]
            default: [.drip(Bytes("HTTP/1.1 200 OK\r\n"), every: .seconds(60))]
            }
        }
        var configuration = configuration(RetryAllowance())
        configuration.circuitBreaker = BreakerRules(coolDown: .seconds(600))
        try await onStage(script, configuration) { stage in
            let urls = (0..<300).map { "http://127.0.0.1/\($0)" }
            let results = await stage.fetcher.results(for: urls)
            for result in results {
                let code = await failure { try result.get() }
                #expect(code != "none")
            }
            // Five failures open the breaker; who was under way then had been sent before.
            #expect(stage.seen.requestCount <= 30)
            #expect(try await stage.statistics.callsFailed == 300)
            // What the breaker knows is remembered for twice its time.
            try await stage.pass(.seconds(1_300))
            try await stage.expectBaseline()
        }
    }
}
