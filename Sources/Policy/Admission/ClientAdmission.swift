// Joint admission: the domain's token, the client's token and the slots are taken in one step, all
// or none. So a starved host holds no slot, and a request that waits for a slot burns no token. A
// value of the client's, on the reactor thread; reads no clock. Nobody waits here: the waiting
// lines do, and ask again when a slot comes free or the time that was named has come.

package import FetchTime

/// What one origin has under way.
package struct OriginGate: Equatable, Sendable {
    /// Requests under way at most.
    package var concurrency: Int
    package fileprivate(set) var inFlight = 0

    package init(concurrency: Int) {
        self.concurrency = concurrency
    }
}

/// Where an origin's limits are found, kept in its record.
package struct AdmissionKeys: Equatable, Sendable {
    package var domain: DomainID?
    package var politeness: KeyedID?

    package init(domain: DomainID? = nil, politeness: KeyedID? = nil) {
        self.domain = domain
        self.politeness = politeness
    }
}

package struct ClientAdmission: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// Everything is taken.
        case admitted
        /// Nothing is taken; asking before this is in vain.
        case notBefore(Instant)
        /// Nothing is taken; one of these must come free first.
        case wants(Slot)
        /// The site asks for more patience than the rules have.
        case skipped
    }

    package enum Slot: Equatable, Sendable {
        /// One of the client's requests under way.
        case client
        /// One of the origin's.
        case origin
        /// One of the politeness slot's.
        case politeness
        /// A connection, or room for one.
        case connection
    }

    /// How far a grant is dated back to when it was due: one tick of the timer wheel. Without it a
    /// fast rate would lose the tick's rest at each waking.
    package static var latenessNanoseconds: Int64 { 1_000_000 }

    package private(set) var inFlight = 0
    /// Requests under way at most.
    package var concurrency: Int
    package private(set) var limiter: Limiter
    package var domains: LimiterTable
    /// Asked for the origins that have a slot in it, which is for none unless it is configured.
    package var politeness: PolitenessTable

    /// - Parameters:
    ///   - concurrency: requests of the client under way at most.
    ///   - limit: the client's limiter; nil for none.
    package init(
        concurrency: Int, limit: RateLimit? = nil, domains: LimiterTable,
        politeness: PolitenessTable = PolitenessTable(PolitenessRules())
    ) {
        self.concurrency = concurrency
        limiter = Limiter(limit)
        self.domains = domains
        self.politeness = politeness
    }

    /// Takes all that a request needs to go, or nothing.
    ///
    /// - Parameters:
    ///   - hasConnection: the pool's answer.
    ///   - due: when the request was told to ask again, if it was.
    ///   - random: 64 bits of chance, all alike, for the next request's delay.
    package mutating func admit(
        _ keys: AdmissionKeys, _ origin: inout OriginGate, cost: Int = 1, hasConnection: Bool,
        due: Instant? = nil, now: Instant, random: UInt64
    ) -> Verdict {
        if due == nil, hasConnection,
            admitAtOnce(keys, &origin, cost: cost, now: now, random: random)
        {
            return .admitted
        }
        if inFlight >= concurrency { return .wants(.client) }
        if origin.inFlight >= origin.concurrency { return .wants(.origin) }
        if !hasConnection { return .wants(.connection) }
        var time = Self.from(due, now)
        if let slot = keys.politeness, let verdict = impoliteness(slot, &time, now: now) {
            return verdict
        }
        let first = keys.domain.map { domains.quote(cost, $0, at: time) }
        if let first { time = max(time, first.time, first.earliest) }
        let second = limiter.quote(cost, at: time)
        time = max(time, second.earliest)
        guard time <= now else { return .notBefore(time) }
        let answer = take(cost, keys.domain, first, second, at: time, now: now)
        guard answer == .now else { return Self.verdict(answer) }
        started(keys, &origin, now, random)
        return .admitted
    }

    /// Takes all that a request needs to go and has not been told to wait for, besides its
    /// connection; false, and nothing is taken, where that has to be asked for more closely.
    package mutating func admitAtOnce(
        _ keys: AdmissionKeys, _ origin: inout OriginGate, cost: Int, now: Instant, random: UInt64
    ) -> Bool {
        guard inFlight < concurrency, origin.inFlight < origin.concurrency,
            goesAtOnce(keys, cost, now, random)
        else { return false }
        inFlight &+= 1
        origin.inFlight &+= 1
        return true
    }

    /// When a request could go at the earliest behind others of its domain who want `behind`
    /// together: one whose deadline is before that need not wait.
    package func earliest(
        _ keys: AdmissionKeys, cost: Int = 1, behind: Int = 0, now: Instant
    ) -> Instant {
        var time = limiter.earliest(cost, behind: behind, now: now)
        if let domain = keys.domain {
            time = max(time, domains.earliest(cost, behind: behind, domain, now: now))
        }
        if let slot = keys.politeness,
            case .notBefore(let opening) = politeness.opening(slot, now: now)
        {
            time = max(time, opening)
        }
        return time
    }

    /// A request has ended, however: its slots are free. The tokens are spent.
    package mutating func release(
        _ keys: AdmissionKeys, _ origin: inout OriginGate, latency: Int64? = nil,
        succeeded: Bool = false, now: Instant
    ) {
        releaseSlots(&origin)
        if let slot = keys.politeness {
            politeness.ended(slot, latency: latency, succeeded: succeeded, now: now)
        }
    }

    /// An admitted request is not sent after all: everything goes back.
    package mutating func undo(
        _ keys: AdmissionKeys, _ origin: inout OriginGate, cost: Int = 1, now: Instant
    ) {
        releaseSlots(&origin)
        limiter.giveBack(cost, now: now)
        if let domain = keys.domain { domains.giveBack(cost, domain, now: now) }
        if let slot = keys.politeness { politeness.unstarted(slot, now: now) }
    }

    /// Nobody asks the origin's domain before that.
    package mutating func park(_ keys: AdmissionKeys, until end: Instant) {
        if let domain = keys.domain { domains.park(domain, until: end) }
        if let slot = keys.politeness { politeness.park(slot, until: end) }
    }

    /// Whether nobody may ask the origin's domain now.
    package func isParked(_ keys: AdmissionKeys, now: Instant) -> Bool {
        keys.domain.map { domains[$0]?.isParked(now: now) ?? false } ?? false
    }

    /// Another limiter for the whole client from now on.
    package mutating func adjust(_ limit: RateLimit?, now: Instant) {
        limiter.adjust(limit, now: now)
    }

    // MARK: Parts

    /// The way of nearly everybody: nothing stands in it, and both tokens are taken. Whoever gets
    /// false has taken nothing, and asks until when.
    @inline(__always)
    private mutating func goesAtOnce(
        _ keys: AdmissionKeys, _ cost: Int, _ now: Instant, _ random: UInt64
    ) -> Bool {
        if let domain = keys.domain, !domains.takeAtOnce(cost, domain, now: now) { return false }
        if limiter.takeAtOnce(cost, now: now) {
            guard let slot = keys.politeness,
                !politeness.startAtOnce(slot, now: now, random: random)
            else { return true }
            limiter.giveBack(cost, now: now)
        }
        if let domain = keys.domain { domains.giveBack(cost, domain, now: now) }
        return false
    }

    @inline(__always)
    private mutating func started(
        _ keys: AdmissionKeys, _ origin: inout OriginGate, _ now: Instant, _ random: UInt64
    ) {
        inFlight += 1
        origin.inFlight += 1
        if let slot = keys.politeness { politeness.started(slot, now: now, random: random) }
    }

    /// A grant is dated back to when it was due, within a tick.
    private static func from(_ due: Instant?, _ now: Instant) -> Instant {
        guard let due else { return now }
        return min(now, max(due, now.adding(nanoseconds: -latenessNanoseconds)))
    }

    private func impoliteness(
        _ slot: KeyedID, _ time: inout Instant, now: Instant
    ) -> Verdict? {
        if politeness.isSkipped(slot) { return .skipped }
        switch politeness.opening(slot, now: now) {
        case .now: return nil
        case .whenOneEnds: return .wants(.politeness)
        case .notBefore(let opening):
            time = max(time, opening)
            return nil
        }
    }

    /// Both tokens or none. The built-in limiters have said that they will grant; only a user's may
    /// refuse now, so it is asked first, and of two the one that granted gets its token back.
    private mutating func take(
        _ cost: Int, _ domain: DomainID?, _ first: LimiterQuote?, _ second: LimiterQuote,
        at time: Instant, now: Instant
    ) -> Admission {
        guard let domain, let first else {
            return limiter.take(cost, second, at: time, now: now)
        }
        let clientGoesFirst = limiter.isCustom && !domains.isCustom(domain)
        if clientGoesFirst {
            let answer = limiter.take(cost, second, at: time, now: now)
            guard answer == .now else { return answer }
            return domains.take(cost, first, domain, at: time, now: now)
        }
        let answer = domains.take(cost, first, domain, at: time, now: now)
        guard answer == .now else { return answer }
        let other = limiter.take(cost, second, at: time, now: now)
        if other != .now { domains.giveBack(cost, domain, now: now) }
        return other
    }

    private static func verdict(_ answer: Admission) -> Verdict {
        switch answer {
        case .now: .admitted
        case .notBefore(let later): .notBefore(later)
        }
    }

    private mutating func releaseSlots(_ origin: inout OriginGate) {
        precondition(inFlight > 0 && origin.inFlight > 0, "who was admitted is released once")
        inFlight -= 1
        origin.inFlight -= 1
    }
}
