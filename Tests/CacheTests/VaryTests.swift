// Which requests a stored response answers: RFC 9111 sections 2 and 4.1, and this cache's
// partitions.

import FetchBytes
import FetchCache
import FetchHTTP
import Testing

struct VaryTests {
    @Test(arguments: selections) func `a response answers requests that say the same`(
        _ row: ReuseRow
    ) { row.check() }

    @Test(arguments: sameness) func `values are the same where their definition says so`(
        _ row: ReuseRow
    ) { row.check() }

    /// All with max-age=60.
    private static let selections = ReuseRow.table(
        """
        §4.1 the same value / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 / asks Foo: 1 => hit
        §4.1 another value / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 / asks Foo: 2 => forward
        §4.1 absent in both / cc max-age=60 | Vary: Foo / 1 => hit
        §4.1 absent in the first / cc max-age=60 | Vary: Foo / 1 / asks Foo: 1 => forward
        §4.1 absent in the second / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 => forward
        §4.1 empty is not absent / cc max-age=60 | Vary: Foo / 1 / first Foo: / asks X: y => forward
        §4.1 names have no case / cc max-age=60 | Vary: fOO / 1 / first Foo: 1 / asks foo: 2 => \
        forward
        §4.1 names have no case, the same / cc max-age=60 | Vary: fOO / 1 / first Foo: 1 / asks \
        foo: 1 => hit
        §4.1 two names, both the same / cc max-age=60 | Vary: Foo, Bar / 1 / first Foo: 1 | Bar: \
        2 / asks Bar: 2 | Foo: 1 => hit
        §4.1 two names, one not / cc max-age=60 | Vary: Foo, Bar / 1 / first Foo: 1 | Bar: 2 / \
        asks Foo: 1 | Bar: 3 => forward
        §4.1 two lines / cc max-age=60 | Vary: Foo | Vary: Bar / 1 / first Foo: 1 | Bar: 2 / asks \
        Foo: 1 | Bar: 3 => forward
        §4.1 a name twice / cc max-age=60 | Vary: Foo, foo / 1 / first Foo: 1 / asks Foo: 1 => hit
        §4.1 other fields are no matter / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 | Bar: 1 / \
        asks Foo: 1 | Bar: 2 => hit
        §4.1 no Vary / cc max-age=60 / 1 / first Foo: 1 / asks Foo: 2 => hit
        §4.1 an empty Vary / cc max-age=60 | Vary: / 1 / first Foo: 1 / asks Foo: 2 => hit
        §4.1 another variant is asked after by its tag / cc max-age=60 | Vary: Foo | etag / 1 / \
        first Foo: 1 / asks Foo: 2 => validate
        §4.1 a longer value / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 / asks Foo: 11 => forward
        §4.1 a value in two fields is not in one / cc max-age=60 | Vary: Foo, Bar / 1 / first \
        Foo: 1 / asks Bar: 1 => forward
        §4.1 only-if-cached with another variant / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 / \
        asks Foo: 2 | cc only-if-cached => refuse
        §4.1 HEAD selects, too / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 / method HEAD / \
        asks Foo: 1 => head
        §4.1 HEAD of another variant / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 / method HEAD \
        / asks Foo: 2 => forward
        """)

    private static let sameness = ReuseRow.table(
        """
        §4.1 blanks around commas / cc max-age=60 | Vary: Foo / 1 / first Foo: 1,2 / asks Foo: 1 \
        , 2 => hit
        §4.1 empty members / cc max-age=60 | Vary: Foo / 1 / first Foo: 1,,2 / asks Foo: 1, 2 => hit
        §4.1 lines are combined / cc max-age=60 | Vary: Foo / 1 / first Foo: 1, 2 / asks Foo: 1 | \
        Foo: 2 => hit
        §4.1 lines are combined, both ways / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 | Foo: \
        2 / asks Foo: 1,2 => hit
        §4.1 lines in another order / cc max-age=60 | Vary: Foo / 1 / first Foo: 1 | Foo: 2 / \
        asks Foo: 2 | Foo: 1 => forward
        §4.1 order matters by default / cc max-age=60 | Vary: Foo / 1 / first Foo: 1, 2 / asks \
        Foo: 2, 1 => forward
        §4.1 case matters by default / cc max-age=60 | Vary: Foo / 1 / first Foo: a / asks Foo: A \
        => forward
        §4.1 blanks inside members matter / cc max-age=60 | Vary: Foo / 1 / first Foo: a b / asks \
        Foo: ab => forward
        §4.1 a comma in quotes separates nothing / cc max-age=60 | Vary: Foo / 1 / first Foo: \
        "a,b" / asks Foo: "a, b" => forward
        RFC 9110 §12.5.3 codings in another order / cc max-age=60 | Vary: Accept-Encoding / 1 / \
        first Accept-Encoding: gzip, br / asks Accept-Encoding: br,gzip => hit
        RFC 9110 §12.5.3 codings have no case / cc max-age=60 | Vary: Accept-Encoding / 1 / first \
        Accept-Encoding: gzip / asks Accept-Encoding: GZip => hit
        RFC 9110 §12.5.3 other codings / cc max-age=60 | Vary: Accept-Encoding / 1 / first \
        Accept-Encoding: gzip / asks Accept-Encoding: br => forward
        RFC 9110 §12.5.3 one coding more / cc max-age=60 | Vary: Accept-Encoding / 1 / first \
        Accept-Encoding: gzip / asks Accept-Encoding: gzip, br => forward
        RFC 9110 §12.5.3 other weights / cc max-age=60 | Vary: Accept-Encoding / 1 / first \
        Accept-Encoding: gzip;q=1 / asks Accept-Encoding: gzip;q=0 => forward
        RFC 9110 §12.5.3 blanks around weights / cc max-age=60 | Vary: Accept-Encoding / 1 / \
        first Accept-Encoding: br;q=1, gzip; q=0.5 / asks Accept-Encoding: gzip;q=0.5,br ; q=1 => \
        hit
        RFC 9110 §12.5.4 languages have no case / cc max-age=60 | Vary: Accept-Language / 1 / \
        first Accept-Language: en-US / asks Accept-Language: EN-us => hit
        RFC 9110 §12.5.4 blanks / cc max-age=60 | Vary: Accept-Language / 1 / first \
        Accept-Language: en,de / asks Accept-Language: en ,  de => hit
        RFC 9110 §12.5.4 order under different weights / cc max-age=60 | Vary: Accept-Language / \
        1 / first Accept-Language: de;q=0.5, en / asks Accept-Language: en, de;q=0.5 => hit
        RFC 9110 §12.5.4 order under equal weights may be a wish / cc max-age=60 | Vary: \
        Accept-Language / 1 / first Accept-Language: de, en / asks Accept-Language: en, de => \
        forward
        RFC 9110 §12.5.1 media ranges have no case / cc max-age=60 | Vary: Accept / 1 / first \
        Accept: text/HTML / asks Accept: Text/html => hit
        RFC 9110 §12.5.1 their parameters do / cc max-age=60 | Vary: Accept / 1 / first Accept: \
        a/b;v=X / asks Accept: a/b;v=x => forward
        RFC 9110 §12.5.1 order under different weights / cc max-age=60 | Vary: Accept / 1 / first \
        Accept: a/b;q=0.2, c/d;q=0.9 / asks Accept: c/d;q=0.9, a/b;q=0.2 => hit
        RFC 9110 §10.1.5 User-Agent is one value / cc max-age=60 | Vary: User-Agent / 1 / first \
        User-Agent: a (b,c) / asks User-Agent: a (b, c) => forward
        RFC 6265 §5.4 Cookie is one value / cc max-age=60 | Vary: Cookie / 1 / first Cookie: \
        a=b,c / asks Cookie: a=b, c => forward
        """)

    // MARK: Several variants

    @Test func `each variant answers its own requests`() {
        var rehearsal = Rehearsal()
        for language in ["en", "de", "fr"] {
            let request = CacheRequest(fields: "Accept-Language: \(language)")
            rehearsal.fetch(
                request, "Cache-Control: max-age=60|Vary: Accept-Language", body: language)
        }
        #expect(rehearsal.index.count == 3)
        for language in ["en", "de", "fr"] {
            let request = CacheRequest(fields: "Accept-Language: \(language)")
            guard case .answer(let answer, _) = rehearsal.begin(request).1 else {
                Issue.record("nothing answers \(language)")
                continue
            }
            #expect(String(answer.body) == language)
        }
    }

    @Test func `§4 of several that match the most recent by Date answers`() throws {
        var rehearsal = Rehearsal()
        rehearsal.fetch(
            CacheRequest(fields: "A: 1"), "Cache-Control: max-age=60|Vary: A|Date: @-1",
            body: "newer")
        rehearsal.fetch(
            CacheRequest(fields: "A: 2|B: 1"), "Cache-Control: max-age=60|Vary: B|Date: @-9",
            body: "older")
        let action = rehearsal.begin(CacheRequest(fields: "A: 1|B: 1")).1
        guard case .answer(let answer, _) = action else { throw Missing() }
        #expect(String(answer.body) == "newer")
    }

    @Test func `§4.1 a variant that the origin chooses for another request serves both`() throws {
        var rehearsal = Rehearsal()
        let fields = "Cache-Control: max-age=60|Vary: A|ETag: \"a\""
        rehearsal.fetch(CacheRequest(fields: "A: 1"), fields)
        var (lookup, action) = rehearsal.begin(CacheRequest(fields: "A: 2"))
        #expect(action == .forward([FieldLine("If-None-Match", Bytes("\"a\""))]))
        let verdict = rehearsal.respond(&lookup, 304, "ETag: \"a\"")
        #expect(Rehearsal.word(verdict) == "hit")
        #expect(rehearsal.outcome(CacheRequest(fields: "A: 1")) == "hit")
        #expect(rehearsal.outcome(CacheRequest(fields: "A: 2")) == "hit")
        #expect(rehearsal.index.count == 2)
    }

    @Test func `fields that are sent by default take part`() {
        var rehearsal = Rehearsal()
        let german = CacheRequest(defaults: "Accept-Language: de")
        rehearsal.fetch(german, "Cache-Control: max-age=60|Vary: Accept-Language")
        #expect(rehearsal.outcome(german) == "hit")
        #expect(rehearsal.outcome(CacheRequest(fields: "Accept-Language: de")) == "hit")
        let replaced = CacheRequest(
            fields: "Accept-Language: en", defaults: "Accept-Language: de")
        #expect(rehearsal.outcome(replaced) == "forward")
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
    }

    // MARK: The key

    @Test(arguments: [
        ("http://example.com/a#x", "hit"), ("http://EXAMPLE.com:80/a", "hit"),
        ("http://example.com/b/../a", "hit"), ("http://user@example.com/a", "hit"),
        ("http://example.com/a?", "forward"), ("http://example.com/a?x", "forward"),
        ("http://example.com/A", "forward"), ("http://example.com/a/", "forward"),
        ("https://example.com/a", "forward"), ("http://example.com:81/a", "forward"),
        ("http://example.org/a", "forward"), ("http://example.com/%61", "forward"),
    ]) func `§2 the key is the URI without its fragment`(_ row: (String, String)) {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest(), "Cache-Control: max-age=60")
        #expect(rehearsal.outcome(CacheRequest("GET", row.0)) == row.1)
    }

    @Test func `RFC 9110 §4.2.3 an empty path is the path of one slash`() {
        var rehearsal = Rehearsal()
        rehearsal.fetch(CacheRequest("GET", "http://example.com"), "Cache-Control: max-age=60")
        #expect(rehearsal.outcome(CacheRequest("GET", "http://example.com/")) == "hit")
        rehearsal.fetch(CacheRequest("GET", "http://b.example/?q"), "Cache-Control: max-age=60")
        #expect(rehearsal.outcome(CacheRequest("GET", "http://b.example?q")) == "hit")
        #expect(rehearsal.outcome(CacheRequest("GET", "http://b.example?r")) == "forward")
    }

    @Test func `§4.1 a variant without Vary is chosen by what the others say`() {
        var rehearsal = Rehearsal()
        func asks(_ language: String) -> CacheRequest {
            CacheRequest(fields: "Accept-Language: \(language)")
        }
        rehearsal.fetch(asks("de"), "Cache-Control: max-age=60|Vary: Accept-Language")
        rehearsal.wait(1)
        rehearsal.fetch(asks("en"), "Cache-Control: max-age=60", body: "default")
        #expect(rehearsal.index.count == 2)
        for (language, body) in [("de", "0123456789"), ("en", "default")] {
            guard case .answer(let answer, _) = rehearsal.begin(asks(language)).1 else {
                Issue.record("nothing answers \(language)")
                continue
            }
            #expect(String(answer.body) == body)
        }
        #expect(rehearsal.outcome(asks("fr")) == "forward")
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
        // When nothing says Vary any more, it is everybody's.
        rehearsal.wait(61)
        rehearsal.fetch(asks("de"), "Cache-Control: max-age=60", body: "for all")
        #expect(rehearsal.outcome(asks("de")) == "hit")
    }

    private func partition(_ fields: String, transport: [UInt8] = []) -> CachePartition {
        CachePartition(
            Rehearsal.headers(fields), defaults: Headers(), transport: transport,
            under: DigestKey(1, 2))
    }

    @Test func `two users, two tokens and no Vary: neither gets the other's`() {
        var rehearsal = Rehearsal()
        let alice = CacheRequest(
            fields: "Authorization: Bearer a", partition: partition("Authorization: Bearer a"))
        let bob = CacheRequest(
            fields: "Authorization: Bearer b", partition: partition("Authorization: Bearer b"))
        rehearsal.fetch(alice, "Cache-Control: max-age=60", body: "alice's")
        #expect(rehearsal.outcome(alice) == "hit")
        #expect(rehearsal.outcome(bob) == "forward")
        #expect(rehearsal.outcome(CacheRequest()) == "forward")
        rehearsal.fetch(bob, "Cache-Control: max-age=60", body: "bob's")
        for (request, body) in [(alice, "alice's"), (bob, "bob's")] {
            guard case .answer(let answer, _) = rehearsal.begin(request).1 else {
                Issue.record("nothing answers")
                continue
            }
            #expect(String(answer.body) == body)
        }
    }

    @Test func `whatever says who asks makes a partition`() {
        #expect(partition("Accept: x").isOpen)
        let all = [
            partition("Authorization: a"), partition("Cookie: a"), partition("Host: a"),
            partition("Proxy-Authorization: a"), partition("Cookie: b"),
            partition("Cookie: a|Cookie: b"), partition("Cookie: ab"),
            partition("Authorization: a|Cookie: a"), partition("", transport: [1]),
            partition("", transport: [2]), partition("Cookie: a", transport: [1]),
        ]
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { !$0.isOpen })
        #expect(partition("Cookie: a|Accept: x") == partition("cookie: a"))
        let other = CachePartition(
            Rehearsal.headers("Cookie: a"), defaults: Headers(), under: DigestKey(1, 3))
        #expect(other != partition("Cookie: a"))
    }

    @Test func `a default's credentials make the same partition as the caller's`() {
        let byDefault = CachePartition(
            Headers(), defaults: Rehearsal.headers("Cookie: a"), under: DigestKey(1, 2))
        #expect(byDefault == partition("Cookie: a"))
        let replaced = CachePartition(
            Rehearsal.headers("Cookie: b"), defaults: Rehearsal.headers("Cookie: a"),
            under: DigestKey(1, 2))
        #expect(replaced == partition("Cookie: b"))
    }

    struct Missing: Error {}
}
