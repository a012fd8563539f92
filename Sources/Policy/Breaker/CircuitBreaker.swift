// A circuit breaker: after repeated failures it refuses at once, then lets one request probe. A
// value in an origin's record, or around any closure of the user's; reads no clock. Transitions are
// returned, so that whoever observes is told in order.
//
// Whoever is admitted holds a permit, and reports with it what became of the attempt. A permit of
// an earlier state is stale: what was sent before the breaker opened says nothing about a probe.

public import FetchTime

/// Refuses at once what has failed repeatedly, and finds out by one probe at a time when it is well
/// again.
///
/// Each user asks ``requestArrived(now:transition:)`` first and reports with ``ended(_:_:now:)``.
public struct CircuitBreaker: Sendable {
    /// What a breaker does with whoever asks.
    public enum State: Sendable, Hashable {
        /// Everybody passes. Can transition to `open`.
        case closed
        /// Everybody is refused. Can transition to `halfOpen`, once the time has come and somebody
        /// asks.
        case open(until: Instant)
        /// One probe at a time passes. Can transition to `closed` and `open`.
        case halfOpen
    }

    /// A change of state, for observers.
    public struct Transition: Sendable, Hashable {
        /// The state before.
        public let from: State
        /// The state after.
        public let to: State
        /// When.
        public let at: Instant
    }

    /// Who may pass.
    public struct Permit: Sendable, Hashable {
        let epoch: UInt32
        let isProbe: Bool
    }

    /// The answer to whoever wants to pass.
    public enum Answer: Sendable, Hashable {
        /// Pass, and report with this.
        case admitted(Permit)
        /// Don't; before this time it is in vain.
        case refused(until: Instant)
    }

    /// What the breaker does now.
    public private(set) var state: State = .closed
    private var consecutive: Int32 = 0
    /// Moves on with every change of state and every lost probe, and makes permits stale.
    private var epoch: UInt32 = 0
    private var probeIsOut = false
    private var probesSucceeded: Int32 = 0
    private var probeIsLostAt = Instant.distantFuture
    /// Failures while closed are worth remembering until then.
    private var countsUntil = Instant(nanoseconds: .min)
    private let limits: Limits
    /// Attempts and failures: one element, or none where no rate is asked for. An array, because
    /// the counts would be most of the size of every breaker that doesn't need them.
    private var window: [WindowedCounts]

    private struct Limits: Sendable {
        let consecutiveFailures: Int32
        let probes: Int32
        let percent: Int64
        let minimumVolume: Int64
        let coolDown: Int64
        let slice: Int64
    }

    /// A closed breaker.
    public init(_ rules: BreakerRules = BreakerRules()) {
        let rate = rules.failureRate
        let window = rate?.window.saturatingNanoseconds ?? 0
        limits = Limits(
            consecutiveFailures: Int32(clamping: rules.consecutiveFailures ?? 0),
            probes: max(1, Int32(clamping: rules.probes)),
            percent: Int64(rate?.percent ?? 100), minimumVolume: Int64(rate?.minimumVolume ?? 0),
            coolDown: max(1, rules.coolDown.saturatingNanoseconds),
            slice: max(1, window / Int64(WindowedCounts.slices)))
        self.window = rate == nil ? [] : [WindowedCounts()]
    }

    /// Whether one may pass now. An answer is a promise to report, however the attempt ends.
    ///
    /// `transition` is set if asking changed the state: an open breaker whose time has come.
    public mutating func requestArrived(
        now: Instant, transition: inout Transition?
    ) -> Answer {
        switch state {
        case .closed:
            return .admitted(Permit(epoch: epoch, isProbe: false))
        case .open(let until) where now < until:
            return .refused(until: until)
        case .open:
            transition = change(to: .halfOpen, now)
            return probe(now)
        case .halfOpen where !probeIsOut:
            return probe(now)
        case .halfOpen where now >= probeIsLostAt:
            // Its permit becomes stale, so that two probes never count as two.
            epoch &+= 1
            return probe(now)
        case .halfOpen:
            return .refused(until: probeIsLostAt)
        }
    }

    /// Until when whoever asked now would be refused; nil where it would pass. Changes nothing.
    package func refusal(now: Instant) -> Instant? {
        switch state {
        case .closed: nil
        case .open(let until): now < until ? until : nil
        case .halfOpen: probeIsOut && now < probeIsLostAt ? probeIsLostAt : nil
        }
    }

    /// The answer of a closed breaker, and no other's. In place: a breaker's value is not small.
    package mutating func permitWhileClosed() -> Permit? {
        guard case .closed = state else { return nil }
        return Permit(epoch: epoch, isProbe: false)
    }

    /// See ``isCurrent(_:)``; in place.
    package mutating func stillHolds(_ permit: Permit) -> Bool { permit.epoch == epoch }

    /// An attempt has succeeded. False, and nothing is counted, where that is not all there is to
    /// it: the breaker is not closed, or counts a rate.
    package mutating func succeededWhileClosed(_ permit: Permit) -> Bool {
        guard case .closed = state, permit.epoch == epoch, window.isEmpty else { return false }
        consecutive = 0
        return true
    }

    /// Whether nothing that happened before counts, and the breaker may be forgotten: also when
    /// nobody has asked for as long as it stays open, since the last failure or since it could have
    /// been probed.
    package func isAtRest(now: Instant) -> Bool {
        switch state {
        case .closed: now >= countsUntil
        case .open(let until): now >= until.adding(nanoseconds: limits.coolDown)
        case .halfOpen: now >= probeIsLostAt
        }
    }

    /// Whether one that was let through before may still be sent: false when the breaker has opened
    /// since. The permit must then be reported as ignored.
    public func isCurrent(_ permit: Permit) -> Bool { permit.epoch == epoch }

    /// An attempt has ended. Returns the transition that came of it.
    public mutating func ended(
        _ permit: Permit, _ verdict: BreakerVerdict, now: Instant
    ) -> Transition? {
        guard permit.epoch == epoch else { return nil }
        switch state {
        case .closed: return countedWhileClosed(verdict, now)
        case .open: return nil
        case .halfOpen: return probeEnded(verdict, now)
        }
    }

    // MARK: Closed

    private mutating func countedWhileClosed(
        _ verdict: BreakerVerdict, _ now: Instant
    ) -> Transition? {
        switch verdict {
        case .ignored:
            return nil
        case .success:
            consecutive = 0
            if !window.isEmpty { count(isFailure: false, now) }
            return nil
        case .failure:
            consecutive += consecutive < .max ? 1 : 0
            countsUntil = now.adding(nanoseconds: limits.coolDown)
            if !window.isEmpty { count(isFailure: true, now) }
            return isTooMuch ? open(now) : nil
        }
    }

    private mutating func count(isFailure: Bool, _ now: Instant) {
        window[0].advance(to: now, sliceNanoseconds: limits.slice)
        window[0].countFirst()
        if isFailure { window[0].countSecond() }
    }

    private var isTooMuch: Bool {
        if limits.consecutiveFailures > 0, consecutive >= limits.consecutiveFailures {
            return true
        }
        guard !window.isEmpty else { return false }
        let (attempts, failures) = (Int64(window[0].first), Int64(window[0].second))
        return attempts >= limits.minimumVolume && failures * 100 >= attempts * limits.percent
    }

    // MARK: Open and half open

    private mutating func probe(_ now: Instant) -> Answer {
        probeIsOut = true
        probeIsLostAt = now.adding(nanoseconds: limits.coolDown)
        return .admitted(Permit(epoch: epoch, isProbe: true))
    }

    private mutating func probeEnded(
        _ verdict: BreakerVerdict, _ now: Instant
    ) -> Transition? {
        // A probe's permit is good once.
        probeIsOut = false
        epoch &+= 1
        switch verdict {
        case .ignored:
            return nil
        case .failure:
            return open(now)
        case .success:
            probesSucceeded += 1
            guard probesSucceeded >= limits.probes else { return nil }
            return change(to: .closed, now)
        }
    }

    private mutating func open(_ now: Instant) -> Transition {
        change(to: .open(until: now.adding(nanoseconds: limits.coolDown)), now)
    }

    /// Every state begins without a past.
    private mutating func change(to next: State, _ now: Instant) -> Transition {
        let transition = Transition(from: state, to: next, at: now)
        state = next
        epoch &+= 1
        consecutive = 0
        countsUntil = now
        probeIsOut = false
        probesSucceeded = 0
        probeIsLostAt = .distantFuture
        if !window.isEmpty { window[0] = WindowedCounts() }
        return transition
    }
}
