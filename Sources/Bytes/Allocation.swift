// Allocation: what a piece of memory costs, as the allocator counts it. Pure; any thread.
//
// The allocator is glibc's: it puts eight bytes in front of what is asked for, rounds the sum up to
// sixteen, gives at least 32, and takes pages of their own for what is very large. A bound on bytes
// that forgot this would be wrong by half for small things.

/// The size of allocations.
@usableFromInline
package enum Allocation {
    /// From here on the allocator maps pages. It moves this mark up as such pieces are freed, so
    /// that a piece may cost up to a page less than is said here.
    package static var mappedFrom: Int { 128 << 10 }

    /// What `count` bytes cost.
    package static func bytes(for count: Int) -> Int {
        let count = max(count, 0)
        if count >= mappedFrom { return rounded(count &+ 16, to: 4_096) }
        return max(32, rounded(count &+ 8, to: 16))
    }

    /// What an array of so many bytes of capacity costs: 32 bytes stand in front of its elements.
    package static func bytes(forArrayOf capacity: Int) -> Int {
        capacity == 0 ? 0 : bytes(for: capacity &+ 32)
    }

    private static func rounded(_ count: Int, to unit: Int) -> Int {
        (count &+ unit &- 1) / unit &* unit
    }
}

extension Bytes {
    /// What the storage costs that these bytes keep alive, which others may share, and which may
    /// hold more than these bytes.
    package var allocatedBytes: Int { Allocation.bytes(forArrayOf: storage.capacity) }

    /// New bytes, written by `body` into storage for `capacity` of them: as many as it says it
    /// wrote. Storage that would stay empty by half is given back for one that fits.
    @inlinable
    package static func filled<R>(
        capacity: Int, _ body: (UnsafeMutableRawBufferPointer) -> (written: Int, result: R)
    ) -> (bytes: Bytes, result: R) {
        var result: R?
        // What `body` says it wrote is checked, and nothing behind it is ever read.
        let storage = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { space, count in
            let (written, told) = unsafe body(UnsafeMutableRawBufferPointer(space))
            precondition(written >= 0 && written <= space.count, "wrote more than was lent")
            result = told
            count = written
        }
        guard let result else { preconditionFailure("an array is made by its closure") }
        let isFull = storage.count > capacity / 2
        return (isFull ? Bytes(storage) : Bytes(copying: storage.span), result)
    }

    /// The same bytes in storage that holds next to nothing else: copied where more than a quarter
    /// of the storage, and more than 64 bytes, would be kept for nothing.
    package var compact: Bytes {
        let waste = storage.capacity - count
        guard waste > 64, waste > storage.capacity / 4 else { return self }
        return Bytes(copying: span)
    }
}
