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

extension MemoryIndex {
    /// Whether a response was asked for before its URI was last invalidated: it may be what the
    /// invalidation was about.
    package func isInvalidated(_ response: CachedResponse) -> Bool {
        invalidations.happened(
            response.facts.targetHash, since: response.facts.times.request.instant)
    }
}

extension CachedResponse {
    /// Seconds since the epoch after which it is of no use: stale beyond what it allows itself, and
    /// with nothing to be validated by. Nil where it can be validated.
    package var expiry: Int64? {
        guard entityTag == nil, lastModified == nil else { return nil }
        let left = max(0, Nanoseconds.of(facts.freshness.lifetime) - facts.freshness.initialAge)
        let fresh = facts.times.response.wall.adding(nanoseconds: left)
        let stale = max(facts.control.staleWhileRevalidate, facts.control.staleIfError)
        return fresh.adding(nanoseconds: Nanoseconds.of(stale)).seconds
    }

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
