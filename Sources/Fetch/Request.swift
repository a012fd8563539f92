// What a caller asks for, as a value; checked when it is sent.

internal import FetchEngine

/// A request: what to ask, of whom, with what.
///
/// Nothing is checked until it is executed; then a bad URL, method, field or clock throws a
/// ``FetchError`` that names it, and nothing is sent.
public struct Request: Sendable {
    /// The method; any token of RFC 9110 §9.1 but CONNECT. Default GET.
    public var method: HTTPRequest.Method
    /// An absolute http or https URL, or a path that continues the configuration's `baseURL`.
    public var url: String
    /// Added behind the URL's own query, percent-encoded (RFC 3986), in order, repeats kept.
    public var query: [(String, String)]
    /// Fields in the order in which they are sent. A field replaces the default of its name, and
    /// `TE` goes with `Connection: TE` (RFC 9110 §10.1.4).
    public var headers: Headers
    /// The content, or none.
    public var body: RequestBody?
    /// Clocks instead of the configuration's, or nil.
    public var timeouts: Timeouts?
    /// The total clock alone, instead of the one that would hold otherwise, or nil.
    public var totalTimeout: Duration?
    /// The largest whole body accepted, in bytes, instead of the configuration's, or nil.
    public var bodyLimit: Int?
    /// How its connection is secured instead of what the configuration says, or nil. Requests that
    /// ask for different things never share a connection.
    public var tls: TLSConfiguration? {
        get { choices.value.tls }
        set { choices.value.tls = newValue }
    }
    /// When it is tried again instead of what the configuration says, or nil.
    public var retry: RetryPolicy? {
        get { choices.value.retry }
        set { choices.value.retry = newValue }
    }
    /// Who goes first where requests wait. Default ``RequestPriority/normal``.
    public var priority: RequestPriority {
        get { choices.value.priority }
        set { choices.value.priority = newValue }
    }
    /// Whether it may be answered by the exchange of another caller who asks the same at the same
    /// time, and other callers by its own. Default true.
    public var coalesces: Bool {
        get { choices.value.coalesces }
        set { choices.value.coalesces = newValue }
    }
    /// How many of a rate limit's tokens it takes. Default 1.
    public var cost: Int {
        get { choices.value.cost }
        set { choices.value.cost = newValue }
    }
    /// How it uses the cache. Default ``RequestCacheMode/default``.
    public var cache: RequestCacheMode {
        get { choices.value.cache }
        set { choices.value.cache = newValue }
    }
    var choices = RequestChoices()

    /// A request without query, fields or content.
    public init(_ method: HTTPRequest.Method, _ url: String) {
        self.method = method
        self.url = url
        query = []
        headers = Headers()
    }

    /// GET, without query, fields or content.
    public init(_ url: String) {
        self.init(.get, url)
    }

    /// The request that an `HTTPRequest` describes. Its fields are checked again, because
    /// `HTTPFields` replaces what it does not like instead of refusing it.
    ///
    /// - Throws: ``FetchError`` with code `invalidURL` or `invalidRequest`.
    public init(_ request: HTTPRequest, body: RequestBody? = nil) throws {
        guard let scheme = request.scheme, let authority = request.authority else {
            throw FetchError(.invalidURL, reason: "the request has no scheme or no authority")
        }
        method = request.method
        url = "\(scheme)://\(authority)\(request.path ?? "/")"
        query = []
        do throws(FieldError) {
            headers = try Headers(request.headerFields)
        } catch {
            throw FetchError(.invalidRequest, reason: "\(error)")
        }
        self.body = body
    }
}

/// What a request says of TLS, the policies and the cache in place of its client. Behind a
/// reference, because most say nothing, and requests are copied.
struct RequestChoices: Sendable {
    struct Value: Sendable {
        var tls: TLSConfiguration?
        var retry: RetryPolicy?
        var priority = RequestPriority.normal
        var coalesces = true
        var cost = 1
        var cache = RequestCacheMode.default
    }

    private final class Box: Sendable {
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    private var box: Box?

    var isEmpty: Bool { box == nil }

    var value: Value {
        get { box?.value ?? Value() }
        set { box = Box(newValue) }
    }
}

/// What a request carries.
public enum RequestBody: Sendable {
    /// Bytes that are there.
    case bytes(Bytes)
    /// A regular file, read while it is sent.
    case file(String)
    /// Pieces that are produced while they are sent; see ``UploadStream``.
    case stream(UploadStream)

    /// Bytes of an array.
    public static func bytes(_ bytes: [UInt8]) -> RequestBody { .bytes(Bytes(bytes)) }

    /// The UTF-8 of a string.
    public static func string(_ string: String) -> RequestBody { .bytes(Bytes(string)) }

    /// The pieces of an asynchronous sequence.
    ///
    /// - Parameters:
    ///   - length: how many bytes they make in all, sent as Content-Length; the call fails with
    ///     `uploadLengthMismatch` if they don't. Nil: unknown, sent chunked (RFC 9112 §7.1).
    ///   - trailers: fields to send behind a chunked body, asked for when the pieces have ended;
    ///     the call fails with `invalidRequest` if one is about framing, routing, conditions,
    ///     authentication or the content's form (RFC 9110 §6.5.1).
    public static func stream<S: AsyncSequence & Sendable>(
        length: Int? = nil, _ pieces: S,
        trailers: (@Sendable () async throws -> Headers)? = nil
    ) -> RequestBody where S.Element == Bytes {
        .stream(UploadStream(length: length, pieces, trailers: trailers))
    }
}

/// An upload whose pieces are produced while they are sent.
///
/// The producer is held when 256 KiB wait to be sent. It is stopped when the response comes before
/// the upload has ended, and when the call is cancelled. It is asked once; such a request is not
/// sent again after a lost connection if any piece of it was taken.
public struct UploadStream: Sendable {
    let length: Int?
    /// Gives every piece to the argument until that answers false; then the trailers.
    let produce: @Sendable (_ push: @Sendable (Bytes) async -> Bool) async throws -> Headers?

    init<S: AsyncSequence & Sendable>(
        length: Int?, _ pieces: S, trailers: (@Sendable () async throws -> Headers)?
    ) where S.Element == Bytes {
        self.length = length
        produce = { push in
            for try await piece in pieces {
                guard await push(piece) else { return nil }
            }
            return try await trailers?()
        }
    }
}
