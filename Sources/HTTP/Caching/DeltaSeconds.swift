// DeltaSeconds: a length of time in a field (RFC 9111 section 1.2.2), and the Age field that is one
// (section 5.1). Pure; any thread. Times from peers saturate at 2³¹ s.

internal import FetchBytes

/// Reads lengths of time.
package enum DeltaSeconds {
    /// What a greater number is taken for: 2³¹ s.
    package static var most: Int64 { 2_147_483_648 }

    /// `1*DIGIT`, saturating; nil where it is anything else.
    package static func parse(_ bytes: Span<UInt8>) -> Int64? {
        guard bytes.count > 0 else { return nil }
        var value: Int64 = 0
        for index in 0..<bytes.count {
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { return nil }
            value = min(value &* 10 &+ Int64(digit), most)
        }
        return value
    }

    /// The Age of a response: of several, or of a list, the first; nil where it is no such number,
    /// which is to be ignored.
    package static func age(_ fields: FieldSection) -> Int64? {
        guard let index = fields.firstIndex(of: "age") else { return nil }
        let value = fields.valueSpan(at: index)
        var cursor = ListCursor()
        guard let first = cursor.next(in: value) else { return nil }
        return parse(value.extracting(first))
    }
}
