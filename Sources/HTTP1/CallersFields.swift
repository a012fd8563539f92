// CallersFields: what a caller may not send, in the head and behind the body. Pure; any thread.

internal import FetchHTTP

/// Fields that are refused by name.
enum CallersFields {
    /// In a head: framing and hop-by-hop fields, which are the library's own.
    static var reserved: Headers.Specials { [.transferEncoding, .upgrade, .keepAlive, .expect] }

    /// Behind a body: what has to be known before it is read (RFC 9110 section 6.5.1).
    private static let notTrailers: [StaticString] = [
        // Framing of the message (RFC 9112 section 6), and what announces trailers.
        "content-length", "transfer-encoding", "trailer",
        // Routing, and the connection (RFC 9110 sections 7.2, 7.6 and 7.8, RFC 9113 section 8.2.2).
        "host", "connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings",
        "via",
        // Controls (RFC 9110 section 10.1, RFC 9111 section 5, RFC 9110 sections 7.6.2 and 14.2).
        "cache-control", "expect", "max-forwards", "pragma", "range",
        // Conditions (RFC 9110 section 13.1).
        "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        // Authentication (RFC 9110 section 11, RFC 6265 sections 4.1 and 4.2).
        "authorization", "cookie", "proxy-authenticate", "proxy-authorization", "set-cookie",
        "www-authenticate",
        // How the content is to be read (RFC 9110 sections 8.3, 8.4 and 14.4).
        "content-encoding", "content-range", "content-type",
    ]

    /// Whether the field at a place is none that may stand behind a body.
    static func isNoTrailer(_ trailers: Headers, at index: Int) -> Bool {
        notTrailers.contains { trailers.hasName($0, at: index) }
    }
}
