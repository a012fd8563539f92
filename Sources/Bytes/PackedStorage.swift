// PackedStorage: one allocation that holds an index of words and the bytes it speaks of. A
// response's fields, and its body when it came in the same read, live in such an array. Pure; any
// thread.
//
// Unsafe: the array is made with exactly the size of its two parts and each part is copied to the
// place computed from those sizes; words are read behind a bounds check.

/// Arrays that begin with packed words and go on with bytes.
@usableFromInline
package enum PackedStorage {
    /// `words`, then `bytes`, in one new array.
    package static func joining(_ words: Span<UInt64>, _ bytes: Span<UInt8>) -> [UInt8] {
        unsafe words.withUnsafeBytes { first in
            unsafe bytes.withUnsafeBytes { second in
                unsafe [UInt8](PackedParts(first: first, second: second))
            }
        }
    }

    /// The word at an index, as `joining` stored it. Traps outside the array.
    @inlinable
    package static func word(_ storage: borrowing [UInt8], at index: Int) -> UInt64 {
        precondition(index >= 0 && index &* 8 &+ 8 <= storage.count)
        return unsafe storage.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self)
        }
    }

    /// A range below 2³² in one word: its start, its count.
    @inlinable
    package static func pack(_ range: Range<Int>) -> UInt64 {
        UInt64(truncatingIfNeeded: range.lowerBound) & 0xffff_ffff
            | UInt64(truncatingIfNeeded: range.upperBound &- range.lowerBound) &<< 32
    }

    /// The range that `pack` put into a word.
    @inlinable
    package static func unpack(_ word: UInt64) -> Range<Int> {
        let start = Int(word & 0xffff_ffff)
        return start..<start &+ Int(word &>> 32)
    }
}

/// Two runs as one collection, which lets an array be made of them in one allocation. (The array
/// initialiser that takes uninitialised capacity looks its metadata up each time: 400
/// instructions.)
@safe
private struct PackedParts: RandomAccessCollection {
    let first: UnsafeRawBufferPointer
    let second: UnsafeRawBufferPointer

    var startIndex: Int { 0 }
    var endIndex: Int { unsafe first.count &+ second.count }

    subscript(position: Int) -> UInt8 {
        let inFirst = unsafe position < first.count
        return unsafe inFirst ? first[position] : second[position - first.count]
    }

    /// Called by the array with room for exactly `endIndex` bytes.
    func _copyContents(
        initializing buffer: UnsafeMutableBufferPointer<UInt8>
    ) -> (Iterator, Int) {
        if var place = UnsafeMutableRawPointer(buffer.baseAddress) {
            unsafe Self.copy(first, to: &place)
            unsafe Self.copy(second, to: &place)
        }
        return (Iterator(_elements: self, _position: endIndex), endIndex)
    }

    private static func copy(
        _ part: UnsafeRawBufferPointer, to place: inout UnsafeMutableRawPointer
    ) {
        guard let start = part.baseAddress, part.count > 0 else { return }
        unsafe place.copyMemory(from: start, byteCount: part.count)
        unsafe place += part.count
    }
}

extension [UInt8] {
    /// Appends a copy of the bytes.
    @inlinable
    package mutating func append(copying bytes: Span<UInt8>) {
        // The pointer is read only during the call.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
