// RememberedHead: the last head of an origin, in case the next is the same to the byte. A busy
// server's heads are: what differs is the Date, once a second. To find that out costs a comparison;
// to read a head again costs ten times as much and would come to the same, because what a head
// means hangs on its bytes, on the request's method and on limits that never change, and on nothing
// else. A value in the origin's record, lent to the parsers of its connections.

internal import FetchBytes

/// A head that was read, and how often to replace it.
package struct RememberedHead: Sendable {
    /// Index, facts and bytes as `FieldLines.section` made them; empty while there is no head.
    private(set) var storage: [UInt8] = []
    private(set) var fieldCount = 0
    private var isHeadRequest = false
    /// Whether a head was the same since this one was remembered.
    private var wasMet = false
    /// Heads to let pass until another is remembered: of a server whose heads are never the same,
    /// ever fewer are.
    private var pause = 0
    private var nextPause = 1

    package init() {}

    /// The most heads that pass unremembered.
    private static var mostPause: Int { 63 }

    /// What was learned of the head.
    var facts: HeadFacts {
        PackedStorage.value(storage, at: fieldCount &* 16, as: HeadFacts.self)
    }

    /// Whether the input begins with that head, as the answer to that kind of request.
    @inline(__always)
    mutating func isMet(by input: Span<UInt8>, isHeadRequest: Bool) -> Bool {
        guard !storage.isEmpty, isHeadRequest == self.isHeadRequest,
            PackedStorage.tail(
                of: storage, from: fieldCount &* 16 &+ MemoryLayout<HeadFacts>.size,
                beginsIn: input)
        else { return false }
        wasMet = true
        return true
    }

    /// Whether a head that was not the same is to be remembered in this one's place.
    mutating func givesWay() -> Bool {
        if wasMet {
            wasMet = false
            nextPause = 1
        } else if pause > 0 {
            pause -= 1
            return false
        }
        pause = nextPause
        nextPause = min(nextPause * 2 + 1, Self.mostPause)
        return true
    }

    /// Remembers a head.
    mutating func remember(_ storage: [UInt8], fieldCount: Int, isHeadRequest: Bool) {
        self.storage = storage
        self.fieldCount = fieldCount
        self.isHeadRequest = isHeadRequest
    }
}
