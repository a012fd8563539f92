// ByteBufferPool: buffers between two uses. Owned by an engine; one thread.

/// Keeps buffers that are between two connections' use, so that reading makes no garbage.
package final class ByteBufferPool {
    private let capacityEach: Int
    private let mostKept: Int
    private var kept: [ByteBuffer] = []

    /// A pool of buffers of `capacityEach` bytes that keeps at most `mostKept` of them.
    package init(capacityEach: Int, mostKept: Int) {
        self.capacityEach = capacityEach
        self.mostKept = mostKept
    }

    /// Buffers waiting here now.
    package var count: Int { kept.count }

    /// A kept buffer, or a new one; empty.
    package func take() -> ByteBuffer {
        kept.popLast() ?? ByteBuffer(capacity: capacityEach)
    }

    /// Gives a buffer back, emptied. One that has grown, or one too many, is dropped.
    package func give(_ buffer: ByteBuffer) {
        guard buffer.capacity <= capacityEach, kept.count < mostKept else { return }
        buffer.removeAll()
        kept.append(buffer)
    }
}
