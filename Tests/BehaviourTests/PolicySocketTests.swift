// Each policy over the kernel's sockets, seen from the server: what came, in which order, how many,
// and never earlier than it may. A request arrives after it was sent, so its arrival is a lower
// bound, to the millisecond to which it is known; nothing is said about how late it may be.

import Fetch
import FetchHTTP
import FetchPolicy
import FetchTime
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite struct PolicySocketTests {
    /// One answer after the other; the last one for all that come later.
    private func script(_ statuses: [Int], fields: [(String, String)] = []) -> Script {
        let turn = Mutex(0)
        return Script { _ in
            let number = turn.withLock { turn in
                defer { turn += 1 }
                return min(turn, statuses.count - 1)
            }
            let status = statuses[number]
            return [.respond(status, fields: status == 200 ? [] : fields)]
        }
    }

    @Test func `RETRY-02 attempts come no earlier than their schedule, and no more of them`()
        async throws
    {
        let configuration = configured(.patient) {
            $0.retry = RetryPolicy(
                maxAttempts: 4, backoff: Backoff(base: .milliseconds(20), jitter: .none))
        }
        try await onLoopback(script([503, 503, 503, 200]), configuration) { loop in
            let response = try await loop.fetcher.get(loop.origin.url())
            #expect(response.statusCode == 200)
            let arrived = loop.seen.requests.map(\.arrived)
            #expect(arrived.count == 4)
            for (index, wait) in [20, 40, 80].enumerated() {
                #expect(arrived[index + 1] - arrived[index] >= .milliseconds(wait - 1))
            }
        }
    }

    @Test func `RATE-10 a 429 keeps every caller from the domain for as long as it says`()
        async throws
    {
        let configuration = configured(.patient) { $0.retry = .standard }
        try await onLoopback(
            script([429, 200], fields: [("Retry-After", "1")]), configuration
        ) { loop in
            let url = loop.origin.url()
            async let first = loop.fetcher.get(url + "first")
            let isHeld = try await loop.eventually {
                try await loop.fetcher.statistics.callsOnHold == 1
            }
            #expect(isHeld)
            let second = try await loop.fetcher.get(url + "second")
            #expect(second.statusCode == 200)
            #expect(try await first.statusCode == 200)
            let requests = loop.seen.requests
            #expect(requests.count == 3)
            for later in requests.dropFirst() {
                #expect(later.arrived - requests[0].arrived >= .milliseconds(999))
            }
        }
    }

    @Test func `RETRY-09 nobody comes before the date that the server has named`() async throws {
        let turn = Mutex(0)
        let busyOnce = Script { _ in
            let number = turn.withLock { turn in
                defer { turn += 1 }
                return turn
            }
            // A date counts whole seconds: between one and two from now.
            let date = HTTPDate.text(Int64(time(nil)) + 2)
            return number == 0 ? [.respond(503, fields: [("Retry-After", date)])] : [.text("x")]
        }
        let configuration = configured(.patient) {
            $0.retry = RetryPolicy(
                maxAttempts: 2, backoff: Backoff(base: .milliseconds(1), jitter: .none))
        }
        try await onLoopback(busyOnce, configuration) { loop in
            let response = try await loop.fetcher.get(loop.origin.url())
            #expect(response.statusCode == 200)
            let arrived = loop.seen.requests.map(\.arrived)
            #expect(arrived.count == 2)
            // The wall clock and the other one are read one after the other.
            #expect(arrived[1] - arrived[0] >= .milliseconds(900))
        }
    }

    @Test func `RATE-10 a domain that is parked keeps no other one waiting`() async throws {
        let configuration = configured(.patient) {
            $0.retry = .standard
            $0.hostOverrides = ["a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]]
        }
        let isBusy = Script { request in
            request["Host"]?.hasPrefix("a.test") ?? false
                ? [.respond(429, fields: [("Retry-After", "60")])] : [.text("x")]
        }
        try await onLoopback(isBusy, configuration) { loop in
            let port = loop.origin.port
            let parked = (0..<3).map { number in
                Task { try await loop.fetcher.get("http://a.test:\(port)/\(number)") }
            }
            let areHeld = try await loop.eventually {
                let now = try await loop.fetcher.statistics
                return now.callsInFlight == 3 && now.active + now.connecting == 0
                    && now.callsOnHold > 0
            }
            #expect(areHeld)
            let sent = loop.seen.requestCount
            for path in 0..<20 { _ = try await loop.fetcher.get("http://b.test:\(port)/\(path)") }
            #expect(loop.seen.requestCount == sent + 20)
            #expect(loop.seen.requests.suffix(20).allSatisfy { $0["Host"] == "b.test:\(port)" })
            for call in parked { call.cancel() }
            for call in parked { _ = await call.result }
        }
    }

    @Test func `LB-01 a request is asked again no earlier than its delay, and the first is let go`()
        async throws
    {
        let configuration = configured(.patient) { $0.hedging = .after(.milliseconds(40)) }
        let hangsFirst = Script { $0.number == 0 ? [.hang] : [.text("second")] }
        try await onLoopback(hangsFirst, configuration) { loop in
            let start = loop.reactor.now
            let response = try await loop.fetcher.get(loop.origin.url("/page"))
            #expect(response.text == "second")
            let requests = loop.seen.requests
            #expect(requests.map(\.target) == ["/page", "/page"])
            #expect(requests.map(\.connection) == [0, 1])
            #expect(requests[1].arrived - start >= .milliseconds(39))
            let isLetGo = try await loop.eventually { loop.seen.open == 1 }
            #expect(isLetGo)
            let statistics = try await loop.fetcher.statistics
            #expect([statistics.hedges, statistics.hedgesWon] == [1, 1])
        }
    }

    @Test func `a server that says 429 for ever is asked as often as attempts and budget allow`()
        async throws
    {
        let configuration = configured(.patient) {
            $0.retry = RetryPolicy(
                maxAttempts: 4, backoff: Backoff(base: .milliseconds(5), jitter: .none))
            $0.retryAllowance = RetryAllowance(percent: 0, floor: 30)
        }
        try await onLoopback(script([429]), configuration) { loop in
            let start = loop.reactor.now
            let urls = (0..<100).map { loop.origin.url("/\($0)") }
            for result in await loop.fetcher.results(for: urls) {
                let code = await failure { try result.get() }
                #expect(code == "retries-spent")
            }
            let statistics = try await loop.fetcher.statistics
            #expect(loop.seen.requestCount == 100 + statistics.retries)
            // The allowance is for ten seconds, and nobody knows how long this has taken.
            let allowances = (loop.reactor.now - start) / .seconds(10) + 2
            #expect(Double(statistics.retries) <= 30 * allowances)
            var arrivals: [String: [Instant]] = [:]
            for request in loop.seen.requests {
                arrivals[request.target, default: []].append(request.arrived)
            }
            for times in arrivals.values {
                for (number, (one, next)) in zip(times, times.dropFirst()).enumerated() {
                    #expect(next - one >= .milliseconds(5 << number) - .milliseconds(1))
                }
            }
        }
    }

    @Test func `RATE-01 requests come no earlier than the rate lets them go, in order`()
        async throws
    {
        let configuration = configured(.patient) {
            $0.rate.perDomain = .leakyBucket(.perSecond(50), shaping: .strict)
            $0.pool.connectionsPerOrigin = 1
        }
        try await onLoopback(.always(.text("x")), configuration) { loop in
            let urls = (0..<10).map { loop.origin.url("/\($0)") }
            let start = loop.reactor.now
            _ = try await loop.fetcher.fetchAll(urls)
            let requests = loop.seen.requests
            #expect(requests.map(\.target) == (0..<10).map { "/\($0)" })
            for (number, request) in requests.enumerated() {
                // A tick of lateness may be made good.
                let earliest = Duration.milliseconds(20 * number - 2)
                #expect(request.arrived - start >= earliest)
            }
        }
    }

    @Test func `CONC-01 no more are under way at the server than there are slots`() async throws {
        let configuration = configured(.patient) {
            $0.concurrency = 3
            $0.pool.connectionsPerOrigin = 20
        }
        try await onLoopback(
            Script { _ in [.delay(.milliseconds(2)), .text("x")] }, configuration
        ) { loop in
            let urls = (0..<30).map { loop.origin.url("/\($0)") }
            _ = try await loop.fetcher.fetchAll(urls)
            #expect(loop.seen.requestCount == 30)
            #expect(loop.seen.mostOpen <= 3)
        }
    }

    @Test func `CB-01 an open breaker sends nothing, and one probe after its time`() async throws {
        let configuration = configured(.patient) {
            $0.circuitBreaker = BreakerRules(
                consecutiveFailures: 3, coolDown: .milliseconds(200))
        }
        try await onLoopback(script([503, 503, 503, 200]), configuration) { loop in
            let url = loop.origin.url()
            for _ in 0..<3 { _ = try await loop.fetcher.get(url) }
            var refused = 0
            while await failure({ try await loop.fetcher.get(url) }) == "circuit-open" {
                refused += 1
                try await loop.reactor.clock.sleep(for: .milliseconds(5))
            }
            let requests = loop.seen.requests
            #expect(requests.count == 4)
            // It opened when the third answer had come, which was after the third request.
            #expect(requests[3].arrived - requests[2].arrived >= .milliseconds(199))
            #expect(try await loop.fetcher.statistics.refusedByBreaker == refused)
        }
    }

    @Test func `COAL-01 twenty who ask the same at once are one request at the server`()
        async throws
    {
        let configuration = configured(.patient) { $0.coalescing = CoalescingRules() }
        try await onLoopback(
            Script { _ in [.delay(.milliseconds(50)), .text("the same")] }, configuration
        ) { loop in
            let url = loop.origin.url()
            let texts = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 { group.addTask { try await loop.fetcher.get(url).text } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(texts == Array(repeating: "the same", count: 20))
            let statistics = try await loop.fetcher.statistics
            #expect(loop.seen.requestCount == 20 - statistics.callsCoalesced)
            #expect(statistics.callsCoalesced > 0)
        }
    }
}
