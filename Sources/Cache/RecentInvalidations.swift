// RecentInvalidations: when URIs were last made doubtful, so that an answer that was under way
// meanwhile isn't stored behind it. A value; reactor thread.

internal import FetchTime

/// Times of invalidation, by hash. Of fixed size: two URIs that share a place only make the cache
/// store less.
struct RecentInvalidations: Sendable {
    private static var places: Int { 256 }

    /// Empty until something was invalidated.
    private var times: [Instant] = []

    mutating func add(_ hash: UInt64, _ now: Instant) {
        if times.isEmpty {
            times = Array(repeating: Instant(nanoseconds: .min), count: Self.places)
        }
        times[Self.place(hash)] = now
    }

    /// Whether it may have been invalidated at `instant` or later.
    func happened(_ hash: UInt64, since instant: Instant) -> Bool {
        !times.isEmpty && times[Self.place(hash)] >= instant
    }

    /// The low bits choose the bucket in the index; these are others.
    private static func place(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash &>> 40) & (places - 1)
    }
}

extension CachedResponse {
    func isUnderSameKey(as other: CachedResponse) -> Bool {
        facts.targetHash == other.facts.targetHash && facts.partition == other.facts.partition
            && uriBytes == other.uriBytes
    }

    /// Whether the other one, which is newer, has everything that this one has.
    func isReplaced(by newer: CachedResponse) -> Bool {
        guard selectingBytes == newer.selectingBytes else { return false }
        switch (facts.content, newer.facts.content) {
        case (_, .whole): return true
        case (.whole, .part): return false
        case (.part(let old, let length), .part(let new, let other)):
            return length == other && new.lowerBound <= old.lowerBound
                && old.upperBound <= new.upperBound
        }
    }
}
