// Collects items into batches by size and by time: a batch goes when it is full, or when its first
// item has waited long enough. A value; its owner keeps the time.

package import FetchTime

package struct Batcher<Item> {
    package enum Action {
        /// The item waits with others: nothing to do.
        case wait
        /// The item is the first: ask `takeLingered` at this time.
        case waitUntil(Instant)
        /// The batch, full and in order: forget about the time. The next item begins a new one.
        case flush([Item])
    }

    /// Items in a batch, at most.
    package let maxSize: Int
    private let lingerNanoseconds: Int64
    private var items: [Item] = []
    private var deadline = Instant.distantFuture

    /// - Parameters:
    ///   - maxSize: items in a batch, at most; at least 1.
    ///   - linger: how long the first item of a batch waits for others.
    package init(maxSize: Int, linger: Duration) {
        self.maxSize = max(1, maxSize)
        lingerNanoseconds = max(0, linger.saturatingNanoseconds)
    }

    package var count: Int { items.count }

    /// An item comes.
    package mutating func add(_ item: Item, now: Instant) -> Action {
        items.append(item)
        if items.count >= maxSize { return .flush(take()) }
        guard items.count == 1 else { return .wait }
        deadline = now.adding(nanoseconds: lingerNanoseconds)
        return .waitUntil(deadline)
    }

    /// The time that was named has come: the batch, in order; empty when it has gone already.
    package mutating func takeLingered(now: Instant) -> [Item] {
        now >= deadline ? take() : []
    }

    /// Items are wanted no more. A batch that loses its first keeps its time.
    package mutating func remove(where isUnwanted: (Item) -> Bool) {
        items.removeAll(where: isUnwanted)
        if items.isEmpty { deadline = .distantFuture }
    }

    private mutating func take() -> [Item] {
        defer {
            items = []
            deadline = .distantFuture
        }
        return items
    }
}

extension Batcher: Sendable where Item: Sendable {}
extension Batcher.Action: Equatable where Item: Equatable {}
extension Batcher.Action: Sendable where Item: Sendable {}
