// One JSON text as a value (RFC 8259). Pure; made by `JSONReader`, read by `RequestLine`.

/// What a JSON text says. Numbers stay as they were written, and members of an object keep the
/// place they had in the text, so that a value can be handed back byte for byte.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(JSONString)
    case array([JSONValue])
    case object([JSONMember])

    /// The kind of value, as a refusal names it.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A member of an object; `source` is where its value stands in the text.
package struct JSONMember: Equatable, Sendable {
    package var name: JSONString
    package var value: JSONValue
    package var source: Range<Int>
}

/// A decoded string. RFC 8259 section 8.2 lets `\ud800` stand alone, which UTF-8 can't hold: it is
/// kept as the three bytes the encoding would give it, and `text` is nil.
package struct JSONString: Equatable, Sendable {
    package var utf8: [UInt8]
    package var hasLoneSurrogate = false

    package init(utf8: [UInt8], hasLoneSurrogate: Bool = false) {
        self.utf8 = utf8
        self.hasLoneSurrogate = hasLoneSurrogate
    }

    /// The string, or nil when a lone surrogate makes it none.
    package var text: String? {
        hasLoneSurrogate ? nil : String(decoding: utf8, as: UTF8.self)
    }

    /// The string for a message, whatever it holds.
    package var shown: String { String(decoding: utf8, as: UTF8.self) }
}

/// Why a text is not JSON; `at` counts bytes from 0.
package enum JSONError: Error, Equatable, Sendable {
    case unexpectedEnd
    case unexpectedByte(UInt8, at: Int)
    case invalidUTF8(at: Int)
    case controlInString(UInt8, at: Int)
    case invalidEscape(at: Int)
    case invalidNumber(at: Int)
    case nestedTooDeep(limit: Int)
    case bytesAfterValue(at: Int)

    package var message: String {
        switch self {
        case .unexpectedEnd: "the JSON text ends before its value does"
        case .unexpectedByte(let byte, let at): "byte \(hex(byte)) is not JSON at column \(at + 1)"
        case .invalidUTF8(let at): "not UTF-8 at column \(at + 1)"
        case .controlInString(let byte, let at):
            "control byte \(hex(byte)) in a string at column \(at + 1)"
        case .invalidEscape(let at): "not an escape at column \(at + 1)"
        case .invalidNumber(let at): "not a number at column \(at + 1)"
        case .nestedTooDeep(let limit): "nested deeper than \(limit)"
        case .bytesAfterValue(let at): "something follows the value at column \(at + 1)"
        }
    }

    private func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0x0" : "0x") + String(byte, radix: 16)
    }
}
