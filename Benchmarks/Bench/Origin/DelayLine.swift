// Answers that wait for their time (`/delay/MS`): a binary heap by due time. A pure value, owned by the
// embedded origin.

/// Connections whose answer is due later, the earliest first.
struct DelayLine {
    /// A connection by descriptor, and which of its many owners was meant.
    struct Entry: Equatable {
        let due: UInt64
        let descriptor: CInt
        let generation: UInt32
    }

    private var heap: [Entry] = []

    var earliest: UInt64? { heap.first?.due }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest entry, if it is due.
    mutating func popDue(now: UInt64) -> Entry? {
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
