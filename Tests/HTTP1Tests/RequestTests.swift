// What goes on the wire, byte for byte, and what does not.

import FetchBytes
import FetchHTTP
import FetchHTTP1
import Testing

/// One request and its bytes.
struct Sent: Sendable, CustomTestStringConvertible {
    var method = "GET"
    var url = "http://h/"
    var headers: [(String, String)] = []
    var body = RequestBodyLength.none
    var wire: String

    var testDescription: String { wire.debugDescription }
}

private let defaults = "User-Agent: swift-fetch/1\r\nAccept: */*\r\n"

struct RequestTests {
    private func encode(_ row: Sent) throws -> String {
        let encoder = try RequestEncoder(userAgent: "swift-fetch/1")
        let head = try RequestHead(
            method: Method(row.method), target: Target(row.url), headers: Headers(row.headers),
            body: row.body)
        let buffer = ByteBuffer(capacity: 16)
        encoder.encode(head, into: buffer)
        return String(buffer.takeBytes(buffer.readableCount))
    }

    @Test(arguments: [
        Sent(wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(url: "http://h", wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(
            url: "http://u:p@H:80/a?b#c",
            wire: "GET /a?b HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(
            url: "http://h:8080/ü",
            wire: "GET /%C3%BC HTTP/1.1\r\nHost: h:8080\r\n\(defaults)\r\n"),
        Sent(
            url: "https://[::1]:8443/",
            wire: "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\(defaults)\r\n"),
        Sent(
            url: "http://[fe80::1%25e]/",
            wire: "GET / HTTP/1.1\r\nHost: [fe80::1]\r\n\(defaults)\r\n"),
        Sent(method: "HEAD", wire: "HEAD / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(method: "DELETE", wire: "DELETE / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(method: "PROPPATCH", wire: "PROPPATCH / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(
            method: "OPTIONS", url: "http://h",
            wire: "OPTIONS * HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(method: "OPTIONS", wire: "OPTIONS / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(
            method: "OPTIONS", url: "http://h?q",
            wire: "OPTIONS /?q HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(
            method: "POST",
            wire: "POST / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 0\r\n\r\n"),
        Sent(
            method: "PUT",
            wire: "PUT / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 0\r\n\r\n"),
        Sent(
            method: "PATCH",
            wire: "PATCH / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 0\r\n\r\n"),
        Sent(
            method: "POST", body: .known(5),
            wire: "POST / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 5\r\n\r\n"),
        Sent(
            method: "POST", body: .known(0),
            wire: "POST / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 0\r\n\r\n"),
        Sent(
            body: .known(7),
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 7\r\n\r\n"),
        Sent(
            method: "PUT", body: .unknown,
            wire: "PUT / HTTP/1.1\r\nHost: h\r\n\(defaults)Transfer-Encoding: chunked\r\n\r\n"),
        Sent(
            headers: [("X-b", "1"), ("x-A", "2"), ("X-b", "3")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)X-b: 1\r\nx-A: 2\r\nX-b: 3\r\n\r\n"),
        Sent(
            headers: [("X", "1"), ("user-agent", "me"), ("Y", "2")],
            wire:
                "GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nX: 1\r\nuser-agent: me\r\nY: 2\r\n\r\n"
        ),
        Sent(
            headers: [("ACCEPT", "a/b"), ("accept", "c/d")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: swift-fetch/1\r\n"
                + "ACCEPT: a/b\r\naccept: c/d\r\n\r\n"),
        Sent(
            headers: [("X", "1"), ("host", "other:81"), ("Y", "2")],
            wire: "GET / HTTP/1.1\r\nhost: other:81\r\n\(defaults)X: 1\r\nY: 2\r\n\r\n"),
        Sent(headers: [("Host", "")], wire: "GET / HTTP/1.1\r\nHost: \r\n\(defaults)\r\n"),
        Sent(
            method: "POST", headers: [("Content-Length", "5"), ("X", "y")], body: .known(5),
            wire: "POST / HTTP/1.1\r\nHost: h\r\n\(defaults)X: y\r\nContent-Length: 5\r\n\r\n"),
        Sent(
            method: "POST", headers: [("content-length", "0")],
            wire: "POST / HTTP/1.1\r\nHost: h\r\n\(defaults)Content-Length: 0\r\n\r\n"),
        Sent(
            headers: [("Content-Length", "0")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)\r\n"),
        Sent(
            headers: [("Connection", "close")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)Connection: close\r\n\r\n"),
        Sent(
            headers: [("TE", "trailers"), ("Connection", "TE")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)TE: trailers\r\nConnection: TE\r\n\r\n"),
        Sent(
            headers: [("TE", "trailers"), ("X", "y")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)TE: trailers\r\nX: y\r\n"
                + "Connection: TE\r\n\r\n"),
        Sent(
            method: "POST", headers: [("Connection", "close"), ("te", "trailers")],
            body: .known(2),
            wire: "POST / HTTP/1.1\r\nHost: h\r\n\(defaults)Connection: close\r\n"
                + "te: trailers\r\nConnection: TE\r\nContent-Length: 2\r\n\r\n"),
        Sent(
            headers: [("Connection", "close, te"), ("TE", "trailers")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)Connection: close, te\r\n"
                + "TE: trailers\r\n\r\n"),
        Sent(
            headers: [("X", "  é ")],
            wire: "GET / HTTP/1.1\r\nHost: h\r\n\(defaults)X: é\r\n\r\n"),
    ])
    func `a request is sent like this`(_ row: Sent) throws {
        #expect(try encode(row) == row.wire)
    }

    /// Field, value, body, error.
    @Test(
        arguments: [
            ("Transfer-Encoding", "chunked", .none, .reservedField("Transfer-Encoding")),
            ("transfer-encoding", "", .none, .reservedField("transfer-encoding")),
            ("Upgrade", "websocket", .none, .reservedField("Upgrade")),
            ("Keep-Alive", "timeout=5", .none, .reservedField("Keep-Alive")),
            ("EXPECT", "100-continue", .known(1), .reservedField("EXPECT")),
            ("Content-Length", "5", .none, .contentLengthMismatch),
            ("Content-Length", "5", .known(4), .contentLengthMismatch),
            ("Content-Length", "", .known(0), .contentLengthMismatch),
            ("Content-Length", "4, 4", .known(4), .contentLengthMismatch),
            ("Content-Length", "+4", .known(4), .contentLengthMismatch),
            ("Content-Length", "0x4", .known(4), .contentLengthMismatch),
            ("Content-Length", "4", .unknown, .contentLengthMismatch),
            ("Content-Length", "18446744073709551620", .known(4), .contentLengthMismatch),
            ("Connection", "upgrade", .none, .unsupportedConnectionOption),
            ("Connection", "close, X-Y", .none, .unsupportedConnectionOption),
            ("Connection", "keep alive", .none, .unsupportedConnectionOption),
            ("Host", "a b", .none, .invalidHost), ("Host", "a/b", .none, .invalidHost),
            ("Host", "u@h", .none, .invalidHost), ("Host", "h?x", .none, .invalidHost),
            ("Host", "h#x", .none, .invalidHost), ("Host", "é", .none, .invalidHost),
            ("Host", "a\\b", .none, .invalidHost), ("Host", "a\tb", .none, .invalidHost),
        ] as [(String, String, RequestBodyLength, RequestError)])
    func `a field that is the library's own is refused by name`(
        _ row: (String, String, RequestBodyLength, RequestError)
    ) throws {
        let headers = try Headers([("A", "b"), (row.0, row.1)])
        let target = try Target("http://h/")
        #expect(throws: row.3) {
            try RequestHead(method: .post, target: target, headers: headers, body: row.2)
        }
    }

    @Test func `two Host fields are refused`() throws {
        let headers = try Headers([("Host", "a"), ("host", "a")])
        let target = try Target("http://h/")
        #expect(throws: RequestError.invalidHost) {
            try RequestHead(method: .get, target: target, headers: headers)
        }
    }

    @Test func `TRACE has no body`() throws {
        let target = try Target("http://h/")
        _ = try RequestHead(method: .trace, target: target)
        #expect(throws: RequestError.bodyNotAllowed) {
            try RequestHead(method: .trace, target: target, body: .known(0))
        }
        #expect(throws: RequestError.bodyNotAllowed) {
            try RequestHead(method: .trace, target: target, body: .unknown)
        }
    }

    @Test(arguments: [
        ("close", true), ("Close", true), ("keep-alive, close", true), ("te ,CLOSE", true),
        ("keep-alive", false), ("TE", false), ("", false), (",", false),
    ])
    func `Connection close is reported`(_ row: (String, Bool)) throws {
        let headers = try Headers([("Connection", row.0)])
        let head = try RequestHead(method: .get, target: Target("http://h/"), headers: headers)
        #expect(head.saysClose == row.1)
        #expect(head.closeReason == (row.1 ? .requestSaidClose : nil))
    }

    @Test func `an encoder may leave defaults out`() throws {
        let encoder = try RequestEncoder(userAgent: nil, accept: nil)
        let buffer = ByteBuffer(capacity: 16)
        encoder.encode(try RequestHead(method: .get, target: Target("http://h/")), into: buffer)
        #expect(
            String(buffer.takeBytes(buffer.readableCount)) == "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(throws: FieldError.invalidValue(name: "User-Agent")) {
            try RequestEncoder(userAgent: "a\r\nX: y")
        }
    }

    @Test func `chunks are framed and ended`() throws {
        let buffer = ByteBuffer(capacity: 16)
        ChunkedEncoder.appendChunk(Array("hello".utf8).span, to: buffer)
        ChunkedEncoder.appendChunk([UInt8]().span, to: buffer)
        ChunkedEncoder.appendChunk([UInt8](repeating: 0x78, count: 26).span, to: buffer)
        ChunkedEncoder.appendLast(to: buffer)
        let expected = "5\r\nhello\r\n1a\r\n\(String(repeating: "x", count: 26))\r\n0\r\n\r\n"
        #expect(String(buffer.takeBytes(buffer.readableCount)) == expected)
        ChunkedEncoder.appendLast(trailers: try Headers([("A", "b")]), to: buffer)
        #expect(String(buffer.takeBytes(buffer.readableCount)) == "0\r\nA: b\r\n\r\n")
    }

    @Test(arguments: [
        "Content-Length", "transfer-encoding", "Trailer", "Host", "Connection", "Keep-Alive",
        "Proxy-Connection", "TE", "UPGRADE", "Via", "Expect", "Cache-Control", "Pragma", "Range",
        "Max-Forwards", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
        "If-Range", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
        "WWW-Authenticate", "Content-Encoding", "Content-Type", "Content-Range",
    ])
    func `what has to be known before the body is no trailer`(_ name: String) throws {
        let trailers = try Headers([("X", "y"), (name, "1")])
        #expect(throws: RequestError.notATrailer(name)) {
            try RequestHead.check(trailers: trailers)
        }
    }

    @Test func `any other field may be a trailer`() throws {
        try RequestHead.check(trailers: Headers())
        let names = [
            "X", "Content-MD5", "Digest", "Repr-Digest", "Signature", "ETag", "Server-Timing",
            "Authentication-Info", "Content-Lengths", "Hosts", "T",
        ]
        for name in names { try RequestHead.check(trailers: Headers([(name, "1")])) }
    }

    @Test(arguments: [
        "h", "H:80", "h:", "h:1", "h:65535", "h:0080", "127.0.0.1", "127.0.0.1:8", "[::1]",
        "[::1]:8080", "[::1]:", "[::FFFF:1.2.3.4]", "a..b", ".", "a_b", "a!$&'()*+,;=~", "%41%c3",
        "xn--a", "1.2.3.4.5", "",
    ])
    func `a Host field may say any host of RFC 3986`(_ value: String) throws {
        let head = try RequestHead(
            method: .get, target: Target("http://h/"), headers: Headers([("Host", value)]))
        let buffer = ByteBuffer(capacity: 64)
        try RequestEncoder(userAgent: nil, accept: nil).encode(head, into: buffer)
        let wire = String(buffer.takeBytes(buffer.readableCount))
        #expect(wire == "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n")
    }

    @Test(arguments: [
        "[::1", "]", "[]", "[", "[::1]x", "::1", "[::1]:x", "[::1]:99999", "a:80x", "a:-1", "a:+1",
        "x:99999", "x:65536", "x:0", "x:18446744073709551696", "a:80:80", ":80", ":", "a]", "[a]",
        "[1]", "[::1%25lo]", "[v1.x]", "a[::1]", "%", "%4", "a%4g", "a%", "\"a\"", "a|b", "<a>",
        "a^b", "{a}", "a`b",
    ])
    func `a Host field that says no host is refused`(_ value: String) throws {
        let headers = try Headers([("Host", value)])
        let target = try Target("http://h/")
        #expect(throws: RequestError.invalidHost) {
            try RequestHead(method: .get, target: target, headers: headers)
        }
    }
}
