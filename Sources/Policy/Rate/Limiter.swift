// A limiter of any kind. The built-in kinds are cases and not existentials, because this is asked
// once for every request: a value, owned by a gate.

package import FetchTime

/// Which limiter a domain or a client gets.
public enum RateLimit: Sendable {
    /// At most rate · time + burst; see ``TokenBucket``. The burst is the rate's count unless given.
    case tokenBucket(Rate, burst: Int? = nil)
    /// Never more than the rate's count in any of its periods; see ``SlidingWindow``.
    case slidingWindow(Rate)
    /// Evenly spaced; see ``LeakyBucket``.
    case leakyBucket(Rate, shaping: LeakyBucket.Shaping = .meter)
    /// An algorithm of the user's, made anew for each domain.
    case custom(@Sendable () -> any RateLimiter)

    package var invalidSetting: InvalidSetting? {
        switch self {
        case .tokenBucket(let rate, let burst):
            if let burst, burst < 1 || burst > Rate.mostCount {
                return InvalidSetting("burst", "must be between 1 and \(Rate.mostCount)")
            }
            return rate.invalidSetting
        case .slidingWindow(let rate), .leakyBucket(let rate, _):
            return rate.invalidSetting
        case .custom:
            return nil
        }
    }
}

package enum Limiter: Sendable {
    case unlimited
    case tokenBucket(TokenBucket)
    case slidingWindow(SlidingWindow)
    case leakyBucket(LeakyBucket)
    case custom(any RateLimiter)

    package init(_ limit: RateLimit?) {
        switch limit {
        case nil: self = .unlimited
        case .tokenBucket(let rate, let burst): self = .tokenBucket(TokenBucket(rate, burst: burst))
        case .slidingWindow(let rate): self = .slidingWindow(SlidingWindow(rate))
        case .leakyBucket(let rate, let shaping):
            self = .leakyBucket(LeakyBucket(rate, shaping: shaping))
        case .custom(let make): self = .custom(make())
        }
    }

    package mutating func admit(_ cost: Int, now: Instant) -> Admission {
        // Taken out before it is changed: two owners of a window's runs would copy them.
        switch consume self {
        case .unlimited:
            self = .unlimited
            return .now
        case .tokenBucket(var bucket):
            defer { self = .tokenBucket(bucket) }
            return bucket.admit(cost, now: now)
        case .slidingWindow(var window):
            defer { self = .slidingWindow(window) }
            return window.admit(cost, now: now)
        case .leakyBucket(var bucket):
            defer { self = .leakyBucket(bucket) }
            return bucket.admit(cost, now: now)
        case .custom(var limiter):
            defer { self = .custom(limiter) }
            return limiter.admit(cost, now: now)
        }
    }

    package mutating func giveBack(_ cost: Int, now: Instant) {
        switch consume self {
        case .unlimited:
            self = .unlimited
        case .tokenBucket(var bucket):
            bucket.giveBack(cost, now: now)
            self = .tokenBucket(bucket)
        case .slidingWindow(var window):
            window.giveBack(cost, now: now)
            self = .slidingWindow(window)
        case .leakyBucket(var bucket):
            bucket.giveBack(cost, now: now)
            self = .leakyBucket(bucket)
        case .custom(var limiter):
            limiter.giveBack(cost, now: now)
            self = .custom(limiter)
        }
    }

    /// When `cost` could be had behind others who want `behind` together, taking nothing: never
    /// later than the truth, and `.distantFuture` for a cost that is never granted. A limiter of
    /// the user's can't be asked without taking, so it knows no better than "now".
    package func earliest(_ cost: Int, behind: Int = 0, now: Instant) -> Instant {
        switch self {
        case .unlimited, .custom:
            return now
        case .tokenBucket(let bucket):
            guard cost <= bucket.burst else { return .distantFuture }
            return bucket.earliest(Self.sum(cost, behind), now: now)
        case .slidingWindow(let window):
            guard cost <= window.limit else { return .distantFuture }
            return window.earliest(Self.sum(cost, behind), now: now)
        case .leakyBucket(let bucket):
            guard cost <= bucket.mostCost else { return .distantFuture }
            return bucket.earliest(Self.sum(cost, behind), now: now)
        }
    }

    private static func sum(_ one: Int, _ other: Int) -> Int {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// Whether it is an algorithm of the user's, which may refuse what no estimate foresaw.
    package var isCustom: Bool {
        switch self {
        case .unlimited, .tokenBucket, .slidingWindow, .leakyBucket: false
        case .custom: true
        }
    }

    package func isAtRest(now: Instant) -> Bool {
        switch self {
        case .unlimited: true
        case .tokenBucket(let bucket): bucket.isAtRest(now: now)
        case .slidingWindow(let window): window.isAtRest(now: now)
        case .leakyBucket(let bucket): bucket.isAtRest(now: now)
        case .custom(let limiter): limiter.isAtRest(now: now)
        }
    }

    package var isConfigured: Bool {
        switch self {
        case .unlimited: false
        case .tokenBucket, .slidingWindow, .leakyBucket: true
        case .custom(let limiter): limiter.isConfigured
        }
    }

    /// Whether a grant may be dated back to when it was due, to make good the lateness of a timer's
    /// tick. A window counts what its server sees, and a user's limiter is asked as it is told.
    package var makesGoodLateness: Bool {
        switch self {
        case .tokenBucket, .leakyBucket: true
        case .unlimited, .slidingWindow, .custom: false
        }
    }

    /// Goes on as `limit` says. A limiter of the same kind keeps what it knows; another kind starts
    /// anew, and so does a user's.
    package mutating func adjust(_ limit: RateLimit?, now: Instant) {
        switch (consume self, limit) {
        case (.tokenBucket(var bucket), .tokenBucket(let rate, let burst)):
            bucket.adjust(rate, burst: burst, now: now)
            self = .tokenBucket(bucket)
        case (.slidingWindow(var window), .slidingWindow(let rate)):
            window.adjust(rate, now: now)
            self = .slidingWindow(window)
        case (.leakyBucket(var bucket), .leakyBucket(let rate, let shaping))
        where bucket.shaping == shaping:
            bucket.adjust(rate, now: now)
            self = .leakyBucket(bucket)
        case (_, let limit):
            self = Limiter(limit)
        }
    }
}
