// Hosts outside ASCII: converted in a build with the IDN trait, refused by name in one without.

import FetchHTTP
import FetchIDN
import Testing

@Suite struct InternationalHostTests {
    @Test(
        .enabled(if: InternationalName.isSupported),
        arguments: [
            ("http://bücher.example/", "http://xn--bcher-kva.example/"),
            ("http://BÜCHER.Example/", "http://xn--bcher-kva.example/"),
            // The same letter in two pieces.
            ("http://bu\u{308}cher.example/", "http://xn--bcher-kva.example/"),
            ("http://例え/", "http://xn--r8jz45g/"),
            ("http://faß.example/", "http://xn--fa-hia.example/"),
            ("http://a\u{ff0e}b/", "http://a.b/"), ("http://a。b。/", "http://a.b./"),
            ("http://Ａbc/", "http://abc/"),
            (
                "http://u:p@bücher.example:8080/ä?ö",
                "http://xn--bcher-kva.example:8080/%C3%A4?%C3%B6"
            ),
            ("HTTPS://www.bücher.example:443", "https://www.xn--bcher-kva.example/"),
            ("http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"),
        ])
    func `a host outside ASCII gets its ASCII form`(url: String, canonical: String) throws {
        #expect(try Target(url).description == canonical)
    }

    /// What digits of other scripts spell is the address that it looks like, and nothing else.
    @Test(
        .enabled(if: InternationalName.isSupported),
        arguments: [
            ("http://１２７.0.0.1/", "127.0.0.1"), ("http://１２７。０。０。１/", "127.0.0.1"),
            ("http://①②⑦.0.0.1/", "127.0.0.1"),
        ])
    func `digits of other scripts are an address`(url: String, host: String) throws {
        let target = try Target(url)
        #expect(target.hostKind == .ipv4)
        #expect(target.host == host)
    }

    private static let refused: [(String, TargetError)] = [
        ("http://\u{202e}h/", .invalidInternationalHost),
        ("http://bücher%2e/", .percentEncodedHost), ("http://ü..b/", .invalidHost),
        ("http://１２７.1/", .invalidAddress), ("http://0ｘ7f.1/", .invalidAddress),
        ("http://\u{2100}/", .invalidHost), ("http://ü\u{fe6b}b/", .invalidInternationalHost),
        ("http://\u{ad}/", .invalidHost),
        ("http://\(String(repeating: "ü", count: 300))/", .invalidInternationalHost),
        ("http://\(String(repeating: "ü", count: 3_000))/", .invalidInternationalHost),
    ]

    @Test(.enabled(if: InternationalName.isSupported), arguments: refused)
    func `one that has none, or whose form is no host, is refused`(
        url: String, error: TargetError
    ) {
        #expect(throws: error) { try Target(url) }
    }

    @Test(.enabled(if: !InternationalName.isSupported))
    func `without the trait it is refused by name`() {
        #expect(throws: TargetError.internationalHost) { try Target("http://bücher.example/") }
    }
}
