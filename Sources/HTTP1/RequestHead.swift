// RequestHead: a request that may go on the wire (RFC 9110 section 7, RFC 9112 sections 3 and 6). A
// value, made before admission, so that a bad request costs no slot; any thread.

internal import FetchBytes
package import FetchHTTP

/// What a request's body is, as far as its head must say.
package enum RequestBodyLength: Equatable, Sendable {
    /// No body.
    case none
    /// A body of so many bytes.
    case known(Int)
    /// A body whose end is known when it is reached; sent in chunks.
    case unknown
}

/// Method, target and fields that passed every check.
package struct RequestHead: Sendable {
    package let method: Method
    package let target: Target
    package let headers: Headers
    package let body: RequestBodyLength
    /// Whether the fields say `Connection: close`.
    package let saysClose: Bool

    /// Checks a request. Costs nothing to speak of when there are no fields.
    package init(
        method: Method, target: Target, headers: Headers = Headers(),
        body: RequestBodyLength = .none
    ) throws(RequestError) {
        if method.isTrace, body != .none { throw .bodyNotAllowed }
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        saysClose =
            headers.specials.rawValue == 0
            ? false : try Self.check(headers, contentLength: Self.length(of: body))
    }

    /// The body's length; nil when nobody knows it yet.
    private static func length(of body: RequestBodyLength) -> Int? {
        switch body {
        case .none: 0
        case .known(let count): count
        case .unknown: nil
        }
    }

    /// Whether the request may go out on a connection and leave it open.
    package var closeReason: CloseReason? { saysClose ? .requestSaidClose : nil }

    /// Checks the special fields; says whether they ask to close.
    private static func check(
        _ headers: Headers, contentLength: Int?
    ) throws(RequestError) -> Bool {
        var saysClose = false
        var hosts = 0
        for index in 0..<headers.count {
            let special = headers.special(at: index)
            if special.isEmpty { continue }
            if !special.isDisjoint(with: CallersFields.reserved) {
                throw .reservedField(headers.name(at: index))
            }
            let value = headers.value(at: index)
            if special == .contentLength, !isNumber(value.span, contentLength) {
                throw .contentLengthMismatch
            }
            if special == .connection {
                guard let options = ConnectionOptions(value.span) else {
                    throw .unsupportedConnectionOption
                }
                saysClose = options.contains(.close) || saysClose
            }
            if special == .host {
                hosts += 1
                guard hosts == 1, Authority.isHostField(value.span) else { throw .invalidHost }
            }
        }
        return saysClose
    }

    /// Checks trailers (RFC 9110 section 6.5.1).
    package static func check(trailers: Headers) throws(RequestError) {
        for index in 0..<trailers.count where CallersFields.isNoTrailer(trailers, at: index) {
            throw .notATrailer(trailers.name(at: index))
        }
    }

    /// Whether a value is that number in decimal digits.
    private static func isNumber(_ value: Span<UInt8>, _ number: Int?) -> Bool {
        var sum = 0
        for index in 0..<value.count {
            guard ASCII.isDigit(value[index]), sum <= (Int.max - 9) / 10 else { return false }
            sum = sum * 10 + Int(value[index] - 0x30)
        }
        return value.count > 0 && sum == number ?? -1
    }
}
