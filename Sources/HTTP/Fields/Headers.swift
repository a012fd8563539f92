// Headers: the fields a caller sends (RFC 9110 section 5). A value; any thread. The lines are kept
// as they go on the wire, so that sending them is one copy; nothing malformed ever gets in.

package import FetchBytes
public import HTTPTypes

/// Header fields in order, with names in the case given; names compare without case and may repeat.
public struct Headers: Sendable {
    /// The most fields one value holds.
    public static let mostFields = 10_000
    /// The most bytes of names and values one value holds.
    public static let mostBytes = 1_048_576

    /// Where one line's parts lie in `wire`.
    private struct Entry: Sendable {
        var name: Range<Int>
        var value: Range<Int>
    }

    private struct Lines: Sendable {
        /// `Name: value` lines, each with CR LF.
        var wire: [UInt8] = []
        var entries: [Entry] = []
        var specials: Specials = []
        var caching: CachingFields = []
    }

    /// One reference, none when empty: a request without fields is copied for nothing.
    private enum Storage: Sendable {
        case empty
        indirect case lines(Lines)
    }

    private var storage = Storage.empty

    private var lines: Lines {
        switch storage {
        case .empty: Lines()
        case .lines(let lines): lines
        }
    }

    private var wire: [UInt8] { lines.wire }
    private var entries: [Entry] { lines.entries }

    /// Which names that matter to framing and defaults are there.
    package var specials: Specials {
        switch storage {
        case .empty: []
        case .lines(let lines): lines.specials
        }
    }

    /// Which names that matter to a cache are there.
    package var cachingFields: CachingFields {
        switch storage {
        case .empty: []
        case .lines(let lines): lines.caching
        }
    }

    /// Names the encoder treats specially.
    package struct Specials: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        package static var host: Specials { Specials(rawValue: 1) }
        package static var userAgent: Specials { Specials(rawValue: 2) }
        package static var accept: Specials { Specials(rawValue: 4) }
        package static var contentLength: Specials { Specials(rawValue: 8) }
        package static var connection: Specials { Specials(rawValue: 16) }
        package static var transferEncoding: Specials { Specials(rawValue: 32) }
        package static var upgrade: Specials { Specials(rawValue: 64) }
        package static var keepAlive: Specials { Specials(rawValue: 128) }
        package static var expect: Specials { Specials(rawValue: 256) }
        package static var te: Specials { Specials(rawValue: 512) }
    }

    /// No fields.
    public init() {}

    /// Fields from pairs of name and value, in order.
    public init(_ pairs: [(String, String)]) throws(FieldError) {
        for (name, value) in pairs { try append(name, value) }
    }

    /// Fields of swift-http-types, checked again, by their bytes.
    public init(_ fields: HTTPFields) throws(FieldError) {
        for field in fields {
            // The pointer is used inside the call only.
            let value = unsafe field.withUnsafeBytesOfValue { unsafe Array($0) }
            try append(field.name.rawName, value)
        }
    }

    /// The number of fields, repeated names counted each time.
    public var count: Int { entries.count }

    /// Whether there is no field.
    public var isEmpty: Bool {
        switch storage {
        case .empty: true
        case .lines: false
        }
    }

    /// Adds a field behind the others. White space around the value is dropped.
    public mutating func append(_ name: String, _ value: String) throws(FieldError) {
        let bytes = value.utf8
        try append(name, bytes.span)
    }

    /// Adds a field whose value is bytes, which need not be text.
    public mutating func append(_ name: String, _ value: [UInt8]) throws(FieldError) {
        try append(name, value.span)
    }

    private mutating func append(_ name: String, _ value: Span<UInt8>) throws(FieldError) {
        let utf8 = name.utf8
        let nameBytes = utf8.span
        guard nameBytes.count > 0, Scan.endOfToken(nameBytes, from: 0) == nameBytes.count else {
            throw .invalidName(name)
        }
        guard Scan.endOfFieldValue(value, from: 0) == value.count else {
            throw .invalidValue(name: name)
        }
        let trimmed = ASCII.trimmed(value, 0..<value.count)
        var lines = self.lines
        let size = lines.wire.count + nameBytes.count + trimmed.count + 4
        guard lines.entries.count < Self.mostFields, size <= Self.mostBytes else {
            throw .tooLarge
        }
        storage = .empty  // so that the arrays are not shared while they grow
        let start = lines.wire.count
        for index in 0..<nameBytes.count { lines.wire.append(nameBytes[index]) }
        lines.wire.append(UInt8(ascii: ":"))
        lines.wire.append(UInt8(ascii: " "))
        let valueStart = lines.wire.count
        for index in trimmed { lines.wire.append(value[index]) }
        lines.entries.append(
            Entry(name: start..<start + nameBytes.count, value: valueStart..<lines.wire.count))
        lines.wire.append(0x0d)
        lines.wire.append(0x0a)
        lines.specials.formUnion(Self.special(nameBytes))
        lines.caching.formUnion(CachingFields(of: nameBytes))
        storage = .lines(lines)
    }

    /// Puts a field in place of all of that name: where the first stood, or behind the others.
    public mutating func set(_ name: String, _ value: String) throws(FieldError) {
        var changed = Headers()
        var isSet = false
        for index in entries.indices {
            if !hasName(name, at: index) {
                changed.adopt(self, at: index)
            } else if !isSet {
                try changed.append(name, value)
                isSet = true
            }
        }
        if !isSet { try changed.append(name, value) }
        self = changed
    }

    /// Takes all fields of a name out.
    public mutating func remove(_ name: String) {
        guard contains(name) else { return }
        var changed = Headers()
        for index in entries.indices where !hasName(name, at: index) {
            changed.adopt(self, at: index)
        }
        self = changed
    }

    /// Copies a line that was checked before.
    private mutating func adopt(_ other: Headers, at index: Int) {
        let entry = other.entries[index]
        var lines = self.lines
        storage = .empty
        let shift = lines.wire.count - entry.name.lowerBound
        lines.wire.append(
            contentsOf: other.wire[entry.name.lowerBound..<entry.value.upperBound + 2])
        lines.entries.append(
            Entry(
                name: entry.name.lowerBound + shift..<entry.name.upperBound + shift,
                value: entry.value.lowerBound + shift..<entry.value.upperBound + shift))
        lines.specials.formUnion(other.special(at: index))
        lines.caching.formUnion(CachingFields(of: other.wire.span.extracting(entry.name)))
        storage = .lines(lines)
    }

    /// Whether there is a field of that name.
    public func contains(_ name: String) -> Bool { firstIndex(of: name) != nil }

    /// The first value of a name: as UTF-8, or as ISO Latin-1 where it is not UTF-8.
    public subscript(_ name: String) -> String? {
        firstIndex(of: name).map { FieldText.string(value(at: $0).span) }
    }

    /// All values of a name, in order.
    public func values(of name: String) -> [String] {
        entries.indices.filter { hasName(name, at: $0) }
            .map { FieldText.string(value(at: $0).span) }
    }

    /// The name of the field at an index, in the case given.
    package func name(at index: Int) -> String {
        String(decoding: wire[entries[index].name], as: UTF8.self)
    }

    /// The value of the field at an index.
    package func value(at index: Int) -> Bytes {
        Bytes(storage: wire, range: entries[index].value)
    }

    /// Whether the field at an index has that name.
    package func hasName(_ name: String, at index: Int) -> Bool {
        let utf8 = name.utf8
        let wire = self.wire
        return Scan.equalsIgnoringCase(wire.span.extracting(entries[index].name), utf8.span)
    }

    /// Hands out name and value of the field at an index, as they are sent.
    package func withBytes(
        at index: Int, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void
    ) {
        let name = name(at: index)
        let value = value(at: index)
        let utf8 = name.utf8
        body(utf8.span, value.span)
    }

    /// The same for a literal.
    package func hasName(_ name: StaticString, at index: Int) -> Bool {
        let wire = self.wire
        return ASCII.equalsIgnoringCase(wire.span.extracting(entries[index].name), name)
    }

    /// Which special name the field at an index has, if any.
    package func special(at index: Int) -> Specials {
        let wire = self.wire
        return Self.special(wire.span.extracting(entries[index].name))
    }

    private func firstIndex(of name: String) -> Int? {
        entries.indices.first { hasName(name, at: $0) }
    }

    /// The place of the first field of a name, in any case, from `start` on; nil when there is
    /// none.
    package func firstIndex(ofName name: Span<UInt8>, from start: Int = 0) -> Int? {
        guard case .lines(let lines) = storage else { return nil }
        let wire = lines.wire.span
        var index = start
        while index < lines.entries.count {
            if Scan.equalsIgnoringCase(wire.extracting(lines.entries[index].name), name) {
                return index
            }
            index &+= 1
        }
        return nil
    }

    /// Writes all lines.
    package func append(to buffer: ByteBuffer) {
        buffer.append(wire)
    }

    /// Writes one line.
    package func appendLine(at index: Int, to buffer: ByteBuffer) {
        let entry = entries[index]
        let wire = self.wire
        buffer.append(wire.span.extracting(entry.name.lowerBound..<entry.value.upperBound + 2))
    }

    private static func special(_ name: Span<UInt8>) -> Specials {
        func named(_ literal: StaticString, _ special: Specials) -> Specials {
            ASCII.equalsIgnoringCase(name, literal) ? special : []
        }
        return switch name.count {
        case 2: named("te", .te)
        case 4: named("host", .host)
        case 6: named("accept", .accept).union(named("expect", .expect))
        case 7: named("upgrade", .upgrade)
        case 10:
            named("user-agent", .userAgent).union(named("connection", .connection))
                .union(named("keep-alive", .keepAlive))
        case 14: named("content-length", .contentLength)
        case 17: named("transfer-encoding", .transferEncoding)
        default: []
        }
    }
}

extension Headers: Sequence {
    /// Names and values in order; values as the subscript gives them.
    public func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var index = 0
        return AnyIterator {
            guard index < entries.count else { return nil }
            defer { index += 1 }
            return (name(at: index), FieldText.string(value(at: index).span))
        }
    }
}

extension Headers: Equatable {
    /// Whether the same lines go on the wire.
    public static func == (one: Headers, other: Headers) -> Bool { one.wire == other.wire }
}
