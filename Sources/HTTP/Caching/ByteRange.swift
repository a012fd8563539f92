// ByteRange: which bytes are asked for and which were sent (RFC 9110 sections 14.1.2, 14.2, 14.4).
// Values; any thread. Only the unit `bytes` is understood.

internal import FetchBytes

/// The Range field of a request.
package enum RangeRequest: Equatable, Sendable {
    /// From a position to another, both counted from 0 and included.
    case closed(Int, Int)
    /// From a position to the end.
    case from(Int)
    /// The last so many bytes.
    case suffix(Int)
    /// Several ranges, another unit, or nothing that can be understood: for the origin to answer.
    case other

    /// Reads a value.
    package init(_ value: Span<UInt8>) {
        self = Self.parse(value) ?? .other
    }

    private static func parse(_ value: Span<UInt8>) -> RangeRequest? {
        guard value.count > 6, ASCII.equalsIgnoringCase(value.extracting(0..<5), "bytes"),
            value[5] == UInt8(ascii: "=")
        else { return nil }
        let spec = value.extracting(ASCII.trimmed(value, 6..<value.count))
        var dash = 0
        while dash < spec.count, spec[dash] != UInt8(ascii: "-") { dash += 1 }
        guard dash < spec.count else { return nil }
        let last = spec.extracting(dash + 1..<spec.count)
        guard dash > 0 else { return Decimal.parse(last).map { .suffix($0) } }
        guard let first = Decimal.parse(spec.extracting(0..<dash)) else { return nil }
        if last.isEmpty { return .from(first) }
        guard let end = Decimal.parse(last), end >= first else { return nil }
        return .closed(first, end)
    }

    /// The bytes meant of a representation of `length` bytes; nil where there are none, so that a
    /// 416 is due.
    package func resolved(length: Int) -> Range<Int>? {
        switch self {
        case .closed(let first, let last):
            first < length ? first..<min(last, length - 1) + 1 : nil
        case .from(let first):
            first < length ? first..<length : nil
        case .suffix(let count):
            count > 0 && length > 0 ? max(0, length - count)..<length : nil
        case .other:
            nil
        }
    }
}

/// The Content-Range field of a 206.
package struct ContentRange: Equatable, Sendable {
    /// The bytes that were sent.
    package let range: Range<Int>
    /// The length of the whole; nil where the sender didn't know.
    package let length: Int?

    package init(range: Range<Int>, length: Int?) {
        self.range = range
        self.length = length
    }

    /// `bytes 0-99/1000`; nil for another unit, for `*/length`, and for what contradicts itself.
    package init?(_ value: Span<UInt8>) {
        guard value.count > 6, ASCII.equalsIgnoringCase(value.extracting(0..<5), "bytes"),
            value[5] == UInt8(ascii: " ")
        else { return nil }
        var dash = 6
        while dash < value.count, value[dash] != UInt8(ascii: "-") { dash += 1 }
        var slash = dash
        while slash < value.count, value[slash] != UInt8(ascii: "/") { slash += 1 }
        guard slash < value.count, let first = Decimal.parse(value.extracting(6..<dash)),
            let last = Decimal.parse(value.extracting(dash + 1..<slash)), first <= last,
            last < Int.max
        else { return nil }
        let total = value.extracting(slash + 1..<value.count)
        if total.count == 1, total[0] == UInt8(ascii: "*") {
            length = nil
        } else {
            guard let whole = Decimal.parse(total), whole > last else { return nil }
            length = whole
        }
        range = first..<last + 1
    }

    /// The Content-Range of a response, where there is exactly one that can be understood.
    package init?(of fields: FieldSection) {
        guard let index = fields.firstIndex(of: "content-range"),
            fields.firstIndex(of: "content-range", from: index + 1) == nil
        else { return nil }
        self.init(fields.valueSpan(at: index))
    }

    /// The field's value.
    package var text: String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/" + (length.map { "\($0)" } ?? "*")
    }
}

/// Numbers of bytes: lengths fail where times saturate.
enum Decimal {
    /// `1*DIGIT` that fits; nil for anything else.
    static func parse(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count > 0, bytes.count <= 18 else { return nil }
        var value = 0
        for index in 0..<bytes.count {
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }
}
