// EntityTag: what tells two representations of a resource apart (RFC 9110 section 8.8.3), and how
// two are compared. A value; any thread. Its bytes stay where they were received.

package import FetchBytes

/// An entity tag, strong or weak.
package struct EntityTag: Sendable {
    /// Made by a weakness-marked algorithm: `W/`.
    package let isWeak: Bool
    /// What is between the quotes.
    package let opaque: Bytes
    /// The tag as received, to be sent back as it came.
    package let field: Bytes

    /// Reads a whole ETag field.
    ///
    /// Servers that forget the quotes are many: a tag without them is taken as a weak one, which
    /// can be sent back but never used to put parts together.
    package init?(_ field: Bytes) {
        self.field = field
        let bytes = field.span
        let isMarked = EntityTagList.isWeakMark(bytes, 0)
        let start = isMarked ? 2 : 0
        let end = EntityTagList.endOfQuoted(bytes, start)
        if end == bytes.count {
            isWeak = isMarked
            opaque = field.slice(start + 1..<end - 1)
        } else {
            guard !isMarked, bytes.count > 0, EntityTagList.isBare(bytes) else { return nil }
            isWeak = true
            opaque = field
        }
    }

    init(isWeak: Bool, opaque: Bytes, field: Bytes) {
        self.isWeak = isWeak
        self.opaque = opaque
        self.field = field
    }

    /// Section 8.8.3.2: byte for byte, and neither is weak.
    package func matchesStrongly(_ other: EntityTag) -> Bool {
        !isWeak && !other.isWeak && opaque == other.opaque
    }

    /// Section 8.8.3.2: byte for byte, weak or not.
    package func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    /// The ETag of a response, if it has one that can be used. Of several the first counts.
    package init?(of fields: FieldSection) {
        guard let index = fields.firstIndex(of: "etag") else { return nil }
        self.init(fields.valueBytes(at: index))
    }
}

extension EntityTag: Equatable {
    /// Whether both would be sent alike.
    package static func == (one: EntityTag, other: EntityTag) -> Bool { one.field == other.field }
}

/// `If-None-Match` and `If-Match` (RFC 9110 sections 13.1.1 and 13.1.2).
package enum EntityTagList: Equatable, Sendable {
    /// `*`: whatever there is.
    case any
    case tags([EntityTag])

    /// Reads all lines of such a field; nil where there is none, or it is no such list.
    package init?(_ name: String, of headers: Headers) {
        var tags: [EntityTag] = []
        var isThere = false
        for index in 0..<headers.count where headers.hasName(name, at: index) {
            isThere = true
            let value = headers.value(at: index)
            if value.count == 1, value[0] == UInt8(ascii: "*") {
                self = .any
                return
            }
            guard Self.append(value, to: &tags) else { return nil }
        }
        guard isThere else { return nil }
        self = .tags(tags)
    }

    /// Whether a tag is in it, by the weak comparison that If-None-Match asks for.
    package func containsWeakly(_ tag: EntityTag?) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { mine in tag.map(mine.matchesWeakly) ?? false }
        }
    }

    /// Tags hold commas and backslashes as they are, so this is no list of quoted strings.
    private static func append(_ value: Bytes, to tags: inout [EntityTag]) -> Bool {
        let bytes = value.span
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if ASCII.isBlank(byte) || byte == UInt8(ascii: ",") {
                index += 1
                continue
            }
            let isWeak = isWeakMark(bytes, index)
            let start = isWeak ? index + 2 : index
            let end = endOfQuoted(bytes, start)
            guard end > start else { return false }
            tags.append(
                EntityTag(
                    isWeak: isWeak, opaque: value.slice(start + 1..<end - 1),
                    field: value.slice(index..<end)))
            index = end
        }
        return true
    }

    /// `W/`, in capitals alone.
    static func isWeakMark(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index] == UInt8(ascii: "W")
            && bytes[index + 1] == UInt8(ascii: "/")
    }

    /// Behind the quote that closes what opens at `start`; −1 where nothing opens or closes.
    static func endOfQuoted(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else { return -1 }
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            guard bytes[index] > 0x20, bytes[index] != 0x7f else { return -1 }
            index += 1
        }
        return index < bytes.count ? index + 1 : -1
    }

    /// Whether nothing in it would make a list or a quoted tag of it.
    static func isBare(_ bytes: Span<UInt8>) -> Bool {
        for index in 0..<bytes.count {
            switch bytes[index] {
            case 0x21, 0x23...0x2b, 0x2d...0x7e: continue
            default: return false
            }
        }
        return !(bytes.count == 1 && bytes[0] == UInt8(ascii: "*"))
    }
}
