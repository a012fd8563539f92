// How long a response is fresh and how old it is: RFC 9111 sections 1.2.2, 4.2, 5.1, 5.2.2, 5.3.

import FetchCache
import Testing

struct FreshnessTests {
    @Test(arguments: lifetimes) func `a lifetime comes from the first field that states one`(
        _ row: ReuseRow
    ) { row.check() }

    @Test(arguments: malformed) func `what is malformed makes a response stale`(_ row: ReuseRow) {
        row.check()
    }

    @Test(arguments: ages) func `an age is the greater of what is told and what is seen`(
        _ row: ReuseRow
    ) { row.check() }

    @Test(arguments: expiries) func `Expires is a date or the past`(_ row: ReuseRow) {
        row.check()
    }

    @Test(arguments: guesses) func `heuristics hold where they are asked for`(_ row: ReuseRow) {
        row.check()
    }

    private static let lifetimes = ReuseRow.table(
        """
        §4.2 fresh at once / cc max-age=60 / 0 => hit
        §4.2 fresh a moment before the end / cc max-age=60 / 59.999 => hit
        §4.2 stale at the end / cc max-age=60 / 60 => forward
        §4.2 stale after it / cc max-age=60 / 61 => forward
        §4.2.1 max-age=0 is stale / cc max-age=0 | etag / 0 => validate
        §4.2.1 max-age before Expires / cc max-age=60 | exp @9 / 30 => hit
        §5.3 max-age=0 before Expires / cc max-age=0 | exp @9 | etag / 1 => validate
        §4.2.1 Expires minus Date / date @0 | exp @60 / 59 => hit
        §4.2.1 Expires minus Date, over / date @0 | exp @60 / 60 => forward
        §4.2.1 Expires equal to Date / date @0 | exp @0 | etag / 0 => validate
        §4.2.1 Expires before Date / date @0 | exp @-1 | etag / 0 => validate
        §4.2.1 Expires without Date counts from arrival / exp @60 / 59 => hit
        §6.6.1 a Date that is none counts as arrival / date yesterday | exp @60 / 59 => hit
        §5.2.2.10 a private cache ignores s-maxage / cc s-maxage=60 | etag / 1 => validate
        §5.2.2.10 and uses max-age beside it / cc s-maxage=1, max-age=60 / 30 => hit
        §5.2.2.10 a shared cache uses s-maxage / cc s-maxage=60, max-age=1 / 30 / shared => hit
        §5.2.2.10 even when it is shorter / cc s-maxage=1, max-age=60 / 30 / shared => forward
        §5.2.2.10 and before Expires / cc s-maxage=60 | exp @1 / 30 / shared => hit
        §4.2.1 two max-age: the first / cc max-age=60, max-age=1 / 30 => hit
        §4.2.1 two max-age: the first, in two lines / cc max-age=1 | cc max-age=60 / 30 => \
        forward
        §4.2.1 two Expires: the first / date @0 | exp @60 | exp @1 / 30 => hit
        §4.2.1 no-cache wins over max-age / cc max-age=60, no-cache | etag / 1 => validate
        §1.2.2 2³¹ / cc max-age=2147483648 / 1000000 => hit
        §1.2.2 beyond 2³¹ / cc max-age=2147483649 / 1000000 => hit
        §1.2.2 beyond 2⁶⁴ / cc max-age=99999999999999999999 / 1000000 => hit
        §1.2.2 leading zeros / cc max-age=00060 / 59 => hit
        §5.2 a quoted argument / cc max-age="60" / 59 => hit
        §5.2 a quoted pair in it / cc max-age="6\\0" / 59 => hit
        §5.2 names have no case / cc MaX-aGe=60 / 59 => hit
        §5.2 unknown directives say nothing / cc foo, max-age=60, bar=1 / 59 => hit
        §5.2 a comma in quotes separates nothing / cc foo="a, max-age=1", max-age=60 / 59 => hit
        §5.2 empty members say nothing / cc , ,max-age=60,, / 59 => hit
        §5.2 tabs are blanks / Cache-Control: foo\t,\tmax-age=60 / 59 => hit
        §5.2 lines are one list / cc foo | cc max-age=60 / 59 => hit
        §5.2 a name that only begins alike / cc max-ages=60 | etag / 1 => validate
        §5.2 a name that only ends alike / cc x-max-age=60 | etag / 1 => validate
        §4.2 a response that says nothing is stale / etag / 0 => validate
        §4.2 public alone is no lifetime / cc public | etag / 0 => validate
        RFC 8246 §2 immutable alone is no lifetime / cc immutable | etag / 0 => validate
        RFC 8246 §2 immutable is fresh while it is / cc immutable, max-age=60 / 59 => hit
        RFC 8246 §2 and stale after / cc immutable, max-age=60 | etag / 61 => validate
        forced: whatever max-age says / cc max-age=1 / 59 / forced 60 => hit
        forced: until its own end / cc max-age=600 / 60 / forced 60 => forward
        forced: whatever no-cache says / cc no-cache / 59 / forced 60 => hit
        forced: counted from arrival / age 1000 / 59 / forced 60 => hit
        forced: never what is not to be stored / cc no-store / 1 / forced 60 => forward
        forced: 0 is stale at once / etag / 0 / forced 0 => validate
        forced: for ever saturates / X: y / 2000000000 / forced 9223372036854775807 => hit
        """)

    private static let malformed = ReuseRow.table(
        """
        §4.2.1 max-age of letters / cc max-age=abc | etag / 0 => validate
        §4.2.1 digits and letters / cc max-age=60a | etag / 0 => validate
        §4.2.1 letters and digits / cc max-age=a60 | etag / 0 => validate
        §4.2.1 a fraction / cc max-age=60.5 | etag / 0 => validate
        §4.2.1 negative / cc max-age=-60 | etag / 0 => validate
        §4.2.1 no argument / cc max-age | etag / 0 => validate
        §4.2.1 an empty argument / cc max-age= | etag / 0 => validate
        §4.2.1 an empty quoted one / cc max-age="" | etag / 0 => validate
        §4.2.1 a blank before = / cc max-age =60 | etag / 0 => validate
        §4.2.1 a blank behind = / cc max-age= 60 | etag / 0 => validate
        §4.2.1 single quotes / cc max-age='60' | etag / 0 => validate
        §4.2.1 a parameter / cc max-age=60;x=1 | etag / 0 => validate
        §4.2.1 a quote that never closes / cc max-age="60 | etag / 0 => validate
        §4.2.1 malformed first, good second / cc max-age=x, max-age=60 | etag / 0 => validate
        §4.2.1 malformed, with a good Expires / cc max-age=x | exp @60 | etag / 0 => validate
        §4.2.1 good first, malformed second / cc max-age=60, max-age=x / 59 => hit
        §4.2.1 s-maxage malformed, shared / cc s-maxage=x, max-age=60 | etag / 0 / shared => \
        validate
        §5.2 an unclosed quote hides no no-store / cc foo="bar, no-store, max-age=60 / 1 => \
        forward
        §5.2 an unclosed quote hides no max-age / cc foo="bar, max-age=60 / 1 => hit
        §5.2 no-store with an argument counts / cc no-store=x, max-age=60 / 1 => forward
        §5.2 no-store followed by rubbish counts / cc no-store;x, max-age=60 / 1 => forward
        §5.2 no-cache followed by rubbish counts / cc no-cache x, max-age=60 | etag / 1 => \
        validate
        §5.2 a directive in quotes is none / cc "no-store", max-age=60 / 1 => hit
        """)

    private static let ages = ReuseRow.table(
        """
        §4.2.3 Age counts / cc max-age=60 | age 30 / 29 => hit
        §4.2.3 Age counts to the end / cc max-age=60 | age 30 | etag / 30 => validate
        §4.2.3 stale on arrival / cc max-age=60 | age 60 | etag / 0 => validate
        §4.2.3 an old Date counts as age / cc max-age=60 | date @-30 / 29 => hit
        §4.2.3 an old Date to the end / cc max-age=60 | date @-30 | etag / 30 => validate
        §4.2.3 a Date in the future is no age / cc max-age=60 | date @30 / 59 => hit
        §4.2.3 the greater: Age / cc max-age=60 | date @-10 | age 50 | etag / 10 => validate
        §4.2.3 the greater: Date / cc max-age=60 | date @-50 | age 10 | etag / 10 => validate
        §4.2.3 Age with Expires / date @0 | exp @60 | age 30 | etag / 30 => validate
        §5.1 Age that is no number is ignored / cc max-age=60 | age abc / 59 => hit
        §5.1 negative is ignored / cc max-age=60 | age -30 / 59 => hit
        §5.1 a fraction is ignored / cc max-age=60 | age 30.0 / 59 => hit
        §5.1 with a suffix is ignored / cc max-age=60 | age 30s / 59 => hit
        §5.1 with a parameter is ignored / cc max-age=60 | age 30;a=1 / 59 => hit
        §5.1 quoted is ignored / cc max-age=60 | age "30" / 59 => hit
        §5.1 empty is ignored / cc max-age=60 | Age: / 59 => hit
        §5.1 of a list the first: old / cc max-age=60 | age 60, 0 | etag / 0 => validate
        §5.1 of a list the first: young / cc max-age=60 | age 0, 60 / 0 => hit
        §5.1 of two lines the first: old / cc max-age=60 | age 60 | age 0 | etag / 0 => validate
        §5.1 of two lines the first: young / cc max-age=60 | age 0 | age 60 / 0 => hit
        §5.1 of a list, the first is no number / cc max-age=60 | age x, 60 / 0 => hit
        §1.2.2 an Age of 2³¹ / cc max-age=60 | age 2147483648 | etag / 0 => validate
        §1.2.2 an Age beyond 2⁶⁴ / cc max-age=60 | age 99999999999999999999 | etag / 0 => \
        validate
        §1.2.2 the oldest against the longest / cc max-age=2147483648 | age 2147483648 | etag \
        / 0 => validate
        """)

    private static let expiries = ReuseRow.table(
        """
        §5.3 0 is the past / exp 0 | etag / 0 => validate
        §5.3 -1 is the past / exp -1 | etag / 0 => validate
        §5.3 words are the past / exp never | etag / 0 => validate
        §5.3 empty is the past / Expires: | etag / 0 => validate
        RFC 9110 §5.6.7 RFC 850 / date @0 | exp Thursday, 18-Aug-50 02:01:18 GMT / 59 => hit
        RFC 9110 §5.6.7 asctime / date @0 | exp Thu Aug 18 02:01:18 2050 / 59 => hit
        RFC 9110 §5.6.7 a year of two digits in the past / exp Wednesday, 18-Aug-99 02:01:18 \
        GMT | etag / 0 => validate
        §4.2 case is no matter: month / date @0 | exp Thu, 18 AUG 2050 02:01:18 GMT / 59 => hit
        §4.2 case is no matter: weekday / date @0 | exp tHU, 18 Aug 2050 02:01:18 GMT / 59 => hit
        §4.2 case is no matter: zone / date @0 | exp Thu, 18 Aug 2050 02:01:18 gMT / 59 => hit
        §4.2 another zone is the past / exp Thu, 18 Aug 2050 02:01:18 AEST | etag / 0 => validate
        §4.2 UTC is another zone / exp Thu, 18 Aug 2050 02:01:18 UTC | etag / 0 => validate
        §4.2 a number is another zone / exp Thu, 18 Aug 2050 02:01:18 +0000 | etag / 0 => \
        validate
        §5.3 without a zone / exp Thu, 18 Aug 2050 02:01:18 | etag / 0 => validate
        §5.3 with dashes / exp Thu, 18-Aug-2050 02:01:18 GMT | etag / 0 => validate
        §5.3 two blanks / exp Thu,  18  Aug  2050  02:01:18  GMT | etag / 0 => validate
        §5.3 no comma / exp Thu 18 Aug 2050 02:01:18 GMT | etag / 0 => validate
        §5.3 dots in the time / exp Thu, 18 Aug 2050 02.01.18 GMT | etag / 0 => validate
        §5.3 a short year / exp Thu, 18 Aug 50 02:01:18 GMT | etag / 0 => validate
        §5.3 an hour of one digit / exp Thu, 18 Aug 2050 2:01:18 GMT | etag / 0 => validate
        §5.3 something behind it / exp Thu, 18 Aug 2050 02:01:18 GMT; x | etag / 0 => validate
        §5.3 ISO 8601 / exp 2050-08-18T02:01:18Z | etag / 0 => validate
        §5.3 the year 9999 saturates / date @0 | exp Fri, 31 Dec 9999 23:59:59 GMT / 1000000 \
        => hit
        §5.3 the year 0000 / exp Sat, 01 Jan 0000 00:00:00 GMT | etag / 0 => validate
        """)

    private static let guesses = ReuseRow.table(
        """
        §4.2.2 off unless asked for / lm @-1000 / 1 => validate
        §4.2.2 a tenth of the time / lm @-1000 / 99 / heuristic => hit
        §4.2.2 no more / lm @-1000 / 100 / heuristic => validate
        §4.2.2 none without a date / etag / 0 / heuristic => validate
        §4.2.2 none where Expires says something / lm @-1000 | exp 0 / 0 / heuristic => validate
        §4.2.2 none where max-age says something / lm @-1000 | cc max-age=0 / 0 / heuristic => \
        validate
        §4.2.2 modified in the future / lm @1000 / 0 / heuristic => validate
        §4.2.2 modified when no date says / lm then | etag / 0 / heuristic => validate
        §4.2.2 within its bound / lm Sun, 06 Nov 1994 08:49:37 GMT / 86399 / heuristic => hit
        §4.2.2 and not beyond / lm Sun, 06 Nov 1994 08:49:37 GMT / 86401 / heuristic => validate
        §4.2.2 404 is cacheable by itself / lm @-1000 / 99 / status 404 / heuristic => hit 404
        §4.2.2 302 is not / lm @-1000 / 1 / status 302 / heuristic => forward
        §4.2.2 unless it says public / lm @-1000 | cc public / 99 / status 302 / heuristic => \
        hit 302
        """)
}
