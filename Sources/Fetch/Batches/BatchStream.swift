// Results as they come: what a loop over a batch sees.

internal import FetchEngine

/// How one item of a batch ended.
public struct BatchResult<Item> {
    /// The item's place in the batch, from 0.
    public let index: Int
    /// The item itself: what the source gave.
    public let item: Item
    /// The response, whatever its status; or ``FetchError``, or what the item's own request closure
    /// threw. `CancellationError` only when the whole batch was stopped.
    public let result: Result<Response, any Error>

    /// The response.
    ///
    /// - Throws: the failure in ``result``.
    public var response: Response {
        get throws { try result.get() }
    }
}

extension BatchResult: Sendable where Item: Sendable {}

/// The results of a batch in the order in which they come.
///
/// Nothing starts before the first is asked for. An item is taken from the source only when it may
/// start, and what has ended but was not yet taken counts like what is under way: memory holds as
/// many items and responses as the concurrency says, however long the source is, and a loop that
/// is slow slows the batch down.
///
/// Leaving the loop cancels what is under way, and so does the end of the task, which the loop
/// hears of by `CancellationError`. A source's own error is thrown behind the results of what it
/// gave before. No task is made for an item, nor for the batch.
public struct BatchStream<Item>: AsyncSequence {
    /// One item and how it ended.
    public typealias Element = BatchResult<Item>

    let items: BatchItems<Item>
    let fetcher: Fetcher

    /// Begins a pass through the batch.
    public func makeAsyncIterator() -> Iterator {
        Iterator(consumer: BatchConsumer(items, by: fetcher))
    }

    /// Gives the results one after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let consumer: BatchConsumer<Item>

        /// The next item that has ended; nil behind the last.
        ///
        /// - Throws: `CancellationError`, or the source's own error.
        public mutating func next() async throws -> BatchResult<Item>? {
            try await consumer.next()
        }
    }
}

extension Fetcher {
    /// Fetches every URL with GET, so many at a time, and gives the results as they come.
    ///
    /// ```swift
    /// for try await page in fetcher.stream(urls, concurrency: 1_000) {
    ///     print(page.item, (try? page.response.statusCode) ?? 0)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - urls: pulled one by one; may be endless.
    ///   - concurrency: calls under way and results not yet taken, together; at least 1. The
    ///     pool's own caps hold besides.
    ///   - progress: called with each result, in the loop's task.
    ///   - report: called once, when every item has ended and was taken.
    public func stream<Source: Sequence<String>>(
        _ urls: Source, concurrency: Int = 100, progress: ((BatchProgress) -> Void)? = nil,
        report: ((BatchReport) -> Void)? = nil
    ) -> BatchStream<String> {
        let planner = planner
        return stream(urls, concurrency, progress, report) { try planner.plan($0) }
    }

    /// Sends every request, so many at a time, and gives the results as they come. Each request has
    /// its own method, fields, clocks and content; one with a streamed upload is refused.
    public func stream<Source: Sequence<Request>>(
        _ requests: Source, concurrency: Int = 100, progress: ((BatchProgress) -> Void)? = nil,
        report: ((BatchReport) -> Void)? = nil
    ) -> BatchStream<Request> {
        let planner = planner
        return stream(requests, concurrency, progress, report) { try planner.plan($0) }
    }

    /// Sends what `request` makes of each item, so many at a time, and gives the results as they
    /// come, each with its item: rows of a table, keys, tuples of both.
    ///
    /// - Parameter request: called in the loop's task when the item may start. What it throws is
    ///   that item's failure.
    public func stream<Source: Sequence>(
        each items: Source, concurrency: Int = 100, progress: ((BatchProgress) -> Void)? = nil,
        report: ((BatchReport) -> Void)? = nil,
        request: @escaping (Source.Element) throws -> Request
    ) -> BatchStream<Source.Element> {
        let planner = planner
        return stream(items, concurrency, progress, report) { try planner.plan(request($0)) }
    }

    private func stream<Source: Sequence>(
        _ source: Source, _ concurrency: Int, _ progress: ((BatchProgress) -> Void)?,
        _ report: ((BatchReport) -> Void)?, _ plan: @escaping (Source.Element) throws -> CallPlan
    ) -> BatchStream<Source.Element> {
        let items = BatchItems<Source.Element>(
            makePull: {
                var iterator = source.makeIterator()
                return { _ in iterator.next().map { .item($0) } ?? .ended }
            },
            plan: plan, total: nil, concurrency: concurrency, progress: progress, report: report)
        return BatchStream(items: items, fetcher: self)
    }
}
