// ListCursor: the members of a comma-separated list (RFC 9110 section 5.6.1), with commas inside
// quoted strings left alone. Pure; any thread.
//
// A quote that is never closed is an ordinary character, and so is every quote behind it: a peer
// must not be able to hide `no-store` by forgetting a quote, nor make a reader look for the end
// again and again.

internal import FetchBytes

/// Where in a list's value the next member begins.
package struct ListCursor {
    private var place = 0
    private var quotesCount = true
    private let separator: UInt8

    package init(separator: UInt8 = UInt8(ascii: ",")) {
        self.separator = separator
    }

    /// The next member without white space around it; nil behind the last. Empty ones are skipped.
    package mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        while place < bytes.count {
            let start = place
            let end = endOfMember(bytes, start)
            place = end &+ 1
            let member = ASCII.trimmed(bytes, start..<end)
            if !member.isEmpty { return member }
        }
        return nil
    }

    private mutating func endOfMember(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != separator {
            if quotesCount, bytes[index] == UInt8(ascii: "\"") {
                let close = QuotedString.close(bytes, index)
                if close < 0 { quotesCount = false } else { index = close }
            }
            index &+= 1
        }
        return index
    }
}

/// RFC 9110 section 5.6.4.
package enum QuotedString {
    /// Where the string that opens at `open` closes; −1 where it never does.
    static func close(_ bytes: Span<UInt8>, _ open: Int) -> Int {
        var index = open &+ 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index
            case UInt8(ascii: "\\"): index &+= 2
            default: index &+= 1
            }
        }
        return -1
    }

    /// What a token or a whole quoted string says; nil for anything else.
    package static func content(_ bytes: Span<UInt8>) -> [UInt8]? {
        guard bytes.count > 0 else { return nil }
        guard bytes[0] == UInt8(ascii: "\"") else {
            guard Scan.endOfToken(bytes, from: 0) == bytes.count else { return nil }
            return Array(copying: bytes)
        }
        guard close(bytes, 0) == bytes.count &- 1 else { return nil }
        var content: [UInt8] = []
        var index = 1
        while index < bytes.count &- 1 {
            if bytes[index] == UInt8(ascii: "\\") { index &+= 1 }
            content.append(bytes[index])
            index &+= 1
        }
        return content
    }
}

extension [UInt8] {
    /// A copy of the bytes.
    package init(copying bytes: Span<UInt8>) {
        self = []
        append(copying: bytes)
    }
}
