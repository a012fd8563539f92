// What a batch has to say about itself: while it runs, and at its end. Values; they read no clock.

package import FetchTime

/// How far a batch has come.
public struct BatchProgress: Sendable, Hashable {
    /// Items in all; nil while that is not known.
    public let total: Int?
    /// Items that have ended well.
    public let succeeded: Int
    /// Items that have failed.
    public let failed: Int
    /// Items under way.
    public let inFlight: Int
    /// From the batch's start.
    public let elapsed: Duration

    /// Items that have ended.
    public var done: Int { succeeded + failed }

    /// Items that ended per second so far; 0 at the very start.
    public var rate: Double {
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Double(done) / seconds : 0
    }

    /// What is left at this rate; nil while there is no rate or no total.
    public var timeLeft: Duration? {
        guard let total, rate > 0 else { return nil }
        return .seconds(Double(max(0, total - done)) / rate)
    }
}

/// What a batch came to.
public struct BatchReport: Sendable, Hashable {
    /// Items that ended well.
    public let succeeded: Int
    /// Items that failed.
    public let failed: Int
    /// From the batch's start to its end.
    public let elapsed: Duration
    /// Items that ended per second.
    public let rate: Double
    /// Half of the items took no longer; nil when none ended well.
    public let p50: Duration?
    /// 99 of 100 items took no longer.
    public let p99: Duration?
    /// Share of the requests that went over a connection used before; nil when nothing was sent.
    public let reuseRatio: Double?
    /// Share of the names that needed no look-up; nil when no name was asked for.
    public let dnsHitRatio: Double?

    /// Share of the items that ended well, 0 to 1; 1 of an empty batch.
    public var successRate: Double {
        succeeded + failed == 0 ? 1 : Double(succeeded) / Double(succeeded + failed)
    }
}

/// Counts what a batch reports. Bounded, however long the batch.
package struct BatchCounts: Sendable {
    /// Up to so many latencies the percentiles are exact; above, they are rounded up to the end of
    /// a bucket, at most an eighth.
    package static var mostExact: Int { 4_096 }

    private let started: Instant
    private let total: Int?
    private var succeeded = 0
    private var failed = 0
    private var exact: [Int64] = []
    private var buckets = BucketedLatencies()
    /// Requests sent, and those of them over a connection used before.
    private var requests = 0
    private var reuses = 0
    private var names = 0
    private var nameHits = 0

    package init(total: Int?, now: Instant) {
        self.total = total
        started = now
    }

    /// An item ended well after so long.
    package mutating func itemSucceeded(nanoseconds: Int64) {
        succeeded += 1
        if exact.count < Self.mostExact { exact.append(nanoseconds) }
        buckets.record(nanoseconds)
    }

    package mutating func itemFailed() { failed += 1 }

    package mutating func requestSent(reused: Bool) {
        requests += 1
        if reused { reuses += 1 }
    }

    package mutating func nameAsked(wasKnown: Bool) {
        names += 1
        if wasKnown { nameHits += 1 }
    }

    package func progress(inFlight: Int, now: Instant) -> BatchProgress {
        BatchProgress(
            total: total, succeeded: succeeded, failed: failed, inFlight: inFlight,
            elapsed: started.duration(to: now))
    }

    package func report(now: Instant) -> BatchReport {
        let progress = progress(inFlight: 0, now: now)
        let sorted = succeeded <= Self.mostExact ? exact.sorted() : nil
        return BatchReport(
            succeeded: succeeded, failed: failed, elapsed: progress.elapsed, rate: progress.rate,
            p50: percentile(50, sorted), p99: percentile(99, sorted),
            reuseRatio: requests == 0 ? nil : Double(reuses) / Double(requests),
            dnsHitRatio: names == 0 ? nil : Double(nameHits) / Double(names))
    }

    /// By nearest rank.
    private func percentile(_ percent: Int, _ sorted: [Int64]?) -> Duration? {
        guard succeeded > 0 else { return nil }
        let rank = (succeeded * percent + 99) / 100
        if let sorted { return .nanoseconds(sorted[max(1, rank) - 1]) }
        return .nanoseconds(buckets.nanoseconds(rank: rank))
    }
}
