// Dates as they are sent: the one form a sender may use, IMF-fixdate (RFC 9110 section 5.6.7).
// Pure; any thread.

extension HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`. Years outside 0…9999 become the nearest of these.
    ///
    /// - Parameter seconds: since 1970-01-01T00:00:00Z.
    package static func text(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let time = (seconds % 86_400 + 86_400) % 86_400
        let days = (seconds - time) / 86_400
        // Days are counted from March of year 0, in eras of 400 years of equal length.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
        let month = fromMarch < 10 ? fromMarch + 2 : fromMarch - 10
        let year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
        let weekday = ((days + 4) % 7 + 7) % 7
        return name(weekday, of: "SunMonTueWedThuFriSat") + ", " + padded(day, 2) + " "
            + name(month, of: "JanFebMarAprMayJunJulAugSepOctNovDec") + " " + padded(year, 4) + " "
            + padded(time / 3_600, 2) + ":" + padded(time / 60 % 60, 2) + ":"
            + padded(time % 60, 2) + " GMT"
    }

    /// The three letters at a place in a row of names.
    private static func name(_ index: Int64, of names: String) -> Substring {
        names.dropFirst(3 * Int(index)).prefix(3)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
