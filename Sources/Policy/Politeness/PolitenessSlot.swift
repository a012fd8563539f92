// A politeness slot: what one host, address or custom name is spared. A value in a table; reads no
// clock, throws no dice of its own.

package import FetchTime

package struct PolitenessSlot: Resting, Equatable, Sendable {
    /// When a request may go.
    package enum Opening: Equatable, Sendable {
        case now
        case notBefore(Instant)
        /// As many are in flight as may be: when one ends.
        case whenOneEnds
    }

    package private(set) var inFlight = 0
    /// From start to start, before jitter, in nanoseconds.
    package private(set) var delayNanoseconds: Int64
    /// The site asks for a delay that the rules don't keep: it is not visited.
    package private(set) var isSkipped = false
    private var minDelayNanoseconds: Int64
    private var nextStart = Instant(nanoseconds: .min)
    /// What `nextStart` was before the last start, should that be taken back.
    private var earlierStart = Instant(nanoseconds: .min)
    private var parkedUntil = Instant(nanoseconds: .min)
    private var lastUsed: Instant
    private let idleNanoseconds: Int64

    static var forgotten: PolitenessSlot {
        PolitenessSlot(PolitenessRules(), now: Instant(nanoseconds: 0))
    }

    package init(_ rules: PolitenessRules, now: Instant) {
        minDelayNanoseconds = max(0, rules.minDelay.saturatingNanoseconds)
        idleNanoseconds = max(0, rules.idleTime.saturatingNanoseconds)
        let start = rules.autoThrottle?.startDelay.saturatingNanoseconds ?? 0
        delayNanoseconds = max(minDelayNanoseconds, start)
        lastUsed = now
    }

    package func opening(_ rules: PolitenessRules, now: Instant) -> Opening {
        guard inFlight < rules.concurrency else { return .whenOneEnds }
        let earliest = max(nextStart, parkedUntil)
        return earliest <= now ? .now : .notBefore(earliest)
    }

    /// A request starts if it may, without a further question.
    @inline(__always)
    mutating func startAtOnce(
        atMost concurrency: Int, jitter: Double, now: Instant, random: UInt64
    ) -> Bool {
        guard !isSkipped, inFlight < concurrency, nextStart <= now, parkedUntil <= now else {
            return false
        }
        start(jitter, now, random)
        return true
    }

    /// A request starts. The next one's delay is thrown now, so that it is known when to ask.
    ///
    /// - Parameter random: 64 bits of chance, all alike.
    package mutating func started(_ rules: PolitenessRules, now: Instant, random: UInt64) {
        start(rules.jitter, now, random)
    }

    @inline(__always)
    private mutating func start(_ jitter: Double, _ now: Instant, _ random: UInt64) {
        inFlight += 1
        lastUsed = now
        earlierStart = nextStart
        if delayNanoseconds == 0 {
            nextStart = now
            return
        }
        nextStart = now.adding(
            nanoseconds: Jitter.proportional(jitter)
                .applied(to: delayNanoseconds, random: random))
    }

    /// A request that was let go did not start after all. The next one need not wait for it, if
    /// that is known at once; later others may have started, and their delay holds.
    package mutating func unstarted(now: Instant) {
        inFlight = max(0, inFlight - 1)
        if lastUsed == now { nextStart = earlierStart }
    }

    /// A request ended with a response after `latency` ns, or without one (nil), which says nothing
    /// about how much the host can bear.
    package mutating func ended(
        _ rules: PolitenessRules, latency: Int64?, succeeded: Bool, now: Instant
    ) {
        ended(now: now)
        guard let throttle = rules.autoThrottle, let latency else { return }
        delayNanoseconds = throttle.delay(
            after: latency, was: delayNanoseconds, minDelay: minDelayNanoseconds,
            succeeded: succeeded)
    }

    /// The same where no throttle wants to know more.
    @inline(__always)
    mutating func ended(now: Instant) {
        inFlight = max(0, inFlight - 1)
        lastUsed = now
    }

    /// The site asks for this delay.
    package mutating func siteAsks(for delay: Duration, _ rules: PolitenessRules) {
        let asked = max(0, delay.saturatingNanoseconds)
        let most: Int64
        switch rules.crawlDelay {
        case .ignored:
            return
        case .clampedTo(let limit):
            most = limit.saturatingNanoseconds
        case .skipAbove(let limit):
            most = limit.saturatingNanoseconds
            isSkipped = asked > most
        }
        minDelayNanoseconds = max(rules.minDelay.saturatingNanoseconds, min(asked, most))
        // A throttle's delay is found from latencies, and only bounded from below.
        let found = rules.autoThrottle == nil ? 0 : delayNanoseconds
        delayNanoseconds = max(found, minDelayNanoseconds)
    }

    /// The server asks to be left alone until then.
    package mutating func park(until end: Instant) { parkedUntil = max(parkedUntil, end) }

    /// Nothing under way, nobody spared, and unused for the rules' idle time. What a site asked
    /// for is forgotten with the slot, and asked for again with its robots file.
    package func isAtRest(now: Instant) -> Bool {
        inFlight == 0 && nextStart <= now && parkedUntil <= now
            && lastUsed.adding(nanoseconds: idleNanoseconds) <= now
    }
}

/// The slots of all hosts. Bounded; reactor thread.
package struct PolitenessTable: Sendable {
    package let rules: PolitenessRules
    private let throttles: Bool
    private var table: KeyedTable<PolitenessSlot>

    package init(_ rules: PolitenessRules) {
        self.rules = rules
        throttles = rules.autoThrottle != nil
        table = KeyedTable(most: rules.mostSlots)
    }

    package var count: Int { table.count }

    /// One more origin of that slot; nil when the table is full of slots in use.
    package mutating func enter(_ key: String, now: Instant) -> KeyedID? {
        table.enter(key, now: now) { [rules] in PolitenessSlot(rules, now: now) }
    }

    /// An origin of the slot is forgotten.
    package mutating func leave(_ slot: KeyedID, now: Instant) { table.leave(slot, now: now) }

    package subscript(_ slot: KeyedID) -> PolitenessSlot? { table[slot] }

    package func opening(_ slot: KeyedID, now: Instant) -> PolitenessSlot.Opening {
        table.isLive(slot) ? table[live: slot].opening(rules, now: now) : .now
    }

    @inline(__always)
    mutating func startAtOnce(_ slot: KeyedID, now: Instant, random: UInt64) -> Bool {
        guard table.isLive(slot) else { return true }
        let (most, jitter) = (rules.concurrency, rules.jitter)
        return table[live: slot].startAtOnce(
            atMost: most, jitter: jitter, now: now, random: random)
    }

    package func isSkipped(_ slot: KeyedID) -> Bool {
        table.isLive(slot) && table[live: slot].isSkipped
    }

    /// See ``PolitenessSlot/started(_:now:random:)``.
    package mutating func started(_ slot: KeyedID, now: Instant, random: UInt64) {
        guard table.isLive(slot) else { return }
        table[live: slot].started(rules, now: now, random: random)
    }

    /// See ``PolitenessSlot/unstarted(now:)``.
    package mutating func unstarted(_ slot: KeyedID, now: Instant) {
        guard table.isLive(slot) else { return }
        table[live: slot].unstarted(now: now)
    }

    /// See ``PolitenessSlot/ended(_:latency:succeeded:now:)``.
    @inline(__always)
    package mutating func ended(
        _ slot: KeyedID, latency: Int64?, succeeded: Bool, now: Instant
    ) {
        guard table.isLive(slot) else { return }
        guard throttles else { return table[live: slot].ended(now: now) }
        table[live: slot].ended(rules, latency: latency, succeeded: succeeded, now: now)
    }

    /// See ``PolitenessSlot/siteAsks(for:_:)``.
    package mutating func siteAsks(for delay: Duration, _ slot: KeyedID) {
        guard table.isLive(slot) else { return }
        table[live: slot].siteAsks(for: delay, rules)
    }

    /// See ``PolitenessSlot/park(until:)``.
    package mutating func park(_ slot: KeyedID, until end: Instant) {
        guard table.isLive(slot) else { return }
        table[live: slot].park(until: end)
    }

    /// Forgets up to `most` of the oldest slots that are at rest; called now and then.
    package mutating func collect(lookingAt most: Int = 64, now: Instant) {
        table.forgetResting(lookingAt: most, now)
    }
}
