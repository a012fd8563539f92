// Dates and Retry-After, row by row, and bytes that are neither. Pure.

import FetchHTTP
import Testing

struct HTTPDateTests {
    /// 2026-11-21T00:00:00Z.
    private let now: Int64 = 1_795_219_200

    private func seconds(_ text: String, now: Int64? = nil) -> Int64? {
        let utf8 = text.utf8
        return HTTPDate.seconds(utf8.span, now: now ?? self.now)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Sat Jan 16 00:00:00 2038", 2_147_212_800),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("sUN, 06 nOV 1994 08:49:37 gmt", 784_111_777),
            ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ] as [(String, Int64)])
    func `all three forms of RFC 9110 §5-6-7 are read`(_ row: (String, Int64)) {
        #expect(seconds(row.0) == row.1)
    }

    @Test(arguments: [
        "", "Sun", "Sun,", "Sun, ", "06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 12:00:00 GMT", "Thu, 29 Feb 1900 12:00:00 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sunday, 06-Nov-1994 08:49:37 GMT",
        String(repeating: "S", count: 65),
        "Sun, 06 Nov 1994 08:49:37 GMTGMTGMTGMTGMTGMTGMTGMTGMTGMT",
    ])
    func `what is no date is none`(_ text: String) {
        #expect(seconds(text) == nil)
    }

    @Test func `a year of two digits is at most 50 years ahead`() throws {
        let in2026 = try #require(seconds("Tuesday, 01-Jan-76 00:00:00 GMT"))
        #expect(in2026 == seconds("Wed, 01 Jan 2076 00:00:00 GMT"))
        let past = try #require(seconds("Tuesday, 01-Jan-77 00:00:00 GMT"))
        #expect(past == seconds("Sat, 01 Jan 1977 00:00:00 GMT"))
        let in2095 = try #require(seconds("Sat, 01 Jan 2095 00:00:00 GMT"))
        #expect(
            seconds("Tuesday, 01-Jan-10 00:00:00 GMT", now: in2095)
                == seconds("Wed, 01 Jan 2110 00:00:00 GMT"))
    }

    /// Every day of eight centuries, one after the other.
    @Test func `days follow each other`() throws {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        var last: Int64?
        for year in [1600, 1700, 1900, 1999, 2000, 2023, 2024, 2100, 2399, 2400] {
            last = nil
            for month in months {
                for day in 1...31 {
                    let date = "Sun, \(day < 10 ? "0" : "")\(day) \(month) \(year) 00:00:00 GMT"
                    guard let found = seconds(date) else { continue }
                    if let last { #expect(found == last + 86_400, "\(date)") }
                    last = found
                }
            }
            let next = seconds("Sun, 01 Jan \(year + 1) 00:00:00 GMT")
            #expect(next == last.map { $0 + 86_400 })
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("120", 120), ("2147483648", 1 << 31), ("2147483649", 1 << 31),
            ("99999999999999999999999999999999", 1 << 31), ("007", 7),
            ("Sat, 21 Nov 2026 00:02:00 GMT", 120), ("Saturday, 21-Nov-26 00:02:00 GMT", 120),
            ("Sat Nov 21 00:02:00 2026", 120), ("Fri, 20 Nov 2026 00:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 1 << 31),
        ] as [(String, Int64)])
    func `Retry-After is a number of seconds or a date, and saturates`(_ row: (String, Int64)) {
        let utf8 = row.0.utf8
        let wait = RetryAfter.seconds(utf8.span, now: now)
        #expect(wait == row.1)
    }

    @Test(arguments: ["", "-1", "+1", "1.5", "1 2", "99999999999999999999x", "soon", "1,2"])
    func `Retry-After that says nothing is none`(_ text: String) {
        let utf8 = text.utf8
        let wait = RetryAfter.seconds(utf8.span, now: now)
        #expect(wait == nil)
    }

    @Test func `no clock makes a date trap`() {
        let utf8 = "Fri, 31 Dec 9999 23:59:59 GMT".utf8
        let early = RetryAfter.seconds(utf8.span, now: .min)
        let late = RetryAfter.seconds(utf8.span, now: .max)
        #expect(early == 1 << 31)
        #expect(late == 0)
        let short = "Tuesday, 01-Jan-76 00:00:00 GMT".utf8
        for now in [Int64.min, -1, 0, .max] {
            let wait = RetryAfter.seconds(short.span, now: now)
            #expect(wait != nil)
        }
    }
}
