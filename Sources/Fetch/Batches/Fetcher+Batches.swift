// Batches as a whole: every item has ended before the caller goes on, whichever way it goes on.

internal import FetchEngine
internal import FetchPolicy

extension Fetcher {
    /// Fetches every URL with GET, so many at a time. The responses come in the order of the URLs,
    /// whatever their status.
    ///
    /// The first failure ends the batch: the others are cancelled, and have ended when this throws.
    ///
    /// - Throws: ``FetchError``, or `CancellationError`.
    public func fetchAll(
        _ urls: some Sequence<String>, concurrency: Int = 100,
        progress: ((BatchProgress) -> Void)? = nil
    ) async throws -> [Response] {
        try await batch(
            urls, concurrency: concurrency, onFailure: .throwFirst, progress: progress
        ).responses
    }

    /// Sends every request, so many at a time; otherwise as for URLs.
    public func fetchAll(
        _ requests: some Sequence<Request>, concurrency: Int = 100,
        progress: ((BatchProgress) -> Void)? = nil
    ) async throws -> [Response] {
        try await batch(
            requests, concurrency: concurrency, onFailure: .throwFirst, progress: progress
        ).responses
    }

    /// Fetches every URL with GET, so many at a time, and never fails as a whole: each URL, in
    /// order, has its response, whatever its status, or its ``FetchError``. When the task is
    /// cancelled, those that had not ended have `CancellationError`.
    public func results(
        for urls: some Sequence<String>, concurrency: Int = 100,
        progress: ((BatchProgress) -> Void)? = nil
    ) async -> [Result<Response, any Error>] {
        let planner = planner
        return await collect(Array(urls), concurrency, .results, progress) {
            try planner.plan($0)
        }.outcome.results
    }

    /// Sends every request, so many at a time, and never fails as a whole; otherwise as for URLs.
    public func results(
        for requests: some Sequence<Request>, concurrency: Int = 100,
        progress: ((BatchProgress) -> Void)? = nil
    ) async -> [Result<Response, any Error>] {
        let planner = planner
        return await collect(Array(requests), concurrency, .results, progress) {
            try planner.plan($0)
        }.outcome.results
    }

    /// Sends every request, so many at a time, and never fails as a whole: each key has its
    /// response or its failure.
    public func results<Key: Hashable>(
        for requests: [Key: Request], concurrency: Int = 100,
        progress: ((BatchProgress) -> Void)? = nil
    ) async -> [Key: Result<Response, any Error>] {
        let keys = Array(requests.keys)
        let results = await results(
            for: requests.values, concurrency: concurrency, progress: progress)
        return Dictionary(zip(keys, results)) { first, _ in first }
    }

    /// Fetches every URL with GET, so many at a time, and reports on the whole.
    ///
    /// - Parameters:
    ///   - concurrency: calls under way at most; at least 1. The pool's own caps hold besides.
    ///   - onFailure: whether the first failure ends the batch and is thrown, or all failures are
    ///     thrown at the end as ``BatchFailed``, or none is thrown.
    ///   - progress: called with each result, in the caller's task.
    /// - Throws: as `onFailure` says; and `CancellationError`, but for `results`.
    public func batch(
        _ urls: some Sequence<String>, concurrency: Int = 100, onFailure: BatchFailure = .results,
        progress: ((BatchProgress) -> Void)? = nil
    ) async throws -> BatchOutcome {
        let planner = planner
        return try await collect(Array(urls), concurrency, onFailure, progress) {
            try planner.plan($0)
        }.get(onFailure)
    }

    /// Sends every request, so many at a time, and reports on the whole; otherwise as for URLs.
    public func batch(
        _ requests: some Sequence<Request>, concurrency: Int = 100,
        onFailure: BatchFailure = .results, progress: ((BatchProgress) -> Void)? = nil
    ) async throws -> BatchOutcome {
        let planner = planner
        return try await collect(Array(requests), concurrency, onFailure, progress) {
            try planner.plan($0)
        }.get(onFailure)
    }

    /// Sends one request to every URL, so many at a time: a call of its own for each, under every
    /// limit and slot, with the method, fields, content, clocks and policies of `options`, whose
    /// own URL is not looked at. A content that is a stream is refused, because it can be sent
    /// once.
    ///
    /// - Parameters:
    ///   - options: what all requests have in common.
    ///   - concurrency: calls under way at most; at least 1. The pool's own caps hold besides.
    ///   - onFailure: as for ``batch(_:concurrency:onFailure:progress:)``.
    ///   - progress: called with each result, in the caller's task.
    /// - Throws: as `onFailure` says; and `CancellationError`, but for `results`.
    public func requestAll(
        _ urls: some Sequence<String>, options: Request, concurrency: Int = 100,
        onFailure: BatchFailure = .results, progress: ((BatchProgress) -> Void)? = nil
    ) async throws -> BatchOutcome {
        let planner = planner
        return try await collect(Array(urls), concurrency, onFailure, progress) { url in
            var request = options
            request.url = url
            return try planner.plan(request)
        }.get(onFailure)
    }

    private func collect<Item>(
        _ items: [Item], _ concurrency: Int, _ onFailure: BatchFailure,
        _ progress: ((BatchProgress) -> Void)?, _ plan: @escaping (Item) throws -> CallPlan
    ) async -> CollectedBatch {
        let consumer = BatchConsumer(
            BatchItems<Item>(
                makePull: {
                    var iterator = items.makeIterator()
                    return { _ in iterator.next().map { .item($0) } ?? .ended }
                },
                plan: plan, total: items.count, concurrency: concurrency, progress: progress,
                report: nil), by: self)
        var ordered = OrderedResults<Result<Response, any Error>>(count: items.count)
        var failure: (any Error)?
        do {
            while failure == nil, let ended = try await consumer.next() {
                _ = ordered.put(ended.result, at: ended.index)
                if onFailure == .throwFirst, case .failure(let error) = ended.result {
                    failure = error
                }
            }
        } catch {
            failure = error
        }
        if failure != nil {
            consumer.stop()
            while let ended = await consumer.nextLeft() {
                _ = ordered.put(ended.result, at: ended.index)
            }
        }
        let report = consumer.report
        // Only a batch that was stopped has items that never ended, because they never began.
        for index in items.indices where !ordered.isComplete {
            _ = ordered.put(.failure(CancellationError()), at: index)
        }
        return CollectedBatch(
            outcome: BatchOutcome(results: ordered.inOrder() ?? [], report: report),
            failure: failure)
    }
}

/// What a batch came to, and what ended it before its time.
private struct CollectedBatch {
    let outcome: BatchOutcome
    let failure: (any Error)?

    func get(_ onFailure: BatchFailure) throws -> BatchOutcome {
        switch onFailure {
        case .results:
            return outcome
        case .throwFirst:
            if let failure { throw failure }
        case .collect:
            if let failure { throw failure }
            if outcome.report.failed > 0 { throw BatchFailed(outcome: outcome) }
        }
        return outcome
    }
}

/// What a batch came to.
public struct BatchOutcome: Sendable {
    /// Each item's response or failure, in the order of the items.
    public let results: [Result<Response, any Error>]
    /// Counts, rate and times of the whole.
    public let report: BatchReport

    /// The responses of the items that have one, in order.
    public var responses: [Response] { results.compactMap { try? $0.get() } }

    /// The items that have failed, by their places from 0, in order.
    public var failures: [(index: Int, error: any Error)] {
        results.enumerated().compactMap { index, result in
            if case .failure(let error) = result { (index, error) } else { nil }
        }
    }
}

/// Items of a batch have failed; the others' responses are in the outcome.
public struct BatchFailed: Error, CustomStringConvertible {
    /// Everything that the batch came to.
    public let outcome: BatchOutcome

    /// `2 of 10 items failed, the first: …`
    public var description: String {
        let failures = outcome.failures
        let first = failures.first.map { ", the first: \($0.error)" } ?? ""
        return "\(failures.count) of \(outcome.results.count) items failed\(first)"
    }
}
