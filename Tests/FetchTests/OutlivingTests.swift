// Callers who outlive their client: each is told once, and nobody waits for ever. (Where a call
// stands when its engine goes is StormTests' subject.)

import Fetch
import FetchTransport
import TestSupport
import Testing

struct OutlivingTests {
    /// Calls of a client that is dropped, with how often each was told.
    private final class Fates {
        private(set) var codes: [String: [FetchError.Code?]] = [:]

        func note(_ url: String) -> LocalFetcher.Completion {
            codes[url] = []
            return { [self] outcome in
                if case .failure(let error) = outcome {
                    codes[url]?.append((error as? FetchError)?.code)
                } else {
                    codes[url]?.append(nil)
                }
            }
        }
    }

    @Test func `callbacks of a client that was dropped are told that it is gone, once`() throws {
        var settings = Reactor.Configuration()
        settings.virtualTime = VirtualTime(jumps: false)
        let reactor = try Reactor.embedded(settings)
        defer { reactor.stop() }
        let network = MemoryNetwork(on: reactor)
        var configuration = FetcherConfiguration()
        configuration.pool.connectionsPerOrigin = 1
        configuration.retry = .standard
        configuration.rate.perDomain = .slidingWindow(Rate(2, per: .seconds(60)))
        configuration.origins["10.0.0.3"] = OriginConfiguration(rate: .leakyBucket(.perSecond(1)))
        var fetcher: LocalFetcher? = try LocalFetcher(
            configuration, on: reactor, network: network)
        let fates = Fates()
        for url in [
            // Sent, following, in line for the connection; sent, and later backing off.
            "http://10.0.0.1/", "http://10.0.0.1/#again", "http://10.0.0.1/2", "http://10.0.0.2/",
            // Sent, and waiting for a token.
            "http://10.0.0.3/", "http://10.0.0.3/token",
        ] { fetcher?.get(url, fates.note(url)) }
        reactor.runUntilIdle()
        #expect(network.streams.count == 3)
        network.streams[1].send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        reactor.runUntilIdle()
        #expect(fetcher?.statistics.callsInFlight == 6)
        #expect(fetcher?.statistics.callsOnHold == 2)
        fetcher = nil
        reactor.runUntilIdle()
        #expect(fates.codes.count == 6)
        #expect(fates.codes.values.allSatisfy { $0 == [.clientClosed] })
        #expect(network.open.isEmpty)
        reactor.advance(by: .seconds(600))
        #expect(fates.codes.values.allSatisfy { $0.count == 1 })
    }

    @Test func `who waits at the gate of a client that has gone is told`() async throws {
        var fetcher: Fetcher? = try Fetcher()
        let gate = try #require(
            try fetcher?.gate(.tokenBucket(Rate(1, per: .seconds(3_600)))))
        try await gate.acquire()
        let waiting = Task {
            await #expect(throws: FetchError.self) { try await gate.acquire() }
        }
        while gate.waiting == 0 { await Task.yield() }
        fetcher = nil
        let error = await waiting.value
        #expect(error?.code == .clientClosed)
        #expect(gate.waiting == 0)
    }

    @Test func `items that wait for others are sent when their reactor ends`() async throws {
        let (batcher, waiting) = try await onReactor { reactor in
            let batcher = ItemBatcher<Int, Int>(
                maxSize: 10, linger: .seconds(3_600), on: reactor
            ) { items in items.map { $0 * 2 } }
            let waiting = (0..<3).map { number in Task { try await batcher.submit(number) } }
            for _ in 0..<10 { await Task.yield() }
            return (batcher, waiting)
        }
        var outputs: [Int] = []
        for task in waiting { outputs.append(try await task.value) }
        #expect(outputs == [0, 2, 4])
        #expect(try await batcher.submit(7) == 14)
    }
}
