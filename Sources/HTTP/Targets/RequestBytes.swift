// The bytes of what a request names and says, for whoever digests them without making text of them.
// Pure; any thread.

internal import FetchBytes

extension Target {
    /// Whether both name the same at their origins.
    package func hasSamePathAndQuery(as other: Target) -> Bool {
        self === other || pathAndQuery == other.pathAndQuery
    }

    /// Path and query mixed under a key, eight bytes at a time: for finding what may be the same,
    /// not for knowing that it is.
    package func pathAndQueryHash(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var hash = first
        withPathAndQuery { bytes in
            // The loads stay within the span.
            unsafe bytes.withUnsafeBytes { unsafe hash = Self.hash($0, hash, second) }
        }
        return hash
    }

    /// The last word overlaps the one before it. Loads stay within the bounds: every offset is
    /// below the count by as many bytes as are loaded.
    @inline(__always)
    private static func hash(
        _ bytes: UnsafeRawBufferPointer, _ start: UInt64, _ key: UInt64
    ) -> UInt64 {
        var hash = start ^ UInt64(bytes.count)
        guard let base = bytes.baseAddress, bytes.count >= 8 else {
            var word: UInt64 = 0
            for index in 0..<bytes.count {
                word = word &<< 8 | UInt64(unsafe bytes[index])
            }
            return mixed(hash ^ word, key)
        }
        var offset = 0
        while offset &+ 8 < bytes.count {
            let word = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = mixed(hash ^ word, key)
            offset &+= 8
        }
        // Eight bytes from the end.
        let last = unsafe base.loadUnaligned(
            fromByteOffset: bytes.count &- 8, as: UInt64.self)
        return mixed(hash ^ last, key)
    }

    /// Both halves of a product, folded.
    @inline(__always)
    private static func mixed(_ word: UInt64, _ key: UInt64) -> UInt64 {
        let product = (word ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: key &<< 1 | 1)
        return product.high ^ product.low
    }

    /// Hands out what names the resource at its origin: path and query, the path `/` if the URL has
    /// none, without the fragment.
    @inline(__always)
    package func withPathAndQuery(_ body: (Span<UInt8>) -> Void) {
        if hadEmptyPath {
            let rooted = Array(pathAndQuery.utf8)
            body(rooted.span)
        } else {
            let utf8 = text.utf8
            body(utf8.span.extracting(parts.pathAndQuery))
        }
    }
}

extension Headers {
    /// Hands out name and value of the field at an index, as they are sent.
    package func withBytes(
        at index: Int, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void
    ) {
        let name = name(at: index)
        let value = value(at: index)
        let utf8 = name.utf8
        body(utf8.span, value.span)
    }
}
