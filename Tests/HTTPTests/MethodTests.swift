// What a method may be and what is known about it.

import FetchBytes
import FetchHTTP
import HTTPTypes
import Testing

struct MethodTests {
    /// Name, safe, idempotent, defines content.
    @Test(arguments: [
        ("GET", true, true, false), ("HEAD", true, true, false), ("OPTIONS", true, true, false),
        ("TRACE", true, true, false), ("QUERY", true, true, false), ("PUT", false, true, true),
        ("DELETE", false, true, false), ("POST", false, false, true),
        ("PATCH", false, false, true), ("PURGE", false, false, false),
        ("get", false, false, false), ("PROPPATCH", false, false, false),
        ("VERSION-CONTROL", false, false, false), ("M", false, false, false),
        ("MKCOL77", false, false, false), ("!#$%&'*+-.^_`|~", false, false, false),
    ])
    func `a method is sent as named and known by its definition`(
        _ row: (String, Bool, Bool, Bool)
    ) throws {
        let method = try Method(row.0)
        #expect(method.name == row.0)
        #expect(method.isSafe == row.1)
        #expect(method.isIdempotent == row.2)
        #expect(method.definesContent == row.3)
        #expect(method.isHead == (row.0 == "HEAD"))
        #expect(method.isOptions == (row.0 == "OPTIONS"))
        #expect(method.isTrace == (row.0 == "TRACE"))
        let buffer = ByteBuffer(capacity: 64)
        method.appendWithSpace(to: buffer)
        #expect(String(buffer.takeBytes(buffer.readableCount)) == row.0 + " ")
    }

    @Test func `the constants are what their names say`() throws {
        let all: [(Method, String)] = [
            (.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.put, "PUT"), (.patch, "PATCH"),
            (.delete, "DELETE"), (.options, "OPTIONS"), (.trace, "TRACE"), (.query, "QUERY"),
        ]
        for (method, name) in all {
            #expect(method.name == name)
            #expect(try Method(name) == method)
        }
        #expect(try Method(HTTPRequest.Method.delete) == .delete)
        #expect(try Method(HTTPRequest.Method.get) == .get)
    }

    @Test(arguments: ["", " ", "GE T", "GET ", "GÉT", "GET\r\n", "GET\u{0}", "G(", "A/B", "A:B"])
    func `a method that is no token is refused`(_ name: String) {
        #expect(throws: MethodError.notAToken) { try Method(name) }
    }

    @Test func `a method that is too long is refused`() throws {
        #expect(throws: MethodError.tooLong) { try Method(String(repeating: "A", count: 65)) }
        #expect(MethodError.tooLong.description == "method is longer than 64 bytes")
        _ = try Method(String(repeating: "A", count: 64))
    }

    @Test func `CONNECT is refused by name`() throws {
        #expect(throws: MethodError.connect) { try Method("CONNECT") }
        #expect(throws: MethodError.connect) { try Method(HTTPRequest.Method.connect) }
    }
}
