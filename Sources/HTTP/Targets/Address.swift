// Address: whether text is an IP address (RFC 3986 section 3.2.2, RFC 4291 section 2.2). Pure.
//
// Unsafe: the reader of dotted quads, which every host goes through, reads its span without a
// check, each time right behind a comparison of the same index with its count.

internal import FetchBytes

/// Recognises literal addresses.
enum Address {
    /// Where a dotted quad that begins at `start` ends, if one does; −1 otherwise.
    @inline(__always)
    static func endOfIPv4(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        guard start >= 0, start < bytes.count, unsafe ASCII.isDigit(bytes[unchecked: start]) else {
            return -1
        }
        guard bytes.count &- start >= 16 else { return endOfIPv4AtEnd(bytes, start) }
        // At most fifteen bytes are read, three numbers of three digits and a dot behind each, and
        // the byte behind the last number: all of them are there.
        var index = start
        for _ in 0..<3 {
            index = unsafe endOfOctet(bytes, index)
            guard index > 0, unsafe bytes[unchecked: index] == UInt8(ascii: ".") else { return -1 }
            index &+= 1
        }
        return unsafe endOfOctet(bytes, index)
    }

    /// The same where less than sixteen bytes are left: a copy gets zeros behind it.
    @inline(never)
    private static func endOfIPv4AtEnd(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var copy = InlineArray<16, UInt8>(repeating: 0)
        for index in start..<bytes.count { copy[index &- start] = bytes[index] }
        let end = endOfIPv4(copy.span, 0)
        return end < 0 ? -1 : start &+ end
    }

    /// Where a number up to 255 without a leading zero ends; −1 when none begins at `start`. The
    /// number and the byte behind it must be there.
    @unsafe
    @inline(__always)
    private static func endOfOctet(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        let first = unsafe UInt32(bytes[unchecked: start]) &- 0x30
        let second = unsafe UInt32(bytes[unchecked: start &+ 1]) &- 0x30
        guard first < 10 else { return -1 }
        guard second < 10 else { return start &+ 1 }
        let third = unsafe UInt32(bytes[unchecked: start &+ 2]) &- 0x30
        guard first > 0 else { return -1 }
        guard third < 10 else { return start &+ 2 }
        return first &* 100 &+ second &* 10 &+ third <= 255 ? start &+ 3 : -1
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
