// A bounded table of what is kept per host, domain or address: values that are in use, and values
// that nobody uses but that still know something. Owned by the tables of limiters and politeness
// slots.
//
// What nobody uses stands in a chain, least recently used first. It is forgotten as soon as it is
// at rest and somebody looks: each new key looks at the two oldest. At the cap eight are looked at
// for one at rest; if none is, the oldest goes although it still limits something, because a table
// that can be made to grow is worse. Only values in use are never evicted: if they fill the table,
// a new key is refused.

internal import FetchTime

/// A value that a table may forget when it is at rest.
protocol Resting {
    func isAtRest(now: Instant) -> Bool
    /// Holds the place of a value that was forgotten, and no memory.
    static var forgotten: Self { get }
}

/// Names an entry; stale once it was forgotten.
package struct KeyedID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

struct KeyedTable<Value: Resting> {
    fileprivate struct Entry {
        var key: String
        var generation: UInt32 = 0
        var users: Int32 = 0
        /// The chain of those without users; `newer` also chains the free ones.
        var older: Int32 = -1
        var newer: Int32 = -1
    }

    static var lookedAt: Int { 2 }
    static var lookedAtWhenFull: Int { 8 }

    /// The most entries.
    let most: Int
    private var entries: ContiguousArray<Entry> = []
    /// Beside their entries, so that they are used where they lie.
    private var values: ContiguousArray<Value> = []
    private var slots: [String: Int32] = [:]
    private var firstFree: Int32 = -1
    private var oldest: Int32 = -1
    private var newest: Int32 = -1

    init(most: Int) {
        self.most = max(1, most)
    }

    var count: Int { slots.count }

    /// One more user of the key's value, which is made if there is none; nil when the table is full
    /// of values in use.
    mutating func enter(_ key: String, now: Instant, make: () -> Value) -> KeyedID? {
        if let slot = slots[key] {
            if entries[Int(slot)].users == 0 { unchain(slot) }
            entries[Int(slot)].users += 1
            return id(slot)
        }
        forgetResting(lookingAt: Self.lookedAt, now)
        if count >= most { forgetResting(lookingAt: Self.lookedAtWhenFull, now) }
        if count >= most {
            guard oldest >= 0 else { return nil }
            forget(oldest)
        }
        return insert(key, make())
    }

    /// One user less. A value at rest that nobody uses is forgotten at once.
    mutating func leave(_ id: KeyedID, now: Instant) {
        guard isLive(id) else { return }
        entries[Int(id.slot)].users -= 1
        guard entries[Int(id.slot)].users == 0 else { return }
        chain(id.slot)
        if values[Int(id.slot)].isAtRest(now: now) { forget(id.slot) }
    }

    func isLive(_ id: KeyedID) -> Bool {
        let slot = Int(id.slot)
        return slot < entries.count && entries[slot].generation == id.generation
    }

    /// The value in its place. Only for identifiers that are live.
    subscript(live id: KeyedID) -> Value {
        get { values[Int(id.slot)] }
        _modify { yield &values[Int(id.slot)] }
    }

    /// A copy of the value; nil when the identifier is stale.
    subscript(_ id: KeyedID) -> Value? { isLive(id) ? values[Int(id.slot)] : nil }

    mutating func changeAll(_ body: (inout Value) -> Void) {
        for slot in slots.values { body(&values[Int(slot)]) }
    }

    /// Forgets what is at rest among the oldest unused values.
    mutating func forgetResting(lookingAt most: Int, _ now: Instant) {
        var slot = oldest
        for _ in 0..<most where slot >= 0 {
            let next = entries[Int(slot)].newer
            if values[Int(slot)].isAtRest(now: now) { forget(slot) }
            slot = next
        }
    }

    // MARK: Slots and chain

    private func id(_ slot: Int32) -> KeyedID {
        KeyedID(slot: slot, generation: entries[Int(slot)].generation)
    }

    private mutating func insert(_ key: String, _ value: Value) -> KeyedID {
        let slot: Int32
        if firstFree >= 0 {
            slot = firstFree
            firstFree = entries[Int(slot)].newer
            entries[Int(slot)].newer = -1
            entries[Int(slot)].key = key
            values[Int(slot)] = value
        } else {
            slot = Int32(entries.count)
            entries.append(Entry(key: key))
            values.append(value)
        }
        entries[Int(slot)].users = 1
        slots[key] = slot
        return id(slot)
    }

    private mutating func forget(_ slot: Int32) {
        unchain(slot)
        slots[entries[Int(slot)].key] = nil
        entries[Int(slot)].key = ""
        values[Int(slot)] = .forgotten
        entries[Int(slot)].generation &+= 1
        entries[Int(slot)].newer = firstFree
        firstFree = slot
    }

    private mutating func chain(_ slot: Int32) {
        entries[Int(slot)].older = newest
        entries[Int(slot)].newer = -1
        if newest >= 0 { entries[Int(newest)].newer = slot } else { oldest = slot }
        newest = slot
    }

    private mutating func unchain(_ slot: Int32) {
        let (older, newer) = (entries[Int(slot)].older, entries[Int(slot)].newer)
        if older >= 0 { entries[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { entries[Int(newer)].older = older } else { newest = older }
        entries[Int(slot)].older = -1
        entries[Int(slot)].newer = -1
    }
}

extension KeyedTable: Sendable where Value: Sendable {}
extension KeyedTable.Entry: Sendable where Value: Sendable {}
