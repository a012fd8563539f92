// PackedStorage: one allocation that holds an index of words and the bytes it speaks of. A
// response's fields, and its body when it came in the same read, live in such an array. Pure; any
// thread.
//
// Unsafe: the array is made with exactly the size of its two parts and each part is copied to the
// place computed from those sizes; words are read behind a bounds check.

internal import Glibc

/// Arrays that begin with packed words and go on with bytes.
@usableFromInline
package enum PackedStorage {
    /// `words`, then `bytes`, in one new array.
    package static func joining(_ words: Span<UInt64>, _ bytes: Span<UInt8>) -> [UInt8] {
        unsafe joining(words, UnsafeRawBufferPointer(start: nil, count: 0), bytes)
    }

    /// `words`, then the bytes of `value`, then `bytes`, in one new array.
    @inlinable
    package static func joining(
        _ words: Span<UInt64>, _ value: some BitwiseCopyable, _ bytes: Span<UInt8>
    ) -> [UInt8] {
        // The value's bytes are copied during the call.
        unsafe withUnsafeBytes(of: value) { unsafe joining(words, $0, bytes) }
    }

    /// The bytes alone, in a new array.
    package static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        // Copied during the call.
        unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Whether `input` begins with the bytes of an array from `start` on. Traps outside the array.
    @inline(never)
    package static func tail(
        of storage: [UInt8], from start: Int, beginsIn input: Span<UInt8>
    ) -> Bool {
        let count = storage.count &- start
        precondition(start >= 0 && count >= 0)
        guard input.count >= count else { return false }
        // Both hold `count` bytes from where they are compared.
        return unsafe storage.withUnsafeBytes { stored in
            unsafe input.withUnsafeBytes { received in
                guard let one = stored.baseAddress, let other = received.baseAddress else {
                    return count == 0
                }
                return unsafe memcmp(one + start, other, count) == 0
            }
        }
    }

    @unsafe
    @usableFromInline
    static func joining(
        _ words: Span<UInt64>, _ middle: UnsafeRawBufferPointer, _ bytes: Span<UInt8>
    ) -> [UInt8] {
        unsafe words.withUnsafeBytes { first in
            unsafe bytes.withUnsafeBytes { last in
                unsafe [UInt8](PackedParts(first: first, middle: middle, last: last))
            }
        }
    }

    /// The value whose bytes `joining` stored behind the words: at `offset`, of that very type.
    /// Traps outside the array.
    @inlinable
    package static func value<T: BitwiseCopyable>(
        _ storage: borrowing [UInt8], at offset: Int, as type: T.Type
    ) -> T {
        precondition(offset >= 0 && offset <= storage.count &- MemoryLayout<T>.size)
        return unsafe storage.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: offset, as: T.self)
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

/// Three runs as one collection, which lets an array be made of them in one allocation. (The array
/// initialisers that take a capacity or a count look their metadata up each time: 400
/// instructions.)
@safe
private struct PackedParts: RandomAccessCollection {
    let first: UnsafeRawBufferPointer
    let middle: UnsafeRawBufferPointer
    let last: UnsafeRawBufferPointer

    var startIndex: Int { 0 }
    var endIndex: Int { unsafe first.count &+ middle.count &+ last.count }

    subscript(position: Int) -> UInt8 {
        if unsafe position < first.count { return unsafe first[position] }
        let behind = unsafe position &- first.count
        if unsafe behind < middle.count { return unsafe middle[behind] }
        return unsafe last[behind &- middle.count]
    }

    /// Called by the array with room for exactly `endIndex` bytes.
    @inline(__always)
    func _copyContents(
        initializing buffer: UnsafeMutableBufferPointer<UInt8>
    ) -> (Iterator, Int) {
        if var place = UnsafeMutableRawPointer(buffer.baseAddress) {
            unsafe Self.copy(first, to: &place)
            unsafe Self.copy(middle, to: &place)
            unsafe Self.copy(last, to: &place)
        }
        return (Iterator(_elements: self, _position: endIndex), endIndex)
    }

    @unsafe
    @inline(__always)
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
