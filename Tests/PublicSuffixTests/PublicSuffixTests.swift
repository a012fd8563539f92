// The registrable domain of hosts (RATE-11): by the list in a build with the trait, none without.

import FetchPublicSuffix
import Testing

struct PublicSuffixTests {
    /// Hosts and their registrable domains. Rules of the list that have stood for many years, and
    /// two that anybody may look up: the exception `!www.ck` of `*.ck`.
    static let rows: [(String, String?)] = [
        ("example.com", "example.com"),
        ("www.example.com", "example.com"),
        ("a.b.c.example.co.uk", "example.co.uk"),
        ("a.b.example.uk.com", "example.uk.com"),
        ("www.ck", "www.ck"),
        ("a.b.ck", "a.b.ck"),
        ("x.a.b.ck", "a.b.ck"),
        // What a company has entered for its customers.
        ("a.someone.github.io", "someone.github.io"),
        // Not on the list: one label is the suffix.
        ("a7.example.test", "example.test"),
        ("host.lan", "host.lan"),
        ("deep.host.lan", "host.lan"),
        // Case, and the dot of an absolute name.
        ("WWW.Example.COM.", "example.com"),
        ("xn--bcher-kva.example.com", "example.com"),
        ("www.xn--85x722f.com.cn", "xn--85x722f.com.cn"),
        // Suffixes and single labels.
        ("com", nil), ("co.uk", nil), ("github.io", nil), ("b.ck", nil), ("localhost", nil),
        ("test", nil),
        // Addresses, and what can only be one.
        ("127.0.0.1", nil), ("::1", nil), ("[::1]", nil), ("fe80::1%eth0", nil), ("1.2.3", nil),
        ("example.1", nil),
        // No names at all.
        ("", nil), (".", nil), ("..", nil), (".com", nil), ("a..com", nil), (".example.com", nil),
        ("example.com..", nil), ("a b.com", nil), ("ex\0ample.com", nil), ("bücher.example", nil),
        (String(repeating: "a.", count: 127) + "com", nil),
    ]

    @Test(arguments: rows)
    func `the registrable domain of a host`(host: String, domain: String?) {
        #expect(
            PublicSuffix.registrableDomain(of: host) == (PublicSuffix.isSupported ? domain : nil))
    }

    @Test func `a hundred sub-domains share one domain`() {
        let hosts = (1...100).map { "a\($0).example.test" }
        let domains = Set(hosts.map { PublicSuffix.registrableDomain(of: $0) })
        #expect(domains == [PublicSuffix.isSupported ? "example.test" : nil])
    }
}
