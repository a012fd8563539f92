// FieldLines: where a section's lines lie, and how far the one being read was understood (RFC 9112
// section 5). A value inside ResponseParser; the same reader serves heads and trailers.
//
// Offsets count from the start of the section's bytes, which are presented again and again until
// the section is whole; `scanned` says how far they were looked at, so no byte is looked at twice.

internal import FetchBytes
internal import FetchHTTP

/// The reader of field lines and its index.
struct FieldLines: Sendable {
    /// Where the line being read begins.
    private(set) var lineStart = 0
    /// How far its bytes are known to be good.
    private(set) var scanned = 0
    /// Where its name ends; 0 while it has not.
    private var nameEnd = 0
    private(set) var count = 0
    /// Two words per field; grows for a head of many fields and shrinks again.
    private var index = [UInt64](repeating: 0, count: 32)

    /// Bounds of a section.
    struct Bounds {
        let bytes: Int
        let fields: Int
        let tooLarge: MessageError
    }

    /// Gets ready for a section whose lines begin at `start`.
    mutating func begin(at start: Int) {
        lineStart = start
        scanned = start
        nameEnd = 0
        count = 0
        if index.count > 64 { index = [UInt64](repeating: 0, count: 32) }
    }

    /// Whether nothing of the section has been looked at.
    var isUntouched: Bool { scanned == 0 }

    /// Reads lines up to the empty one. True when that was read: `lineStart` is the section's end.
    @inline(__always)
    mutating func read(
        _ input: Span<UInt8>, _ bounds: Bounds, _ facts: inout HeadFacts, isTrailer: Bool
    ) throws(MessageError) -> Bool {
        if scanned == lineStart, readWholeLines(input, bounds, &facts, isTrailer: isTrailer) {
            return true
        }
        return try readLines(input, bounds, &facts, isTrailer: isTrailer)
    }

    /// Reads lines however they come: in pieces, too many, or wrong.
    @inline(never)
    private mutating func readLines(
        _ input: Span<UInt8>, _ bounds: Bounds, _ facts: inout HeadFacts, isTrailer: Bool
    ) throws(MessageError) -> Bool {
        while true {
            if nameEnd == 0 {
                guard scanned < input.count else { break }
                if scanned == lineStart, input[scanned] == 0x0d {
                    guard scanned &+ 1 < input.count else { break }
                    guard input[scanned &+ 1] == 0x0a else { throw .bareCarriageReturn }
                    lineStart &+= 2
                    guard lineStart <= bounds.bytes else { throw bounds.tooLarge }
                    return true
                }
                let end = Scan.endOfToken(input, from: scanned)
                guard end < input.count else {
                    scanned = end
                    break
                }
                guard input[end] == UInt8(ascii: ":"), end > lineStart else {
                    throw nameError(input, end)
                }
                nameEnd = end
                scanned = end &+ 1
            }
            let end = Scan.endOfFieldValue(input, from: scanned)
            guard end &+ 1 < input.count else {
                if end < input.count, input[end] != 0x0d { throw Self.lineError(input[end]) }
                scanned = end
                break
            }
            guard input[end] == 0x0d else { throw Self.lineError(input[end]) }
            guard input[end &+ 1] == 0x0a else { throw .bareCarriageReturn }
            guard count < bounds.fields else { throw .tooManyFields }
            lineEnded(input, at: end, &facts, isTrailer: isTrailer)
            guard lineStart <= bounds.bytes else { throw bounds.tooLarge }
        }
        guard input.count <= bounds.bytes else { throw bounds.tooLarge }
        return false
    }

    /// Reads lines while they are whole and valid. Whatever is not is left to the loop that says
    /// what is wrong with it. True when the section's end was read.
    @inline(__always)
    private mutating func readWholeLines(
        _ input: Span<UInt8>, _ bounds: Bounds, _ facts: inout HeadFacts, isTrailer: Bool
    ) -> Bool {
        guard bounds.fields &* 2 >= index.count else { return false }
        let known = count
        let progress = FieldScan.section(
            input, from: lineStart, limit: bounds.bytes, noting: HeadFacts.lengthsThatMatter,
            into: &index, count: &count)
        lineStart = progress.next
        scanned = progress.next
        if isTrailer { return progress.isWhole }
        var noted = progress.noted
        while noted != 0 {
            fieldReceived(noted.trailingZeroBitCount, input, &facts)
            noted &= noted &- 1
        }
        // An index of more fields than a word has bits has grown for them.
        if count > 64 {
            for field in max(known, 64)..<count { fieldReceived(field, input, &facts) }
        }
        return progress.isWhole
    }

    @inline(__always)
    private func fieldReceived(_ field: Int, _ input: Span<UInt8>, _ facts: inout HeadFacts) {
        facts.fieldReceived(
            input, name: PackedStorage.unpack(index[field &* 2]),
            value: PackedStorage.unpack(index[field &* 2 &+ 1]))
    }

    /// Notes a whole line and moves to the next.
    private mutating func lineEnded(
        _ input: Span<UInt8>, at end: Int, _ facts: inout HeadFacts, isTrailer: Bool
    ) {
        let name = lineStart..<nameEnd
        let value = ASCII.trimmed(input, nameEnd &+ 1..<end)
        append(PackedStorage.pack(name), PackedStorage.pack(value))
        if !isTrailer { facts.fieldReceived(input, name: name, value: value) }
        lineStart = end &+ 2
        scanned = lineStart
        nameEnd = 0
    }

    private mutating func append(_ name: UInt64, _ value: UInt64) {
        if count &* 2 == index.count { index += [UInt64](repeating: 0, count: index.count) }
        index[count &* 2] = name
        index[count &* 2 &+ 1] = value
        count &+= 1
    }

    /// What stops a name that is not followed by a colon.
    private func nameError(_ input: Span<UInt8>, _ end: Int) -> MessageError {
        let byte = input[end]
        if ASCII.isBlank(byte) { return end == lineStart ? .foldedLine : .spaceBeforeColon }
        if byte == 0x0d { return .missingColon }
        return byte < 0x20 || byte == 0x7f ? Self.lineError(byte) : .invalidFieldName
    }

    /// What a byte that may stand in no line is.
    static func lineError(_ byte: UInt8) -> MessageError {
        switch byte {
        case 0x0a: .bareLineFeed
        case 0x0d: .bareCarriageReturn
        default: .controlCharacter
        }
    }

    /// The index, what was noted of the head and the bytes, in one allocation.
    @inline(__always)
    func section(_ facts: HeadFacts, _ bytes: Span<UInt8>) -> [UInt8] {
        PackedStorage.joining(index.span.extracting(first: count &* 2), facts, bytes)
    }

    /// The index and the bytes it speaks of, in one allocation.
    func section(_ bytes: Span<UInt8>) -> [UInt8] {
        PackedStorage.joining(index.span.extracting(first: count &* 2), bytes)
    }
}
