// Address: whether text is an IP address (RFC 3986 section 3.2.2, RFC 4291 section 2.2). Pure.

internal import FetchBytes

/// Recognises literal addresses.
enum Address {
    /// Four decimal numbers up to 255 without leading zeros, with dots between.
    static func isIPv4(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var parts = 0
        var value = 0
        var digits = 0
        for index in range {
            let byte = bytes[index]
            if byte == UInt8(ascii: ".") {
                guard digits > 0 else { return false }
                parts &+= 1
                value = 0
                digits = 0
            } else {
                guard ASCII.isDigit(byte), digits == 0 || value > 0 else { return false }
                value = value &* 10 &+ Int(byte &- 0x30)
                digits &+= 1
                guard value <= 255 else { return false }
            }
        }
        return parts == 3 && digits > 0
    }

    /// `0x` and hexadecimal digits, or nothing: what some resolvers read as an address.
    static func isHexNumber(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "0"),
            bytes[range.lowerBound &+ 1] | 0x20 == UInt8(ascii: "x")
        else { return false }
        return (range.lowerBound &+ 2..<range.upperBound).allSatisfy {
            ASCII.isHexDigit(bytes[$0])
        }
    }

    /// Eight groups, or fewer with one `::`; the last two may be a dotted quad.
    static func isIPv6(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var groups = 0
        var compressed = false
        var index = range.lowerBound
        let end = range.upperBound
        if index &+ 1 < end, bytes[index] == UInt8(ascii: ":") {
            guard bytes[index &+ 1] == UInt8(ascii: ":") else { return false }
            compressed = true
            index &+= 2
        }
        while index < end {
            let start = index
            while index < end, ASCII.isHexDigit(bytes[index]) { index &+= 1 }
            if index < end, bytes[index] == UInt8(ascii: ".") {
                guard isIPv4(bytes, start..<end) else { return false }
                groups &+= 2
                break
            }
            guard index > start, index &- start <= 4 else { return false }
            groups &+= 1
            guard index < end else { break }
            guard bytes[index] == UInt8(ascii: ":"), index &+ 1 < end else { return false }
            index &+= 1
            if bytes[index] == UInt8(ascii: ":") {
                guard !compressed else { return false }
                compressed = true
                index &+= 1
            }
        }
        return compressed ? groups <= 7 : groups == 8
    }
}
