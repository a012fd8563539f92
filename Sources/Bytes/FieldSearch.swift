// FieldSearch: a field by its name in an index of packed words (RFC 9110 section 5.1: names compare
// without case). Pure; any thread. Most names differ in length, which costs one comparison; the
// others are compared eight bytes at a time.
//
// Unsafe: one pointer to the storage lives for the length of one search. Each word is read behind
// the precondition on the index's size, each name behind a comparison with the storage's end.

/// Finds names in what `PackedStorage.joining` made of an index and bytes.
@usableFromInline
package enum FieldSearch {
    /// The place of the first field called `name`, from `start` on; −1 when there is none.
    ///
    /// `storage` begins with two words per field, `count` fields; their offsets count from `base`.
    package static func firstIndex(
        in storage: [UInt8], base: Int, count: Int, from start: Int, of name: String
    ) -> Int {
        // The name's bytes are used inside the call only.
        let found = unsafe name.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe firstIndex(in: storage, base: base, count: count, from: start, of: bytes)
        }
        if let found { return found }
        return unsafe Array(name.utf8).withUnsafeBufferPointer { bytes in
            unsafe firstIndex(in: storage, base: base, count: count, from: start, of: bytes)
        }
    }

    @unsafe
    @inline(__always)
    private static func firstIndex(
        in storage: [UInt8], base: Int, count: Int, from start: Int,
        of name: UnsafeBufferPointer<UInt8>
    ) -> Int {
        unsafe storage.withUnsafeBytes { all in
            precondition(start >= 0 && base >= 0 && count &* 16 <= all.count, "no such index")
            guard start < count, let bytes = all.baseAddress,
                let wanted = unsafe UnsafeRawPointer(name.baseAddress)
            else { return -1 }
            let size = name.count
            var index = start
            repeat {
                let packed = unsafe bytes.loadUnaligned(
                    fromByteOffset: index &* 16, as: UInt64.self)
                let nameStart = base &+ Int(packed & 0xffff_ffff)
                if Int(packed &>> 32) == size, nameStart <= all.count &- size,
                    unsafe isSameName(wanted, bytes + nameStart, size)
                {
                    return index
                }
                index &+= 1
            } while index < count
            return -1
        }
    }

    /// Whether `count` bytes are the same in both places but for the case of letters. Not inlined:
    /// what the comparison needs would be made ready even where no name has the length.
    @unsafe
    @inline(never)
    private static func isSameName(
        _ one: UnsafeRawPointer, _ other: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        guard count >= 8 else { return unsafe isSameShortName(one, other, count) }
        var index = 0
        while index &+ 8 < count {
            guard unsafe Scan.isSameWord(word(one, index), word(other, index)) else {
                return false
            }
            index &+= 8
        }
        // The last eight bytes, whatever of them was compared already.
        return unsafe Scan.isSameWord(word(one, count &- 8), word(other, count &- 8))
    }

    @unsafe
    @inline(__always)
    private static func isSameShortName(
        _ one: UnsafeRawPointer, _ other: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        if count >= 4 {
            return unsafe Scan.isSameWord(halves(one, count), halves(other, count))
        }
        var index = 0
        while index < count {
            let first = unsafe one.load(fromByteOffset: index, as: UInt8.self)
            let second = unsafe other.load(fromByteOffset: index, as: UInt8.self)
            guard ASCII.lowercased(first) == ASCII.lowercased(second) else { return false }
            index &+= 1
        }
        return true
    }

    @unsafe
    @inline(__always)
    private static func word(_ base: UnsafeRawPointer, _ index: Int) -> UInt64 {
        unsafe base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    }

    /// The first four and the last four of four to seven bytes in one word.
    @unsafe
    @inline(__always)
    private static func halves(_ base: UnsafeRawPointer, _ count: Int) -> UInt64 {
        let first = unsafe base.loadUnaligned(as: UInt32.self)
        let last = unsafe base.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        return UInt64(first) | UInt64(last) &<< 32
    }
}
