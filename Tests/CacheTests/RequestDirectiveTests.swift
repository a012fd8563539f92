// What a request asks of a cache: RFC 9111 sections 4, 4.2.4, 5.2.1, 5.4, RFC 5861, cache modes.

import FetchCache
import Testing

struct RequestDirectiveTests {
    @Test(arguments: directives) func `a request's directives are obeyed`(_ row: ReuseRow) {
        row.check()
    }

    @Test(arguments: staleness) func `a stale response is used where somebody allows it`(
        _ row: ReuseRow
    ) { row.check() }

    @Test(arguments: modes) func `a mode is what the Fetch standard says`(_ row: ReuseRow) {
        row.check()
    }

    @Test(arguments: methods) func `only GET and HEAD are answered`(_ row: ReuseRow) {
        row.check()
    }

    @Test(arguments: conditions) func `the caller's conditions are evaluated or passed on`(
        _ row: ReuseRow
    ) { row.check() }

    private static let directives = ReuseRow.table(
        """
        §5.2.1.1 max-age above the age / cc max-age=60 / 5 / asks cc max-age=10 => hit
        §5.2.1.1 max-age equal to the age / cc max-age=60 / 5 / asks cc max-age=5 => hit
        §5.2.1.1 max-age below the age / cc max-age=60 | etag / 6 / asks cc max-age=5 => validate
        §5.2.1.1 max-age below an age that came / cc max-age=60 | age 9 | etag / 0 / asks cc \
        max-age=5 => validate
        §5.2.1.1 max-age=0 / cc max-age=60 | etag / 0 / asks cc max-age=0 => validate
        §5.2.1.1 max-age=0 without a validator / cc max-age=60 / 0 / asks cc max-age=0 => forward
        §5.2.1.1 a max-age that is no number / cc max-age=60 | etag / 1 / asks cc max-age=x => \
        validate
        §5.2.1.1 beyond 2⁶⁴ / cc max-age=60 / 1 / asks cc max-age=99999999999999999999 => hit
        §5.2.1.1 the first of two / cc max-age=60 | etag / 6 / asks cc max-age=5, max-age=50 => \
        validate
        §5.2.1.1 a longer max-age makes nothing fresh / cc max-age=5 | etag / 6 / asks cc \
        max-age=60 => validate
        §5.2.1.1 immutable yields to it / cc max-age=60, immutable | etag / 6 / asks cc max-age=5 \
        => validate
        §5.2.1.1 with max-stale / cc max-age=60 / 8 / asks cc max-age=5, max-stale=3 => hit
        §5.2.1.1 with too little max-stale / cc max-age=60 | etag / 9 / asks cc max-age=5, \
        max-stale=3 => validate
        §5.2.1.3 min-fresh that is left / cc max-age=60 / 50 / asks cc min-fresh=10 => hit
        §5.2.1.3 min-fresh that is not / cc max-age=60 | etag / 51 / asks cc min-fresh=10 => \
        validate
        §5.2.1.3 min-fresh beyond the lifetime / cc max-age=60 | etag / 0 / asks cc min-fresh=61 \
        => validate
        §5.2.1.3 min-fresh that is no number / cc max-age=60 | etag / 0 / asks cc min-fresh=x => \
        validate
        §5.2.1.3 min-fresh without argument / cc max-age=60 | etag / 0 / asks cc min-fresh => \
        validate
        §5.2.1.4 no-cache / cc max-age=60 | etag / 1 / asks cc no-cache => validate
        §5.2.1.4 no-cache without a validator / cc max-age=60 / 1 / asks cc no-cache => forward
        §5.2.1.4 immutable yields to it / cc max-age=60, immutable | etag / 1 / asks cc no-cache \
        => validate
        §5.2.1.5 no-store keeps nothing / cc max-age=60 / 1 / first cc no-store => forward
        §5.2.1.5 no-store may be answered from the store / cc max-age=60 / 1 / asks cc no-store \
        => hit
        §5.2.1.6 no-transform changes nothing / cc max-age=60 / 1 / asks cc no-transform => hit
        §5.2.1.7 only-if-cached with something fresh / cc max-age=60 / 1 / asks cc only-if-cached \
        => hit
        §5.2.1.7 with something stale / cc max-age=60 | etag / 61 / asks cc only-if-cached => refuse
        §5.2.1.7 with nothing / cc no-store / 1 / asks cc only-if-cached => refuse
        §5.2.1.7 with max-stale / cc max-age=60 / 61 / asks cc only-if-cached, max-stale => stale
        §5.2.1.7 with no-cache / cc max-age=60 | etag / 1 / asks cc only-if-cached, no-cache => \
        refuse
        §5.2 unknown directives say nothing / cc max-age=60 / 1 / asks cc foo=bar => hit
        §5.2 names have no case / cc max-age=60 | etag / 1 / asks cc No-CaChE => validate
        §5.2 two lines / cc max-age=60 | etag / 1 / asks cc foo | cc no-cache => validate
        §5.4 Pragma: no-cache / cc max-age=60 | etag / 1 / asks Pragma: no-cache => validate
        §5.4 Pragma among others / cc max-age=60 | etag / 1 / asks Pragma: foo, no-cache => validate
        §5.4 Pragma says nothing else / cc max-age=60 / 1 / asks Pragma: foo => hit
        §5.4 Cache-Control overrules it / cc max-age=60 / 1 / asks Pragma: no-cache | cc \
        max-age=9 => hit
        §5.4 Pragma in a response says nothing / cc max-age=60 | Pragma: no-cache / 1 => hit
        §5.4 nor does it without Cache-Control / exp @60 | Pragma: no-cache / 1 => hit
        """)

    private static let staleness = ReuseRow.table(
        """
        §5.2.1.2 max-stale without argument / cc max-age=60 / 9999 / asks cc max-stale => stale
        §5.2.1.2 max-stale that is enough / cc max-age=60 / 70 / asks cc max-stale=10 => stale
        §5.2.1.2 max-stale that is not / cc max-age=60 | etag / 71 / asks cc max-stale=10 => \
        validate
        §5.2.1.2 max-stale that is no number / cc max-age=60 | etag / 61 / asks cc max-stale=x => \
        validate
        §5.2.1.2 max-stale with something fresh / cc max-age=60 / 1 / asks cc max-stale => hit
        §4.2.4 must-revalidate forbids it / cc max-age=60, must-revalidate | etag / 61 / asks cc \
        max-stale => validate
        §5.2.2.2 must-revalidate is nothing while fresh / cc max-age=60, must-revalidate / 59 => hit
        §4.2.4 no-cache forbids it / cc max-age=60, no-cache | etag / 1 / asks cc max-stale => \
        validate
        §4.2.4 proxy-revalidate is not for this cache / cc max-age=60, proxy-revalidate / 61 / \
        asks cc max-stale => stale
        §5.2.2.8 but for a shared one / cc max-age=60, proxy-revalidate | etag / 61 / asks cc \
        max-stale / shared => validate
        §5.2.2.10 s-maxage forbids it in a shared one / cc s-maxage=60 | etag / 61 / asks cc \
        max-stale / shared => validate
        §5.2.2.10 s-maxage does not here / cc max-age=60, s-maxage=60 / 61 / asks cc max-stale => \
        stale
        §4.2.4 min-fresh contradicts it / cc max-age=60 | etag / 61 / asks cc max-stale, \
        min-fresh=1 => validate
        RFC 5861 §3 within stale-while-revalidate / cc max-age=60, stale-while-revalidate=10 / 69 \
        => stale+revalidate
        RFC 5861 §3 at its end / cc max-age=60, stale-while-revalidate=10 | etag / 70 => validate
        RFC 5861 §3 fresh / cc max-age=60, stale-while-revalidate=10 / 59 => hit
        RFC 5861 §3 not a number / cc max-age=60, stale-while-revalidate=x | etag / 61 => validate
        RFC 5861 §3 quoted / cc max-age=60, stale-while-revalidate="10" / 69 => stale+revalidate
        RFC 5861 §3 must-revalidate forbids it / cc max-age=60, stale-while-revalidate=10, \
        must-revalidate | etag / 61 => validate
        RFC 5861 §3 no-cache forbids it / cc max-age=60, stale-while-revalidate=10, no-cache | \
        etag / 61 => validate
        RFC 5861 §3 no-cache of the request too / cc max-age=60, stale-while-revalidate=10 | etag \
        / 61 / asks cc no-cache => validate
        RFC 5861 §3 max-age of the request too / cc max-age=60, stale-while-revalidate=10 | etag \
        / 61 / asks cc max-age=60 => validate
        RFC 5861 §3 a greater max-age doesn't / cc max-age=60, stale-while-revalidate=10 / 61 / \
        asks cc max-age=99 => stale+revalidate
        RFC 5861 §3 min-fresh does / cc max-age=60, stale-while-revalidate=10 | etag / 61 / asks \
        cc min-fresh=0 => validate
        RFC 5861 §3 only-if-cached validates nothing / cc max-age=60, stale-while-revalidate=10 / \
        61 / asks cc only-if-cached => stale
        RFC 5861 §3 without max-age / cc stale-while-revalidate=10 / 1 => stale+revalidate
        RFC 5861 §3 proxy-revalidate in a shared cache / cc max-age=60, proxy-revalidate, \
        stale-while-revalidate=10 | etag / 61 / shared => validate
        RFC 5861 §4 stale-if-error alone lets nothing be used / cc max-age=60, stale-if-error=99 \
        | etag / 61 => validate
        """)

    private static let modes = ReuseRow.table(
        """
        default / cc max-age=60 / 1 => hit
        no-store looks at nothing / cc max-age=60 | etag / 1 / mode noStore => forward
        reload looks at nothing / cc max-age=60 | etag / 1 / mode reload => forward
        no-cache validates what is fresh / cc max-age=60 | etag / 1 / mode noCache => validate
        no-cache without a validator / cc max-age=60 / 1 / mode noCache => forward
        no-cache with nothing stored / cc no-store / 1 / mode noCache => forward
        no-cache validates what is stale / cc max-age=60 | etag / 61 / mode noCache => validate
        force-cache takes what is fresh / cc max-age=60 / 1 / mode forceCache => hit
        force-cache takes what is stale / cc max-age=60 / 99999 / mode forceCache => stale
        force-cache minds no must-revalidate / cc max-age=60, must-revalidate / 61 / mode \
        forceCache => stale
        force-cache minds no no-cache / cc no-cache | etag / 61 / mode forceCache => stale
        force-cache minds no request directive / cc max-age=60 / 1 / mode forceCache / asks cc \
        no-cache => hit
        force-cache asks where there is nothing / cc no-store / 1 / mode forceCache => forward
        only-if-cached takes what is fresh / cc max-age=60 / 1 / mode onlyIfCached => hit
        only-if-cached takes what is stale / cc max-age=60 / 99999 / mode onlyIfCached => stale
        only-if-cached fails where there is nothing / cc no-store / 1 / mode onlyIfCached => refuse
        """)

    private static let methods = ReuseRow.table(
        """
        §4 GET answers HEAD / cc max-age=60 / 1 / method HEAD => head
        §4 a stale one doesn't / cc max-age=60 | etag / 61 / method HEAD => forward
        §4 POST is written through / cc max-age=60 / 1 / method POST => forward
        §4 PUT is written through / cc max-age=60 / 1 / method PUT => forward
        §4 DELETE is written through / cc max-age=60 / 1 / method DELETE => forward
        §4 PATCH is written through / cc max-age=60 / 1 / method PATCH => forward
        §4 an unknown method is written through / cc max-age=60 / 1 / method FOO => forward
        §4 OPTIONS is not answered / cc max-age=60 / 1 / method OPTIONS => forward
        §4 QUERY is not answered / cc max-age=60 / 1 / method QUERY => forward
        §4 methods have case / cc max-age=60 / 1 / method get => forward
        §5.2.1.7 HEAD with only-if-cached and nothing / cc no-store / 1 / method HEAD / asks cc \
        only-if-cached => refuse
        """)

    private static let conditions = ReuseRow.table(
        """
        §4.3.2 If-None-Match with its tag / cc max-age=60 | etag / 1 / asks If-None-Match: "a" => \
        304
        §4.3.2 with another / cc max-age=60 | etag / 1 / asks If-None-Match: "b" => hit
        §4.3.2 with its tag among others / cc max-age=60 | etag / 1 / asks If-None-Match: "b", \
        "a" => 304
        §4.3.2 with its tag in another line / cc max-age=60 | etag / 1 / asks If-None-Match: "b" \
        | If-None-Match: "a" => 304
        §4.3.2 with a star / cc max-age=60 | etag / 1 / asks If-None-Match: * => 304
        §4.3.2 a weak tag of the caller's / cc max-age=60 | etag / 1 / asks If-None-Match: W/"a" \
        => 304
        §4.3.2 a weak tag that is stored / cc max-age=60 | ETag: W/"a" / 1 / asks If-None-Match: \
        "a" => 304
        §4.3.2 a comma inside a tag / cc max-age=60 | ETag: "a,b" / 1 / asks If-None-Match: "x", \
        "a,b" => 304
        §4.3.2 a backslash inside a tag / cc max-age=60 | ETag: "a\\b" / 1 / asks If-None-Match: \
        "a\\b" => 304
        §4.3.2 what is no list / cc max-age=60 | etag / 1 / asks If-None-Match: a => hit
        §4.3.2 nothing stored has a tag / cc max-age=60 / 1 / asks If-None-Match: "a" => hit
        §4.3.2 stale: it is passed on alone / cc max-age=60 | ETag: "b" / 61 / asks \
        If-None-Match: "a" => forward
        §4.3.2 nothing stored: it is passed on / cc no-store / 1 / asks If-None-Match: "a" => \
        forward
        §4.3.2 HEAD / cc max-age=60 | etag / 1 / method HEAD / asks If-None-Match: "a" => 304
        §4.3.2 If-Modified-Since later / cc max-age=60 | lm @-99 / 1 / asks If-Modified-Since: \
        @-9 => 304
        §4.3.2 at the same time / cc max-age=60 | lm @-99 / 1 / asks If-Modified-Since: @-99 => 304
        §4.3.2 earlier / cc max-age=60 | lm @-99 / 1 / asks If-Modified-Since: @-100 => hit
        §4.3.2 without Last-Modified, Date later / cc max-age=60 | date @0 / 1 / asks \
        If-Modified-Since: @-1 => hit
        §4.3.2 without Last-Modified, Date not later / cc max-age=60 | date @0 / 1 / asks \
        If-Modified-Since: @0 => 304
        §4.3.2 a date that is none / cc max-age=60 | lm @-99 / 1 / asks If-Modified-Since: now => \
        hit
        §4.3.2 If-None-Match goes first / cc max-age=60 | etag | lm @-99 / 1 / asks \
        If-None-Match: "b" | If-Modified-Since: @-9 => hit
        §4.3.2 only a 200 is compared / cc max-age=60 | etag / 1 / status 404 / asks \
        If-None-Match: "a" => hit 404
        §4.3.2 If-Match is the origin's / cc max-age=60 | etag / 1 / asks If-Match: "a" => forward
        §4.3.2 If-Unmodified-Since is the origin's / cc max-age=60 | etag / 1 / asks \
        If-Unmodified-Since: @0 => forward
        """)
}
