// The fast scans against the plain definition, byte for byte, at every length and offset.

import FetchBytes
import Testing

struct ScanTests {
    private static let tokens = Set(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    @Test func `every byte belongs to the classes its RFC says`() {
        for byte in UInt8.min ... .max {
            #expect(ASCII.isToken(byte) == Self.tokens.contains(byte))
            let isValue = byte == 9 || (byte >= 32 && byte != 127)
            #expect(ASCII.isFieldValue(byte) == isValue)
            let character = Character(Unicode.Scalar(byte))
            let isHex = byte < 128 && character.isHexDigit
            #expect((ASCII.hexValue(byte) != nil) == isHex)
            #expect(ASCII.isHexDigit(byte) == isHex)
            #expect(ASCII.is(byte, .hexDigit) == isHex)
            if isHex { #expect(Int(ASCII.hexValue(byte) ?? 99) == character.hexDigitValue) }
            #expect(ASCII.isDigit(byte) == (48...57).contains(byte))
            #expect(ASCII.is(byte, .digit) == (48...57).contains(byte))
            let isLetter = (65...90).contains(byte) || (97...122).contains(byte)
            #expect(ASCII.isLetter(byte) == isLetter)
            let isUpper = (65...90).contains(byte)
            #expect(ASCII.lowercased(byte) == (isUpper ? byte + 32 : byte))
            let isUnreserved = isLetter || ASCII.isDigit(byte) || "-._~".utf8.contains(byte)
            #expect(ASCII.is(byte, .unreserved) == isUnreserved)
            let isHost = (isLetter && !isUpper) || ASCII.isDigit(byte) || "-._".utf8.contains(byte)
            #expect(ASCII.is(byte, .host) == isHost)
            let isPrintable = byte > 32 && byte < 127
            let isPath = isPrintable && !"\"#<>?^`{}\\".utf8.contains(byte)
            #expect(ASCII.is(byte, .path) == isPath)
            let isQuery = isPrintable && !"\"#<>'\\".utf8.contains(byte)
            #expect(ASCII.is(byte, .query) == isQuery)
        }
    }

    @Test func `scans stop at the first stranger, wherever it stands`() {
        for byte in UInt8.min ... .max {
            for place in 0..<20 {
                for tail in [0, 1, 9] {
                    var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: place)
                    bytes.append(byte)
                    bytes += [UInt8](repeating: UInt8(ascii: "-"), count: tail)
                    let token = ASCII.isToken(byte) ? bytes.count : place
                    #expect(Scan.endOfToken(bytes.span, from: 0) == token)
                    let value = ASCII.isFieldValue(byte) ? bytes.count : place
                    #expect(Scan.endOfFieldValue(bytes.span, from: 0) == value)
                }
            }
        }
    }

    @Test func `scans of random bytes agree with the plain loop from every start`() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<300 {
            let bytes = (0..<random.below(40)).map { _ in random.mostlyText() }
            for start in 0...bytes.count {
                let rest = bytes[start...]
                let token = rest.firstIndex { !ASCII.isToken($0) } ?? bytes.count
                #expect(Scan.endOfToken(bytes.span, from: start) == token)
                let value = rest.firstIndex { !ASCII.isFieldValue($0) } ?? bytes.count
                #expect(Scan.endOfFieldValue(bytes.span, from: start) == value)
            }
        }
    }

    @Test func `comparison ignores the case of letters and of nothing else`() {
        for one in UInt8.min ... .max {
            for other in UInt8.min ... .max {
                let isEqual = ASCII.lowercased(one) == ASCII.lowercased(other)
                let left = [UInt8](repeating: 0x2d, count: 3) + [one] + [1, 2, 3, 4, 5]
                let right = [UInt8](repeating: 0x2d, count: 3) + [other] + [1, 2, 3, 4, 5]
                #expect(Scan.equalsIgnoringCase(left.span, right.span) == isEqual)
            }
        }
        #expect(ASCII.equalsIgnoringCase(Array("cLoSe".utf8).span, "close"))
        #expect(!ASCII.equalsIgnoringCase(Array("closed".utf8).span, "close"))
        #expect(ASCII.equalsIgnoringCase(Array("A-1".utf8).span, Array("a-1".utf8).span))
    }

    @Test(arguments: [
        ("A: b\r\n", 1, 3, 4), ("A:b\r\n", 1, 2, 3), ("Ab:\r\n", 2, 3, 3),
        ("A: \t b \t\r\n", 1, 5, 6), ("A:  \r\nB", 1, 5, 5), ("A: b\r", 0, 0, 0),
        ("A: b\n", 0, 0, 0), ("A b: c\r\n", 0, 0, 0), (": b\r\n", 0, 0, 0), ("\r\n", 0, 0, 0),
        ("A: b\u{0}\r\n", 0, 0, 0), ("A", 0, 0, 0), ("", 0, 0, 0), ("A: b\r\r\n", 0, 0, 0),
    ])
    func `a field line is whole and valid or none`(_ row: (String, Int, Int, Int)) {
        let line = Scan.fieldLine(Array(row.0.utf8).span, from: 0)
        #expect(line.nameEnd == row.1)
        #expect(line.valueStart == row.2)
        #expect(line.valueEnd == row.3)
    }
}

/// A generator whose seed decides everything (splitmix64).
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func mostlyText() -> UInt8 {
        below(8) == 0 ? UInt8(truncatingIfNeeded: next()) : UInt8(below(95) + 32)
    }
}
