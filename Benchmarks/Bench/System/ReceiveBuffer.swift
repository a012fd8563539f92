// The buffer that recv(2) fills in the floor and the embedded origin. One owner, one thread.

import Glibc

/// A receive buffer of 64 KiB outside Swift's exclusivity and bounds checks.
@safe final class ReceiveBuffer {
    static let capacity = 65_536
    /// Owned by this object; recv writes at most `capacity` bytes.
    private let bytes: UnsafeMutableRawPointer

    init() {
        unsafe bytes = .allocate(byteCount: Self.capacity, alignment: 16)
    }

    deinit {
        unsafe bytes.deallocate()
    }

    @inline(__always)
    func receive(_ socket: CInt) -> Int {
        unsafe recv(socket, bytes, Self.capacity, 0)
    }

    /// A copy of the first bytes.
    func first(_ count: Int) -> [UInt8] {
        // `count` is what recv wrote.
        unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// The first bytes where they lie, until the next receive.
    @inline(__always)
    func withFirst<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try unsafe body(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}
