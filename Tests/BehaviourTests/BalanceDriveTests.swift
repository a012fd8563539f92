// Several endpoints behind one origin, and requests that are asked twice, over the kernel's
// loopback: who was asked how often, and in which order. LB-01.

import Fetch
import FetchTransport
import TestSupport
import Testing

private let name = "http://service.test"

/// Three origins, and a client to which they are one.
private struct Trio: Sendable {
    let fetcher: Fetcher
    let origins: [RunningOrigin]

    var counts: [Int] { origins.map(\.seen.requestCount) }

    /// Requests one after the other, each of which must succeed; who answered, by place.
    func fetch(_ count: Int) async throws -> [Int] {
        var order: [Int] = []
        for number in 0..<count {
            let response = try await fetcher.get("\(name)/\(number)")
            #expect(response.ok)
            let place = origins.firstIndex { "\($0.address)" == response.metadata.remoteAddress }
            order.append(place ?? -1)
        }
        return order
    }
}

private func onTrio<R: Sendable>(
    _ scripts: [Script], _ change: @escaping @Sendable (inout FetcherConfiguration) -> Void,
    _ body: @escaping @Sendable (Trio) async throws -> R
) async throws -> R {
    let origins = try await onThreadOfItsOwn { try scripts.map { try ScriptedOrigin.start($0) } }
    defer { for origin in origins { origin.stop() } }
    return try await onReactor { _ in
        let configuration = configured(.patient) { configuration in
            configuration.endpoints = [name: origins.map { Endpoint($0.url("")) }]
            change(&configuration)
        }
        return try await body(Trio(fetcher: Fetcher(configuration), origins: origins))
    }
}

@Suite struct BalanceDriveTests {
    @Test func `LB-01 an even split, no failure when one dies, and its return on recovery`()
        async throws
    {
        let scripts = [Script](repeating: .always(.text("x")), count: 3)
        try await onTrio(scripts) { configuration in
            configuration.retry = .exponential(base: .milliseconds(1), maxAttempts: 3)
            // How often the dead one is probed depends on how slow the machine is.
            configuration.retryAllowance = .unlimited
            configuration.circuitBreaker = BreakerRules(
                consecutiveFailures: 2, coolDown: .milliseconds(20))
        } _: { trio in
            #expect(try await trio.fetch(30).sorted() == (0..<30).map { $0 / 10 })
            #expect(trio.counts == [10, 10, 10])
            #expect(trio.origins[1].seen.requests[0]["Host"] == "service.test")
            let dying = trio.origins[1]
            let address = dying.address
            try await onThreadOfItsOwn { dying.stopAndWait() }
            #expect(!(try await trio.fetch(60).contains(1)))
            #expect(try await trio.fetcher.statistics.callsFailed == 0)
            let recovered = try await onThreadOfItsOwn {
                try ScriptedOrigin.start(on: address, .always(.text("x")))
            }
            defer { recovered.stop() }
            let hasReturned = try await eventually {
                try await trio.fetch(3).contains(1)
            } pass: {
            }
            #expect(hasReturned)
            #expect(try await trio.fetch(30).count { $0 == 1 } == 10)
            #expect(try await trio.fetcher.statistics.callsFailed == 0)
        }
    }

    @Test func `a request that hangs is answered by another endpoint`() async throws {
        let scripts = [Script.always(.hang), .always(.text("x")), .always(.text("x"))]
        try await onTrio(scripts) { configuration in
            configuration.hedging = .after(.milliseconds(5))
        } _: { trio in
            let response = try await trio.fetcher.get(name)
            #expect(response.metadata.remoteAddress == "\(trio.origins[1].address)")
            #expect(response.metadata.attempts == 2)
            #expect(trio.counts == [1, 1, 0])
            let statistics = try await trio.fetcher.statistics
            #expect(statistics.hedges == 1)
            #expect(statistics.hedgesWon == 1)
            #expect(statistics.callsStarted == 1)
            #expect(statistics.active == 0)
        }
    }

    @Test func `an endpoint proves that it is the origin, or itself where it keeps its name`()
        async throws
    {
        let (nginx, address) = try await onThreadOfItsOwn {
            try Nginx.startTLS(Secured.certificate, versions: "TLSv1.2 TLSv1.3", more: "")
        }
        defer { nginx.stop() }
        let endpoint = Endpoint("https://127.0.0.1:\(address.port)")
        var own = endpoint
        own.keepsAuthority = false
        let configuration = Secured.configured { [own] configuration in
            configuration.endpoints = [
                "https://good.test": [endpoint], "https://wrong.test": [endpoint],
                "https://any.test": [own],
            ]
        }
        try await withSecureClient(configuration) { fetcher in
            let named = try await fetcher.get("https://good.test/").text
            #expect(named.hasSuffix("name=good.test"))
            let own = try await fetcher.get("https://any.test/").text
            #expect(own.hasSuffix("name="))
            #expect(await failure { try await fetcher.get("https://wrong.test/") } == "wrong-host")
        }
    }
}
