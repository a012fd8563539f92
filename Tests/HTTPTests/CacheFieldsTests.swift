// The fields that caches read, row by row, and bytes that are none of them.

import FetchBytes
import FetchHTTP
import Testing

struct CacheFieldsTests {
    private func section(_ lines: [(String, String)]) -> FieldSection {
        var builder = FieldSectionBuilder()
        for (name, value) in lines { builder.append(name, value) }
        return builder.build()
    }

    private func control(_ values: String...) -> ResponseCacheControl {
        ResponseCacheControl(section(values.map { ("Cache-Control", $0) }))
    }

    @Test func `a response's directives are read together`() {
        let all = control(
            "max-age=1, s-maxage=2, no-cache, no-store, private, public, must-revalidate",
            "proxy-revalidate, must-understand, immutable, no-transform",
            "stale-while-revalidate=3, stale-if-error=4")
        #expect(all.maxAge == 1 && all.sMaxAge == 2)
        #expect(all.staleWhileRevalidate == 3 && all.staleIfError == 4)
        for directive in [
            ResponseCacheControl.Directives.noCache, .noStore, .isPrivate, .isPublic,
            .mustRevalidate, .proxyRevalidate, .mustUnderstand, .immutable, .noTransform,
        ] {
            #expect(all.has(directive))
        }
        #expect(control("") == ResponseCacheControl())
    }

    @Test(
        arguments: [
            ("no-cache=\"a\"", ["a"], false), ("no-cache=\"A, b-c\"", ["a", "b-c"], false),
            ("no-cache=a", ["a"], false), ("no-cache", [], true), ("no-cache=", [], true),
            ("no-cache=\"\"", [], true), ("no-cache=\"a b\"", [], true),
            ("no-cache=\"a\", no-cache", ["a"], true), ("no-cache=\"a", [], true),
            ("no-cache=\"a\", no-cache=\"b\"", ["a", "b"], false),
        ] as [(String, [String], Bool)])
    func `no-cache names fields or means everything`(_ row: (String, [String], Bool)) {
        #expect(control(row.0).noCacheFields == row.1)
        #expect(control(row.0).has(.noCache) == row.2)
    }

    @Test(arguments: ["public=1;", "immutable x", "must-understand;", "publicx", "\"public\""])
    func `what is malformed permits nothing`(_ value: String) {
        #expect(control(value) == ResponseCacheControl())
    }

    @Test func `a request's directives are read together`() throws {
        let headers = try Headers([
            ("cache-control", "max-age=1, max-stale, min-fresh=2"),
            ("Cache-Control", "no-cache, no-store, only-if-cached, stale-if-error=3"),
        ])
        let control = RequestCacheControl(headers)
        #expect(control.maxAge == 1 && control.maxStale == .any && control.minFresh == 2)
        #expect(control.noCache && control.noStore && control.onlyIfCached)
        #expect(control.staleIfError == 3 && !control.isIndifferent)
        #expect(RequestCacheControl(try Headers([("A", "b")])).isIndifferent)
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("2147483648", 2_147_483_648), ("2147483649", 2_147_483_648),
            ("99999999999999999999999", 2_147_483_648), ("007", 7), ("", nil), ("-1", nil),
            ("+1", nil), ("1.0", nil), ("1 ", nil), ("x", nil),
        ] as [(String, Int64?)]) func `§1.2.2 seconds saturate`(_ row: (String, Int64?))
    {
        #expect(DeltaSeconds.parse(row.0.utf8.span) == row.1)
    }

    // MARK: Tags

    @Test(arguments: [
        ("\"a\"", "a", false), ("W/\"a\"", "a", true), ("\"\"", "", false), ("a", "a", true),
        ("\"a,b\\\"", "a,b\\", false),
    ]) func `an entity tag is strong, weak, or without quotes`(_ row: (String, String, Bool)) {
        let tag = EntityTag(Bytes(row.0))
        #expect(tag.map { String($0.opaque) } == row.1)
        #expect(tag?.isWeak == row.2)
        #expect(tag.map { String($0.field) } == row.0)
    }

    @Test(arguments: ["", "\"", "\"a", "a\"", "w/\"a\"", "W/a", "\"a\" ", "\"a b\"", "*", "a, b"])
    func `what is no tag is none`(_ text: String) {
        #expect(EntityTag(Bytes(text)) == nil)
    }

    @Test(arguments: [
        ("\"1\"", "\"1\"", true, true), ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "\"1\"", false, true), ("\"1\"", "\"2\"", false, false),
        ("W/\"1\"", "W/\"2\"", false, false), ("\"a\"", "\"A\"", false, false),
    ]) func `RFC 9110 §8.8.3.2 tags are compared weakly or strongly`(
        _ row: (String, String, Bool, Bool)
    ) throws {
        let one = try #require(EntityTag(Bytes(row.0)))
        let other = try #require(EntityTag(Bytes(row.1)))
        #expect(one.matchesStrongly(other) == row.2)
        #expect(one.matchesWeakly(other) == row.3)
        #expect(other.matchesStrongly(one) == row.2)
    }

    // MARK: Ranges

    @Test(
        arguments: [
            ("bytes=0-4", 0..<5), ("bytes=5-", 5..<10), ("bytes=-3", 7..<10),
            ("bytes=0-99", 0..<10),
            ("bytes= 1-2 ", 1..<3), ("Bytes=1-1", 1..<2), ("bytes=-99", 0..<10), ("bytes=10-", nil),
            ("bytes=-0", nil), ("bytes=2-1", nil), ("bytes=-", nil), ("bytes=", nil), ("", nil),
            ("bytes=1-2,3-4", nil), ("bytes=1", nil), ("byte=1-2", nil), ("bytes 1-2", nil),
            ("bytes=1--2", nil), ("bytes=0-999999999999999999999", nil),
        ] as [(String, Range<Int>?)]) func `RFC 9110 §14.2 a range of ten bytes`(
            _ row: (String, Range<Int>?)
        )
    {
        #expect(RangeRequest(row.0.utf8.span).resolved(length: 10) == row.1)
        #expect(RangeRequest(row.0.utf8.span).resolved(length: 0) == nil)
    }

    @Test(
        arguments: [
            ("bytes 0-4/10", ContentRange(range: 0..<5, length: 10)),
            ("bytes 0-4/*", ContentRange(range: 0..<5, length: nil)),
            ("BYTES 9-9/10", ContentRange(range: 9..<10, length: 10)), ("bytes */10", nil),
            ("bytes 0-10/10", nil), ("bytes 4-0/10", nil), ("bytes 0-4", nil), ("rows 0-4/10", nil),
            ("bytes=0-4/10", nil), ("bytes 0-4/10 ", nil), ("bytes -4/10", nil), ("", nil),
            ("bytes 0-4/99999999999999999999", nil),
        ] as [(String, ContentRange?)]) func `RFC 9110 §14.4 what was sent`(
            _ row: (String, ContentRange?)
        )
    {
        #expect(ContentRange(row.0.utf8.span) == row.1)
    }

    @Test func `a content range is written as it is read`() {
        let range = ContentRange(range: 0..<5, length: 10)
        #expect(range.text == "bytes 0-4/10")
        #expect(ContentRange(range.text.utf8.span) == range)
    }

    // MARK: Dates, references, keys

    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] as [(Int64, String)]) func `dates are written in the one form`(_ row: (Int64, String))
    {
        #expect(HTTPDate.text(row.0) == row.1)
    }

    @Test func `every date that is written is read back`() {
        for day in stride(from: Int64(-719_528), through: 2_932_896, by: 97) {
            let seconds = day * 86_400 + 45_296
            let text = HTTPDate.text(seconds)
            #expect(HTTPDate.seconds(text.utf8.span, now: 0) == seconds, "\(text)")
        }
    }

    @Test(
        arguments: [
            ("/x", "http://h/x"), ("x", "http://h/a/x"), ("../x", "http://h/x"),
            ("?x", "http://h/a/b?x"),
            ("", "http://h/a/b?q"), ("#x", "http://h/a/b?q"), ("//i/x", "http://i/x"),
            ("https://i", "https://i/"), ("./", "http://h/a/"), (".", "http://h/a/"),
            ("x?y#z", "http://h/a/x?y"),
            ("../../../x", "http://h/x"), ("/x y", nil), ("ftp://i/", nil), ("http://", nil),
        ] as [(String, String?)]) func `RFC 3986 §5.2 a reference is resolved`(
            _ row: (String, String?)
        ) throws
    {
        let base = try Target("http://h/a/b?q")
        #expect((try? base.resolving(row.0))?.description == row.1)
    }

    @Test func `a reference against an empty path`() throws {
        let base = try Target("http://h")
        #expect(try base.resolving("x").description == "http://h/x")
        #expect(try base.resolving("?x").description == "http://h/?x")
    }

    @Test func `a resource's hash and comparison are those of its text`() throws {
        let urls = [
            "http://h", "http://h/", "http://h/?", "http://h?x", "http://h/?x", "http://h/a",
            "http://h/ab", "http://h/abcdefg", "http://h/abcdefgh", "http://h/abcdefghi#x",
            "http://h/abcdefghi", "https://h/a", "http://h:81/a", "http://hh/a",
            "http://[::1]/a/b", "http://h/aaaaaaaaaaaaaaaaaaaaaaaab",
            "http://h/aaaaaaaaaaaaaaaaaaaaaaaac",
        ].map { ($0, try? Target($0)) }
        for (_, one) in urls {
            for (_, other) in urls {
                let one = try #require(one)
                let other = try #require(other)
                let isSame = one.resourceText == other.resourceText
                #expect(one.isResource(other.resourceText.utf8.span) == isSame)
                #expect((one.resourceHash == other.resourceHash) == isSame)
            }
        }
    }

    @Test func `a request's caching fields are noticed in every case and way`() throws {
        var headers = try Headers([("cOOkie", "a"), ("X", "y"), ("if-NONE-match", "*")])
        #expect(headers.cachingFields == [.cookie, .ifNoneMatch])
        headers.remove("Cookie")
        #expect(headers.cachingFields == [.ifNoneMatch])
        try headers.set("If-None-Match", "x")
        try headers.append("Range", "bytes=0-1")
        #expect(headers.cachingFields == [.ifNoneMatch, .range])
        #expect(Headers().cachingFields.isEmpty)
        #expect(headers.firstIndex(ofName: "range".utf8.span) == 2)
        #expect(headers.firstIndex(ofName: "range".utf8.span, from: 3) == nil)
    }

    // MARK: Anything

    @Test func `no bytes of a peer trap a reader, and none costs more than its length`() {
        var state: UInt64 = 20_261_121
        func chance(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % below
        }
        let pieces = [
            "\"", "\\", ",", "=", " ", "max-age", "no-cache", "private", "9", "99999999999", "-",
            "/",
            "*", "W/", "bytes", "Thu, 01 Jan 1970", ";", "\u{e9}", "a", "max-stale=", "\t",
        ]
        for _ in 0..<20_000 {
            let text = (0..<chance(12)).map { _ in pieces[chance(pieces.count)] }.joined()
            let names = ["Cache-Control", "Age", "Vary", "ETag", "Content-Range", "Date"]
            let fields = section(names.map { ($0, text) })
            _ = ResponseCacheControl(fields)
            _ = DeltaSeconds.age(fields)
            _ = VaryField(fields)
            _ = EntityTag(of: fields)
            _ = ContentRange(of: fields)
            _ = RangeRequest(text.utf8.span)
            _ = HTTPDate.seconds(text.utf8.span, now: 0)
        }
        // A quote that never closes is looked for once.
        let quotes = String(repeating: "\"\\", count: 30_000)
        #expect(control(quotes + ", no-store").has(.noStore))
    }
}
