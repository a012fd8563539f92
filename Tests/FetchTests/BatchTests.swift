// Batches as a whole against a scripted origin (CORE-10, CORE-11, ERR-06, MET-08), and batches
// whose source is asynchronous.

import Fetch
import Synchronization
import TestSupport
import Testing

struct BatchTests {
    @Test(arguments: Caller.allCases)
    func `CORE-10 responses come in the order of the URLs, whatever the order of the answers`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(
            Script { request in
                let number = Int(request.target.dropFirst()) ?? 0
                return [.delay(.milliseconds(20 - number)), .text(request.target)]
            })
        defer { origin.stop() }
        let urls = (0..<20).map { origin.url("/\($0)") }
        let progress = Mutex<[BatchProgress]>([])
        let pages = try await caller.run { fetcher in
            try await fetcher.fetchAll(urls) { step in progress.withLock { $0.append(step) } }
        }
        #expect(pages.map(\.text) == (0..<20).map { "/\($0)" })
        let steps = progress.withLock { $0 }
        #expect(steps.map(\.done) == Array(1...20))
        #expect(steps.allSatisfy { $0.total == 20 && $0.failed == 0 && $0.inFlight < 20 })
        #expect(steps.last?.inFlight == 0)
    }

    @Test(arguments: Caller.allCases)
    func `the first failure ends the rest, and all of it has ended when it is thrown`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(
            Script { [$0.target == "/7" ? .close : .hang] })
        defer { origin.stop() }
        let requests = (0..<30).map { number in
            // POST, so that the lost one is not sent once more.
            var request = Request(.post, origin.url("/\(number)"))
            request.body = .string("x")
            return request
        }
        try await caller.run { fetcher in
            let error = await #expect(throws: FetchError.self) {
                try await fetcher.fetchAll(requests)
            }
            #expect(error?.code == .closedBeforeResponse)
            let statistics = try await fetcher.statistics
            #expect(statistics.callsInFlight == 0)
            #expect(statistics.active + statistics.connecting + statistics.callsWaiting == 0)
            #expect(statistics.callsFailed == 1)
            #expect(statistics.callsCancelled == 29)
        }
    }

    /// 200, 404, 500, not a URL, a closed port.
    private static func mixed(_ origin: RunningOrigin) -> [String] {
        [
            origin.url("/status/200"), origin.url("/status/404"), origin.url("/status/500"),
            "not-a-url", "http://127.0.0.1:1/",
        ]
    }

    @Test(arguments: Caller.allCases)
    func `CORE-11 results never fail as a whole`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(MockPaths().script)
        defer { origin.stop() }
        let urls = Self.mixed(origin)
        let (results, keyed) = try await caller.run { fetcher in
            let requests = Dictionary(uniqueKeysWithValues: zip("abcde", urls.map(Request.init)))
            return (await fetcher.results(for: urls), await fetcher.results(for: requests))
        }
        for results in [results, "abcde".compactMap { keyed[$0] }] {
            #expect(results.map { try? $0.get().statusCode } == [200, 404, 500, nil, nil])
            #expect(results.map(\.code) == [nil, nil, nil, .invalidURL, .refused])
        }
    }

    @Test func `ERR-06 one batch, three ways to fail`() async throws {
        let origin = try ScriptedOrigin.start(MockPaths().script)
        defer { origin.stop() }
        let urls = Self.mixed(origin)
        let fetcher = try Fetcher()
        let first = await #expect(throws: FetchError.self) {
            _ = try await fetcher.batch(urls, onFailure: .throwFirst)
        }
        #expect(first?.code == .invalidURL)
        let all = await #expect(throws: BatchFailed.self) {
            _ = try await fetcher.batch(urls, onFailure: .collect)
        }
        #expect(all?.outcome.failures.map(\.index) == [3, 4])
        #expect(all?.description.hasPrefix("2 of 5 items failed, the first: invalid-url") == true)
        let outcome = try await fetcher.batch(urls, onFailure: .results)
        #expect(outcome.responses.map(\.statusCode) == [200, 404, 500])
        #expect(outcome.report.succeeded == 3)
        #expect(outcome.report.failed == 2)
        #expect(outcome.report.successRate == 0.6)
    }

    @Test func `MET-08 the report tells what was reused and looked up`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        // A busy machine may let more than ten seconds pass between two calls.
        var configuration = FetcherConfiguration()
        configuration.pool.idleTimeout = .seconds(3_600)
        let fetcher = try Fetcher(configuration)
        let urls = [String](repeating: origin.url(), count: 100)
        let report = try await fetcher.batch(urls, concurrency: 1).report
        #expect(report.reuseRatio == 0.99)
        // An address is no name.
        #expect(report.dnsHitRatio == nil)
        #expect(report.succeeded == 100)
        let (p50, p99) = (try #require(report.p50), try #require(report.p99))
        #expect(.zero < p50 && p50 <= p99 && p99 <= report.elapsed)
    }

    @Test(arguments: Caller.allCases)
    func `CORE-12 one request goes to every URL, under slots and limits`(caller: Caller)
        async throws
    {
        let origin = try ScriptedOrigin.start(
            Script {
                [.delay(.milliseconds(2)), .text("\($0.method) \($0.target) \($0.body.count)")]
            })
        defer { origin.stop() }
        let urls = (0..<40).map { origin.url("/\($0)") } + ["no-url"]
        var configuration = FetcherConfiguration.patient
        configuration.concurrency = 4
        configuration.rate.client = .tokenBucket(.perSecond(1_000), burst: 10)
        let outcome = try await caller.run(configuration) { fetcher in
            var options = Request(.post, "not looked at")
            options.body = .string("payload")
            try options.headers.append("X-Shared", "yes")
            options.query = [("page", "1")]
            return try await fetcher.requestAll(urls, options: options, concurrency: 20)
        }
        #expect(outcome.results.last?.code == .invalidURL)
        #expect(outcome.responses.map(\.text) == (0..<40).map { "POST /\($0)?page=1 7" })
        let seen = origin.seen
        #expect(seen.requests.allSatisfy { $0.body == Array("payload".utf8) })
        #expect(seen.requests.allSatisfy { $0["X-Shared"] == "yes" })
        #expect(seen.requestCount == 40)
        // Four slots never need a fifth connection.
        #expect(seen.mostOpen <= 4)
    }

    @Test(arguments: Caller.allCases)
    func `a cancelled batch says so, and what had ended is there`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(Script { [$0.target == "/0" ? .text("x") : .hang] })
        defer { origin.stop() }
        let urls = (0..<30).map { origin.url("/\($0)") }
        try await caller.run { fetcher in
            let task = Task {
                await fetcher.results(for: urls, concurrency: 10) { _ in
                    // One has ended, and it is this task that hears of it.
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            let results = await task.value
            #expect(try results[0].get().statusCode == 200)
            #expect(results.count == 30)
            for result in results.dropFirst() {
                #expect(throws: CancellationError.self) { try result.get() }
            }
            let whole = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await fetcher.fetchAll(urls)
            }
            await #expect(throws: CancellationError.self) { try await whole.value }
            let inFlight = try await fetcher.statistics.callsInFlight
            #expect(inFlight == 0)
        }
    }

    @Test func `a streamed upload is refused by itself`() async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        var upload = Request(.put, origin.url())
        upload.body = .stream(AsyncStream<Bytes> { $0.finish() })
        let fetcher = try Fetcher()
        let results = await fetcher.results(for: [upload, Request(origin.url())])
        #expect(results.map(\.code) == [.invalidRequest, nil])
    }
}

// MARK: Asynchronous sources

struct BatchFeedTests {
    @Test(arguments: Caller.allCases)
    func `a crawler's source is fed from the results`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(Script { [.text($0.target)] })
        defer { origin.stop() }
        let url = origin.url("/")
        let seen = try await caller.run { fetcher in
            let (links, found) = AsyncStream<String>.makeStream()
            found.yield(url + "0")
            return try await fetcher.stream(links, concurrency: 10) { pages in
                var seen: [String] = []
                for try await page in pages {
                    seen.append(try page.response.text)
                    // Each page links to the next; the source has nothing until then.
                    if seen.count == 50 { found.finish() }
                    found.yield(url + "\(seen.count)")
                }
                return seen
            }
        }
        #expect(seen == (0..<50).map { "/\($0)" })
    }

    @Test(arguments: Caller.allCases)
    func `what a source throws comes behind the results of what it gave`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        try await caller.run { fetcher in
            var taken = 0
            await #expect(throws: SourceBroke.self) {
                try await fetcher.stream(BreakingSource(url: url, good: 25), concurrency: 4) {
                    for try await page in $0 {
                        #expect(try page.response.statusCode == 200)
                        taken += 1
                    }
                }
            }
            #expect(taken == 25)
        }
    }

    @Test(arguments: Caller.allCases)
    func `leaving the scope ends a source that has nothing`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        try await caller.run { fetcher in
            let (links, found) = AsyncStream<String>.makeStream()
            found.yield(url)
            let answer = try await fetcher.stream(links) { pages in
                var iterator = pages.makeAsyncIterator()
                // By then the source was asked for a second, which it does not have.
                return try await iterator.next()?.response.text
            }
            #expect(answer == "x")
            found.finish()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await fetcher.stream(AsyncStream<String> { _ in }) { pages in
                    for try await _ in pages {}
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            let inFlight = try await fetcher.statistics.callsInFlight
            #expect(inFlight == 0)
        }
    }
}

private struct SourceBroke: Error {}

private struct BreakingSource: AsyncSequence, Sendable {
    typealias Element = String
    let url: String
    let good: Int

    func makeAsyncIterator() -> Iterator { Iterator(url: url, left: good) }

    struct Iterator: AsyncIteratorProtocol {
        let url: String
        var left: Int

        mutating func next() async throws -> String? {
            guard left > 0 else { throw SourceBroke() }
            left -= 1
            return url
        }
    }
}
