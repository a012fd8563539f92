// ByteBuffer: the growable buffer that sockets read into and write from. It has a read mark and a
// write mark; what lies between is readable. Owned by one connection or the pool; one thread.
//
// Unsafe: the bytes and the marks live behind pointers this class alone owns, made in `init`, freed
// in `deinit`, and every access is checked against the marks first. The marks are behind a pointer
// so that hot code pays no dynamic exclusivity check for a class's stored properties.

/// A growable run of bytes, filled at its end and consumed at its start.
///
/// A span handed out by `readable` must not outlive the next call that changes the buffer.
@safe
@usableFromInline
package final class ByteBuffer {
    @unsafe
    @usableFromInline
    struct Marks {
        @usableFromInline var base: UnsafeMutableRawPointer
        @usableFromInline var capacity: Int
        @usableFromInline var read = 0
        @usableFromInline var write = 0
    }

    @usableFromInline let marks: UnsafeMutablePointer<Marks>

    /// An empty buffer with room for `capacity` bytes.
    package init(capacity: Int) {
        let capacity = max(capacity, 16)
        unsafe marks = .allocate(capacity: 1)
        unsafe marks.initialize(
            to: Marks(base: .allocate(byteCount: capacity, alignment: 16), capacity: capacity))
    }

    deinit {
        unsafe marks.pointee.base.deallocate()
        unsafe marks.deinitialize(count: 1)
        unsafe marks.deallocate()
    }

    /// Bytes between the marks.
    @inlinable
    package var readableCount: Int { unsafe marks.pointee.write &- marks.pointee.read }

    /// Whether nothing is left to read.
    @inlinable
    package var isEmpty: Bool { readableCount == 0 }

    /// Bytes the storage holds in all.
    @inlinable
    package var capacity: Int { unsafe marks.pointee.capacity }

    /// What lies between the marks. Not to be kept across a call that changes the buffer.
    @inlinable
    package var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let start = unsafe (marks.pointee.base + marks.pointee.read)
                .assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span(_unsafeStart: start, count: readableCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Moves the read mark; both marks go back to the start when nothing is left.
    @inlinable
    package func consume(_ count: Int) {
        precondition(count >= 0 && count <= readableCount, "consumed more than there is")
        unsafe marks.pointee.read &+= count
        if unsafe marks.pointee.read == marks.pointee.write { removeAll() }
    }

    /// Forgets everything; keeps the storage.
    @inlinable
    package func removeAll() {
        unsafe marks.pointee.read = 0
        unsafe marks.pointee.write = 0
    }

    /// Makes room for `count` more bytes behind the write mark.
    @inlinable
    package func reserve(_ count: Int) {
        precondition(count >= 0)
        if unsafe marks.pointee.capacity &- marks.pointee.write < count { makeRoom(count) }
    }

    /// Moves what is readable to the start, into larger storage if it must.
    @usableFromInline
    func makeRoom(_ count: Int) {
        let kept = readableCount
        let needed = kept + count
        let source = unsafe marks.pointee.base + marks.pointee.read
        if unsafe needed <= marks.pointee.capacity {
            unsafe marks.pointee.base.copyMemory(from: source, byteCount: kept)
        } else {
            let capacity = unsafe max(needed, marks.pointee.capacity * 2)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            unsafe larger.copyMemory(from: source, byteCount: kept)
            unsafe marks.pointee.base.deallocate()
            unsafe marks.pointee.base = unsafe larger
            unsafe marks.pointee.capacity = capacity
        }
        unsafe marks.pointee.read = 0
        unsafe marks.pointee.write = kept
    }

    /// Lends the free space behind the write mark, at least `count` bytes of it, and moves the mark
    /// by what `body` says it wrote.
    @inlinable
    package func withFreeSpace<R>(
        atLeast count: Int,
        _ body: (UnsafeMutableRawBufferPointer) -> (written: Int, result: R)
    ) -> R {
        reserve(count)
        let free = unsafe marks.pointee.capacity &- marks.pointee.write
        let space = unsafe UnsafeMutableRawBufferPointer(
            start: marks.pointee.base + marks.pointee.write, count: free)
        let (written, result) = unsafe body(space)
        precondition(written >= 0 && written <= free, "wrote more than there was room for")
        unsafe marks.pointee.write &+= written
        return result
    }

    /// Lends what is readable as a pointer; it dies with the call.
    @inlinable
    package func withReadable<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let readable = unsafe UnsafeRawBufferPointer(
            start: marks.pointee.base + marks.pointee.read, count: readableCount)
        return unsafe body(readable)
    }

    /// Copies the next `count` bytes out and consumes them.
    package func takeBytes(_ count: Int) -> Bytes {
        precondition(count >= 0 && count <= readableCount, "took more than there is")
        let copy = unsafe withReadable { unsafe [UInt8]($0.prefix(count)) }
        consume(count)
        return Bytes(copy)
    }
}
