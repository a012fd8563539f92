// A `LocalFetcher` on virtual time over a network in memory, turned by hand on the test's thread.

import Fetch
import FetchTransport
import TestSupport
import Testing

final class LocalWorld {
    let reactor: Reactor
    let network: MemoryNetwork
    let fetcher: LocalFetcher

    init(_ change: (inout FetcherConfiguration) -> Void = { _ in }) throws {
        var settings = Reactor.Configuration()
        settings.virtualTime = VirtualTime(jumps: false)
        reactor = try Reactor.embedded(settings)
        network = MemoryNetwork(on: reactor)
        var configuration = FetcherConfiguration()
        change(&configuration)
        fetcher = try LocalFetcher(configuration, on: reactor, network: network)
    }

    deinit {
        reactor.stop()
    }

    func get(_ url: String) -> Told { tell { fetcher.get(url, $0) } }

    func execute(_ request: Request) -> Told { tell { fetcher.execute(request, $0) } }

    private func tell(_ begin: (@escaping LocalFetcher.Completion) -> CallHandle) -> Told {
        let told = Told()
        told.handle = begin { told.outcome = $0 }
        #expect(told.outcome == nil, "a completion came before its call had returned")
        reactor.runUntilIdle()
        return told
    }

    func pass(_ duration: Duration) { reactor.advance(by: duration) }

    /// Bytes arrive on a stream.
    func send(_ text: String, on stream: Int = 0) {
        network.streams[stream].send(text)
        reactor.runUntilIdle()
    }

    /// What was written on the last stream so far.
    func takeRequest() -> String { network.streams.last?.takeWritten() ?? "" }
}

/// What a completion was told.
final class Told {
    var handle: CallHandle?
    var outcome: Result<Response, any Error>?

    var response: Response? { try? outcome?.get() }

    var error: FetchError? {
        if case .failure(let error) = outcome { error as? FetchError } else { nil }
    }
}

extension Optional where Wrapped == Result<Response, any Error> {
    static func == (one: Self, other: _OptionalNilComparisonType) -> Bool {
        if case .none = one { true } else { false }
    }
}
