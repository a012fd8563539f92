// The policies of one client and of its origins, where the road finds them. An origin has none when
// nothing is switched on, and then a call pays for one look at a nil. Reactor thread.

internal import FetchBytes
internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime

/// What all origins have in common.
final class ClientPolicies {
    let settings: PolicySettings
    /// Whether any policy is on.
    let areOn: Bool
    /// Whether anything but a connection is needed to go.
    let limits: Bool
    /// Whether waiting for one's turn is what was asked for.
    let pace: Bool
    /// Whether limits are found by an origin's address.
    let needAddress: Bool
    let coalesce: Bool
    /// Whether any request may be asked twice.
    let hedges: Bool
    /// Whether any call may go to several endpoints, or be asked twice.
    let spread: Bool
    /// By origin.
    private let balances: [String: Balance]
    /// Calls beside another one, with no caller of their own.
    var shadows = 0
    /// Whether the clients' rule for retries is asked about every answer: it is the user's own.
    let judgeEverything: Bool
    let hasBreakers: Bool
    /// What an outcome says to a breaker, where that is the user's to say.
    let classifier: (@Sendable (AttemptOutcome) -> BreakerVerdict)?
    /// A longer body is not shared.
    let mostSharedBytes: Int
    @ThreadBound var admission: ClientAdmission
    /// Origins whose first call wants one of the client's slots, first come first served.
    @ThreadBound var outOfSlots = WaitingLine<OriginRecord>()
    /// Origins whose first call wants a politeness slot that another origin's calls may hold.
    @ThreadBound var impolite: [KeyedID: [OriginRecord]] = [:]
    /// The origin out of that line that is being served.
    var served: OriginRecord?
    /// The line is served later in this turn.
    var servingIsDue = false
    /// Of coalescing's digests; nobody else knows it.
    let digestKey: DigestKey
    private var dice: SplitMix64

    init(_ settings: PolicySettings) {
        self.settings = settings
        // The road asks these for every call: a look at a value as large as the settings copies it.
        areOn = settings.isOn
        limits = settings.limits || settings.retries.isOn
        pace = settings.paces
        needAddress = settings.domainKey == .address || settings.politeness?.key == .address
        coalesce = settings.coalescing != nil
        hedges = settings.hedges
        spread = settings.hedges || !settings.balanced.isEmpty
        var balances: [String: Balance] = [:]
        for origin in settings.balanced { balances[origin.name.originText] = Balance(origin) }
        self.balances = balances
        if case .strategy = settings.retries {
            judgeEverything = true
        } else {
            judgeEverything = false
        }
        hasBreakers = settings.breaker != nil
        classifier = settings.breaker?.classifier
        mostSharedBytes = settings.coalescing?.mostSharedBytes ?? 0
        admission = ClientAdmission(
            concurrency: settings.concurrency ?? .max, limit: settings.clientLimit,
            domains: LimiterTable(limit: settings.domainLimit, most: settings.mostDomains),
            politeness: PolitenessTable(settings.politeness ?? PolitenessRules()))
        var system = SystemRandomNumberGenerator()
        dice = SplitMix64(settings.seed ?? system.next())
        digestKey = DigestKey(system.next(), system.next())
    }

    deinit {
        _admission.deallocate()
        _outOfSlots.deallocate()
        _impolite.deallocate()
    }

    /// 64 bits of chance, all alike.
    func random() -> UInt64 { dice.next() }

    /// What is kept of one origin.
    func origin(
        _ target: Target, address: String?, now: Instant, wake: @escaping (OriginPolicies) -> Void
    ) -> OriginPolicies {
        let origin = OriginPolicies(settings, host: target.host, wake: wake)
        if spread {
            origin.balance = balances[target.originText].map { OriginBalance($0) }
            let rules = settings.hedgingOfHosts[target.host] ?? settings.hedging
            origin.hedging = rules.map { OriginHedging($0) }
        }
        enter(origin, target, address: address, now: now)
        return origin
    }

    /// Finds the origin's limits in the tables.
    private func enter(
        _ origin: OriginPolicies, _ target: Target, address: String?, now: Instant
    ) {
        origin.address = address
        if let own = settings.limitOfHosts[target.host] {
            // No domain and no address begins so.
            origin.keys.domain = admission.domains.enter("=" + target.host, own: own, now: now)
        } else if settings.domainLimit != nil || settings.retries.isOn {
            let isWide = settings.domainKey == .registrableDomain
            let domain = isWide ? settings.registrableDomain(target.host) : nil
            let key = settings.domainKey.text(
                host: target.host, port: target.port, registrableDomain: domain, address: address)
            origin.keys.domain = admission.domains.enter(key, now: now)
        }
        if let rules = settings.politeness {
            let key = politenessKey(rules.key, host: target.host, address: address)
            origin.keys.politeness = admission.politeness.enter(key, now: now)
        }
    }

    /// What the slot of a host is kept for.
    func politenessKey(_ key: PolitenessKey, host: String, address: String?) -> String {
        switch key {
        case .host: host
        case .address: address ?? host
        case .custom: settings.politenessName(host)
        }
    }

    /// The origin's address is known now: where limits are keyed by it, they are another's.
    func addressKnown(_ origin: OriginPolicies, _ target: Target, _ address: String, now: Instant) {
        guard origin.address != address else { return }
        leave(origin, now: now)
        enter(origin, target, address: address, now: now)
    }

    /// The origin is forgotten.
    func leave(_ origin: OriginPolicies, now: Instant) {
        if let domain = origin.keys.domain { admission.domains.leave(domain, now: now) }
        if let slot = origin.keys.politeness { admission.politeness.leave(slot, now: now) }
        origin.keys = AdmissionKeys()
    }
}

/// What is kept of one origin beside its connections, in its record.
final class OriginPolicies: TimerHandler {
    @ThreadBound var gate: OriginGate
    @ThreadBound var keys = AdmissionKeys()
    @ThreadBound var budget = RetryBudget()
    @ThreadBound var breaker: CircuitBreaker
    let hasBreaker: Bool
    /// Where it has several endpoints.
    var balance: OriginBalance?
    /// Where its requests may be asked twice.
    var hedging: OriginHedging?
    /// Of a GET that is nothing but a target.
    let plainStages: Stages
    @ThreadBound var coalescer: Coalescer
    @ThreadBound var soloists = Soloists()
    /// Unsafe requests to the origin that have ended, however.
    var unsafeEnded: UInt64 = 0
    /// The address that its limits are keyed by, where they are.
    var address: String?
    /// Its place among those that want a slot of the client's.
    var slotTicket: WaitingTicket?
    /// Among those that want a politeness slot.
    var isImpolite = false
    /// When the first who waits was told to ask again.
    private(set) var due: Instant?
    private var timer: TimerID?
    private var timerAt = Instant.farFuture
    private let wake: (OriginPolicies) -> Void

    init(
        _ settings: PolicySettings, host: String, wake: @escaping (OriginPolicies) -> Void
    ) {
        gate = OriginGate(
            concurrency: settings.concurrencyOfHosts[host] ?? settings.concurrencyPerOrigin
                ?? .max)
        hasBreaker = settings.breaker != nil
        var stages: Stages = settings.breaker == nil ? [] : [.breaker]
        if settings.coalescing != nil { stages.insert(.joining) }
        plainStages = stages
        breaker = CircuitBreaker(settings.breaker ?? BreakerRules())
        coalescer = Coalescer(settings.coalescing ?? CoalescingRules())
        self.wake = wake
    }

    deinit {
        _gate.deallocate()
        _keys.deallocate()
        _budget.deallocate()
        _breaker.deallocate()
        _coalescer.deallocate()
        _soloists.deallocate()
    }

    /// Whether the origin may be forgotten without anybody getting more than is allowed.
    func isAtRest(now: Instant) -> Bool {
        (!hasBreaker || breaker.isAtRest(now: now)) && budget.recent(now: now).retries == 0
            && (hedging?.timing.isAtRest(now: now) ?? true)
    }

    /// Whoever waits is to ask again then.
    func wake(at instant: Instant, on reactor: Reactor) {
        if let timer {
            guard instant < timerAt else { return }
            reactor.cancel(timer)
        }
        timerAt = instant
        timer = reactor.schedule(self, token: 0, at: instant)
    }

    func stopWaking(on reactor: Reactor) {
        if let timer { reactor.cancel(timer) }
        timer = nil
    }

    func timerFired(_ token: Int) {
        timer = nil
        due = timerAt
        wake(self)
    }

    /// Whoever waits has been looked at.
    func wasServed() { due = nil }
}

/// SplitMix64 (Steele, Lea, Flood 2014): chance for jitter and balance, where a call of the system
/// for every draw would be the dearest part of it. Not for secrets.
private struct SplitMix64 {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed &>> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed &>> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed &>> 31
    }
}
