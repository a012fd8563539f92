// Base64 with the standard alphabet and padding (RFC 4648 section 4), strict both ways. Pure.

/// The codec of `body_base64`.
package enum Base64 {
    /// Appends the encoding of `data`.
    package static func encode(_ data: Span<UInt8>, into text: inout [UInt8]) {
        text.reserveCapacity(text.count + (data.count + 2) / 3 * 4)
        var index = 0
        while index + 3 <= data.count {
            let group =
                UInt32(data[index]) << 16 | UInt32(data[index + 1]) << 8 | UInt32(data[index + 2])
            append(group, digits: 4, to: &text)
            index += 3
        }
        switch data.count - index {
        case 1:
            append(UInt32(data[index]) << 16, digits: 2, to: &text)
            text.append(contentsOf: [pad, pad])
        case 2:
            let group = UInt32(data[index]) << 16 | UInt32(data[index + 1]) << 8
            append(group, digits: 3, to: &text)
            text.append(pad)
        default: break
        }
    }

    /// The bytes, or nil for anything but padded base64 without white space and with zero in the
    /// bits that padding leaves over.
    package static func decode(_ text: some RandomAccessCollection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == pad }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var digits = 0
        for byte in text.dropLast(padding) {
            guard let value = value(of: byte) else { return nil }
            group = group << 6 | UInt32(value)
            digits += 1
            if digits == 4 {
                bytes.append(UInt8(group >> 16))
                bytes.append(UInt8(group >> 8 & 0xFF))
                bytes.append(UInt8(group & 0xFF))
                (group, digits) = (0, 0)
            }
        }
        switch digits {
        case 0:
            return bytes
        case 2 where group & 0xF == 0:
            bytes.append(UInt8(group >> 4))
            return bytes
        case 3 where group & 0x3 == 0:
            bytes.append(UInt8(group >> 10))
            bytes.append(UInt8(group >> 2 & 0xFF))
            return bytes
        default:
            return nil
        }
    }

    private static let pad = UInt8(ascii: "=")
    private static let alphabet = [UInt8](
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func append(_ group: UInt32, digits: Int, to text: inout [UInt8]) {
        for position in 0..<digits {
            text.append(alphabet[Int(group >> UInt32(18 - 6 * position) & 0x3F)])
        }
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
