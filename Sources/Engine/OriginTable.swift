// The one table of origins: open addressing by the hash that a parsed target carries, because a
// Dictionary look-up by host would cost as much as parsing the response. Reactor thread.

package import FetchHTTP

package struct OriginTable {
    private var slots: [OriginRecord?]
    package private(set) var count = 0

    package init() {
        slots = Array(repeating: nil, count: 16)
    }

    package func record(for target: Target) -> OriginRecord? {
        var index = home(target.originHash)
        while let record = slots[index] {
            if record.target.originHash == target.originHash,
                record.target.isSameOrigin(as: target)
            {
                return record
            }
            index = next(index)
        }
        return nil
    }

    /// Adds a record for an origin that has none.
    package mutating func insert(_ record: OriginRecord) {
        if (count + 1) * 2 > slots.count { resize(to: slots.count * 2) }
        place(record)
        count += 1
    }

    package mutating func remove(_ record: OriginRecord) {
        var index = home(record.target.originHash)
        while let found = slots[index], found !== record { index = next(index) }
        guard slots[index] != nil else { return }
        slots[index] = nil
        count -= 1
        closeGap(after: index)
        if slots.count > 16, count * 8 < slots.count { resize(to: slots.count / 2) }
    }

    /// Records, in no order.
    package var records: [OriginRecord] { slots.compactMap { $0 } }

    /// Linear probing knows no tombstones: whoever was pushed past the gap moves back into it.
    private mutating func closeGap(after gap: Int) {
        var gap = gap
        var index = next(gap)
        while let record = slots[index] {
            let home = home(record.target.originHash)
            // Whether `home` lies cyclically in (gap, index]: then the record stays.
            let stays = gap <= index ? (gap < home && home <= index) : (gap < home || home <= index)
            if !stays {
                slots[gap] = record
                slots[index] = nil
                gap = index
            }
            index = next(index)
        }
    }

    private mutating func resize(to size: Int) {
        let old = slots
        slots = Array(repeating: nil, count: size)
        for case .some(let record) in old { place(record) }
    }

    private mutating func place(_ record: OriginRecord) {
        var index = home(record.target.originHash)
        while slots[index] != nil { index = next(index) }
        slots[index] = record
    }

    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

    private func next(_ index: Int) -> Int { (index + 1) & (slots.count - 1) }
}
