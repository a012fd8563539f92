// How long an origin takes to answer, as a percentile of the recent past in a fixed space. A value;
// reads no clock. Once 1,024 latencies are counted all counts are halved: what was long ago fades.

package struct LatencyEstimator: Sendable {
    private static var fullAt: UInt32 { 1_024 }

    private var counts = InlineArray<240, UInt16>(repeating: 0)
    private var total: UInt32 = 0

    package init() {}

    /// How many count, the faded ones by half, by quarter, and so on.
    package var samples: Int { Int(total) }

    /// A response took so long. O(1), and O(240) once in 512 times.
    package mutating func record(nanoseconds: Int64) {
        counts[LatencyBucket.index(nanoseconds)] += 1
        total += 1
        if total >= Self.fullAt { fade() }
    }

    /// The latency that `percentile` of a hundred responses don't exceed, in nanoseconds, rounded
    /// up to its bucket's end; nil when nothing was recorded. O(240).
    package func nanoseconds(percentile: Double) -> Int64? {
        guard total > 0 else { return nil }
        let share = min(max(0, percentile), 100) / 100
        let rank = max(1, UInt32((Double(total) * share).rounded(.up)))
        var seen: UInt32 = 0
        for bucket in 0..<LatencyBucket.count {
            seen += UInt32(counts[bucket])
            if seen >= rank { return LatencyBucket.end(of: bucket) }
        }
        return nil
    }

    private mutating func fade() {
        total = 0
        for bucket in 0..<LatencyBucket.count {
            counts[bucket] /= 2
            total += UInt32(counts[bucket])
        }
    }
}
