// Host names, the hosts file and resolv.conf: their grammars, by rows.

import FetchTransport
import Testing

@Suite struct HostNameTests {
    @Test(arguments: [
        "a", "example.com", "a-b.c_d", "xn--bcher-kva.example", "1.2.3.example", "0x7f.example",
        "3com", "x0", String(repeating: "a", count: 63) + ".test",
        Array(repeating: "abcdefg", count: 31).joined(separator: ".") + ".ab",
    ])
    func `a host name can be asked for`(name: String) {
        #expect(HostName.isValid(name))
    }

    /// What some systems take for an address is no name here, or a policy could be led around.
    @Test(arguments: [
        "", ".", "a..b", ".a", "a.", "a b", "a\u{0}", "bücher", "a:b", "127.1", "127.0.0.1", "1",
        "0x7f.1", "0x7f000001", "0x", "example.0x1F", "017700000001", "a.0",
        String(repeating: "a", count: 64),
        Array(repeating: "abcdefg", count: 31).joined(separator: ".") + ".abcdef",
    ])
    func `anything else can't`(name: String) {
        #expect(!HostName.isValid(name))
    }
}

@Suite struct HostsFileTests {
    private func hosts(_ text: String) -> HostsFile { HostsFile(parsing: Array(text.utf8)) }

    private func addresses(_ text: String, _ name: String) -> [String]? {
        hosts(text).addresses(of: name)?.map { SocketAddress($0, port: 0).hostText }
    }

    @Test(arguments: [
        ("10.0.0.1 a", "a", ["10.0.0.1"]),
        ("10.0.0.1\ta\tb  c", "c", ["10.0.0.1"]),
        ("  10.0.0.1 a", "a", ["10.0.0.1"]),
        ("10.0.0.1 a # 10.0.0.2 a", "a", ["10.0.0.1"]),
        ("10.0.0.1 a#b", "a", ["10.0.0.1"]),
        ("10.0.0.1 A.Example.", "a.example", ["10.0.0.1"]),
        ("10.0.0.1 a\r\n10.0.0.2 b\r\n", "b", ["10.0.0.2"]),
        ("10.0.0.1 a\n::2 a\n10.0.0.3 a", "a", ["10.0.0.1", "::2", "10.0.0.3"]),
        ("10.0.0.1 a\n10.0.0.1 a", "a", ["10.0.0.1"]),
        ("nonsense a\n10.0.0.1 a", "a", ["10.0.0.1"]),
        ("\n\n#\n10.0.0.1\n10.0.0.2 a", "a", ["10.0.0.2"]),
        ("10.0.0.1 a..b a", "a", ["10.0.0.1"]),
    ])
    func `a line gives its address to each of its names`(
        text: String, name: String, expected: [String]
    ) {
        #expect(addresses(text, name) == expected)
    }

    @Test(arguments: ["", "#10.0.0.1 a", "10.0.0.1 b", "127.1 a", "10.0.0.1", "a 10.0.0.1"])
    func `what is no entry gives nothing`(text: String) {
        #expect(addresses(text, "a") == nil)
    }

    @Test func `bytes that are no text are no names`() {
        let bytes: [UInt8] = Array("10.0.0.1 ".utf8) + [0xFF, 0xFE, 0x20] + Array("a\n".utf8) + [0]
        #expect(HostsFile(parsing: bytes).count == 1)
    }
}

@Suite struct ResolvConfTests {
    private func parse(
        _ text: String, hostName: String = "", localDomain: String? = nil, options: String? = nil
    ) -> ResolvConf {
        ResolvConf(
            parsing: Array(text.utf8), hostName: hostName, localDomain: localDomain,
            options: options)
    }

    @Test func `servers are kept in order, and what is no address is skipped`() {
        let conf = parse(
            """
            # a comment
            ; another
            nameserver 10.0.0.1
            nameserver ::1
            nameserver nonsense
            nameserver
            \tnameserver 10.0.0.3
            """)
        #expect(conf.servers.map { "\($0)" } == ["10.0.0.1:53", "[::1]:53", "10.0.0.3:53"])
    }

    @Test func `no more servers and domains are used than there is room for`() {
        let servers = (1...20).map { "nameserver 10.0.0.\($0)\n" }.joined()
        let domains = "search " + (1...40).map { "d\($0).test" }.joined(separator: " ")
        let conf = parse(servers + domains)
        #expect(conf.servers.count == ResolvConf.mostServers)
        #expect(conf.search.count == ResolvConf.mostDomains)
    }

    @Test(arguments: [
        ("search a.test b.test", ["a.test", "b.test"]),
        ("domain a.test b.test", ["a.test"]),
        ("domain a.test\nsearch b.test c.test", ["b.test", "c.test"]),
        ("search b.test c.test\ndomain a.test", ["a.test"]),
        ("search A.Test. .", ["a.test"]),
        ("search .", []),
        ("", ["home.test"]),
    ])
    func `the last of search and domain counts, the host's own domain without either`(
        text: String, domains: [String]
    ) {
        #expect(parse(text, hostName: "box.home.test").search == domains)
    }

    @Test(arguments: [
        ("options ndots:2", 2), ("options ndots:99", 15), ("options ndots:-3", 0),
        ("options ndots:x", 1), ("options ndots", 1), ("", 1),
        ("options rotate ndots:3 timeout:1", 3), ("options ndots:2\noptions ndots:4", 4),
    ])
    func `ndots is read, and capped`(text: String, ndots: Int) {
        #expect(parse(text).ndots == ndots)
    }

    @Test func `the other options are read, and capped`() {
        let conf = parse("options timeout:99 attempts:9 rotate edns0 use-vc inet6 trust-ad")
        #expect(conf.timeoutSeconds == 30)
        #expect(conf.attempts == 5)
        #expect(conf.rotate && conf.edns && conf.usesTCP)
        #expect(parse("options timeout:0 attempts:0").timeoutSeconds == 1)
        #expect(parse("").timeoutSeconds == nil)
    }

    @Test func `the environment overrules the file`() {
        let conf = parse(
            "search a.test\noptions ndots:2", localDomain: "b.test c.test", options: "ndots:4")
        #expect(conf.search == ["b.test", "c.test"])
        #expect(conf.ndots == 4)
    }

    @Test(arguments: [
        ("db", false, ["db.a.test", "db.b.test", "db"]),
        ("db.x", false, ["db.x", "db.x.a.test", "db.x.b.test"]),
        ("db", true, ["db"]),
        ("db.x", true, ["db.x"]),
    ])
    func `names with ndots dots are tried as they stand first`(
        name: String, isAbsolute: Bool, expected: [String]
    ) {
        let conf = parse("search a.test b.test")
        #expect(conf.candidates(for: name, isAbsolute: isAbsolute) == expected)
    }

    @Test func `a candidate that would be too long is left out`() {
        let conf = parse("search " + Array(repeating: "abcdefg", count: 30).joined(separator: "."))
        let long = String(repeating: "a", count: 60)
        #expect(conf.candidates(for: long, isAbsolute: false) == [long])
    }

    @Test func `ndots of zero and many`() {
        #expect(
            parse("search a.test\noptions ndots:0").candidates(for: "db", isAbsolute: false)
                == ["db", "db.a.test"])
        #expect(
            parse("search a.test\noptions ndots:3").candidates(for: "a.b.c", isAbsolute: false)
                == ["a.b.c.a.test", "a.b.c"])
    }
}
