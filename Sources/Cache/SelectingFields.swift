// SelectingFields: the request fields that took part in choosing a stored response, and whether
// another request has the same (RFC 9111 section 4.1). Pure; any thread.
//
// They stand in the stored response's own bytes, one after the other: a word with the counts of
// name and value, the latter one more than it is, so that 0 says that the request had none; the
// name in lower case; the value. Comparing them with a request allocates nothing as long as the two
// say the same in the same order.

internal import FetchBytes
internal import FetchHTTP

/// Writes and compares selecting fields.
enum SelectingFields {
    /// What a request says in the fields that a response's Vary names.
    static func bytes(_ request: CacheRequest, _ vary: VaryField) -> [UInt8] {
        guard case .fields(let names) = vary else { return [] }
        var bytes: [UInt8] = []
        for name in names {
            let value = combined(request, name)
            append(UInt64(name.utf8.count), to: &bytes)
            append(UInt64(value.map { $0.count + 1 } ?? 0), to: &bytes)
            bytes += name.utf8
            bytes += value ?? []
        }
        return bytes
    }

    /// Four bytes, the lowest first: a request's fields are shorter than a mebibyte.
    private static func append(_ count: UInt64, to bytes: inout [UInt8]) {
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    /// Whether a request says the same as the one these were written from.
    static func match(_ stored: Span<UInt8>, _ request: borrowing CacheRequest) -> Bool {
        match(stored, request.headers, request.defaults)
    }

    static func match(
        _ stored: Span<UInt8>, _ headers: borrowing Headers, _ defaults: borrowing Headers
    ) -> Bool {
        var index = 0
        while index &+ 8 <= stored.count {
            let counts = Scan.word(stored, at: index)
            let nameEnd = index &+ 8 &+ Int(counts & 0xffff_ffff)
            let valueCount = Int(counts &>> 32) &- 1
            let name = stored.extracting(index &+ 8..<nameEnd)
            index = nameEnd &+ max(valueCount, 0)
            let value = stored.extracting(nameEnd..<index)
            if let first = headers.firstIndex(ofName: name) {
                guard valueCount >= 0, matches(name, value, headers, first) else { return false }
            } else if let first = defaults.firstIndex(ofName: name) {
                guard valueCount >= 0, matches(name, value, defaults, first) else { return false }
            } else if valueCount >= 0 {
                return false
            }
        }
        return true
    }

    private static func matches(
        _ name: Span<UInt8>, _ stored: Span<UInt8>, _ headers: borrowing Headers, _ first: Int
    ) -> Bool {
        guard headers.firstIndex(ofName: name, from: first &+ 1) == nil else {
            let value = combined(headers, name, first)
            return SelectingValue.matches(name, stored, value.span)
        }
        let value = headers.value(at: first)
        return SelectingValue.matches(name, stored, value.span)
    }

    /// All lines of a name as one (RFC 9110 section 5.3); nil where there is none.
    private static func combined(_ request: CacheRequest, _ name: String) -> [UInt8]? {
        let utf8 = name.utf8
        let bytes = utf8.span
        if let first = request.headers.firstIndex(ofName: bytes) {
            return combined(request.headers, bytes, first)
        }
        guard let first = request.defaults.firstIndex(ofName: bytes) else { return nil }
        return combined(request.defaults, bytes, first)
    }

    private static func combined(
        _ headers: borrowing Headers, _ name: Span<UInt8>, _ first: Int
    ) -> [UInt8] {
        var value: [UInt8] = []
        var next: Int? = first
        while let index = next {
            if index > first { value += [UInt8(ascii: ","), UInt8(ascii: " ")] }
            value += headers.value(at: index)
            next = headers.firstIndex(ofName: name, from: index &+ 1)
        }
        return value
    }
}
