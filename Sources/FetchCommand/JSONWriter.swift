// Writes JSON pieces into a growing line. Pure; used by `ResultLine`.
//
// What it writes is ASCII: everything else leaves as \uXXXX, so that a reader in any locale, and
// one that splits text at U+0085 or U+2028, sees the same one line.

/// A line under construction.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// Appends JSON text as it is.
    package mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends JSON text as it is, kept on one line. A bare CR in a JSON text can only be white
    /// space between tokens, but would end the line for a reader with universal newlines.
    package mutating func raw(_ text: some Collection<UInt8>) {
        for byte in text { bytes.append(byte == 0x0D ? 0x20 : byte) }
    }

    /// Appends a string of Unicode characters.
    package mutating func string(_ text: String) {
        quote()
        for unit in text.utf16 { escape(unit) }
        quote()
    }

    /// Appends bytes as the Latin-1 characters U+0000 to U+00FF.
    package mutating func latin1(_ text: some Sequence<UInt8>) {
        quote()
        for byte in text { escape(UInt16(byte)) }
        quote()
    }

    /// Appends bytes in base64, as a string.
    package mutating func base64(_ data: Span<UInt8>) {
        quote()
        Base64.encode(data, into: &bytes)
        quote()
    }

    /// Appends milliseconds with three decimals, rounded up: only zero is written as 0.
    package mutating func milliseconds(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let microseconds =
            seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000
        raw(String(microseconds / 1_000))
        let rest = microseconds % 1_000
        if rest > 0 { raw("." + String(1_000 + rest).dropFirst()) }
    }

    private mutating func quote() { bytes.append(UInt8(ascii: "\"")) }

    private mutating func escape(_ unit: UInt16) {
        switch unit {
        case 0x22, 0x5C:
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(UInt8(unit))
        case 0x20..<0x7F:
            bytes.append(UInt8(unit))
        default:
            raw("\\u")
            for shift in [12, 8, 4, 0] { bytes.append(hexDigit(UInt8(unit >> shift & 0xF))) }
        }
    }

    private func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
