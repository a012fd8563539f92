// Bytes: what a body is made of. Immutable, counted, shared without copying between a response,
// its followers and the cache. Owned by whoever holds it; any thread.

/// Immutable bytes that share their storage with every copy and slice.
///
/// Indices run from 0. `slice(_:)` makes a shorter `Bytes` over the same storage, in O(1); the
/// range subscript gives a standard `Slice`, which `Bytes(_:)` turns back without copying.
public struct Bytes: RandomAccessCollection, Sendable {
    @usableFromInline let storage: [UInt8]
    @usableFromInline let start: Int
    @usableFromInline let end: Int

    /// No bytes.
    @inlinable
    public init() {
        storage = []
        start = 0
        end = 0
    }

    /// The bytes of an array, without copying.
    @inlinable
    public init(_ bytes: [UInt8]) {
        storage = bytes
        start = 0
        end = bytes.count
    }

    /// The UTF-8 of a string, copied.
    @inlinable
    public init(_ string: String) {
        self.init(Array(string.utf8))
    }

    /// The bytes of any sequence, copied.
    @inlinable
    public init(_ bytes: some Sequence<UInt8>) {
        self.init(Array(bytes))
    }

    /// A copy of the bytes.
    @inlinable
    package init(copying bytes: Span<UInt8>) {
        // Every byte of the new array is written, from a span of exactly its size.
        let copy = unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { space, count in
            unsafe bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(space).copyMemory(from: source)
            }
            count = bytes.count
        }
        self.init(copy)
    }

    /// The bytes of a slice, sharing its storage.
    @inlinable
    public init(_ slice: Slice<Bytes>) {
        self = slice.base.slice(slice.startIndex..<slice.endIndex)
    }

    /// A range of an array that is already there, without copying. Traps outside the array.
    @inlinable
    package init(storage: [UInt8], range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.count)
        self.storage = storage
        start = range.lowerBound
        end = range.upperBound
    }

    /// Always 0.
    @inlinable
    public var startIndex: Int { 0 }

    /// The number of bytes.
    @inlinable
    public var endIndex: Int { end &- start }

    /// The number of bytes, in O(1).
    @inlinable
    public var count: Int { end &- start }

    /// The byte at a position. Traps outside `0..<count`.
    @inlinable
    public subscript(position: Int) -> UInt8 {
        precondition(position >= 0 && position < count, "index out of range")
        return storage[start &+ position]
    }

    /// A shorter run over the same storage, in O(1). Traps outside `0..<count`.
    @inlinable
    public func slice(_ range: Range<Int>) -> Bytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of bounds")
        return Bytes(
            storage: storage, range: start + range.lowerBound..<start + range.upperBound)
    }

    /// The bytes as a span that lives as long as this value is borrowed.
    @inlinable
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(start..<end) }
    }

    /// Hands the bytes to C or to code that needs a pointer; the pointer dies with the call.
    @inlinable
    public func withUnsafeBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        // The range was checked against the storage when this value was made.
        try unsafe storage.withUnsafeBytes {
            try unsafe body(UnsafeRawBufferPointer(rebasing: $0[start..<end]))
        }
    }

    /// Lets the standard library copy and compare in one piece.
    @inlinable
    public func withContiguousStorageIfAvailable<R>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> R
    ) rethrows -> R? {
        // The range was checked against the storage when this value was made.
        try unsafe storage.withUnsafeBufferPointer { all in
            try unsafe body(UnsafeBufferPointer(rebasing: all[start..<end]))
        }
    }
}

extension Bytes: Hashable {
    /// Whether both hold the same bytes, wherever they are stored.
    public static func == (one: Bytes, other: Bytes) -> Bool {
        one.count == other.count && one.elementsEqual(other)
    }

    /// Feeds the bytes themselves to the hasher.
    public func hash(into hasher: inout Hasher) {
        // The pointer is used inside the call only.
        hasher.combine(count)
        unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}

extension Bytes: CustomStringConvertible {
    /// How many bytes there are; the bytes themselves are not printed.
    public var description: String { "\(count) bytes" }
}

extension String {
    /// The bytes as UTF-8, with U+FFFD in place of what is not UTF-8.
    @inlinable
    public init(_ bytes: Bytes) {
        // The pointer is used inside the call only.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
