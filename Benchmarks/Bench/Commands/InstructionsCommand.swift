// `bench instructions`: the program whose user-space instructions are counted. It does the measured
// call and nothing else: two runs of different lengths give the cost of one request. Main thread.
//
// The measured call: `get` with a String that is parsed each time; the status, one field and the
// body's bytes are read. 64 callers, connection caps raised, coalescing and cache off, every other
// default on. With `--apart` each caller has a URL of its own; with `--policies` every policy is
// on, none in the way of any call. `cache-hit` asks for what is stored.

import ArgumentParser
import Fetch
import FetchPolicy
import FetchReactor
import Glibc

/// The measured program of the instruction budgets.
struct InstructionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instructions", shouldDisplay: false)

    /// Which road.
    enum Mode: String, ExpressibleByArgument {
        case async
        case callback
        case httpTypes = "http-types"
        /// 1,000 URLs in turn, all of them stored.
        case cacheHit = "cache-hit"
    }

    @Option var mode: Mode
    @Option var requests: Int
    @Option var connections = 64
    @Option var url: String
    @Flag var apart = false
    @Flag var policies = false

    func run() throws {
        let caller = MeasuredCaller(
            url: url, connections: connections, requests: requests, isApart: apart,
            hasPolicies: policies)
        let mode = mode
        let checksum = try Reactor.run {
            switch mode {
            case .async: try await caller.async()
            case .callback: try await caller.callbacks()
            case .httpTypes: try await caller.httpTypes()
            case .cacheHit:
                try await CachedCaller(url: caller.url, urls: 1_000).hits(caller.requests)
            }
        }
        // Nothing is printed; a request that read nothing would show here.
        if requests > 0 && checksum == 0 { throw ExitCode(1) }
    }
}

/// The three forms of the measured call.
struct MeasuredCaller: Sendable {
    let url: String
    let connections: Int
    let requests: Int
    let isApart: Bool
    let hasPolicies: Bool

    private var configuration: FetcherConfiguration {
        var configuration = FetcherConfiguration()
        configuration.coalescing = nil
        // The origin sends validators: what is measured is the network, not the store.
        configuration.cache = .disabled
        configuration.pool.connectionsPerOrigin = connections
        configuration.pool.connections = max(connections, configuration.pool.connections)
        configuration.pool.idleConnections = max(connections, configuration.pool.idleConnections)
        if hasPolicies { configuration.switchOnEveryPolicy() }
        return configuration
    }

    /// What caller `number` asks for: callers who ask the same would be answered together.
    fileprivate func url(of number: Int) -> String { isApart ? "\(url)?caller=\(number)" : url }

    /// Requests of caller `number`; together they are `requests`.
    private func share(_ number: Int) -> Int {
        requests / connections + (number < requests % connections ? 1 : 0)
    }

    func async() async throws -> Int {
        let fetcher = try Fetcher(configuration)
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<connections {
                group.addTask {
                    var sum = 0
                    let url = url(of: number)
                    for _ in 0..<share(number) { sum &+= read(try await fetcher.get(url)) }
                    return sum
                }
            }
            return try await group.reduce(0, &+)
        }
    }

    func httpTypes() async throws -> Int {
        let fetcher = try Fetcher(configuration)
        guard let target = LoopbackURL(url) else { throw ValidationError("\(url): not loopback") }
        let request = HTTPRequest(
            method: .get, scheme: "http", authority: target.authority, path: target.path)
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<connections {
                group.addTask {
                    var sum = 0
                    for _ in 0..<share(number) {
                        let response = try await fetcher.execute(request)
                        for field in response.headers.httpFields { sum &+= field.value.utf8.count }
                        sum &+= read(response)
                    }
                    return sum
                }
            }
            return try await group.reduce(0, &+)
        }
    }

    func callbacks() async throws -> Int {
        guard let reactor = Reactor.current else { preconditionFailure("not on the reactor") }
        let client = try LocalFetcher(configuration, on: reactor)
        let chains = MeasuredChains(caller: self, client: client)
        return try await withCheckedThrowingContinuation { chains.start($0) }
    }

    /// The status, one field, the body's bytes.
    @inline(__always)
    func read(_ response: Response) -> Int {
        var sum = response.statusCode
        sum &+= response[.contentType]?.utf8.count ?? 0
        let body = response.body.span
        for index in body.indices { sum &+= Int(body[index]) }
        return sum
    }

    /// Callers' shares, for the chains.
    fileprivate var shares: [Int] { (0..<connections).map(share) }
}

/// The callback form: a chain per connection.
private final class MeasuredChains {
    private let caller: MeasuredCaller
    private let client: LocalFetcher
    private var running = 0
    private var sum = 0
    private var ended: CheckedContinuation<Int, any Error>?

    init(caller: MeasuredCaller, client: LocalFetcher) {
        self.caller = caller
        self.client = client
    }

    func start(_ ended: CheckedContinuation<Int, any Error>) {
        self.ended = ended
        let shares = caller.shares
        running = shares.count
        for (number, share) in shares.enumerated() {
            MeasuredChain(caller, client, number, share) { [self] in chainEnded($0) }.next()
        }
    }

    private func chainEnded(_ result: Result<Int, any Error>) {
        switch result {
        case .success(let sum):
            self.sum &+= sum
            running -= 1
            if running == 0 { finish(.success(self.sum)) }
        case .failure(let error): finish(.failure(error))
        }
    }

    private func finish(_ result: Result<Int, any Error>) {
        ended?.resume(with: result)
        ended = nil
    }
}

/// Calls one after the other. Its completion is one closure for all of them, so that what is
/// measured is the client's.
private final class MeasuredChain {
    private let caller: MeasuredCaller
    private let client: LocalFetcher
    private let url: String
    private var left: Int
    private var sum = 0
    private let ended: (Result<Int, any Error>) -> Void
    /// A cycle, until the last call.
    private var completion: LocalFetcher.Completion?

    init(
        _ caller: MeasuredCaller, _ client: LocalFetcher, _ number: Int, _ left: Int,
        _ ended: @escaping (Result<Int, any Error>) -> Void
    ) {
        self.caller = caller
        self.client = client
        url = caller.url(of: number)
        self.left = left
        self.ended = ended
        completion = { [self] in callEnded($0) }
    }

    func next() {
        guard left > 0, let completion else {
            completion = nil
            ended(.success(sum))
            return
        }
        left -= 1
        client.get(url, completion)
    }

    private func callEnded(_ result: Result<Response, any Error>) {
        switch result {
        case .success(let response):
            let read = caller.read(response)
            sum &+= read
            next()
        case .failure(let error):
            completion = nil
            ended(.failure(error))
        }
    }
}

extension FetcherConfiguration {
    /// Every policy on, with bounds that no load reaches.
    mutating func switchOnEveryPolicy() {
        retry = .standard
        let limit = RateLimit.tokenBucket(.perSecond(1_000_000), burst: 1_000_000)
        rate.client = limit
        rate.perDomain = limit
        concurrency = 10_000
        concurrencyPerOrigin = 10_000
        politeness = PolitenessRules(concurrency: 10_000)
        circuitBreaker = BreakerRules()
        coalescing = CoalescingRules()
    }
}
