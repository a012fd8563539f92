// Collects items into batches by size and by time: a batch goes when it is full, or when its first
// item has waited long enough. A value; its owner keeps the time.

package import FetchTime

package struct Batcher<Item> {
    package enum Action: Equatable, Sendable {
        /// The item waits with others: nothing to do.
        case wait
        /// The item is the first: ask `lingered` at this time.
        case waitUntil(Instant)
        /// The batch is full: `takeBatch`, and forget about the time.
        case flush
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
        if items.count >= maxSize { return .flush }
        guard items.count == 1 else { return .wait }
        deadline = now.adding(nanoseconds: lingerNanoseconds)
        return .waitUntil(deadline)
    }

    /// The time that was named has come; false when that batch has gone already.
    package func lingered(now: Instant) -> Bool { !items.isEmpty && now >= deadline }

    /// Items are wanted no more. A batch that loses its first keeps its time.
    package mutating func remove(where isUnwanted: (Item) -> Bool) {
        items.removeAll(where: isUnwanted)
        if items.isEmpty { deadline = .distantFuture }
    }

    /// The batch, in order; the next item begins a new one.
    package mutating func takeBatch() -> [Item] {
        defer {
            items = []
            deadline = .distantFuture
        }
        return items
    }
}

extension Batcher: Sendable where Item: Sendable {}
