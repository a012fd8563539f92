// Authority: where a request is for, without user information: `uri-host [ ":" port ]` (RFC 3986
// sections 3.2.2 and 3.2.3, RFC 9110 section 7.2). Pure; any thread.
//
// A URL's host is looked up, so it has to be a name of the DNS or an address (`TargetParts`). A
// Host field only has to be one by the grammar; addresses and ports are read alike in both.

internal import FetchBytes

package enum Authority {
    /// Whether a Host field may say this: a host and perhaps a port, or nothing at all.
    package static func isHostField(_ value: Span<UInt8>) -> Bool {
        guard value.count > 0 else { return true }
        guard let end = endOfHost(value) else { return false }
        do throws(TargetError) {
            _ = try port(value, end..<value.count)
            return true
        } catch {
            return false
        }
    }

    /// Where the host ends; nil for none.
    private static func endOfHost(_ value: Span<UInt8>) -> Int? {
        guard value[0] == UInt8(ascii: "[") else { return endOfName(value) }
        var close = 1
        while close < value.count, value[close] != UInt8(ascii: "]") { close += 1 }
        guard close < value.count, Address.isIPv6(value, 1..<close) else { return nil }
        return close + 1
    }

    /// `reg-name`, of a character at least; a dotted quad is one too.
    private static func endOfName(_ value: Span<UInt8>) -> Int? {
        var index = 0
        while index < value.count, value[index] != UInt8(ascii: ":") {
            let byte = value[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < value.count, ASCII.isHexDigit(value[index + 1]),
                    ASCII.isHexDigit(value[index + 2])
                else { return nil }
                index += 3
            } else {
                guard ASCII.is(byte, .unreserved) || isSubDelimiter(byte) else { return nil }
                index += 1
            }
        }
        return index > 0 ? index : nil
    }

    /// `!`, `$`, `&`, `'`, `(`, `)`, `*`, `+`, `,`, `;`, `=`.
    private static func isSubDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x24, 0x26...0x2c, 0x3b, 0x3d: true
        default: false
        }
    }

    /// The port behind a host, from its colon on; nil where there is none, or only the colon.
    static func port(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(TargetError) -> Int? {
        guard let colon = range.first else { return nil }
        guard bytes[colon] == UInt8(ascii: ":") else { throw .invalidHost }
        guard range.count > 1 else { return nil }
        var value = 0
        for index in range.dropFirst() {
            guard ASCII.isDigit(bytes[index]) else { throw .invalidPort }
            value = value * 10 + Int(bytes[index] - 0x30)
            guard value <= 65_535 else { throw .invalidPort }
        }
        guard value > 0 else { throw .invalidPort }
        return value
    }
}
