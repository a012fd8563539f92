// What came back, as a value over the received bytes: nothing is converted until it is asked for.

internal import FetchEngine
internal import FetchHTTP1

/// A response with all of its body; or, in a ``StreamedResponse``, the head of one.
public struct Response: Sendable {
    let whole: WholeResponse

    /// Status code and reason phrase as received.
    public var status: HTTPResponse.Status {
        HTTPResponse.Status(code: statusCode, reasonPhrase: whole.head.reason)
    }

    /// The status code, 102 to 999.
    public var statusCode: Int {
        if let head = whole.receivedHead { return Int(head.status) }
        return Int(whole.storedStatus)
    }

    /// The reason phrase, often empty: as UTF-8, or as ISO 8859-1 where it is not UTF-8.
    public var reason: String { whole.head.reason }

    /// The reason phrase's bytes as received.
    public var reasonBytes: Bytes { whole.reasonBytes }

    /// `HTTP/1.1` or `HTTP/1.0`.
    public var version: String { "HTTP/1.\(whole.head.versionMinor)" }

    /// The fields in received order, names in received case.
    public var headers: ReceivedFields { ReceivedFields(section: whole.fields) }

    /// The body's bytes.
    public var body: Bytes { whole.body }

    /// The fields behind a chunked body; nil if there were none.
    public var trailers: ReceivedFields? { whole.trailers.map { ReceivedFields(section: $0) } }

    /// The URL that answered, without user information and fragment.
    public var url: String { whole.target.description }

    /// The first value of a field, or nil.
    public subscript(_ name: HTTPField.Name) -> String? {
        if let head = whole.receivedHead { return head.fields[name] }
        return whole.storedField(name.canonicalName)
    }

    /// The first value of a field, or nil; case does not matter.
    public subscript(_ name: String) -> String? {
        if let head = whole.receivedHead { return head.fields[name] }
        return whole.storedField(name)
    }

    /// Whether the status is one of 200…299.
    public var ok: Bool { (200..<300).contains(statusCode) }

    /// This response, if its status is one of 200…299.
    ///
    /// - Throws: ``FetchError`` with code `unacceptableStatus`, which carries the response; its
    ///   reason quotes the first bytes of the body.
    @discardableResult
    public func validate() throws -> Response {
        guard !ok else { return self }
        let start = String(decoding: body.prefix(120), as: UTF8.self)
        throw FetchError(
            .unacceptableStatus, phase: .none,
            reason: "status \(statusCode)" + (start.isEmpty ? "" : ", body begins: \(start)"),
            url: url, elapsed: metadata.totalTime, response: self)
    }

    /// The body as UTF-8; bytes that are not are replaced.
    public var text: String { String(body) }

    /// How it came about.
    public var metadata: Metadata { Metadata(whole) }

    /// The head as a value of swift-http-types.
    public var httpResponse: HTTPResponse {
        HTTPResponse(status: status, headerFields: headers.httpFields)
    }

    /// What the cache had to do with a response.
    public enum CacheStatus: String, Sendable, Hashable, CaseIterable {
        /// Nothing: there is none, or it was not to be asked.
        case bypass
        /// The origin answered.
        case miss
        /// A stored response answered, and was fresh.
        case hit
        /// A stored response answered, and the origin said that it still holds.
        case revalidated
        /// A stored response answered, and was stale.
        case stale
    }

    /// How a response came about.
    public struct Metadata: Sendable, Hashable {
        /// How often it was sent: once, and once more for each retry and for a lost reuse race; 0
        /// for a stored response that was used without asking.
        public let attempts: Int
        /// Of these, how often an idle connection had ended before the first byte of an answer, and
        /// the request was sent again on a fresh one (RFC 9112 section 9.3.1). That is nobody's
        /// retry: it is not counted against a retry rule.
        public let reconnects: Int
        /// Whether another caller, who asked the same at the same time, got it from the server.
        public let wasCoalesced: Bool
        /// How long finding the host's addresses took; zero where they were known, and on a
        /// connection that was used before.
        public let nameTime: Duration
        /// How long connecting took, once the address was known; zero on a connection that was
        /// used before.
        public let connectTime: Duration
        /// How long the TLS handshake took; zero without one, and on a connection that was used
        /// before.
        public let tlsTime: Duration
        /// From the call to the response's first byte.
        public let firstByteTime: Duration
        /// From the call to the response's last byte.
        public let totalTime: Duration
        /// The peer, as `address:port`; nil where none was asked.
        public let remoteAddress: String?
        /// What the cache had to do with it.
        public let cacheStatus: CacheStatus
        /// The same in the words of a Cache-Status field (RFC 9211), such as
        /// `swift-fetch;hit;ttl=60`; nil where the cache wasn't asked. Of a streamed response it
        /// doesn't say whether that is stored.
        public let cacheStatusField: String?

        init(_ response: WholeResponse) {
            let times = response.times
            let start = times.started.nanoseconds
            attempts = response.attempts
            reconnects = response.reconnects
            wasCoalesced = response.isShared
            nameTime = .nanoseconds(times.dnsNanoseconds)
            tlsTime = .nanoseconds(times.tlsNanoseconds)
            connectTime = .nanoseconds(times.connectNanoseconds)
            firstByteTime = .nanoseconds(times.firstByte.nanoseconds - start)
            totalTime = .nanoseconds(times.ended.nanoseconds - start)
            remoteAddress = response.peer.map { "\($0)" }
            cacheStatus =
                switch response.cacheOutcome {
                case .bypass: .bypass
                case .miss: .miss
                case .hit: .hit
                case .revalidated: .revalidated
                case .stale: .stale
                }
            cacheStatusField = response.cacheStatus
        }
    }
}

/// Received fields: a view of their bytes.
public struct ReceivedFields: Sendable, RandomAccessCollection {
    let section: FieldSection

    /// One field line.
    public struct Element: Sendable {
        let section: FieldSection
        let index: Int

        /// The name in received case.
        public var name: String { section.name(at: index) }
        /// The value as UTF-8, or as ISO 8859-1 where it is not UTF-8.
        public var value: String { section.value(at: index) }
        /// The value with each byte as the character of its number (ISO 8859-1).
        public var latin1Value: String { section.latin1Value(at: index) }
        /// The value's bytes.
        public var valueBytes: Bytes { section.valueBytes(at: index) }
    }

    /// Always 0.
    public var startIndex: Int { 0 }
    /// The number of field lines.
    public var endIndex: Int { section.count }

    /// A field line by its place.
    public subscript(position: Int) -> Element {
        precondition(indices.contains(position), "no field there")
        return Element(section: section, index: position)
    }

    /// The first value of a field, or nil; case does not matter.
    public subscript(_ name: String) -> String? { section[name] }

    /// The first value of a field, or nil.
    public subscript(_ name: HTTPField.Name) -> String? { section[name] }

    /// Every value of a field, in order.
    public func values(of name: String) -> [String] { section.values(of: name) }

    /// The fields as a value of swift-http-types; those whose names it refuses are left out.
    public var httpFields: HTTPFields { section.httpFields }
}
