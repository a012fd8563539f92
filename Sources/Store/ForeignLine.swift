// ForeignLine: the calls of a caller's own store, in the order in which they were asked for, and
// which of them may begin. A value; reactor thread.

/// One call.
enum ForeignCall: Equatable, Sendable {
    case find(resource: String, partition: String)
    case set(CacheStoreEntry, bytes: Int)
    case delete(resource: String, partition: String, variant: String)
    case purge(CacheStorePurge)

    /// What it speaks of; nil where that may be anything.
    var resource: String? {
        switch self {
        case .find(let resource, _), .delete(let resource, _, _): resource
        case .set(let entry, _): entry.resource
        case .purge(.resource(let resource)): resource
        case .purge(.prefix), .purge(.everything): nil
        }
    }

    var bytes: Int {
        if case .set(_, let bytes) = self { return bytes }
        return 0
    }

    /// Makes it.
    func made(of store: any CacheStore) async throws -> [CacheStoreEntry] {
        switch self {
        case .find(let resource, let partition):
            return try await store.find(resource: resource, partition: partition)
        case .set(let entry, _): try await store.set(entry)
        case .delete(let resource, let partition, let variant):
            try await store.delete(resource: resource, partition: partition, variant: variant)
        case .purge(let purge): try await store.purge(purge)
        }
        return []
    }
}

struct ForeignLine {
    private struct Place {
        let number: Int
        let call: ForeignCall
        var isUnderWay = false
    }

    private var places: [Place] = []
    private var added = 0
    private var underWay = 0
    /// Bytes of what waits to be stored.
    private(set) var bytes = 0
    /// The next call to be added stands for all that could not be remembered.
    var isForgetting = false

    var count: Int { places.count }

    mutating func add(_ call: ForeignCall) -> Int {
        added += 1
        bytes += call.bytes
        places.append(Place(number: added, call: call))
        return added
    }

    /// Takes out what has not begun, but for look-ups: the line is full, and everything will be
    /// forgotten.
    mutating func forgetWaiting() {
        places.removeAll { place in
            if case .find = place.call { return false }
            return !place.isUnderWay
        }
        bytes = places.reduce(0) { $0 + $1.call.bytes }
        isForgetting = true
    }

    /// The first call that may begin.
    mutating func next(atMost limit: Int) -> (number: Int, call: ForeignCall)? {
        guard underWay < limit else { return nil }
        var ahead: Set<String> = []
        for index in places.indices {
            let call = places[index].call
            guard let resource = call.resource else {
                // Waits for all in front of it; all behind it wait.
                guard index == 0, !places[index].isUnderWay else { return nil }
                return begin(index)
            }
            if !places[index].isUnderWay, !ahead.contains(resource) { return begin(index) }
            ahead.insert(resource)
        }
        return nil
    }

    private mutating func begin(_ index: Int) -> (number: Int, call: ForeignCall) {
        places[index].isUnderWay = true
        underWay += 1
        return (places[index].number, places[index].call)
    }

    mutating func ended(_ number: Int) {
        guard let index = places.firstIndex(where: { $0.number == number }) else { return }
        if places[index].isUnderWay { underWay -= 1 }
        bytes -= places[index].call.bytes
        places.remove(at: index)
    }
}
