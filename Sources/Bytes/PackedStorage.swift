// PackedStorage: one allocation that holds an index of words and the bytes it speaks of. A response's
// fields, and its body when it came in the same read, live in such an array. Pure; any thread.
//
// Unsafe: the array is made with exactly the size of its three parts and each part is copied to the
// place computed from those sizes; words are read behind a bounds check.

/// Arrays that begin with packed words and go on with bytes.
package enum PackedStorage {
    /// `words`, then `more`, then `bytes`, in one new array.
    @inlinable
    package static func joining(
        _ words: Span<UInt64>, _ more: Span<UInt64>, _ bytes: Span<UInt8>
    ) -> [UInt8] {
        let first = words.count &* 8
        let second = more.count &* 8
        let total = first &+ second &+ bytes.count
        return unsafe [UInt8](unsafeUninitializedCapacity: total) { space, count in
            guard let start = UnsafeMutableRawPointer(space.baseAddress) else { return }
            unsafe copy(words.withUnsafeBytes { unsafe $0 }, to: start)
            unsafe copy(more.withUnsafeBytes { unsafe $0 }, to: start + first)
            unsafe copy(bytes.withUnsafeBytes { unsafe $0 }, to: start + first + second)
            count = total
        }
    }

    @unsafe
    @inlinable
    static func copy(_ source: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) {
        guard let start = source.baseAddress, source.count > 0 else { return }
        unsafe place.copyMemory(from: start, byteCount: source.count)
    }

    /// The word at an index, as `joining` stored it. Traps outside the array.
    @inlinable
    package static func word(_ storage: borrowing [UInt8], at index: Int) -> UInt64 {
        precondition(index >= 0 && index &* 8 &+ 8 <= storage.count)
        return unsafe storage.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self)
        }
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
