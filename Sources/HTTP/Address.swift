// Address: whether text is an IP address (RFC 3986 section 3.2.2, RFC 4291 section 2.2). Pure.

internal import FetchBytes

/// Recognises literal addresses.
enum Address {
    /// Where a dotted quad that begins at `start` ends, if one does; −1 otherwise.
    static func endOfIPv4(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        let count = bytes.count
        var index = start
        var dots = 0
        // 0x100 stands for "no digit yet".
        var value = 0x100
        while index < count {
            let digit = bytes[index] &- 0x30
            if digit < 10 {
                guard value != 0 else { return -1 }  // a leading zero
                value = (value & 0xff) &* 10 &+ Int(digit)
                guard value <= 255 else { return -1 }
            } else {
                guard bytes[index] == UInt8(ascii: "."), dots < 3, value < 0x100 else { break }
                dots &+= 1
                value = 0x100
            }
            index &+= 1
        }
        return dots == 3 && value < 0x100 ? index : -1
    }

    /// Four decimal numbers up to 255 without leading zeros, with dots between.
    static func isIPv4(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        endOfIPv4(bytes.extracting(0..<range.upperBound), range.lowerBound) == range.upperBound
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
