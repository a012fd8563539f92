// The fast scans against the plain definition, byte for byte, at every length and offset.

import FetchBytes
import Testing

struct ScanTests {
    // Spans can't be handed to the expectation macro.
    private func endOfToken(_ bytes: [UInt8], _ start: Int) -> Int {
        Scan.endOfToken(bytes.span, from: start)
    }

    private func endOfValue(_ bytes: [UInt8], _ start: Int) -> Int {
        Scan.endOfFieldValue(bytes.span, from: start)
    }

    private func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let isSame = Scan.equalsIgnoringCase(one.span, other.span)
        return ASCII.equalsIgnoringCase(one.span, other.span) == isSame && isSame
    }

    private func isClose(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return ASCII.equalsIgnoringCase(bytes.span, "close")
    }

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
                    #expect(endOfToken(bytes, 0) == token)
                    let value = ASCII.isFieldValue(byte) ? bytes.count : place
                    #expect(endOfValue(bytes, 0) == value)
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
                #expect(endOfToken(bytes, start) == token)
                let value = rest.firstIndex { !ASCII.isFieldValue($0) } ?? bytes.count
                #expect(endOfValue(bytes, start) == value)
            }
        }
    }

    @Test func `comparison ignores the case of letters and of nothing else`() {
        for one in UInt8.min ... .max {
            for other in UInt8.min ... .max {
                let isEqual = ASCII.lowercased(one) == ASCII.lowercased(other)
                let left = [UInt8](repeating: 0x2d, count: 3) + [one] + [1, 2, 3, 4, 5]
                let right = [UInt8](repeating: 0x2d, count: 3) + [other] + [1, 2, 3, 4, 5]
                #expect(isSame(left, right) == isEqual)
            }
        }
        #expect(isClose("cLoSe"))
        #expect(!isClose("closed"))
    }

    @Test(arguments: [
        ("A: b\r\n", 1, 3, 4), ("A:b\r\n", 1, 2, 3), ("Ab:\r\n", 2, 3, 3),
        ("A: \t b \t\r\n", 1, 5, 6), ("A:  \r\nB", 1, 4, 4), ("A: b\r", 0, 0, 0),
        ("A: b\n", 0, 0, 0), ("A b: c\r\n", 0, 0, 0), (": b\r\n", 0, 0, 0),
        ("\r\n", 0, 0, 0), ("A: b\u{0}\r\n", 0, 0, 0), ("A", 0, 0, 0), ("", 0, 0, 0),
        ("A: b\r\r\n", 0, 0, 0), ("A:", 0, 0, 0), ("A: ", 0, 0, 0),
    ])
    func `a field line is whole and valid or is not read`(_ row: (String, Int, Int, Int)) {
        let bytes = Array(row.0.utf8)
        var index = [UInt64](repeating: 0, count: 32)
        var count = 0
        let next = FieldScan.lines(
            bytes.span, from: 0, limit: 1_000, into: &index, count: &count)
        #expect(count == (row.1 > 0 ? 1 : 0))
        #expect(next == (row.1 > 0 ? row.0.utf8.count - (row.0.hasSuffix("B") ? 1 : 0) : 0))
        #expect(PackedStorage.unpack(index[0]) == 0..<row.1)
        #expect(PackedStorage.unpack(index[1]) == row.2..<row.3)
    }

    @Test func `no more lines are read than the index holds and the limit allows`() {
        let bytes = Array(String(repeating: "A: b\r\n", count: 20).utf8)
        var index = [UInt64](repeating: 0, count: 32)
        var count = 0
        let next = FieldScan.lines(
            bytes.span, from: 0, limit: 1_000, into: &index, count: &count)
        #expect(count == 16)
        #expect(next == 96)
        count = 0
        let less = FieldScan.lines(bytes.span, from: 0, limit: 17, into: &index, count: &count)
        #expect(count == 2)
        #expect(less == 12)
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
