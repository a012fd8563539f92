// Many callers' items in one call: sent when there are enough of them, or when the first has waited
// long enough. The time is the reactor's wheel's; everything else stands behind a lock, so that no
// caller crosses a thread to add an item. No task is made: one of the batch's own callers sends it.

internal import FetchPolicy
internal import FetchReactor
internal import FetchTime
internal import Synchronization

/// Collects the items of many callers into batches, and gives each caller its own result.
///
/// For services that take many things in one request. A batch is sent when it holds `maxSize`
/// items, or when its first has waited for `linger`; several may be on their way at once.
///
/// One of the callers sends the batch, in its own task, for all: the one whose item was the last,
/// or after `linger` the first. If that task is cancelled while it sends, another caller sends the
/// batch again, without the items of cancelled ones; so sending must bear to be repeated. A caller
/// that is cancelled while it waits gets `CancellationError` at once. Any thread.
public final class ItemBatcher<Item: Sendable, Output: Sendable>: Sendable {
    /// Sends a batch and returns one output for each item, in their order.
    public typealias Send = @Sendable (_ items: [Item]) async throws -> [Output]

    fileprivate struct Member: Sendable {
        let id: UInt64
        let item: Item
    }

    /// What a caller is told.
    fileprivate enum Order: Sendable {
        /// Send these for all; the first is the caller's own.
        case send([Member])
        case result(Result<Output, any Error>)
    }

    /// Waits to be told, once: whoever takes it out of the table resumes it.
    @safe
    fileprivate struct Caller {
        let continuation: UnsafeContinuation<Order, Never>

        func tell(_ order: Order) {
            // See above.
            unsafe continuation.resume(returning: order)
        }
    }

    fileprivate struct State {
        var batcher: Batcher<Member>
        var callers: [UInt64: Caller] = [:]
        var lastID: UInt64 = 0
    }

    private let reactor: Reactor
    private let send: Send
    private let state: Mutex<State>

    /// - Parameters:
    ///   - maxSize: items in a batch, at most; at least 1.
    ///   - linger: how long the first item of a batch waits for others, to a millisecond.
    ///   - reactor: whose wheel keeps the time. When it ends, what waits is sent.
    public init(
        maxSize: Int, linger: Duration, on reactor: Reactor, send: @escaping Send
    ) {
        self.reactor = reactor
        self.send = send
        state = Mutex(State(batcher: Batcher(maxSize: maxSize, linger: linger)))
    }

    /// Hands an item in and waits for its output.
    ///
    /// - Throws: what `send` throws, for every item of the batch; `CancellationError`; or
    ///   ``FetchError`` with code `invalidRequest` when `send` gave another number of outputs.
    public func submit(_ item: Item) async throws -> Output {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        switch await order(for: Member(id: id, item: item)) {
        case .result(let result): return try result.get()
        case .send(let members): return try await send(members)
        }
    }

    private func order(for member: Member) async -> Order {
        await withTaskCancellationHandler {
            // `Caller` says why it is resumed once.
            await unsafe withUnsafeContinuation { continuation in
                join(member, unsafe Caller(continuation: continuation))
            }
        } onCancel: {
            leave(member.id)
        }
    }

    private func join(_ member: Member, _ caller: Caller) {
        let now = reactor.clock.now
        let action = state.withLock { state -> Batcher<Member>.Action? in
            // Asked in here: the cancellation handler finds nobody before the table has the caller.
            if Task.isCancelled { return nil }
            state.callers[member.id] = caller
            return state.batcher.add(member, now: now)
        }
        switch action {
        case nil: caller.tell(.result(.failure(CancellationError())))
        case .wait: break
        case .flush(let members): appoint(members, preferring: member.id)
        case .waitUntil(let time):
            let isPosted = reactor.post { [self] in
                _ = reactor.schedule(Linger(self), at: time)
            }
            if !isPosted { lingered(now: time) }
        }
    }

    private func leave(_ id: UInt64) {
        tell(id, .result(.failure(CancellationError())))
        state.withLock { $0.batcher.remove { $0.id == id } }
    }

    /// The first of a batch has waited until then; perhaps its batch has gone already.
    fileprivate func lingered(now: Instant) {
        appoint(state.withLock { $0.batcher.takeLingered(now: now) }, preferring: nil)
    }

    /// One of those who still wait sends for all who do.
    private func appoint(_ members: [Member], preferring preferred: UInt64?) {
        var sending: [Member] = []
        let sender = state.withLock { state -> Caller? in
            sending = members.filter { state.callers[$0.id] != nil }
            guard
                let first = sending.first(where: { $0.id == preferred }) ?? sending.first
            else { return nil }
            // The sender's own stands first, for it to know which that is.
            sending = [first] + sending.filter { $0.id != first.id }
            return state.callers.removeValue(forKey: first.id)
        }
        sender?.tell(.send(sending))
    }

    /// Sends for all, on the task of the first.
    private func send(_ members: [Member]) async throws -> Output {
        let ordered = members.sorted { $0.id < $1.id }
        let outcome: Result<[Output], any Error>
        do {
            let outputs = try await send(ordered.map(\.item))
            guard outputs.count == ordered.count else {
                throw FetchError(
                    .invalidRequest,
                    reason: "a batch of \(ordered.count) items has \(outputs.count) outputs")
            }
            outcome = .success(outputs)
        } catch  where Task.isCancelled {
            appoint(ordered.filter { $0.id != members[0].id }, preferring: nil)
            throw CancellationError()
        } catch {
            outcome = .failure(error)
        }
        var own = Result<Output, any Error>.failure(CancellationError())
        for (index, member) in ordered.enumerated() {
            let result = outcome.map { $0[index] }
            if member.id == members[0].id { own = result } else { tell(member.id, .result(result)) }
        }
        return try own.get()
    }

    private func tell(_ id: UInt64, _ order: Order) {
        state.withLock { $0.callers.removeValue(forKey: id) }?.tell(order)
    }

    /// The wheel's entry.
    private final class Linger: TimerHandler {
        private let batcher: ItemBatcher

        init(_ batcher: ItemBatcher) {
            self.batcher = batcher
        }

        func timerFired(_ token: Int) { batcher.lingered(now: batcher.reactor.clock.now) }

        /// The reactor ends: nobody else will come.
        func timerDiscarded(_ token: Int, dueAt deadline: Instant) {
            batcher.lingered(now: deadline)
        }
    }
}

extension Fetcher {
    /// Collects items into batches on this client's reactor; see ``ItemBatcher``.
    public func batcher<Item: Sendable, Output: Sendable>(
        maxSize: Int, linger: Duration, send: @escaping ItemBatcher<Item, Output>.Send
    ) -> ItemBatcher<Item, Output> {
        ItemBatcher(maxSize: maxSize, linger: linger, on: engine.reactor, send: send)
    }
}
