// SelectingFields: the request fields that took part in choosing a stored response, and whether
// another request has the same (RFC 9111 section 4.1). Pure; any thread.
//
// They stand in the stored response's own bytes, one after the other: a name in lower case, NUL, `1`
// and the value or `0` where the request had none, NUL. A field's value holds no NUL. Comparing them
// with a request allocates nothing as long as the two say the same in the same order.

internal import FetchBytes
internal import FetchHTTP

/// Writes and compares selecting fields.
enum SelectingFields {
    /// What a request says in the fields that a response's Vary names.
    static func bytes(_ request: CacheRequest, _ vary: VaryField) -> [UInt8] {
        guard case .fields(let names) = vary else { return [] }
        var bytes: [UInt8] = []
        for name in names {
            bytes += name.utf8
            bytes.append(0)
            if let value = combined(request, name) {
                bytes.append(UInt8(ascii: "1"))
                bytes += value
            } else {
                bytes.append(UInt8(ascii: "0"))
            }
            bytes.append(0)
        }
        return bytes
    }

    /// Whether a request says the same as the one these were written from.
    static func match(_ stored: Span<UInt8>, _ request: borrowing CacheRequest) -> Bool {
        match(stored, request.headers, request.defaults)
    }

    static func match(
        _ stored: Span<UInt8>, _ headers: borrowing Headers, _ defaults: borrowing Headers
    ) -> Bool {
        var index = 0
        while index < stored.count {
            let nameEnd = endOfPart(stored, index)
            let valueEnd = endOfPart(stored, nameEnd &+ 1)
            let isThere = stored[nameEnd &+ 1] == UInt8(ascii: "1")
            let name = stored.extracting(index..<nameEnd)
            let value = stored.extracting(nameEnd &+ 2..<valueEnd)
            let matches =
                switch headers.firstIndex(ofName: name) {
                case .some(let first): isThere && Self.matches(name, value, headers, first)
                case nil:
                    switch defaults.firstIndex(ofName: name) {
                    case .some(let first): isThere && Self.matches(name, value, defaults, first)
                    case nil: !isThere
                    }
                }
            guard matches else { return false }
            index = valueEnd &+ 1
        }
        return true
    }

    private static func endOfPart(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != 0 { index &+= 1 }
        return index
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
