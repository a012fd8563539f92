// RequestEncoder: a checked request becomes bytes (RFC 9112 sections 2, 3, 6). A value kept by the
// engine; reactor thread. Order: start line, Host, User-Agent, Accept, the caller's fields in the
// caller's order, framing. A caller's field takes the place of the default of its name. A TE field
// gets the connection option that belongs to it.

package import FetchBytes
package import FetchHTTP

/// Writes request heads with one client's default fields.
package final class RequestEncoder: Sendable {
    /// The end of the Host line and the default lines, ready to be copied.
    private let defaults: [UInt8]
    /// The same and the empty line: all that follows the host of most requests.
    private let end: [UInt8]
    private static var between: StaticString { " HTTP/1.1\r\nHost: " }
    private let userAgentLine: [UInt8]
    private let acceptLine: [UInt8]
    /// The default fields that a caller's may take the place of.
    package let defaultFields: Headers

    /// An encoder with these defaults; nil leaves a field out.
    package init(userAgent: String?, accept: String? = "*/*") throws(FieldError) {
        userAgentLine = try Self.line("User-Agent", userAgent)
        acceptLine = try Self.line("Accept", accept)
        defaults = [0x0d, 0x0a] + userAgentLine + acceptLine
        end = defaults + [0x0d, 0x0a]
        var fields = Headers()
        if let userAgent { try fields.append("User-Agent", userAgent) }
        if let accept { try fields.append("Accept", accept) }
        defaultFields = fields
    }

    private static func line(_ name: String, _ value: String?) throws(FieldError) -> [UInt8] {
        guard let value else { return [] }
        var headers = Headers()
        try headers.append(name, value)
        let buffer = ByteBuffer(capacity: 128)
        headers.append(to: buffer)
        return [UInt8](buffer.takeBytes(buffer.readableCount))
    }

    /// Writes a head that was checked.
    package func encode(_ request: RequestHead, into buffer: ByteBuffer) {
        encode(request.method, request.target, request.headers, request.body, into: buffer)
    }

    /// Writes the head of a GET without fields and body.
    package func encodeGet(_ target: Target, into buffer: ByteBuffer) {
        if target.append(to: buffer, .get, between: Self.between, end: end) { return }
        encode(.get, target, Headers(), .none, into: buffer)
    }

    /// Writes the head of a request whose parts were checked together, as a `RequestHead`.
    package func encode(
        _ method: Method, _ target: Target, _ headers: Headers, _ body: RequestBodyLength,
        into buffer: ByteBuffer
    ) {
        if body == .none, headers.isEmpty, method.isShortAndPlain,
            target.append(to: buffer, method, between: Self.between, end: end)
        {
            return
        }
        method.appendWithSpace(to: buffer)
        // OPTIONS for the whole server (RFC 9112 section 3.2.4).
        let isAsterisk = method.isOptions && target.hadEmptyPath && !target.hasQuery
        let special = headers.specials
        if special.contains(.host) {
            append(target, isAsterisk: isAsterisk, callersHost: headers, to: buffer)
        } else {
            target.append(to: buffer, isAsterisk: isAsterisk, between: Self.between)
        }
        if headers.isEmpty {
            buffer.append(defaults)
        } else {
            appendFields(headers, special, to: buffer)
        }
        if special.contains(.te), !saysTE(headers) { buffer.append("Connection: TE\r\n") }
        appendFraming(body, method, to: buffer)
        buffer.append("\r\n")
    }

    private func append(
        _ target: Target, isAsterisk: Bool, callersHost headers: Headers, to buffer: ByteBuffer
    ) {
        if isAsterisk {
            buffer.append(UInt8(ascii: "*"))
        } else {
            target.appendPathAndQuery(to: buffer)
        }
        buffer.append(" HTTP/1.1\r\n")
        for index in 0..<headers.count where headers.special(at: index) == .host {
            buffer.append(utf8: headers.name(at: index))
            buffer.append(": ")
            buffer.append(headers.value(at: index))
        }
    }

    /// The end of the Host line, the defaults that are not replaced, and the caller's fields.
    private func appendFields(
        _ headers: Headers, _ specials: Headers.Specials, to buffer: ByteBuffer
    ) {
        buffer.append("\r\n")
        if !specials.contains(.userAgent) { buffer.append(userAgentLine) }
        if !specials.contains(.accept) { buffer.append(acceptLine) }
        if specials.isDisjoint(with: [.host, .contentLength]) {
            headers.append(to: buffer)
            return
        }
        for index in 0..<headers.count {
            let special = headers.special(at: index)
            if special == .host || special == .contentLength { continue }
            headers.appendLine(at: index, to: buffer)
        }
    }

    /// Whether the caller says that TE is for the next hop alone, which has to be said (RFC 9110
    /// section 10.1.4).
    private func saysTE(_ headers: Headers) -> Bool {
        (0..<headers.count).contains { index in
            headers.special(at: index) == .connection
                && ConnectionOptions(headers.value(at: index).span)?.contains(.te) == true
        }
    }

    private func appendFraming(
        _ body: RequestBodyLength, _ method: Method, to buffer: ByteBuffer
    ) {
        switch body {
        case .none:
            if method.definesContent { buffer.append("Content-Length: 0\r\n") }
        case .known(let count):
            buffer.append("Content-Length: ")
            buffer.appendDecimal(count)
            buffer.append("\r\n")
        case .unknown:
            buffer.append("Transfer-Encoding: chunked\r\n")
        }
    }
}
