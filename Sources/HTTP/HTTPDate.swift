// HTTPDate: the three forms of a date in a field (RFC 9110 section 5.6.7), read without a calendar
// library. Pure; any thread. A peer wrote the bytes: whatever they are, the answer is a number of
// seconds or nil.

internal import FetchBytes

/// Reads dates of fields. A recipient must accept all three forms.
package enum HTTPDate {
    /// The longest form, an RFC 850 date on a Wednesday in any month, and room to spare.
    package static let mostBytes = 64

    /// Seconds since 1970-01-01T00:00:00Z, or nil where the bytes are no date.
    ///
    /// - Parameter now: seconds since the epoch. The two-digit year of RFC 850 means the year with
    ///   these digits that is nearest to it, and at most 50 years after it.
    package static func seconds(_ bytes: Span<UInt8>, now: Int64) -> Int64? {
        guard bytes.count <= mostBytes else { return nil }
        var reader = DateReader(bytes)
        guard reader.skipLetters(atLeast: 3) else { return nil }
        guard reader.skip(UInt8(ascii: ",")) else { return asctime(&reader) }
        guard reader.skip(UInt8(ascii: " ")), let day = reader.number(digits: 2) else { return nil }
        if reader.skip(UInt8(ascii: "-")) { return rfc850(&reader, day, now) }
        return fixdate(&reader, day)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private static func fixdate(_ reader: inout DateReader, _ day: Int64) -> Int64? {
        guard reader.skip(UInt8(ascii: " ")), let month = reader.month(),
            reader.skip(UInt8(ascii: " ")), let year = reader.number(digits: 4),
            reader.skip(UInt8(ascii: " ")), let time = reader.timeOfDay(), reader.endsInGMT()
        else { return nil }
        return seconds(year, month, day, time)
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`
    private static func rfc850(
        _ reader: inout DateReader, _ day: Int64, _ now: Int64
    ) -> Int64? {
        guard let month = reader.month(), reader.skip(UInt8(ascii: "-")),
            let digits = reader.number(digits: 2), reader.skip(UInt8(ascii: " ")),
            let time = reader.timeOfDay(), reader.endsInGMT()
        else { return nil }
        let thisYear = year(of: now)
        var year = thisYear - thisYear % 100 + digits
        if year > thisYear + 50 { year -= 100 } else if year < thisYear - 50 { year += 100 }
        return seconds(year, month, day, time)
    }

    /// `Sun Nov  6 08:49:37 1994`
    private static func asctime(_ reader: inout DateReader) -> Int64? {
        guard reader.skip(UInt8(ascii: " ")), let month = reader.month(),
            reader.skip(UInt8(ascii: " "))
        else { return nil }
        let isPadded = reader.skip(UInt8(ascii: " "))
        guard let day = reader.number(digits: isPadded ? 1 : 2), reader.skip(UInt8(ascii: " ")),
            let time = reader.timeOfDay(), reader.skip(UInt8(ascii: " ")),
            let year = reader.number(digits: 4), reader.isAtEnd
        else { return nil }
        return seconds(year, month, day, time)
    }

    // MARK: The calendar (proleptic Gregorian)

    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ timeOfDay: Int64
    ) -> Int64? {
        guard day >= 1, day <= daysIn(month, of: year) else { return nil }
        return days(year, month, day) * 86_400 + timeOfDay
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// Days from 1970-01-01. Years are counted from March, so that the leap day is the last one,
    /// and eras of 400 years have equal lengths.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The year of a time, within the years that a date can name.
    private static func year(of seconds: Int64) -> Int64 {
        let days = min(max(seconds / 86_400, -719_468), 2_932_896)
        // A first guess by the mean year, which is off by one at most.
        var year = 1970 + days * 400 / 146_097
        if Self.days(year + 1, 1, 1) <= days { year += 1 }
        if Self.days(year, 1, 1) > days { year -= 1 }
        return year
    }
}

/// A place in the bytes of a date.
private struct DateReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var index = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { index == bytes.count }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    /// The day's name: what it says is not looked at, the date rules.
    mutating func skipLetters(atLeast count: Int) -> Bool {
        let start = index
        while index < bytes.count, ASCII.isLetter(bytes[index]) { index += 1 }
        return index - start >= count
    }

    mutating func number(digits: Int) -> Int64? {
        guard bytes.count - index >= digits else { return nil }
        var value: Int64 = 0
        for _ in 0..<digits {
            guard ASCII.isDigit(bytes[index]) else { return nil }
            value = value * 10 + Int64(bytes[index] - UInt8(ascii: "0"))
            index += 1
        }
        return value
    }

    /// Three letters, in any case: 1 for January.
    mutating func month() -> Int64? {
        guard bytes.count - index >= 3 else { return nil }
        let name = bytes.extracting(index..<index + 3)
        let names: [StaticString] = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        for number in names.indices where ASCII.equalsIgnoringCase(name, names[number]) {
            index += 3
            return Int64(number + 1)
        }
        return nil
    }

    /// `08:49:37` as seconds since midnight; the sixtieth second is a leap second's.
    mutating func timeOfDay() -> Int64? {
        guard let hour = number(digits: 2), hour < 24, skip(UInt8(ascii: ":")),
            let minute = number(digits: 2), minute < 60, skip(UInt8(ascii: ":")),
            let second = number(digits: 2), second <= 60
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    mutating func endsInGMT() -> Bool {
        guard skip(UInt8(ascii: " ")) else { return false }
        return ASCII.equalsIgnoringCase(bytes.extracting(index..<bytes.count), "gmt")
    }
}
