// Freshness: for how long a response is fresh, and how old it is (RFC 9111 section 4.2). Pure; any
// thread. Seconds come from peers and saturate at 2³¹; ages are counted in nanoseconds, which so
// much time fills to a quarter.

internal import FetchHTTP
internal import FetchTime

/// The freshness of a response when it came.
package struct Freshness: Equatable, Sendable {
    /// Where the lifetime is from.
    package enum Source: UInt8, Equatable, Sendable {
        case forced, sMaxAge, maxAge, expires, heuristic
        /// Nothing says how long; it is stale at once.
        case unstated
    }

    /// Seconds for which it is fresh, from when it was made.
    package let lifetime: Int64
    package let source: Source
    /// Nanoseconds that it was old when it came: `corrected_initial_age`.
    package let initialAge: Int64

    package init(lifetime: Int64, source: Source, initialAge: Int64) {
        self.lifetime = lifetime
        self.source = source
        self.initialAge = initialAge
    }

    /// What a response says, under the rules.
    package init(_ response: ResponseFacts, _ times: ResponseTimes, _ rules: CacheRules) {
        if let forced = rules.forcedLifetime {
            // Counted from its arrival, whatever age it had then.
            let lifetime = min(max(forced, 0), DeltaSeconds.most)
            self.init(lifetime: lifetime, source: .forced, initialAge: 0)
            return
        }
        let (lifetime, source) = Self.lifetime(response, rules)
        self.init(
            lifetime: lifetime, source: source, initialAge: Self.initialAge(response, times))
    }

    /// Section 4.2.1: the first that is there, in this order.
    private static func lifetime(
        _ response: ResponseFacts, _ rules: CacheRules
    ) -> (Int64, Source) {
        if rules.isShared, let seconds = response.control.sMaxAge { return (seconds, .sMaxAge) }
        if let seconds = response.control.maxAge { return (seconds, .maxAge) }
        switch response.expires {
        case .absent: return heuristic(response, rules)
        case .invalid: return (0, .expires)
        case .at(let expires): return (seconds(from: response.date, to: expires), .expires)
        }
    }

    /// Section 4.2.2.
    private static func heuristic(
        _ response: ResponseFacts, _ rules: CacheRules
    ) -> (Int64, Source) {
        guard let heuristics = rules.heuristics, let modified = response.lastModified,
            response.isHeuristicallyCacheable || response.control.has(.isPublic)
        else { return (0, .unstated) }
        let unchanged = Double(seconds(from: modified, to: response.date))
        let lifetime = Int64(unchanged * heuristics.fraction)
        return (min(lifetime, heuristics.most), .heuristic)
    }

    /// Section 4.2.3.
    private static func initialAge(_ response: ResponseFacts, _ times: ResponseTimes) -> Int64 {
        let apparent = seconds(from: response.date, to: times.response.wall.seconds)
        let delay = max(0, times.response.instant.nanoseconds(since: times.request.instant))
        return max(
            Nanoseconds.of(apparent), Nanoseconds.sum(Nanoseconds.of(response.age), delay))
    }

    /// How long `later` is after `earlier`, not negative, saturating.
    private static func seconds(from earlier: Int64, to later: Int64) -> Int64 {
        let (difference, overflow) = later.subtractingReportingOverflow(earlier)
        if overflow { return later > earlier ? DeltaSeconds.most : 0 }
        return min(max(difference, 0), DeltaSeconds.most)
    }
}

/// Lengths of time in nanoseconds, between nothing and 2³¹ s.
enum Nanoseconds {
    static var most: Int64 { DeltaSeconds.most &* 1_000_000_000 }

    static func of(_ seconds: Int64) -> Int64 {
        min(max(seconds, 0), DeltaSeconds.most) &* 1_000_000_000
    }

    /// Of two that are between nothing and 2³¹ s each, or a little more.
    static func sum(_ one: Int64, _ other: Int64) -> Int64 {
        min(min(one, most) &+ min(other, most), most)
    }

    /// Wall time, saturating in the years 1677 and 2262.
    static func sinceEpoch(_ time: Timestamp) -> Int64 {
        let (nanoseconds, overflow) = time.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLate) = nanoseconds.addingReportingOverflow(Int64(time.nanoseconds))
        guard overflow || isTooLate else { return sum }
        return time.seconds < 0 ? .min : .max
    }

    /// From one wall time to another, not negative; nil when the wall clock was set back.
    static func between(_ earlier: Timestamp, _ later: Timestamp) -> Int64? {
        guard earlier <= later else { return nil }
        let (seconds, overflow) = later.seconds.subtractingReportingOverflow(earlier.seconds)
        guard !overflow, seconds < DeltaSeconds.most else { return most }
        return max(0, seconds &* 1_000_000_000 &+ Int64(later.nanoseconds - earlier.nanoseconds))
    }
}
