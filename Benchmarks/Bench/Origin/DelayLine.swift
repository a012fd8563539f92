// Answers that wait for their time (`/delay/MS`): a binary heap by due time. A pure value, owned by
// the embedded origin.

/// Connections whose answer is due later, the earliest first.
package struct DelayLine {
    /// A connection by descriptor, and which of its many owners was meant.
    package struct Entry: Equatable {
        package let due: UInt64
        let descriptor: CInt
        let generation: UInt32

        package init(due: UInt64, descriptor: CInt, generation: UInt32) {
            self.due = due
            self.descriptor = descriptor
            self.generation = generation
        }
    }

    private var heap: [Entry] = []

    package init() {}

    package var earliest: UInt64? { heap.first?.due }

    package mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest entry, if it is due.
    package mutating func popDue(now: UInt64) -> Entry? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            let left = parent * 2 + 1
            guard left < heap.count else { return first }
            let right = left + 1
            let child = right < heap.count && heap[right].due < heap[left].due ? right : left
            guard heap[child].due < heap[parent].due else { return first }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
