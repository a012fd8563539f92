// What callers may put into fields.

import FetchBytes
import FetchHTTP
import HTTPTypes
import Testing

struct HeadersTests {
    static let none: Headers.Specials = []

    private func wire(_ headers: Headers) -> String {
        let buffer = ByteBuffer(capacity: 64)
        headers.append(to: buffer)
        return String(buffer.takeBytes(buffer.readableCount))
    }

    @Test func `fields keep their order, case and repetition`() throws {
        let headers = try Headers([("X-b", "1"), ("x-A", "2"), ("X-B", "3")])
        #expect(wire(headers) == "X-b: 1\r\nx-A: 2\r\nX-B: 3\r\n")
        #expect(headers.count == 3)
        #expect(headers["x-b"] == "1")
        #expect(headers.values(of: "X-B") == ["1", "3"])
        #expect(headers.contains("X-a"))
        #expect(!headers.contains("X"))
        #expect(headers["nothing"] == nil)
        #expect(headers.map(\.name) == ["X-b", "x-A", "X-B"])
        #expect(headers.map(\.value) == ["1", "2", "3"])
    }

    @Test(arguments: [
        "", "a b", "a:", "a\r", "a\n", "a\u{0}", "é", "(x)", "a/b", " a", "a ", "\"", "@",
    ])
    func `a name that is no token is refused`(_ name: String) {
        #expect(throws: FieldError.invalidName(name)) { try Headers([(name, "v")]) }
    }

    @Test(arguments: [
        "a\r\nEvil: 1", "a\n", "a\r", "\r\n", "a\u{0}b", "\u{1}", "a\u{7f}", "a\u{b}b",
        "x\r\n\r\nGET / HTTP/1.1", "a\u{1b}[0m",
    ])
    func `a value with a control character is refused`(_ value: String) {
        #expect(throws: FieldError.invalidValue(name: "X")) { try Headers([("X", value)]) }
    }

    @Test(arguments: [
        ("", ""), (" a ", "a"), ("\ta\t", "a"), ("a\tb", "a\tb"), ("  ", ""), ("ü", "ü"),
        ("a  b", "a  b"), ("\"q\"", "\"q\""), ("~!@#$%^&*()", "~!@#$%^&*()"),
    ])
    func `a value loses the white space around it and nothing else`(_ row: (String, String)) throws
    {
        let headers = try Headers([("X", row.0)])
        #expect(headers["X"] == row.1)
        #expect(wire(headers) == "X: \(row.1)\r\n")
    }

    @Test func `bytes that are not UTF-8 go out as they are and read as Latin-1`() throws {
        var headers = Headers()
        try headers.append("X", [0x61, 0xe9])
        #expect(headers["x"] == "aé")
        let buffer = ByteBuffer(capacity: 64)
        headers.append(to: buffer)
        #expect(Array(buffer.takeBytes(7)) == [0x58, 0x3a, 0x20, 0x61, 0xe9, 0x0d, 0x0a])
        #expect(throws: FieldError.invalidValue(name: "X")) { try headers.append("X", [0x0a]) }
        #expect(headers.count == 1)
    }

    @Test func `setting replaces where the first stood and removing takes all`() throws {
        var headers = try Headers([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])
        try headers.set("A", "9")
        #expect(wire(headers) == "A: 9\r\nb: 2\r\nc: 4\r\n")
        try headers.set("d", "5")
        #expect(headers["D"] == "5")
        headers.remove("B")
        headers.remove("nothing")
        #expect(wire(headers) == "A: 9\r\nc: 4\r\nd: 5\r\n")
        #expect(throws: FieldError.invalidValue(name: "c")) { try headers.set("c", "\n") }
        #expect(headers["c"] == "4")
    }

    @Test func `removing a special name forgets that it was special`() throws {
        var headers = try Headers([("Host", "x"), ("EXPECT", "100-continue"), ("Upgrade", "h2c")])
        #expect(headers.specials == [.host, .expect, .upgrade])
        headers.remove("expect")
        headers.remove("host")
        #expect(headers.specials == .upgrade)
    }

    @Test(arguments: [
        ("host", Headers.Specials.host), ("User-Agent", .userAgent), ("ACCEPT", .accept),
        ("Content-Length", .contentLength), ("connection", .connection),
        ("Transfer-Encoding", .transferEncoding), ("upgrade", .upgrade),
        ("Keep-Alive", .keepAlive), ("Expect", .expect), ("Accepts", HeadersTests.none),
        ("X-Host", HeadersTests.none),
        ("Content-Lengti", HeadersTests.none), ("Transfer_Encoding", HeadersTests.none),
    ])
    func `special names are known in any case`(_ row: (String, Headers.Specials)) throws {
        let headers = try Headers([(row.0, "x")])
        #expect(headers.specials == row.1)
        #expect(headers.special(at: 0) == row.1)
    }

    @Test func `fields of swift-http-types are checked again and keep their bytes`() throws {
        var fields = HTTPFields()
        fields.append(HTTPField(name: .accept, value: "text/html"))
        fields.append(HTTPField(name: .cookie, value: [0x61, 0xff]))
        let headers = try Headers(fields)
        #expect(headers.count == 2)
        #expect(headers["Accept"] == "text/html")
        #expect(headers["cookie"] == "aÿ")
    }

    @Test func `fields and bytes are bounded`() throws {
        var headers = Headers()
        for _ in 0..<Headers.mostFields { try headers.append("a", "") }
        #expect(throws: FieldError.tooLarge) { try headers.append("a", "") }
        var large = Headers()
        let value = String(repeating: "x", count: Headers.mostBytes)
        #expect(throws: FieldError.tooLarge) { try large.append("a", value) }
        #expect(large.isEmpty)
    }

    @Test func `equality is what goes on the wire`() throws {
        #expect(try Headers([("a", " 1")]) == Headers([("a", "1")]))
        #expect(try Headers([("A", "1")]) != Headers([("a", "1")]))
    }

    @Test func `fuzzed names and values never reach the wire malformed`() {
        var state: UInt64 = 7
        func random(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        for _ in 0..<5_000 {
            let name = String(
                decoding: (0..<random(6)).map { _ in UInt8(random(128)) }, as: UTF8.self)
            let value = (0..<random(12)).map { _ in UInt8(random(256)) }
            var headers = Headers()
            guard (try? headers.append(name, value)) != nil else { continue }
            let line = Array(wire(headers).utf8.dropLast(2))
            #expect(!name.isEmpty)
            #expect(line.allSatisfy { $0 != 10 && $0 != 13 && $0 != 0 })
        }
    }
}
