// What the benches of the policies have in common: an embedded origin in a process of its own that
// counts what it answers, and a client on this very thread. Main thread, which is the reactor's.

import ArgumentParser
import Fetch
import FetchReactor

/// A client, an origin, and what the origin has counted.
struct PolicyBench {
    let reactor: Reactor
    let client: LocalFetcher
    /// Ends in a slash.
    let url: String
    private let counting: LocalFetcher

    /// Runs the body beside an origin.
    static func run<Figures: Sendable>(
        _ configuration: FetcherConfiguration,
        _ body: @escaping @Sendable (PolicyBench) async throws -> Figures
    ) throws -> Figures {
        Progress.begin()
        _ = raiseDescriptorLimit()
        let origin = try OriginProcess()
        defer { origin.stop() }
        let url = origin.url
        return try Reactor.run {
            guard let reactor = Reactor.current else { throw ExitCode(1) }
            let bench = PolicyBench(
                reactor: reactor, client: try LocalFetcher(configuration, on: reactor), url: url,
                counting: try LocalFetcher(FetcherConfiguration(), on: reactor))
            let figures = try await body(bench)
            bench.client.shutdown(.immediate)
            return figures
        }
    }

    /// Requests that the origin has answered.
    func answered() async throws -> Int {
        let url = url + "count"
        let response = try await withCheckedThrowingContinuation { ended in
            counting.get(url) { ended.resume(with: $0) }
        }
        return Int(String(response.body)) ?? -1
    }

    /// Turns until the condition holds, or Ctrl-C.
    func until(_ condition: () -> Bool) async throws {
        while !condition(), !Interruption.isRequested {
            try await reactor.clock.sleep(for: .milliseconds(1))
        }
    }
}

/// Ends of calls by what they ended with: a status or a code.
final class Endings {
    private(set) var count = 0
    private(set) var byName: [String: Int] = [:]

    func note(_ result: Result<Response, any Error>) {
        count += 1
        switch result {
        case .success(let response): byName["\(response.statusCode)", default: 0] += 1
        case .failure(let error): byName[code(of: error), default: 0] += 1
        }
    }

    subscript(name: String) -> Int { byName[name] ?? 0 }
}
