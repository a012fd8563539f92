// Base URLs and query parameters.

import FetchHTTP
import Testing

struct TargetJoiningTests {
    /// Base, reference, result.
    @Test(arguments: [
        ("http://h/v1", "/users", "http://h/v1/users"),
        ("http://h/v1/", "/users", "http://h/v1/users"),
        ("http://h/v1/", "users", "http://h/v1/users"),
        ("http://h/v1", "users", "http://h/v1/users"),
        ("http://h", "/users", "http://h/users"),
        ("http://h", "users", "http://h/users"),
        ("http://h/", "/", "http://h/"),
        ("http://h/v1", "/", "http://h/v1/"),
        ("http://h/v1", "", "http://h/v1"),
        ("http://h", "", "http://h/"),
        ("http://h/v1", "?a=b", "http://h/v1?a=b"),
        ("http://h/v1?x=y", "/u", "http://h/v1/u"),
        ("http://h/v1", "/u?a=b#c", "http://h/v1/u?a=b"),
        ("http://h/v1", "/../u", "http://h/u"),
        ("http://h/v1", "../../u", "http://h/u"),
        ("http://h/v1", "//evil.example/x", "http://h/v1//evil.example/x"),
        ("http://h:81/v1", "/ü", "http://h:81/v1/%C3%BC"),
        ("http://u:p@h/v1", "/x", "http://h/v1/x"),
        ("http://[fe80::1%25e]/v1", "x", "http://[fe80::1%25e]/v1/x"),
        ("http://h/v1", "https://other/x", "https://other/x"),
        ("http://h/v1", "HTTP://other", "http://other/"),
        ("http://h/v1", "/a:b", "http://h/v1/a:b"),
        ("http://h/v1", "a/b:c", "http://h/v1/a/b:c"),
        ("http://h/v1", "#f", "http://h/v1"),
        ("http://h/v1", "@evil", "http://h/v1/@evil"),
    ])
    func `a reference is appended to the base's path`(_ row: (String, String, String)) throws {
        let base = try Target(row.0)
        #expect(try Target(row.1, base: base).description == row.2)
    }

    @Test(arguments: [
        ("ftp://x", TargetError.unsupportedScheme), ("mailto:x", .unsupportedScheme),
        ("a b", .forbiddenCharacter), ("/x\r\n", .forbiddenCharacter), ("http://", .missingHost),
        ("a:b", .unsupportedScheme),
    ])
    func `a bad reference is refused as such`(_ row: (String, TargetError)) throws {
        let base = try Target("http://h/v1")
        #expect(throws: row.1) { try Target(row.0, base: base) }
    }

    /// URL, pairs, path and query.
    @Test(
        arguments: [
            ("http://h", [("a", "b")], "/?a=b"),
            ("http://h/", [("q", "a b")], "/?q=a%20b"),
            ("http://h/?x=1", [("a", "b")], "/?x=1&a=b"),
            ("http://h/?", [("a", "b")], "/?a=b"),
            ("http://h/?x=1&", [("a", "b")], "/?x=1&&a=b"),
            ("http://h/#f", [("a", "b")], "/?a=b"),
            ("http://h/?x#f", [("a", "b")], "/?x&a=b"),
            ("http://h/p", [("a", "1"), ("a", "2"), ("b", "")], "/p?a=1&a=2&b="),
            ("http://h/", [("a+b", "c+d")], "/?a%2Bb=c%2Bd"),
            ("http://h/", [("a&b", "c=d")], "/?a%26b=c%3Dd"),
            ("http://h/", [("ü", "€")], "/?%C3%BC=%E2%82%AC"),
            ("http://h/", [("a", "\r\n\u{0}")], "/?a=%0D%0A%00"),
            ("http://h/", [("A-._~9", "%41")], "/?A-._~9=%2541"),
            ("http://h/", [("", "")], "/?="),
            (
                "http://h/", [("a", "/?#[]@!$'()*,;:")],
                "/?a=%2F%3F%23%5B%5D%40%21%24%27%28%29%2A%2C%3B%3A"
            ),
            ("http://h/x", [], "/x"),
        ] as [(String, [(String, String)], String)])
    func `query pairs are encoded and merged`(
        _ row: (String, [(String, String)], String)
    ) throws {
        #expect(try Target(row.0).appending(query: row.1).pathAndQuery == row.2)
    }

    @Test func `a query that grows too long is refused`() throws {
        let target = try Target("http://h/")
        let long = String(repeating: " ", count: Target.mostBytes)
        #expect(throws: TargetError.tooLong) { try target.appending(query: [("a", long)]) }
    }
}
