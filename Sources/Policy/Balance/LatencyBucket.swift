// Latencies in buckets: eight to each power of two from 1 µs to 18 minutes, so that a bucket is an
// eighth to a sixteenth of its values wide. Pure.

enum LatencyBucket {
    static var count: Int { 240 }

    /// The bucket of a latency; what is shorter or longer than all falls into the first or last.
    static func index(_ nanoseconds: Int64) -> Int {
        let value = max(1 << 10, nanoseconds)
        let exponent = 63 - value.leadingZeroBitCount
        let eighth = Int(value >> Int64(exponent - 3)) & 7
        return min((exponent - 10) * 8 + eighth, count - 1)
    }

    /// The first latency beyond the bucket, in nanoseconds.
    static func end(of bucket: Int) -> Int64 {
        (Int64(bucket % 8) + 9) << Int64(7 + bucket / 8)
    }
}

/// Counts of latencies that never fade. 2 KiB.
struct BucketedLatencies: Sendable {
    private var counts = [UInt64](repeating: 0, count: LatencyBucket.count)

    mutating func record(_ nanoseconds: Int64) { counts[LatencyBucket.index(nanoseconds)] += 1 }

    /// The latency that `rank` of them don't exceed, rounded up to its bucket's end.
    func nanoseconds(rank: Int) -> Int64 {
        var seen: UInt64 = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen >= UInt64(max(1, rank)) { return LatencyBucket.end(of: bucket) }
        }
        return 0
    }
}
