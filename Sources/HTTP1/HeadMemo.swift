// HeadMemo: the head that an origin sent last, so that one that repeats it byte for byte is not read
// again. Servers repeat themselves: to the same request they mostly give the same head, but for a
// Date that changes once a second. Owned by the origin's record, shared by the parsers of its
// connections. A value, changed in its place.
//
// A head means what its bytes say and nothing else, under the same limits: equal bytes, up to and
// with the empty line, have equal fields and facts (RFC 9112 section 2.2). Only the answer to HEAD
// means something else, so such heads are neither remembered nor looked for.

internal import FetchBytes
internal import FetchHTTP

/// The last head of an origin.
package struct HeadMemo {
    /// The largest storage that is kept: a head, its index, and a body that came with it.
    package static let mostBytes = 4096

    /// As `ResponseHead` has it.
    private(set) var storage: [UInt8] = []
    private(set) var fieldCount = 0
    /// Where in `storage` the head begins, and how long it is.
    private var start = 0
    private(set) var count = Int.max

    package init() {}

    /// Whether the input begins with the head that is remembered.
    @inline(__always)
    func isRepeated(by input: Span<UInt8>) -> Bool {
        count <= input.count
            && PackedStorage.holdsSameBytes(storage, start..<start &+ count, as: input)
    }

    /// Remembers a head of so many bytes, unless it is large.
    @inline(__always)
    mutating func remember(_ head: ResponseHead, fieldCount: Int, count: Int) {
        let fields = head.fields
        guard fields.storage.count <= HeadMemo.mostBytes else { return }
        storage = fields.storage
        self.fieldCount = fieldCount
        start = fields.receivedStart
        self.count = count
    }
}
