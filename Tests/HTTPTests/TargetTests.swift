// What URLs mean on the wire. One line per URL: the text, then Host field and request target.

import FetchBytes
import FetchHTTP
import Testing

struct TargetTests {
    /// URL, Host field, path and query.
    static let accepted: [(String, String, String)] = [
        ("http://h/", "h", "/"),
        ("http://h", "h", "/"),
        ("http://h?q", "h", "/?q"),
        ("http://h#f", "h", "/"),
        ("http://h?", "h", "/?"),
        ("http://h/?", "h", "/?"),
        ("http://h/#", "h", "/"),
        ("http://example.com/a/b?c=d&e=f#g", "example.com", "/a/b?c=d&e=f"),
        ("HTTP://EXAMPLE.com/A", "example.com", "/A"),
        ("hTTpS://Example.COM/A?B", "example.com", "/A?B"),
        ("http://h:80/", "h", "/"),
        ("https://h:443/", "h", "/"),
        ("http://h:443/", "h:443", "/"),
        ("https://h:80/", "h:80", "/"),
        ("http://h:/", "h", "/"),
        ("http://h:", "h", "/"),
        ("http://h:?q", "h", "/?q"),
        ("http://h:8080", "h:8080", "/"),
        ("http://h:08080/", "h:8080", "/"),
        ("http://h:000080/", "h", "/"),
        ("http://h:1/", "h:1", "/"),
        ("http://h:65535/", "h:65535", "/"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080", "/"),
        ("http://0.0.0.0/", "0.0.0.0", "/"),
        ("http://255.255.255.255/", "255.255.255.255", "/"),
        ("http://1.2.3.4?x", "1.2.3.4", "/?x"),
        ("http://[::1]/", "[::1]", "/"),
        ("http://[::]:8080/x", "[::]:8080", "/x"),
        ("http://[2001:DB8::A]/", "[2001:db8::a]", "/"),
        ("http://[1:2:3:4:5:6:7:8]/", "[1:2:3:4:5:6:7:8]", "/"),
        ("http://[1:2:3:4:5:6:7::]/", "[1:2:3:4:5:6:7::]", "/"),
        ("http://[::2:3:4:5:6:7:8]/", "[::2:3:4:5:6:7:8]", "/"),
        ("http://[::ffff:192.0.2.1]/", "[::ffff:192.0.2.1]", "/"),
        ("http://[1:2:3:4:5:6:192.0.2.1]/", "[1:2:3:4:5:6:192.0.2.1]", "/"),
        ("http://[64:ff9b::192.0.2.33]:81/", "[64:ff9b::192.0.2.33]:81", "/"),
        ("http://[fe80::1%25eth0]/", "[fe80::1]", "/"),
        ("http://[fe80::1%25eth0]:8080/x", "[fe80::1]:8080", "/x"),
        ("http://[FE80::1%25Eth-0.1]/", "[fe80::1]", "/"),
        ("http://[::1]", "[::1]", "/"),
        ("http://[::1]:80", "[::1]", "/"),
        ("http://[::1]?a", "[::1]", "/?a"),
        ("http://example.com./", "example.com", "/"),
        ("http://example.com.:8080/", "example.com:8080", "/"),
        ("http://localhost/", "localhost", "/"),
        ("http://a_b.example/", "a_b.example", "/"),
        ("http://a-b.example/", "a-b.example", "/"),
        ("http://-a.example/", "-a.example", "/"),
        ("http://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
        ("http://1a/", "1a", "/"),
        ("http://1.2.3.4a/", "1.2.3.4a", "/"),
        ("http://1.2.3.4.example/", "1.2.3.4.example", "/"),
        ("http://0x.example/", "0x.example", "/"),
        ("http://0x.example./", "0x.example", "/"),
        ("http://0a.1b./", "0a.1b", "/"),
        ("http://00000example.:81/", "00000example:81", "/"),
        ("http://user@h/", "h", "/"),
        ("http://user:pass@h/", "h", "/"),
        ("http://user:pass@h:81/p", "h:81", "/p"),
        ("http://:@h/", "h", "/"),
        ("http://@h/", "h", "/"),
        ("http://a@b@h/", "h", "/"),
        ("http://user%40x:p%3Aq@h/", "h", "/"),
        ("http://üser@h/", "h", "/"),
        ("http://h/@x", "h", "/@x"),
        ("http://h?@x", "h", "/?@x"),
        ("http://h/a:b", "h", "/a:b"),
        ("http://h//", "h", "//"),
        ("http://h//a//b", "h", "//a//b"),
        ("http://h/.", "h", "/"),
        ("http://h/..", "h", "/"),
        ("http://h/./", "h", "/"),
        ("http://h/../", "h", "/"),
        ("http://h/../..", "h", "/"),
        ("http://h/../../a", "h", "/a"),
        ("http://h/a/.", "h", "/a/"),
        ("http://h/a/..", "h", "/"),
        ("http://h/a/./b", "h", "/a/b"),
        ("http://h/a/../b", "h", "/b"),
        ("http://h/a/b/../../c", "h", "/c"),
        ("http://h/a/b/../c/./d", "h", "/a/c/d"),
        ("http://h/a/b/c/./../../g", "h", "/a/g"),
        ("http://h/a//../b", "h", "/a/b"),
        ("http://h/a/.../b", "h", "/a/.../b"),
        ("http://h/a/.b", "h", "/a/.b"),
        ("http://h/a/..b", "h", "/a/..b"),
        ("http://h/a/b.", "h", "/a/b."),
        ("http://h/a/b..", "h", "/a/b.."),
        ("http://h/.well-known/x", "h", "/.well-known/x"),
        ("http://h/a/%2e%2e/b", "h", "/a/%2e%2e/b"),
        ("http://h/a/%2E/b", "h", "/a/%2E/b"),
        ("http://h/a?b/../c", "h", "/a?b/../c"),
        ("http://h/..?x", "h", "/?x"),
        ("http://h/a/..#x", "h", "/"),
        ("http://h/.?x=.", "h", "/?x=."),
        ("http://h/%41%zz%", "h", "/%41%zz%"),
        ("http://h/100%", "h", "/100%"),
        ("http://h/%e4%BD%a0", "h", "/%e4%BD%a0"),
        ("http://h/ü", "h", "/%C3%BC"),
        ("http://h/你好?名=値", "h", "/%E4%BD%A0%E5%A5%BD?%E5%90%8D=%E5%80%A4"),
        ("http://h/😀", "h", "/%F0%9F%98%80"),
        ("http://h/\"", "h", "/%22"),
        ("http://h/<>", "h", "/%3C%3E"),
        ("http://h/^`{}", "h", "/%5E%60%7B%7D"),
        ("http://h/|", "h", "/|"),
        ("http://h/[]", "h", "/[]"),
        ("http://h/a'b", "h", "/a'b"),
        ("http://h/a\\b", "h", "/a%5Cb"),
        ("http://h/\\..\\", "h", "/%5C..%5C"),
        ("http://h/?a\\b", "h", "/?a%5Cb"),
        ("http://h/?\"<>'", "h", "/?%22%3C%3E%27"),
        ("http://h/?^`{}|[]", "h", "/?^`{}|[]"),
        ("http://h/?a?b", "h", "/?a?b"),
        ("http://h/??", "h", "/??"),
        ("http://h/?a=b+c", "h", "/?a=b+c"),
        ("http://h/?a%20b", "h", "/?a%20b"),
        ("http://h/;p=1,2!$&'()*+=:@~-._", "h", "/;p=1,2!$&'()*+=:@~-._"),
        ("http://h/a#b#c?d", "h", "/a"),
        ("http://h/a#ü\"<>", "h", "/a"),
        ("http://h?a=b#c", "h", "/?a=b"),
        ("http://h/?#", "h", "/?"),
        ("http://a.b.c.d.e.f/", "a.b.c.d.e.f", "/"),
        ("http://H:8080?Q#F", "h:8080", "/?Q"),
        ("https://user:secret@EXAMPLE.com.:0443/a/../b?ü#x", "example.com", "/b?%C3%BC"),
    ]

    static let refused: [(String, TargetError)] = [
        ("", .missingScheme), ("not-a-url", .missingScheme), ("/", .missingScheme),
        ("//h/", .missingScheme), ("h", .missingScheme), ("://h", .missingScheme),
        ("1http://h/", .missingScheme), ("-http://h/", .missingScheme), ("?x", .missingScheme),
        ("www.example.com/path", .missingScheme), ("h/http://x", .missingScheme),
        ("ht\u{0}tp://h/", .forbiddenCharacter), ("é://h/", .missingScheme),
        ("ftp://x", .unsupportedScheme), ("ws://h/", .unsupportedScheme),
        ("file:///etc/passwd", .unsupportedScheme), ("mailto:a@b", .unsupportedScheme),
        ("javascript:alert(1)", .unsupportedScheme), ("httpx://h/", .unsupportedScheme),
        ("http+unix://h/", .unsupportedScheme), ("localhost:8080/", .unsupportedScheme),
        ("data:,x", .unsupportedScheme), ("httpss://h", .unsupportedScheme),
        ("http:", .missingHost), ("http:/", .missingHost), ("http://", .missingHost),
        ("http:///", .missingHost), ("http:///path", .missingHost), ("http://?q", .missingHost),
        ("http://#f", .missingHost), ("http:h", .missingHost), ("http:/h", .missingHost),
        ("http://:80/", .missingHost), ("http://user@/", .missingHost),
        ("http://user@:80/", .missingHost), ("http:\\\\h\\", .missingHost),
        ("https:", .missingHost), ("https://", .missingHost), ("https:/\\h", .missingHost),
        ("http://h /", .forbiddenCharacter), ("http:// h/", .forbiddenCharacter),
        (" http://h/", .forbiddenCharacter), ("http://h/ ", .forbiddenCharacter),
        ("http://h/a b", .forbiddenCharacter), ("http://h/?a b", .forbiddenCharacter),
        ("http://h/#a b", .forbiddenCharacter), ("http://h/\u{0}", .forbiddenCharacter),
        ("http://h\u{0}.evil/", .forbiddenCharacter), ("http://h/\r\n", .forbiddenCharacter),
        ("http://h/\nX: y", .forbiddenCharacter), ("http://h/\t", .forbiddenCharacter),
        ("http://h/?\u{7f}", .forbiddenCharacter), ("http://h/#\u{1}", .forbiddenCharacter),
        ("http://h\t/", .forbiddenCharacter), ("ht tp://h/", .forbiddenCharacter),
        ("http://u ser@h/", .forbiddenCharacter), ("http://h\r\n/", .forbiddenCharacter),
        ("http://a\\b/", .invalidHost), ("http://good\\@evil/", .invalidHost),
        ("http://a..b/", .invalidHost), ("http://.a/", .invalidHost), ("http://./", .invalidHost),
        ("http://../", .invalidHost), ("http://a../", .invalidHost),
        ("http://a!b/", .invalidHost), ("http://a,b/", .invalidHost), ("http://a*b/", .invalidHost),
        ("http://<a>/", .invalidHost), ("http://a|b/", .invalidHost), ("http://a;b/", .invalidHost),
        ("http://a=b/", .invalidHost), ("http://(a)/", .invalidHost), ("http://a^b/", .invalidHost),
        ("http://a]/", .invalidHost), ("http://a~b/", .invalidHost), ("http://$/", .invalidHost),
        ("http://[::1]x/", .invalidHost), ("http://[::1]:80:80/", .invalidPort),
        ("http://a%41/", .percentEncodedHost), ("http://%00/", .percentEncodedHost),
        ("http://a%2eb/", .percentEncodedHost), ("http://ex%61mple.com/", .percentEncodedHost),
        ("http://1/", .invalidAddress), ("http://1.2/", .invalidAddress),
        ("http://1.2.3/", .invalidAddress), ("http://1.2.3.4.5/", .invalidAddress),
        ("http://256.1.1.1/", .invalidAddress), ("http://1.2.3.256/", .invalidAddress),
        ("http://01.2.3.4/", .invalidAddress), ("http://1.2.3.04/", .invalidAddress),
        ("http://127.1/", .invalidAddress), ("http://2130706433/", .invalidAddress),
        ("http://0x7f000001/", .invalidAddress), ("http://0x7F.1/", .invalidAddress),
        ("http://0x/", .invalidAddress), ("http://a.0x1f/", .invalidAddress),
        ("http://0x./", .invalidAddress), ("http://a.0x1f./", .invalidAddress),
        ("http://foo.1/", .invalidAddress), ("http://1.2.3.4./", .invalidAddress),
        ("http://99999999999999999999/", .invalidAddress), ("http://1.2.3.1000/", .invalidAddress),
        ("http://[]/", .invalidAddress), ("http://[:]/", .invalidAddress),
        ("http://[1]/", .invalidAddress), ("http://[::1/", .invalidAddress),
        ("http://[1:2:3:4:5:6:7]/", .invalidAddress),
        ("http://[1:2:3:4:5:6:7:8:9]/", .invalidAddress),
        ("http://[1:2:3:4:5:6:7:8::]/", .invalidAddress), ("http://[::1::]/", .invalidAddress),
        ("http://[1::2::3]/", .invalidAddress), ("http://[:::1]/", .invalidAddress),
        ("http://[12345::]/", .invalidAddress), ("http://[g::1]/", .invalidAddress),
        ("http://[1:]/", .invalidAddress), ("http://[:1]/", .invalidAddress),
        ("http://[::1.2.3]/", .invalidAddress), ("http://[::1.2.3.4.5]/", .invalidAddress),
        ("http://[::256.1.1.1]/", .invalidAddress), ("http://[1.2.3.4]/", .invalidAddress),
        ("http://[1.2.3.4::]/", .invalidAddress), ("http://[::1.2.3.4:5]/", .invalidAddress),
        ("http://[v1.x]/", .invalidAddress), ("http://[::1%eth0]/", .invalidAddress),
        ("http://[::1%25]/", .invalidAddress), ("http://[::1%2]/", .invalidAddress),
        ("http://[::1%25a/b]/", .invalidAddress), ("http://[::1%25a%25b]/", .invalidAddress),
        ("http://[1:2:3:4:5:6:7:1.2.3.4]/", .invalidAddress), ("http://[h]/", .invalidAddress),
        ("http://[::1.2.3.04]/", .invalidAddress), ("http://[/", .invalidAddress),
        ("http://h:0/", .invalidPort), ("http://h:65536/", .invalidPort),
        ("http://h:99999999999999999999/", .invalidPort), ("http://h:-1/", .invalidPort),
        ("http://h:+80/", .invalidPort), ("http://h:8o/", .invalidPort),
        ("http://h:80a/", .invalidPort), ("http://h:a/", .invalidPort),
        ("http://a:b:c/", .invalidPort), ("http://h:80:80/", .invalidPort),
        ("http://::1/", .missingHost), ("http://1:2:3/", .invalidAddress),
        ("http://a:2:3/", .invalidPort),
        ("http://h:0x50/", .invalidPort), ("http://h:00000/", .invalidPort),
        ("http://h:８０/", .invalidPort), ("http://[::1]:x/", .invalidPort),
    ]

    @Test(arguments: accepted)
    func `an accepted URL names its host and target`(_ row: (String, String, String)) throws {
        let target = try Target(row.0)
        #expect(target.hostField == row.1)
        #expect(target.pathAndQuery == row.2)
        let buffer = ByteBuffer(capacity: 16)
        target.appendPathAndQuery(to: buffer)
        #expect(buffer.readableCount == target.pathAndQueryCount)
        #expect(String(buffer.takeBytes(buffer.readableCount)) == row.2)
    }

    @Test(arguments: accepted)
    func `what an accepted URL prints is the same target again`(
        _ row: (String, String, String)
    ) throws {
        let target = try Target(row.0)
        let again = try Target(target.description)
        #expect(again.description == target.description)
        #expect(again == target)
        #expect(again.isSameOrigin(as: target))
        #expect(again.originHash == target.originHash)
        #expect(!target.description.contains("#"))
    }

    @Test(arguments: refused)
    func `a refused URL says what is wrong with it`(_ row: (String, TargetError)) {
        #expect(throws: row.1) { try Target(row.0) }
    }

    @Test func `there are more than a hundred and fifty rows`() {
        #expect(Self.accepted.count + Self.refused.count > 200)
    }

    @Test(
        arguments: [
            ("http://h/", false, 80), ("https://h/", true, 443), ("https://h:8443/", true, 8443),
            ("http://h:65535/", false, 65535), ("HTTPS://h:080", true, 80),
        ] as [(String, Bool, UInt16)])
    func `scheme and port are known`(_ row: (String, Bool, UInt16)) throws {
        let target = try Target(row.0)
        #expect(target.isSecure == row.1)
        #expect(target.port == row.2)
    }

    @Test(arguments: [
        ("http://Example.com./", "example.com", Target.HostKind.name, nil as String?, true),
        ("http://1.2.3.4:5/", "1.2.3.4", .ipv4, nil, false),
        ("http://[FE80::1%25Eth0]:5/", "fe80::1", .ipv6, "Eth0", false),
        ("http://[::1]/", "::1", .ipv6, nil, false),
    ])
    func `the host is bare and its kind is known`(
        _ row: (String, String, Target.HostKind, String?, Bool)
    ) throws {
        let target = try Target(row.0)
        #expect(target.host == row.1)
        #expect(target.hostKind == row.2)
        #expect(target.zone == row.3)
        #expect(target.isAbsoluteName == row.4)
    }

    @Test func `user information is never printed`() throws {
        let target = try Target("http://alice:secret@h/x")
        #expect(target.description == "http://h/x")
        #expect(!"\(target)".contains("secret"))
        #expect(!String(reflecting: target).contains("secret"))
        #expect(!"\(TargetError.invalidHost)".contains("secret"))
    }

    @Test func `an empty path is remembered`() throws {
        #expect(try Target("http://h").hadEmptyPath)
        #expect(try Target("http://H:80?x").hadEmptyPath)
        #expect(try !Target("http://h/").hadEmptyPath)
        #expect(try !Target("http://h/..").hadEmptyPath)
        #expect(try Target("http://h?x").hasQuery)
        #expect(try !Target("http://h/#?x").hasQuery)
    }

    @Test func `origins differ in scheme, host, port, zone and trailing dot`() throws {
        let all = [
            "http://h/", "https://h/", "http://h:81/", "https://h:80/", "http://i/",
            "http://h./", "http://[::1]/", "http://[::2]/", "http://[::1%25a]/",
            "http://[::1%25b]/", "http://127.0.0.1/", "http://hh/", "http://127.0.0.1.example/",
        ]
        let targets = try all.map { try Target($0) }
        for one in targets.indices {
            for other in targets.indices {
                #expect(targets[one].isSameOrigin(as: targets[other]) == (one == other))
            }
        }
        #expect(Set(targets.map(\.originHash)).count == targets.count)
        let same = try ["http://h/a", "HTTP://H:80/b?c", "http://u:p@h#f", "http://h"]
            .map { try Target($0) }
        for target in same { #expect(target.isSameOrigin(as: same[0])) }
    }

    @Test func `a host has labels of 63 and 253 bytes in all`() throws {
        let label = String(repeating: "a", count: 63)
        _ = try Target("http://\(label)/")
        #expect(throws: TargetError.invalidHost) { try Target("http://\(label)a/") }
        #expect(throws: TargetError.invalidHost) { try Target("http://\(label)a.b/") }
        let most = "\(label).\(label).\(label).\(String(repeating: "b", count: 61))"
        #expect(most.utf8.count == 253)
        _ = try Target("http://\(most)/")
        _ = try Target("http://\(most)./")
        #expect(throws: TargetError.invalidHost) { try Target("http://\(most)b/") }
    }

    @Test func `a URL has at most 64 KiB`() throws {
        let most = "http://h/" + String(repeating: "a", count: Target.mostBytes - 9)
        #expect(try Target(most).pathAndQueryCount == Target.mostBytes - 8)
        #expect(throws: TargetError.tooLong) { try Target(most + "a") }
        let wide = "http://h/" + String(repeating: "\u{7ff}", count: (Target.mostBytes - 9) / 2)
        #expect(try Target(wide).pathAndQueryCount == 1 + (Target.mostBytes - 9) / 2 * 6)
    }
}
