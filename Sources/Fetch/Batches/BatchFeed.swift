// A batch whose source is itself asynchronous: a channel of links, lines of a file as they arrive.
//
// The batch must see results while the source has nothing (a crawler's source is fed from them), so
// somebody else has to wait for the source. That is one child task of the scope in which the batch
// is used: it never outlives the scope, and it pulls an item only when one may start.

internal import FetchEngine
internal import FetchPolicy
internal import Synchronization

extension Fetcher {
    /// Fetches every URL that an asynchronous source gives, so many at a time. In the scope the
    /// results come as they are ready; see ``BatchStream``, which here can be gone through once.
    ///
    /// Leaving the scope cancels what is under way and the source's `next()`, and waits until that
    /// has returned.
    ///
    /// ```swift
    /// try await fetcher.stream(links, concurrency: 100) { pages in
    ///     for try await page in pages { found(in: page) }
    /// }
    /// ```
    ///
    /// - Throws: what `body` throws; through the loop the source's own error, behind the results of
    ///   what it gave before, or `CancellationError`.
    public func stream<Source: AsyncSequence & Sendable, R>(
        _ urls: Source, concurrency: Int = 100, progress: ((BatchProgress) -> Void)? = nil,
        _ body: (BatchStream<String>) async throws -> R
    ) async throws -> R where Source.Element == String {
        let planner = planner
        return try await feeding(urls, concurrency, progress, { try planner.plan($0) }, body)
    }

    /// Sends every request that an asynchronous source gives; otherwise as for URLs.
    public func stream<Source: AsyncSequence & Sendable, R>(
        _ requests: Source, concurrency: Int = 100, progress: ((BatchProgress) -> Void)? = nil,
        _ body: (BatchStream<Request>) async throws -> R
    ) async throws -> R where Source.Element == Request {
        let planner = planner
        return try await feeding(requests, concurrency, progress, { try planner.plan($0) }, body)
    }

    /// Sends what `request` makes of each item that an asynchronous source gives; otherwise as for
    /// URLs.
    public func stream<Source: AsyncSequence & Sendable, R>(
        each items: Source, concurrency: Int = 100, progress: ((BatchProgress) -> Void)? = nil,
        request: @escaping (Source.Element) throws -> Request,
        _ body: (BatchStream<Source.Element>) async throws -> R
    ) async throws -> R where Source.Element: Sendable {
        let planner = planner
        return try await feeding(
            items, concurrency, progress, { try planner.plan(request($0)) }, body)
    }

    private func feeding<Source: AsyncSequence & Sendable, R>(
        _ source: Source, _ concurrency: Int, _ progress: ((BatchProgress) -> Void)?,
        _ plan: @escaping (Source.Element) throws -> CallPlan,
        _ body: (BatchStream<Source.Element>) async throws -> R
    ) async throws -> R where Source.Element: Sendable {
        let feed = BatchFeed<Source.Element>()
        let items = BatchItems<Source.Element>(
            makePull: { { try feed.pull(for: $0) } }, plan: plan, total: nil,
            concurrency: concurrency, progress: progress, report: nil)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await feed.serve(source) }
            defer { group.cancelAll() }
            return try await body(BatchStream(items: items, fetcher: self))
        }
    }
}

/// Between the task that waits for the source and the one that consumes the batch. Any thread.
final class BatchFeed<Item: Sendable>: Sendable {
    @safe
    private struct State {
        var item: Item?
        var isWanted = false
        var hasEnded = false
        var failure: (any Error)?
        /// Waits to be told whether another item is wanted.
        var feeder: UnsafeContinuation<Bool, Never>?
        var consumer: BatchRun?
    }

    private let state = Mutex(State())

    // MARK: The consumer's side

    /// What the source has; asks it for an item where it has none.
    func pull(for consumer: BatchRun) throws -> BatchPull<Item> {
        var pulled = BatchPull<Item>.nothing
        var failure: (any Error)?
        // Whoever takes the continuation out resumes it.
        let feeder = unsafe state.withLock { state -> UnsafeContinuation<Bool, Never>? in
            state.consumer = consumer
            if let item = state.item.take() {
                pulled = .item(item)
            } else if state.hasEnded {
                pulled = .ended
                failure = state.failure
            } else {
                state.isWanted = true
                return unsafe state.feeder.take()
            }
            return nil
        }
        // Taken out above.
        unsafe feeder?.resume(returning: true)
        if let failure { throw failure }
        return pulled
    }

    // MARK: The source's side

    /// Goes through the source until it ends, fails or is not wanted any more.
    func serve<Source: AsyncSequence>(_ source: Source) async where Source.Element == Item {
        do {
            var iterator = source.makeAsyncIterator()
            while await isWanted() {
                guard let item = try await iterator.next(isolation: #isolation) else { break }
                put { $0.item = item }
            }
            put { $0.hasEnded = true }
        } catch {
            put { state in
                state.failure = error
                state.hasEnded = true
            }
        }
    }

    /// Waits until an item is wanted; false in a cancelled task.
    private func isWanted() async -> Bool {
        await withTaskCancellationHandler {
            // Whoever takes the continuation out resumes it.
            await unsafe withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.isWanted { return true }
                    unsafe state.feeder = continuation
                    return nil
                }
                if let answer { unsafe continuation.resume(returning: answer) }
            }
        } onCancel: {
            // As above.
            let feeder = unsafe state.withLock { state in unsafe state.feeder.take() }
            unsafe feeder?.resume(returning: false)
        }
    }

    private func put(_ change: (inout State) -> Void) {
        let consumer = state.withLock { state in
            change(&state)
            state.isWanted = false
            return state.consumer
        }
        consumer?.wake()
    }
}
