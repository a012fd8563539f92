// Which requests are one, and which answers may be shared: COAL-04. Pure.

import FetchBytes
import FetchHTTP
import FetchPolicy
import Testing

struct CoalescingRulesTests {
    private func digest(
        _ url: String, _ fields: [(String, String)] = [], method: Method = .get,
        _ rules: CoalescingRules = CoalescingRules(), key: DigestKey = DigestKey(1, 2)
    ) throws -> Digest {
        rules.digest(method, try Target(url), try Headers(fields), key: key)
    }

    /// Received fields, made the way the parser makes them.
    private func received(_ fields: [(String, String)]) -> FieldSection {
        var bytes: [UInt8] = []
        var words: [UInt64] = []
        for (name, value) in fields {
            for text in [name, value] {
                words.append(PackedStorage.pack(bytes.count..<bytes.count + text.utf8.count))
                bytes += Array(text.utf8)
            }
        }
        return FieldSection(
            storage: PackedStorage.joining(words.span, bytes.span), count: fields.count)
    }

    @Test func `the same request has the same digest, whatever is not part of it`() throws {
        let one = try digest("http://a.test/x?y=1")
        #expect(try digest("http://a.test/x?y=1") == one)
        #expect(try digest("HTTP://A.test:80/x?y=1#part") == one)
        #expect(try digest("http://a.test/x?y=1", [("traceparent", "00-1")]) == one)
        let root = try digest("http://a.test")
        #expect(try digest("http://a.test/") == root)
    }

    @Test func `what differs in method, target or key has another digest`() throws {
        let all = [
            try digest("http://a.test/x"), try digest("http://a.test/y"),
            try digest("http://a.test/x?"), try digest("http://a.test/"),
            try digest("http://a.test/?x"),
            try digest("http://a.test/x", method: .head),
            try digest("http://a.test/x", [("Accept", "text/html")]),
            try digest("http://a.test/x", [("Accept", "text/html")], key: DigestKey(1, 3)),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test(arguments: [
        "Accept", "Accept-Language", "Range", "Authorization", "Cookie", "If-None-Match",
        "X-API-Key", "Cache-Control",
    ])
    func `callers who differ in a field that may matter ask apart`(name: String) throws {
        let alice = try digest("http://a.test/", [(name, "alice")])
        #expect(try digest("http://a.test/", [(name, "bob")]) != alice)
        #expect(try digest("http://a.test/") != alice)
        #expect(try digest("http://a.test/", [(name.uppercased(), "alice")]) == alice)
    }

    @Test func `fields run into one another in no digest`() throws {
        let one = try digest("http://a.test/", [("A", "bc"), ("D", "")])
        #expect(try digest("http://a.test/", [("A", "b"), ("Cd", "")]) != one)
        #expect(try digest("http://a.test/", [("A", "bcD"), ("E", "")]) != one)
    }

    @Test func `the user says which fields matter`() throws {
        let known = CoalescingRules(key: .knownFields(and: ["X-Tenant"]))
        let plain = try digest("http://a.test/", [], known)
        #expect(try digest("http://a.test/", [("X-Other", "1")], known) == plain)
        for name in ["X-Tenant", "Authorization", "Accept-Encoding", "Range", "Pragma"] {
            #expect(try digest("http://a.test/", [(name, "1")], known) != plain)
        }
        let but = CoalescingRules(key: .everyField(but: ["X-Nonce"]))
        #expect(
            try digest("http://a.test/", [("x-nonce", "1")], but)
                == digest("http://a.test/", [], but))
        let url = CoalescingRules(key: .urlOnly)
        #expect(
            try digest("http://a.test/", [("Authorization", "bob")], url)
                == digest("http://a.test/", [], url))
    }

    @Test func `no-store, Set-Cookie, long bodies and unknown variations are not shared`() {
        let rules = CoalescingRules()
        func may(_ fields: [(String, String)], length: Int64? = 10) -> Bool {
            rules.mayShare(received(fields), contentLength: length)
        }
        #expect(may([]))
        #expect(may([("Cache-Control", "max-age=60, private"), ("Vary", "Accept, X-Mine")]))
        #expect(may([], length: nil))
        #expect(may([], length: 1 << 20))
        #expect(!may([], length: 1 << 20 + 1))
        #expect(!may([], length: .max))
        #expect(!may([("set-cookie", "a=1")]))
        #expect(!may([("Cache-Control", "private , No-Store")]))
        #expect(!may([("Cache-Control", "max-age=1"), ("cache-control", "no-store=\"x\"")]))
        #expect(!may([("Vary", "*")]))
        #expect(!may([("Vary", "Accept, traceparent")]))
        let known = CoalescingRules(key: .knownFields(and: []))
        #expect(!known.mayShare(received([("Vary", "X-Mine")]), contentLength: 1))
        #expect(known.mayShare(received([("Vary", "Accept-Language,")]), contentLength: 1))
        let url = CoalescingRules(key: .urlOnly)
        #expect(url.mayShare(received([("Vary", "*")]), contentLength: 1))
        #expect(!url.mayShare(received([("Set-Cookie", "a=1")]), contentLength: 1))
    }

    /// The algorithm's own vectors: key 00…0f, input 00, 01, …
    @Test(arguments: [
        (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
        (8, "3b62a9ba6258f5610f83e264f31497b4"), (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
        (63, "5150d1772f50834a503e069a973fbd7c"),
    ])
    func `the digest is SipHash-2-4 of 128 bits`(_ vector: (Int, String)) {
        var digest = KeyedDigest(DigestKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        for byte in 0..<vector.0 { digest.append(UInt8(byte)) }
        let found = digest.finish()
        let hex = [found.low, found.high].flatMap { word in
            (0..<8).map { index in
                let byte = UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))
                return (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        #expect(hex.joined() == vector.1)
    }
}
