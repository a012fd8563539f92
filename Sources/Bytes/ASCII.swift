// ASCII: what a byte may be, by RFC 9110 (token, field value), RFC 3986 (unreserved) and the WHATWG
// encode sets of paths and queries. Pure; any thread.
//
// Unsafe: the class table is a literal of 128 ASCII characters, read below index 128 only. A
// literal lives in the binary, so that a look-up needs no lazy initialisation.

/// Character classes and comparisons for the ASCII range.
@usableFromInline
package enum ASCII {
    /// The classes a byte below 0x80 belongs to, as bits.
    @usableFromInline
    package struct Class {
        @usableFromInline let bits: UInt8

        @inlinable
        init(bits: UInt8) { self.bits = bits }

        /// `tchar` of RFC 9110 section 5.6.2.
        @inlinable package static var token: Class { Class(bits: 1) }
        /// A byte of a canonical host name: lower-case letter, digit, `-`, `_`, `.`.
        @inlinable package static var host: Class { Class(bits: 2) }
        /// A byte that stands in a path as it is.
        @inlinable package static var path: Class { Class(bits: 4) }
        /// A byte that stands in a query as it is.
        @inlinable package static var query: Class { Class(bits: 8) }
        /// `DIGIT`.
        @inlinable package static var digit: Class { Class(bits: 16) }
        /// `HEXDIG`, either case.
        @inlinable package static var hexDigit: Class { Class(bits: 32) }
        /// `unreserved` of RFC 3986 section 2.3.
        @inlinable package static var unreserved: Class { Class(bits: 64) }
    }

    /// Bit sums of `Class`, indexed by the byte.
    @inlinable
    static var classes: UnsafePointer<UInt8> {
        let table: StaticString =
            """
            \u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\
            \u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\
            \u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\
            \u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\
            \u{00}\u{0d}\u{00}\u{01}\u{0d}\u{0d}\u{0d}\u{05}\
            \u{0c}\u{0c}\u{0d}\u{0d}\u{0c}\u{4f}\u{4f}\u{0c}\
            \u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\
            \u{7f}\u{7f}\u{0c}\u{0c}\u{00}\u{0c}\u{00}\u{08}\
            \u{0c}\u{6d}\u{6d}\u{6d}\u{6d}\u{6d}\u{6d}\u{4d}\
            \u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\
            \u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\u{4d}\
            \u{4d}\u{4d}\u{4d}\u{0c}\u{00}\u{0c}\u{09}\u{4f}\
            \u{09}\u{6f}\u{6f}\u{6f}\u{6f}\u{6f}\u{6f}\u{4f}\
            \u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\
            \u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\u{4f}\
            \u{4f}\u{4f}\u{4f}\u{08}\u{0d}\u{08}\u{4d}\u{00}
            """
        return unsafe table.utf8Start
    }

    /// Whether a byte belongs to a class. Bytes from 0x80 up belong to none.
    @inlinable
    package static func `is`(_ byte: UInt8, _ kind: Class) -> Bool {
        guard byte < 0x80 else { return false }
        return unsafe classes[Int(byte)] & kind.bits != 0
    }

    /// Whether a byte may stand in a token.
    @inlinable
    package static func isToken(_ byte: UInt8) -> Bool { `is`(byte, .token) }

    /// Whether a byte is `0`…`9`.
    @inlinable
    package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Whether a byte is a letter.
    @inlinable
    package static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// Whether a byte is a hexadecimal digit of either case.
    @inlinable
    package static func isHexDigit(_ byte: UInt8) -> Bool { hexValue(byte) != nil }

    /// The value of a hexadecimal digit of either case.
    @inlinable
    package static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// An upper-case letter made lower-case; anything else as it is.
    @inlinable
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// Whether a byte may stand in a field's value: HTAB, SP, VCHAR or obs-text.
    @inlinable
    package static func isFieldValue(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7f) || byte == 0x09
    }

    /// Whether a byte is SP or HTAB: optional white space of RFC 9110 section 5.6.3.
    @inlinable
    package static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Whether two runs are equal but for the case of letters.
    @inlinable
    package static func equalsIgnoringCase(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        let count = one.count
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            guard lowercased(one[index]) == lowercased(other[index]) else { return false }
            index &+= 1
        }
        return true
    }

    /// Whether a run equals a literal but for the case of letters.
    @inlinable
    package static func equalsIgnoringCase(_ one: Span<UInt8>, _ other: StaticString) -> Bool {
        let count = one.count
        guard count == other.utf8CodeUnitCount else { return false }
        // The literal's bytes are immortal and as many as it says.
        let literal = unsafe other.utf8Start
        var index = 0
        while index < count {
            guard unsafe lowercased(one[index]) == lowercased(literal[index]) else { return false }
            index &+= 1
        }
        return true
    }

    /// The part of `range` without SP and HTAB at its ends.
    @inlinable
    package static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isBlank(bytes[start]) { start &+= 1 }
        while end > start, isBlank(bytes[end &- 1]) { end &-= 1 }
        return start..<end
    }
}
