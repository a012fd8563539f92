// FieldText: field values as text. RFC 9110 section 5.5 leaves bytes above 0x7F undefined: UTF-8
// where it is valid, ISO Latin-1 otherwise. Pure; any thread.

internal import FetchBytes

/// Makes strings of field values.
package enum FieldText {
    /// UTF-8 where the bytes are that, ISO Latin-1 otherwise.
    package static func string(_ bytes: Span<UInt8>) -> String {
        if let text = String(shortASCII: bytes) { return text }
        guard let text = try? UTF8Span(validating: bytes) else { return latin1(bytes) }
        return String(copying: text)
    }

    /// Each byte as the character of that number.
    package static func latin1(_ bytes: Span<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for index in 0..<bytes.count { text.append(Unicode.Scalar(bytes[index])) }
        return String(text)
    }
}
