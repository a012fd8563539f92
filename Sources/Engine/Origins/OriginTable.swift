// The one table of origins: open addressing by the hash that a parsed target carries, because a
// Dictionary look-up by host would cost as much as parsing the response. Reactor thread.

package import FetchHTTP

package struct OriginTable {
    /// A place in the table. The hash is beside the record so that a look at it needs no other.
    private struct Slot {
        var hash: UInt64 = 0
        var record: OriginRecord?
    }

    private var slots: [Slot]
    package private(set) var count = 0

    package init() {
        slots = Array(repeating: Slot(), count: 16)
    }

    package func record(for target: Target, tls: TLSChoice? = nil) -> OriginRecord? {
        let hash = OriginTable.hash(target, tls)
        var index = home(hash)
        while slots[index].record != nil {
            if slots[index].hash == hash, let record = slots[index].record,
                // The record keeps its target.
                Uncounted(record.target).with({ $0.isSameOrigin(as: target) }),
                TLSChoice.isSame(record.tls, tls)
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
        var index = home(OriginTable.hash(record.target, record.tls))
        while let found = slots[index].record, found !== record { index = next(index) }
        guard slots[index].record != nil else { return }
        slots[index] = Slot()
        count -= 1
        closeGap(after: index)
        if slots.count > 16, count * 8 < slots.count { resize(to: slots.count / 2) }
    }

    /// Records, in no order.
    package var records: [OriginRecord] { slots.compactMap(\.record) }

    /// Linear probing knows no tombstones: whoever was pushed past the gap moves back into it.
    private mutating func closeGap(after gap: Int) {
        var gap = gap
        var index = next(gap)
        while slots[index].record != nil {
            let home = home(slots[index].hash)
            // Whether `home` lies cyclically in (gap, index]: then the record stays.
            let stays = gap <= index ? (gap < home && home <= index) : (gap < home || home <= index)
            if !stays {
                slots[gap] = slots[index]
                slots[index] = Slot()
                gap = index
            }
            index = next(index)
        }
    }

    private mutating func resize(to size: Int) {
        let old = slots
        slots = Array(repeating: Slot(), count: size)
        for slot in old { if let record = slot.record { place(record) } }
    }

    private mutating func place(_ record: OriginRecord) {
        let hash = OriginTable.hash(record.target, record.tls)
        var index = home(hash)
        while slots[index].record != nil { index = next(index) }
        slots[index] = Slot(hash: hash, record: record)
    }

    private static func hash(_ target: Target, _ tls: TLSChoice?) -> UInt64 {
        target.originHash ^ (tls?.hash ?? 0)
    }

    private func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

    private func next(_ index: Int) -> Int { (index + 1) & (slots.count - 1) }
}
