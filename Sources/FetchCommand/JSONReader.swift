// Reads one JSON text strictly (RFC 8259, UTF-8 only). Pure; used by `RequestLine`.
//
// It descends recursively, to a bounded depth: a line of brackets costs an error, not the stack.

/// A cursor over one text. `read` is the way in.
package struct JSONReader {
    /// Deepest nesting of arrays and objects.
    package static let depthLimit = 128

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The value of the whole text; white space around it is allowed, nothing else.
    package static func read(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes)
        reader.skipWhitespace()
        let value = try reader.readValue()
        reader.skipWhitespace()
        guard reader.index == bytes.count else { throw .bytesAfterValue(at: reader.index) }
        return value
    }

    private mutating func readValue() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return try readObject()
        case UInt8(ascii: "["): return try readArray()
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
        case let other: throw .unexpectedByte(other, at: index)
        }
    }

    // MARK: structures

    private mutating func readObject() throws(JSONError) -> JSONValue {
        try descend()
        var members: [JSONMember] = []
        var isFirst = true
        while try !closes(with: UInt8(ascii: "}"), isFirst: isFirst) {
            isFirst = false
            guard try peek() == UInt8(ascii: "\"") else {
                throw .unexpectedByte(bytes[index], at: index)
            }
            let name = try readString()
            skipWhitespace()
            try take(UInt8(ascii: ":"))
            skipWhitespace()
            let start = index
            let value = try readValue()
            members.append(JSONMember(name: name, value: value, source: start..<index))
        }
        depth -= 1
        return .object(members)
    }

    private mutating func readArray() throws(JSONError) -> JSONValue {
        try descend()
        var elements: [JSONValue] = []
        while try !closes(with: UInt8(ascii: "]"), isFirst: elements.isEmpty) {
            elements.append(try readValue())
        }
        depth -= 1
        return .array(elements)
    }

    /// Takes the opening bracket.
    private mutating func descend() throws(JSONError) {
        guard depth < Self.depthLimit else { throw .nestedTooDeep(limit: Self.depthLimit) }
        depth += 1
        index += 1
    }

    /// Takes the closing bracket and says true, or the comma before the next element and says
    /// false. A comma before the closing bracket is refused by whoever reads the next element.
    private mutating func closes(with bracket: UInt8, isFirst: Bool) throws(JSONError) -> Bool {
        skipWhitespace()
        if try peek() == bracket {
            index += 1
            return true
        }
        if !isFirst {
            try take(UInt8(ascii: ","))
            skipWhitespace()
        }
        return false
    }

    // MARK: scalars

    private mutating func readWord(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        for byte in word.description.utf8 { try take(byte) }
        return value
    }

    private mutating func readNumber() throws(JSONError) -> JSONValue {
        let start = index
        skip(UInt8(ascii: "-"))
        let isZero = skip(UInt8(ascii: "0"))
        if !isZero { try takeDigits() }
        if skip(UInt8(ascii: ".")) { try takeDigits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { skip(UInt8(ascii: "-")) }
            try takeDigits()
        }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func takeDigits() throws(JSONError) {
        let start = index
        while index < bytes.count, asciiDigits.contains(bytes[index]) { index += 1 }
        guard index > start else { throw .invalidNumber(at: index) }
    }

    private mutating func readString() throws(JSONError) -> JSONString {
        index += 1
        var string = JSONString(utf8: [])
        while true {
            let run = index
            try skipPlainRun()
            string.utf8.append(contentsOf: bytes[run..<index])
            if skip(UInt8(ascii: "\"")) { return string }
            try readEscape(into: &string)
        }
    }

    /// Goes to the next quote or backslash; what is passed is checked to be UTF-8 without controls.
    private mutating func skipPlainRun() throws(JSONError) {
        while true {
            guard index < bytes.count else { throw .unexpectedEnd }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            if byte < 0x20 { throw .controlInString(byte, at: index) }
            if byte < 0x80 {
                index += 1
            } else {
                try skipMultibyteScalar()
            }
        }
    }

    /// RFC 3629 section 4: no overlong form, no surrogate, nothing above U+10FFFF. Only the second
    /// byte's range depends on the first.
    private mutating func skipMultibyteScalar() throws(JSONError) {
        let second: ClosedRange<UInt8>
        let length: Int
        switch bytes[index] {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        default: throw .invalidUTF8(at: index)
        }
        guard index + length <= bytes.count, second.contains(bytes[index + 1]),
            bytes[(index + 2)..<(index + length)].allSatisfy({ 0x80...0xBF ~= $0 })
        else { throw .invalidUTF8(at: index) }
        index += length
    }

    private mutating func readEscape(into string: inout JSONString) throws(JSONError) {
        let start = index
        index += 1
        let escape = try peek()
        index += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): string.utf8.append(escape)
        case UInt8(ascii: "b"): string.utf8.append(0x08)
        case UInt8(ascii: "f"): string.utf8.append(0x0C)
        case UInt8(ascii: "n"): string.utf8.append(0x0A)
        case UInt8(ascii: "r"): string.utf8.append(0x0D)
        case UInt8(ascii: "t"): string.utf8.append(0x09)
        case UInt8(ascii: "u"): try readUnicodeEscape(into: &string)
        default: throw .invalidEscape(at: start)
        }
    }

    /// A high surrogate takes the low one that follows it; one that stands alone is kept as such.
    private mutating func readUnicodeEscape(into string: inout JSONString) throws(JSONError) {
        let unit = try readHexUnit()
        guard 0xD800...0xDBFF ~= unit, let low = try lowSurrogateAhead() else {
            if 0xD800...0xDFFF ~= unit { string.hasLoneSurrogate = true }
            return string.append(scalar: unit)
        }
        string.append(scalar: 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func lowSurrogateAhead() throws(JSONError) -> UInt32? {
        let start = index
        guard skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
            index = start
            return nil
        }
        let unit = try readHexUnit()
        if 0xDC00...0xDFFF ~= unit { return unit }
        index = start
        return nil
    }

    private mutating func readHexUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(try peek())).hexDigitValue else {
                throw .invalidEscape(at: index)
            }
            unit = unit << 4 | UInt32(digit)
            index += 1
        }
        return unit
    }

    // MARK: the cursor

    private func peek() throws(JSONError) -> UInt8 {
        guard index < bytes.count else { throw .unexpectedEnd }
        return bytes[index]
    }

    private mutating func take(_ byte: UInt8) throws(JSONError) {
        guard try peek() == byte else { throw .unexpectedByte(bytes[index], at: index) }
        index += 1
    }

    @discardableResult
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipWhitespace() {
        while index < bytes.count, isJSONWhitespace(bytes[index]) { index += 1 }
    }
}

private let asciiDigits = UInt8(ascii: "0")...UInt8(ascii: "9")

/// Space, tab, line feed, carriage return: RFC 8259 section 2.
package func isJSONWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
}

extension JSONString {
    /// Appends a scalar's UTF-8; a surrogate gets the three bytes its number would.
    fileprivate mutating func append(scalar: UInt32) {
        switch scalar {
        case 0..<0x80:
            utf8.append(UInt8(scalar))
        case 0x80..<0x800:
            utf8.append(0xC0 | UInt8(scalar >> 6))
            utf8.append(continuation(scalar))
        case 0x800..<0x10000:
            utf8.append(0xE0 | UInt8(scalar >> 12))
            utf8.append(continuation(scalar >> 6))
            utf8.append(continuation(scalar))
        default:
            utf8.append(0xF0 | UInt8(scalar >> 18))
            utf8.append(continuation(scalar >> 12))
            utf8.append(continuation(scalar >> 6))
            utf8.append(continuation(scalar))
        }
    }

    private func continuation(_ bits: UInt32) -> UInt8 { 0x80 | UInt8(bits & 0x3F) }
}
