// RetryAfter: how long a server asks to be left alone (RFC 9110 section 10.2.3). Pure; any thread.

internal import FetchBytes

/// Reads the Retry-After field.
package enum RetryAfter {
    /// No server's wish is longer: 2³¹ s, where times from peers saturate.
    package static let mostSeconds: Int64 = 1 << 31

    /// The wait in seconds, 0 for a date that has passed; nil where there is no such field or it
    /// says nothing that can be understood.
    ///
    /// - Parameter now: the wall clock, in seconds since the epoch.
    package static func seconds(_ fields: FieldSection, now: Int64) -> Int64? {
        guard let index = fields.firstIndex(of: "Retry-After") else { return nil }
        return seconds(fields.valueSpan(at: index), now: now)
    }

    /// The same of a field's value: `delay-seconds`, or a date in any of its three forms.
    package static func seconds(_ value: Span<UInt8>, now: Int64) -> Int64? {
        guard value.count > 0 else { return nil }
        guard ASCII.isDigit(value[0]) else {
            guard let date = HTTPDate.seconds(value, now: now) else { return nil }
            let (wait, overflow) = date.subtractingReportingOverflow(now)
            if overflow { return now < 0 ? mostSeconds : 0 }
            return min(max(0, wait), mostSeconds)
        }
        var seconds: Int64 = 0
        for index in 0..<value.count {
            guard ASCII.isDigit(value[index]) else { return nil }
            // Digits beyond the limit are read on, so that `99999999999x` is still no number.
            seconds = min(seconds * 10 + Int64(value[index] - UInt8(ascii: "0")), mostSeconds)
        }
        return seconds
    }
}
