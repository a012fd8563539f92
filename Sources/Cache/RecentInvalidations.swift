// RecentInvalidations: when URIs were last made doubtful, so that an answer that was under way
// meanwhile isn't stored behind it. A value; reactor thread.

internal import FetchTime

/// Times of invalidation, by hash. Of fixed size: of two URIs that share a place the one that was
/// invalidated last is known by name, and an answer to a third that was under way at the time of
/// the other is only not stored.
struct RecentInvalidations: Sendable {
    private static var places: Int { 1_024 }

    private struct Place: Sendable {
        var hash: UInt64 = 0
        var time = Instant(nanoseconds: .min)
        /// When any other URI of this place was invalidated last.
        var othersTime = Instant(nanoseconds: .min)
    }

    /// Empty until something was invalidated.
    private var table: [Place] = []
    /// When everything was made doubtful.
    private var allAt = Instant(nanoseconds: .min)

    mutating func add(_ hash: UInt64, _ now: Instant) {
        if table.isEmpty { table = Array(repeating: Place(), count: Self.places) }
        let index = Self.index(hash)
        if table[index].hash != hash {
            table[index].othersTime = table[index].time
            table[index].hash = hash
        }
        table[index].time = now
    }

    /// Whatever was asked for until now is doubtful.
    mutating func addAll(_ now: Instant) { allAt = now }

    /// Whether it may have been invalidated at `instant` or later.
    func happened(_ hash: UInt64, since instant: Instant) -> Bool {
        if allAt >= instant { return true }
        guard !table.isEmpty else { return false }
        let place = table[Self.index(hash)]
        return place.othersTime >= instant || (place.hash == hash && place.time >= instant)
    }

    /// The low bits choose the bucket in the index; these are others.
    private static func index(_ hash: UInt64) -> Int {
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
