// What a host name is (RFC 1123 §2.1, with underscores), and which are never asked for. Pure.

internal import FetchBytes

package enum HostName {
    /// Most bytes of a name as text, its trailing dot left out.
    package static let mostBytes = 253
    /// Most bytes of a label.
    package static let mostLabelBytes = 63

    /// Whether text can be asked for: labels of letters, digits, `-` and `_`, without a trailing
    /// dot, and not ending in a number: `127.1` and `0x7f.1` are addresses to some systems and
    /// names to others, and so neither here.
    package static func isValid(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= mostBytes else { return false }
        var label: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") {
                guard !label.isEmpty else { return false }
                label.removeAll(keepingCapacity: true)
            } else {
                guard isNameByte(byte), label.count < mostLabelBytes else { return false }
                label.append(byte)
            }
        }
        return !label.isEmpty && !isNumber(label)
    }

    /// Names that exist nowhere on the wire: `.invalid` (RFC 6761 §6.4), `.onion` (RFC 7686 §2).
    static func isNeverAsked(_ name: String) -> Bool {
        ["invalid", "onion"].contains { isAtOrBelow(name, $0) }
    }

    /// Whether a name is that domain or one below it; both in lower case.
    static func isAtOrBelow(_ name: String, _ domain: String) -> Bool {
        name == domain || name.hasSuffix("." + domain)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    /// Decimal or octal digits, or `0x` and hexadecimal ones.
    private static func isNumber(_ label: [UInt8]) -> Bool {
        if label.allSatisfy({ ASCII.isDigit($0) }) { return true }
        guard label.count >= 2, label[0] == UInt8(ascii: "0"), label[1] | 0x20 == UInt8(ascii: "x")
        else { return false }
        return label.dropFirst(2).allSatisfy { ASCII.isHexDigit($0) }
    }
}
