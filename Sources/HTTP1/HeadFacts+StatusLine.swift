// The status line (RFC 9112 section 4): "HTTP/1.1 200 OK" and CR LF, with exactly one space where
// the grammar has one. Servers that leave out the space in front of an empty reason are forgiven.

internal import FetchBytes

extension HeadFacts {
    /// "HTTP/1.1" and "HTTP/1.0" as words.
    private static var version11: UInt64 { 0x312e_312f_5054_5448 }
    private static var version10: UInt64 { 0x302e_312f_5054_5448 }

    /// " 200 OK" and CR, what most status lines go on with.
    private static var plainOK: UInt64 { 0x0d4b_4f20_3030_3220 }

    /// Reads the line at the start of the input, the first `scanned` bytes of which were looked at
    /// before. Gives the line's end, or the complement of how far it looked when more is needed.
    @inline(__always)
    mutating func readStatusLine(
        _ input: Span<UInt8>, _ scanned: Int, limit: Int
    ) throws(MessageError) -> Int {
        if scanned == 0, input.count > 16, limit >= 17, Scan.word(input, at: 0) == Self.version11,
            Scan.word(input, at: 8) == Self.plainOK, input[16] == 0x0a
        {
            status = 200
            reasonStart = 13
            reasonEnd = 15
            return 17
        }
        return try readAnyStatusLine(input, scanned, limit: limit)
    }

    @inline(never)
    private mutating func readAnyStatusLine(
        _ input: Span<UInt8>, _ scanned: Int, limit: Int
    ) throws(MessageError) -> Int {
        var index = max(scanned, 12)
        if scanned < 12 {
            guard input.count >= 13 else { return try shortStatusLine(input) }
            try readVersionAndStatus(input)
        }
        // Everything from byte 12 on is a space and the reason, or the line's end.
        guard index < input.count else { return ~index }
        if index == 12, input[12] != 0x20, input[12] != 0x0d { throw afterStatus(input[12]) }
        index = Scan.endOfFieldValue(input, from: index)
        guard index < limit else { throw .startLineTooLong }
        guard index < input.count else { return ~index }
        guard input[index] == 0x0d else { throw FieldLines.lineError(input[index]) }
        guard index &+ 1 < input.count else { return ~index }
        guard input[index &+ 1] == 0x0a else { throw .bareCarriageReturn }
        guard index &+ 2 <= limit else { throw .startLineTooLong }
        reasonStart = UInt32(truncatingIfNeeded: min(13, index))
        reasonEnd = UInt32(truncatingIfNeeded: index)
        return index &+ 2
    }

    /// The first twelve bytes.
    @inline(__always)
    private mutating func readVersionAndStatus(
        _ input: Span<UInt8>
    ) throws(MessageError) {
        let version = Scan.word(input, at: 0)
        if version == Self.version11 {
            minor = 1
        } else if version == Self.version10 {
            minor = 0
        } else {
            try readUnusualVersion(input)
        }
        let digits = (
            input[9] &- 0x30, input[10] &- 0x30, input[11] &- 0x30
        )
        guard input[8] == 0x20, digits.0 < 10 else { throw .invalidStatusLine }
        guard digits.0 > 0 else { throw .invalidStatus }
        guard digits.1 < 10, digits.2 < 10 else { throw .invalidStatusLine }
        status = UInt16(digits.0) &* 100 &+ UInt16(digits.1) &* 10 &+ UInt16(digits.2)
        guard status != 101 else { throw .unexpectedUpgrade }
    }

    /// HTTP/1.2 and above are 1.1 with more; anything else is not ours.
    private mutating func readUnusualVersion(_ input: Span<UInt8>) throws(MessageError) {
        for index in 0..<8 {
            if let error = Self.versionError(input[index], at: index) { throw error }
        }
        minor = input[7] &- 0x30
    }

    /// What a byte of "HTTP/1.x" is if it is wrong.
    private static func versionError(_ byte: UInt8, at index: Int) -> MessageError? {
        switch index {
        case 5:
            if byte == 0x31 { return nil }
            return ASCII.isDigit(byte) ? .unsupportedVersion : .invalidStatusLine
        case 7:
            return ASCII.isDigit(byte) ? nil : .invalidStatusLine
        default:
            let isRight = UInt8(truncatingIfNeeded: version11 >> (8 * index)) == byte
            return isRight ? nil : .invalidStatusLine
        }
    }

    /// Judges a line of which fewer than thirteen bytes are there: wrong already, or too short.
    private mutating func shortStatusLine(_ input: Span<UInt8>) throws(MessageError) -> Int {
        for index in 0..<min(input.count, 8) {
            if let error = Self.versionError(input[index], at: index) { throw error }
        }
        if input.count > 8, input[8] != 0x20 { throw .invalidStatusLine }
        if input.count > 9, input[9] == 0x30 { throw .invalidStatus }
        for index in 9..<max(min(input.count, 12), 9) where !ASCII.isDigit(input[index]) {
            throw .invalidStatusLine
        }
        return ~min(input.count, 11)
    }

    /// What a byte in the place of the space behind the status is.
    private func afterStatus(_ byte: UInt8) -> MessageError {
        let isText = ASCII.isFieldValue(byte)
        return isText ? .invalidStatusLine : FieldLines.lineError(byte)
    }
}
