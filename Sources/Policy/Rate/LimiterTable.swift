// The limiters of all domains: one per host, registrable domain or address, in a bounded table. An
// origin's record enters its domain once and keeps the identifier. Owned by the client's policies;
// reactor thread; reads no clock.

package import FetchTime

/// What shares a limiter.
public enum RateKey: Sendable, Hashable {
    /// Each host and port for itself.
    case host
    /// All hosts under one registrable domain, so that a million sub-domains don't make a million
    /// limits.
    case registrableDomain
    /// All hosts at one address.
    case address

    /// The key's text. What is not known (an address before its look-up, the domain of a literal)
    /// falls back to host and port.
    package func text(
        host: String, port: UInt16, registrableDomain: String?, address: String?
    ) -> String {
        switch self {
        case .host: "\(host):\(port)"
        case .registrableDomain: registrableDomain ?? "\(host):\(port)"
        case .address: address ?? "\(host):\(port)"
        }
    }
}

/// What one domain is held to: its limiter, and whether its server asked to be left alone.
package struct DomainGate: Resting, Sendable {
    package var limiter: Limiter
    /// Its limit is its own, and not what holds for all.
    private(set) var hasOwnLimit = false
    /// Nobody asks before this.
    package private(set) var parkedUntil = Instant(nanoseconds: .min)

    package init(_ limiter: Limiter) {
        self.limiter = limiter
    }

    init(own limit: RateLimit) {
        limiter = Limiter(limit)
        hasOwnLimit = true
    }

    /// Leaves the domain alone until then; an earlier end than the one that holds changes nothing.
    package mutating func park(until end: Instant) { parkedUntil = max(parkedUntil, end) }

    package func isParked(now: Instant) -> Bool { now < parkedUntil }

    static var forgotten: DomainGate { DomainGate(Limiter(nil)) }

    package func isAtRest(now: Instant) -> Bool {
        !isParked(now: now) && limiter.isAtRest(now: now)
    }

    /// When `cost` could go behind others who want `behind` together, taking nothing: never later
    /// than the truth.
    package func earliest(_ cost: Int, behind: Int, now: Instant) -> Instant {
        max(parkedUntil, limiter.earliest(cost, behind: behind, now: now))
    }

    @inline(__always)
    mutating func takeAtOnce(_ cost: Int, now: Instant) -> Bool {
        !isParked(now: now) && limiter.takeAtOnce(cost, now: now)
    }

    package mutating func admit(_ cost: Int, now: Instant) -> Admission {
        isParked(now: now) ? .notBefore(parkedUntil) : limiter.admit(cost, now: now)
    }
}

/// A domain's identifier in the table.
package typealias DomainID = KeyedID

package struct LimiterTable: Sendable {
    /// Domains that are remembered at most, unless the configuration says otherwise.
    package static var defaultMost: Int { 10_000 }

    private var table: KeyedTable<DomainGate>
    private var limit: RateLimit?

    /// - Parameters:
    ///   - limit: each domain's limiter; nil for none, when domains are remembered while parked.
    ///   - most: domains at most.
    package init(limit: RateLimit?, most: Int = LimiterTable.defaultMost) {
        self.limit = limit
        table = KeyedTable(most: most)
    }

    package var count: Int { table.count }

    /// One more origin of that domain; nil when the table is full of domains in use.
    ///
    /// - Parameter own: the limit of this domain, in place of what holds for all.
    package mutating func enter(
        _ key: String, own: RateLimit? = nil, now: Instant
    ) -> DomainID? {
        table.enter(key, now: now) { [limit] in
            own.map { DomainGate(own: $0) } ?? DomainGate(Limiter(limit))
        }
    }

    /// An origin of the domain is forgotten.
    package mutating func leave(_ domain: DomainID, now: Instant) {
        table.leave(domain, now: now)
    }

    package subscript(_ domain: DomainID) -> DomainGate? { table[domain] }

    /// Takes `cost` from the domain's limiter, unless the domain is parked.
    package mutating func admit(_ cost: Int, _ domain: DomainID, now: Instant) -> Admission {
        guard table.isLive(domain) else { return .now }
        return table[live: domain].admit(cost, now: now)
    }

    /// What `cost` would be at `time`; a parked domain's is the end of its parking at the earliest.
    func quote(_ cost: Int, _ domain: DomainID, at time: Instant) -> LimiterQuote {
        guard table.isLive(domain) else { return LimiterQuote(earliest: time, paced: nil, time) }
        let end = table[live: domain].parkedUntil
        return table[live: domain].limiter.quote(cost, at: max(time, end))
    }

    /// Takes `cost` if it may be had at `now`, without a further question: true if it was taken.
    @inline(__always)
    mutating func takeAtOnce(_ cost: Int, _ domain: DomainID, now: Instant) -> Bool {
        guard table.isLive(domain) else { return true }
        return table[live: domain].takeAtOnce(cost, now: now)
    }

    /// Takes what was quoted.
    mutating func take(
        _ cost: Int, _ quote: LimiterQuote, _ domain: DomainID, at due: Instant, now: Instant
    ) -> Admission {
        guard table.isLive(domain) else { return .now }
        return table[live: domain].limiter.take(cost, quote, at: due, now: now)
    }

    package mutating func giveBack(_ cost: Int, _ domain: DomainID, now: Instant) {
        guard table.isLive(domain) else { return }
        table[live: domain].limiter.giveBack(cost, now: now)
    }

    package mutating func park(_ domain: DomainID, until end: Instant) {
        guard table.isLive(domain) else { return }
        table[live: domain].park(until: end)
    }

    /// When `cost` could go behind others who want `behind` together, taking nothing: never later
    /// than the truth.
    package func earliest(
        _ cost: Int, behind: Int = 0, _ domain: DomainID, now: Instant
    ) -> Instant {
        guard table.isLive(domain) else { return now }
        return table[live: domain].earliest(cost, behind: behind, now: now)
    }

    /// Whether the domain's limiter is an algorithm of the user's.
    func isCustom(_ domain: DomainID) -> Bool {
        table.isLive(domain) && table[live: domain].limiter.isCustom
    }

    /// Other limiters from now on, but for domains with one of their own; they keep what they know
    /// where their kind stays.
    package mutating func adjust(_ limit: RateLimit?, now: Instant) {
        self.limit = limit
        table.changeAll { if !$0.hasOwnLimit { $0.limiter.adjust(limit, now: now) } }
    }
}
