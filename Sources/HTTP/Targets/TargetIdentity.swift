// TargetIdentity: a target as the key of a table: one hash of the whole URI, one comparison with
// its bytes. Immutable; any thread. The fragment is no part of it (RFC 9111 section 2).

internal import FetchBytes

extension Target {
    /// Hash of scheme, host, port, path and query; seeded per process, so that nobody can aim at a
    /// bucket. Some ten instructions for each eight bytes.
    package var resourceHash: UInt64 {
        // An empty path is the path `/` (RFC 9110 section 4.2.3).
        guard !hadEmptyPath else { return rootedHash }
        // The bytes are used inside the closure only.
        let hashed = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            ResourceHash.of(unsafe Span(_unsafeElements: bytes), parts.pathAndQuery, originHash)
        }
        if let hashed { return hashed }
        let copy = Array(text.utf8)
        return ResourceHash.of(copy.span, parts.pathAndQuery, originHash)
    }

    private var rootedHash: UInt64 {
        let rooted = Array(pathAndQuery.utf8)
        return ResourceHash.of(rooted.span, 0..<rooted.count, originHash)
    }

    /// Whether bytes are this target's URI, as `resourceText` spells it.
    package func isResource(_ bytes: Span<UInt8>) -> Bool {
        guard !hadEmptyPath else {
            let rooted = Array(resourceText.utf8)
            return ResourceHash.isSame(rooted.span, bytes)
        }
        guard bytes.count == parts.end else { return false }
        // The bytes are used inside the closure only.
        let isSame = unsafe text.utf8.withContiguousStorageIfAvailable { mine in
            ResourceHash.isSame(unsafe Span(_unsafeElements: mine).extracting(0..<parts.end), bytes)
        }
        if let isSame { return isSame }
        let copy = Array(text.utf8)
        return ResourceHash.isSame(copy.span.extracting(0..<parts.end), bytes)
    }

    /// Whether both name the same at their origins.
    package func hasSamePathAndQuery(as other: Target) -> Bool {
        self === other || pathAndQuery == other.pathAndQuery
    }

    /// The whole URI in canonical form, without fragment.
    package var resourceText: String { description }
}

/// The hash and the comparison, eight bytes at a time.
enum ResourceHash {
    @inline(__always)
    static func of(_ bytes: Span<UInt8>, _ range: Range<Int>, _ seed: UInt64) -> UInt64 {
        let key = OriginHash.key
        var hash = seed ^ UInt64(truncatingIfNeeded: range.count)
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            hash = OriginHash.fold(hash, with: Scan.word(bytes, at: index), key)
            index &+= 8
        }
        if index < range.upperBound {
            hash = OriginHash.fold(hash, with: last(bytes, range, from: index), key)
        }
        return OriginHash.finish(hash, key)
    }

    /// What is left, fewer than eight bytes: read again together with those before them, or one by
    /// one where nothing stands before them.
    @inline(__always)
    private static func last(
        _ bytes: Span<UInt8>, _ range: Range<Int>, from start: Int
    ) -> UInt64 {
        if range.count >= 8 { return Scan.word(bytes, at: range.upperBound &- 8) }
        var word: UInt64 = 0
        for index in start..<range.upperBound { word = word &<< 8 | UInt64(bytes[index]) }
        return word
    }

    @inline(__always)
    static func isSame(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        let count = one.count
        guard count == other.count, count >= 8 else { return false }
        var index = 0
        while index &+ 8 <= count {
            guard Scan.word(one, at: index) == Scan.word(other, at: index) else { return false }
            index &+= 8
        }
        return Scan.word(one, at: count &- 8) == Scan.word(other, at: count &- 8)
    }
}
