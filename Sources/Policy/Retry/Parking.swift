// A domain is parked when its server asks to be left alone: 429 or 503 with Retry-After. Pure.

package import FetchTime

/// Until when nobody asks a domain anything.
package enum Parking {
    /// Whether the response asks for it (RFC 6585 §4, RFC 9110 §15.6.4).
    package static func isAskedFor(by outcome: AttemptOutcome) -> Bool {
        switch outcome {
        case .responded(let status, .some): status == 429 || status == 503
        case .responded, .failed: false
        }
    }

    /// Until when the response parks its domain; nil when it does not.
    ///
    /// It parks whether or not this call is retried. A wish beyond `most` is cut to it: the field
    /// is the word of one server, and a domain may be keyed wider than one.
    package static func end(
        after outcome: AttemptOutcome, atMost most: Duration, now: Instant
    ) -> Instant? {
        guard isAskedFor(by: outcome), case .responded(_, .some(let wait)) = outcome, wait > .zero
        else { return nil }
        return now + min(wait, most)
    }
}
