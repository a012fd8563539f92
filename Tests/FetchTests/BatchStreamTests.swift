// Batches against a scripted origin, from any thread and on the reactor's (CORE-10 to CORE-13,
// ERR-06, MET-08): results as they come.

import Fetch
import Synchronization
import TestSupport
import Testing

struct BatchStreamTests {
    @Test(arguments: Caller.allCases)
    func `results come in the order in which they are ready, each with its item`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(Script { [.text($0.target)] })
        defer { origin.stop() }
        let url = origin.url("/")
        try await caller.run { fetcher in
            // One that makes no request has ended before any other can.
            let names = ["a", "none", "b"]
            var seen: [String] = []
            let pages = fetcher.stream(each: names) { name in
                if name == "none" { throw Unwanted() }
                return Request(url + name)
            }
            for try await page in pages {
                #expect(names[page.index] == page.item)
                if page.item == "none" {
                    #expect(throws: Unwanted.self) { try page.response }
                } else {
                    #expect(try page.response.text == "/" + page.item)
                }
                seen.append(page.item)
            }
            #expect(seen.first == "none")
            #expect(seen.sorted() == ["a", "b", "none"])
        }
    }

    @Test(arguments: Caller.allCases)
    func `an item's own options hold for it alone`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(MockPaths().script)
        defer { origin.stop() }
        let (echo, hang) = (origin.url("/echo"), origin.url("/hang"))
        let outcomes = try await caller.run { fetcher in
            var post = Request(.post, echo)
            post.body = .string("content")
            try post.headers.append("X-Own", "1")
            var late = Request(hang)
            late.totalTimeout = .milliseconds(20)
            var outcomes: [Int: Result<Response, any Error>] = [:]
            for try await one in fetcher.stream([post, late, Request("not-a-url")]) {
                outcomes[one.index] = one.result
            }
            return outcomes
        }
        let echoed = try #require(try outcomes[0]?.get())
        #expect(echoed.text.contains("\"POST\"") && echoed.text.contains("X-Own"))
        #expect(outcomes[1]?.code == .totalTimeout)
        #expect(outcomes[2]?.code == .invalidURL)
    }

    @Test(arguments: Caller.allCases)
    func `no more is pulled than may start, however slow the consumer`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(.always(.text("x")))
        defer { origin.stop() }
        let url = origin.url()
        try await caller.run { fetcher in
            let source = CountedSource(count: .max) { _ in url }
            var iterator = fetcher.stream(source, concurrency: 7).makeAsyncIterator()
            #expect(source.pulled == 0)
            for taken in 1...50 {
                _ = try await iterator.next()
                #expect(source.pulled - taken < 7)
                // As long as nobody asks, nothing is pulled.
                let pulled = source.pulled
                _ = try await fetcher.get(url)
                #expect(source.pulled == pulled)
            }
        }
    }

    @Test func `CORE-13 a hundred thousand items need the memory of a few`() async {
        // Alone in a process, so that the memory is its own.
        await #expect(processExitsWith: .success) {
            let origin = try ScriptedOrigin.start(.always(.text("x")))
            let url = origin.url()
            try await onReactor { _ in
                try await withFetcher { fetcher in
                    // One in ten is asked for, the others are refused at the door.
                    let source = CountedSource(count: 100_000) { $0 % 10 == 0 ? url : "no-url" }
                    var taken = 0
                    var before = 0
                    var report: BatchReport?
                    let pages = fetcher.stream(
                        source, concurrency: 50, report: { report = $0 })
                    for try await page in pages {
                        let status = try? page.response.statusCode
                        if status != (page.index % 10 == 0 ? 200 : nil) {
                            #expect(throws: Never.self) { try page.response }
                        }
                        taken += 1
                        if source.pulled - taken >= 50 { #expect(source.pulled - taken < 50) }
                        // The origin's own log has grown by then.
                        if taken == 50_000 { before = ProcessFacts.residentKiB }
                    }
                    #expect(taken == 100_000)
                    #expect(report?.succeeded == 10_000)
                    #expect(ProcessFacts.residentKiB - before < 8_192)
                }
            }
            origin.stop()
        }
    }

    @Test(arguments: Caller.allCases)
    func `leaving the loop cancels what runs`(caller: Caller) async throws {
        let origin = try ScriptedOrigin.start(Script { [$0.target == "/0" ? .text("x") : .hang] })
        defer { origin.stop() }
        let url = origin.url("/")
        let statistics = try await caller.run { fetcher in
            for try await page in fetcher.stream((0...).lazy.map { url + "\($0)" }, concurrency: 9)
            {
                #expect(page.index == 0)
                break
            }
            while try await fetcher.statistics.callsInFlight > 0 { await Task.yield() }
            return try await fetcher.statistics
        }
        #expect(statistics.callsSucceeded == 1)
        #expect(statistics.callsCancelled == statistics.callsStarted - 1)
        #expect(statistics.active + statistics.connecting == 0)
    }

    @Test(arguments: Caller.allCases)
    func `cancelling the consumer cancels what runs, wherever it stands`(
        caller: Caller
    ) async throws {
        let origin = try ScriptedOrigin.start(Script { [.text($0.target)] })
        defer { origin.stop() }
        let hanging = try ScriptedOrigin.start(.always(.hang))
        defer { hanging.stop() }
        let urls = [origin.url(), hanging.url()]
        let statistics = try await caller.run { fetcher in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        do {
                            var taken = 0
                            let source = (0...).lazy.map { urls[($0 + number) % 2] }
                            for try await _ in fetcher.stream(source, concurrency: 20) {
                                taken += 1
                                // Some are cancelled while they hold results.
                                if taken == number { withUnsafeCurrentTask { $0?.cancel() } }
                            }
                            return false
                        } catch {
                            return error is CancellationError
                        }
                    }
                    if number % 10 == 9 { await Task.yield() }
                }
                group.cancelAll()
                for await wasCancelled in group { #expect(wasCancelled) }
            }
            while try await fetcher.statistics.callsInFlight > 0 { await Task.yield() }
            return try await fetcher.statistics
        }
        #expect(statistics.callsWaiting == 0)
        #expect(statistics.active + statistics.connecting == 0)
        #expect(statistics.callsFailed == 0)
    }

    @Test func `a batch outlives neither its client nor its reactor`() async throws {
        let origin = try ScriptedOrigin.start(.always(.hang))
        defer { origin.stop() }
        let url = origin.url()
        for caller in Caller.allCases {
            let codes = try await caller.run { fetcher in
                async let ended: Void = fetcher.shutdown(.immediate)
                let urls = [String](repeating: url, count: 3)
                var codes: [FetchError.Code?] = []
                for try await one in fetcher.stream(urls) { codes.append(one.result.code) }
                await ended
                return codes
            }
            #expect(codes == [.clientClosed, .clientClosed, .clientClosed])
        }
        let (reactor, fetcher) = try await onReactor { reactor in (reactor, try Fetcher()) }
        _ = reactor
        let results = await fetcher.results(for: [url])
        #expect(results.map(\.code) == [.clientClosed])
    }

    @Test func `a batch whose results are all there lets others on its thread run`() async throws {
        let turns = try await onReactor { _ in
            let fetcher = try Fetcher()
            let isOver = Mutex(false)
            async let turns = {
                var turns = 0
                while !isOver.withLock({ $0 }) {
                    turns += 1
                    await Task.yield()
                }
                return turns
            }()
            let urls = [String](repeating: "not-a-url", count: 10_000)
            for try await one in fetcher.stream(urls) { #expect(one.result.code == .invalidURL) }
            isOver.withLock { $0 = true }
            return await turns
        }
        #expect(turns >= 50)
    }

    @Test func `an empty batch ends at once`() async throws {
        let fetcher = try Fetcher()
        var reports: [BatchReport] = []
        for try await _ in fetcher.stream([String](), report: { reports.append($0) }) {
            Issue.record("there is no item")
        }
        #expect(reports.map(\.succeeded) == [0])
        #expect(reports.map(\.successRate) == [1])
        let none = await fetcher.results(for: [Request]())
        #expect(none.isEmpty)
        let nothing = try await fetcher.fetchAll([String]())
        #expect(nothing.isEmpty)
    }
}

private struct Unwanted: Error {}

extension Result<Response, any Error> {
    /// Of a failure that is a `FetchError`.
    var code: FetchError.Code? {
        if case .failure(let error) = self { (error as? FetchError)?.code } else { nil }
    }
}

/// Tells how much of it was pulled.
struct CountedSource: Sequence, Sendable {
    private final class Counter: Sendable {
        let count = Mutex(0)
    }

    let count: Int
    let url: @Sendable (Int) -> String
    private let counter = Counter()

    init(count: Int, _ url: @escaping @Sendable (Int) -> String) {
        self.count = count
        self.url = url
    }

    var pulled: Int { counter.count.withLock { $0 } }

    func makeIterator() -> AnyIterator<String> {
        AnyIterator {
            let index = counter.count.withLock { count in
                defer { count += count < self.count ? 1 : 0 }
                return count
            }
            return index < count ? url(index) : nil
        }
    }
}
