// ShortText: strings that need no storage. The standard library keeps up to fifteen bytes in the
// string itself, but its ways of making one of bytes that have to be checked first take twice as
// long as this one. Most field values are that short. Pure; any thread.
//
// Unsafe: words are read from a span behind a comparison with its count, and written to the room
// that the standard library lends, which is as large as was asked for.

extension String {
    /// The text of 4 to 15 bytes of ASCII; nil for anything else, which takes the longer road.
    package init?(shortASCII bytes: Span<UInt8>) {
        let count = bytes.count
        guard count >= 4, count <= 15 else { return nil }
        let (first, last) = unsafe bytes.withUnsafeBytes { unsafe Self.ends($0, count) }
        guard (first | last) & 0x8080_8080_8080_8080 == 0 else { return nil }
        // The room is lent for the call and holds `count` bytes or more; both ends fit in it.
        self = unsafe String(unsafeUninitializedCapacity: count) { room in
            guard let start = UnsafeMutableRawPointer(room.baseAddress) else { return 0 }
            if count >= 8 {
                unsafe start.storeBytes(of: first, as: UInt64.self)
                unsafe start.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
            } else {
                let head = UInt32(truncatingIfNeeded: first)
                let tail = UInt32(truncatingIfNeeded: last)
                unsafe start.storeBytes(of: head, as: UInt32.self)
                unsafe start.storeBytes(of: tail, toByteOffset: count &- 4, as: UInt32.self)
            }
            return count
        }
    }

    /// The first and the last eight bytes, or four of each where there are fewer than eight. They
    /// overlap unless there are sixteen.
    @unsafe
    @inline(__always)
    private static func ends(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> (UInt64, UInt64) {
        if count >= 8 {
            return (
                unsafe bytes.loadUnaligned(as: UInt64.self),
                unsafe bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            )
        }
        return (
            UInt64(unsafe bytes.loadUnaligned(as: UInt32.self)),
            UInt64(unsafe bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        )
    }
}
