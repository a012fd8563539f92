// How a crawler behaves towards a host, as settings. Values; any thread.

internal import FetchTime

/// What a politeness slot is kept for.
public enum PolitenessKey: Sendable, Hashable {
    /// Each host.
    case host
    /// Each address.
    case address
    /// Whatever the configuration's function makes of a host: several hosts may be one.
    case custom
}

/// What a crawl-delay that a site asks for does (the number is the caller's to find).
public enum CrawlDelayRule: Sendable, Hashable {
    /// It is kept up to this; a longer one is cut to it.
    case clampedTo(Duration)
    /// It is kept up to this; a site that asks for more is not visited.
    case skipAbove(Duration)
    /// It is not looked at.
    case ignored
}

/// Finds a host's delay from how long it takes to answer: so many requests in flight on average.
///
/// After each response the delay becomes the mean of what it was and latency / target, and no less
/// than the latter; an error never lowers it. The rule and its numbers are Scrapy's AutoThrottle.
public struct AutoThrottle: Sendable, Hashable {
    /// The delay of a host that is not known yet. Default 5 s.
    public var startDelay: Duration
    /// No delay is longer. Default 60 s.
    public var maxDelay: Duration
    /// Requests in flight per host that it aims at. Default 1.
    public var targetConcurrency: Double

    /// A throttle of these values.
    public init(
        startDelay: Duration = .seconds(5), maxDelay: Duration = .seconds(60),
        targetConcurrency: Double = 1
    ) {
        self.startDelay = startDelay
        self.maxDelay = maxDelay
        self.targetConcurrency = targetConcurrency
    }

    /// The delay after a response; `delay` and the result lie between `minDelay` and `maxDelay`.
    package func delay(
        after latency: Int64, was delay: Int64, minDelay: Int64, succeeded: Bool
    ) -> Int64 {
        let target = Chance.whole(Double(max(0, latency)) / max(targetConcurrency, 0.001))
        let most = max(minDelay, maxDelay.saturatingNanoseconds)
        // The mean, without a sum that could overflow.
        let mean = delay / 2 + target / 2 + (delay % 2 + target % 2) / 2
        let next = min(max(minDelay, target, mean), most)
        return !succeeded && next <= delay ? delay : next
    }
}

/// How a crawler behaves towards each host.
public struct PolitenessRules: Sendable, Hashable {
    /// What a slot is kept for. Default: each host.
    public var key: PolitenessKey
    /// Requests in flight. Default 8.
    public var concurrency: Int
    /// From one request's start to the next one's, at least. Default none.
    public var minDelay: Duration
    /// Varies each delay by up to this share, both ways: 0.5 for ×0.5 to ×1.5. Default 0.5.
    public var jitter: Double
    /// What a site's crawl-delay does. Default: kept up to 30 s, longer ones cut to that.
    public var crawlDelay: CrawlDelayRule
    /// Finds the delay from latencies; nil, the default, keeps `minDelay`.
    public var autoThrottle: AutoThrottle?
    /// A slot that nobody has used for so long is forgotten. Default 60 s.
    public var idleTime: Duration
    /// Slots at most. Default 10,000.
    public var mostSlots: Int

    /// Rules of these values.
    public init(
        key: PolitenessKey = .host, concurrency: Int = 8, minDelay: Duration = .zero,
        jitter: Double = 0.5, crawlDelay: CrawlDelayRule = .clampedTo(.seconds(30)),
        autoThrottle: AutoThrottle? = nil, idleTime: Duration = .seconds(60),
        mostSlots: Int = 10_000
    ) {
        self.key = key
        self.concurrency = concurrency
        self.minDelay = minDelay
        self.jitter = jitter
        self.crawlDelay = crawlDelay
        self.autoThrottle = autoThrottle
        self.idleTime = idleTime
        self.mostSlots = mostSlots
    }

    package var invalidSetting: InvalidSetting? {
        if concurrency < 1 { return InvalidSetting("concurrency", "must be 1 or more") }
        if minDelay < .zero { return InvalidSetting("minDelay", "must not be negative") }
        if !(0...1).contains(jitter) {
            return InvalidSetting("jitter", "must be between 0 and 1")
        }
        if idleTime < .zero { return InvalidSetting("idleTime", "must not be negative") }
        if mostSlots < 1 { return InvalidSetting("mostSlots", "must be 1 or more") }
        switch crawlDelay {
        case .clampedTo(let most), .skipAbove(let most):
            if most < .zero { return InvalidSetting("crawlDelay", "must not be negative") }
        case .ignored:
            break
        }
        guard let autoThrottle else { return nil }
        if autoThrottle.startDelay < .zero {
            return InvalidSetting("autoThrottle.startDelay", "must not be negative")
        }
        if autoThrottle.maxDelay < autoThrottle.startDelay {
            return InvalidSetting("autoThrottle.maxDelay", "must not be below startDelay")
        }
        if !(autoThrottle.targetConcurrency > 0) {
            return InvalidSetting("autoThrottle.targetConcurrency", "must be more than zero")
        }
        return nil
    }
}
