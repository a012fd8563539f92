// A limiter of any kind. The built-in kinds are no existentials, because this is asked once for
// every request: a value, owned by a gate. What paces is kept in place beside what is rare, and not
// as one more case of an enum: a case would be copied out and in again for each question.

package import FetchTime

/// Which limiter a domain or a client gets.
public enum RateLimit: Sendable {
    /// At most rate · time + burst; see ``TokenBucket``. The burst is the rate's count unless
    /// given.
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

/// What a limiter says of a grant before anything is taken.
struct LimiterQuote {
    let earliest: Instant
    /// Of a bucket: what it would take.
    let paced: PacedQuote?
    /// The time that was asked about.
    let time: Instant

    init(earliest: Instant, paced: PacedQuote?, _ time: Instant) {
        self.earliest = earliest
        self.paced = paced
        self.time = time
    }
}

package struct Limiter: Sendable {
    private enum Kind: Sendable {
        case unlimited
        case tokenBucket
        case leakyBucket
        case slidingWindow
        case custom
    }

    private var kind: Kind
    /// Of a token bucket and of a leaky one.
    private var bucket = PacedBucket(.perSecond(1), burst: 1)
    private var window: SlidingWindow?
    private var custom: (any RateLimiter)?

    package init(_ limit: RateLimit?) {
        switch limit {
        case nil:
            kind = .unlimited
        case .tokenBucket(let rate, let burst):
            kind = .tokenBucket
            bucket = TokenBucket(rate, burst: burst).bucket
        case .leakyBucket(let rate, let shaping):
            kind = .leakyBucket
            bucket = LeakyBucket(rate, shaping: shaping).bucket
        case .slidingWindow(let rate):
            kind = .slidingWindow
            window = SlidingWindow(rate)
        case .custom(let make):
            kind = .custom
            custom = make()
        }
    }

    /// See ``RateLimiter/admit(_:now:)``.
    package mutating func admit(_ cost: Int, now: Instant) -> Admission {
        switch kind {
        case .unlimited: .now
        case .tokenBucket, .leakyBucket: bucket.admit(cost, now: now)
        case .slidingWindow: window?.admit(cost, now: now) ?? .now
        case .custom: custom?.admit(cost, now: now) ?? .now
        }
    }

    package mutating func giveBack(_ cost: Int, now: Instant) {
        switch kind {
        case .unlimited: break
        case .tokenBucket, .leakyBucket: bucket.giveBack(cost)
        case .slidingWindow: window?.giveBack(cost, now: now)
        case .custom: custom?.giveBack(cost, now: now)
        }
    }

    /// When `cost` could be had behind others who want `behind` together, taking nothing: never
    /// later than the truth, and `.distantFuture` for a cost that is never granted. A limiter of
    /// the user's can't be asked without taking, so it knows no better than "now".
    package func earliest(_ cost: Int, behind: Int = 0, now: Instant) -> Instant {
        switch kind {
        case .unlimited, .custom:
            return now
        case .tokenBucket, .leakyBucket:
            guard cost <= bucket.burst || bucket.isStrict else { return .distantFuture }
            return bucket.earliest(Self.sum(cost, behind), now: now)
        case .slidingWindow:
            guard let window, cost <= window.limit else { return .distantFuture }
            return window.earliest(Self.sum(cost, behind), now: now)
        }
    }

    /// Takes `cost` if it may be had at `now`, without a further question: true if it was taken. An
    /// algorithm that has to be asked differently says false.
    @inline(__always)
    mutating func takeAtOnce(_ cost: Int, now: Instant) -> Bool {
        switch kind {
        case .unlimited: true
        case .tokenBucket, .leakyBucket: bucket.takeAtOnce(cost, now: now)
        case .slidingWindow, .custom: false
        }
    }

    /// What `cost` would be at `time`: never later than the truth, as `earliest` says.
    func quote(_ cost: Int, at time: Instant) -> LimiterQuote {
        switch kind {
        case .tokenBucket, .leakyBucket:
            guard cost > 0, cost <= bucket.burst || bucket.isStrict else {
                return LimiterQuote(earliest: cost > 0 ? .distantFuture : time, paced: nil, time)
            }
            let quote = bucket.quote(PacedBucket.counted(cost), now: time)
            return LimiterQuote(earliest: quote.earliest, paced: quote, time)
        case .unlimited, .custom:
            return LimiterQuote(earliest: time, paced: nil, time)
        case .slidingWindow:
            return LimiterQuote(earliest: earliest(cost, now: time), paced: nil, time)
        }
    }

    /// Takes `cost` as of `due`, or as of `now` where lateness is not made good. What was quoted
    /// for that very time need not be computed again.
    mutating func take(
        _ cost: Int, _ quote: LimiterQuote, at due: Instant, now: Instant
    ) -> Admission {
        switch kind {
        case .unlimited:
            return .now
        case .tokenBucket, .leakyBucket:
            guard let paced = quote.paced, quote.time == due else {
                return bucket.admit(cost, now: due)
            }
            bucket.grant(paced)
            return .now
        case .slidingWindow, .custom:
            return admit(cost, now: now)
        }
    }

    private static func sum(_ one: Int, _ other: Int) -> Int {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The user's algorithm, which may refuse what no estimate foresaw; nil for any other kind.
    package var userDefined: (any RateLimiter)? { custom }

    package var isCustom: Bool { kind == .custom }

    package func isAtRest(now: Instant) -> Bool {
        switch kind {
        case .unlimited: true
        case .tokenBucket, .leakyBucket: bucket.isAtRest(now: now)
        case .slidingWindow: window?.isAtRest(now: now) ?? true
        case .custom: custom?.isAtRest(now: now) ?? true
        }
    }

    package var isConfigured: Bool {
        switch kind {
        case .unlimited: false
        case .tokenBucket, .leakyBucket, .slidingWindow: true
        case .custom: custom?.isConfigured ?? false
        }
    }

    /// Goes on as `limit` says. A limiter of the same kind keeps what it knows; another kind starts
    /// anew, and so does a user's.
    package mutating func adjust(_ limit: RateLimit?, now: Instant) {
        switch (kind, limit) {
        case (.tokenBucket, .tokenBucket(let rate, let burst)):
            bucket.adjust(rate, burst: burst ?? rate.count, now: now)
        case (.leakyBucket, .leakyBucket(let rate, let shaping))
        where bucket.isStrict == (shaping == .strict):
            bucket.adjust(rate, burst: rate.count, now: now)
        case (.slidingWindow, .slidingWindow(let rate)):
            window?.adjust(rate, now: now)
        case (_, let limit):
            self = Limiter(limit)
        }
    }
}
