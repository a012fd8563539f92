// Joint admission: RATE-02, RATE-07, RATE-10, CONC-01 to CONC-03. Pure.

import FetchPolicy
import FetchTime
import Testing

/// A few origins over one client, as the engine holds them.
private struct Stage {
    var admission: ClientAdmission
    var origins: [OriginGate]
    var keys: [AdmissionKeys]

    init(
        origins count: Int, perOrigin: Int = 10, concurrency: Int = 100,
        client: RateLimit? = nil, domain: RateLimit? = nil, politeness: PolitenessRules? = nil
    ) {
        admission = ClientAdmission(
            concurrency: concurrency, limit: client, domains: LimiterTable(limit: domain),
            politeness: PolitenessTable(politeness ?? PolitenessRules()))
        origins = Array(repeating: OriginGate(concurrency: perOrigin), count: count)
        keys = []
        for number in 0..<count {
            let domain = admission.domains.enter("\(number)", now: .at(0))
            let slot =
                politeness == nil ? nil : admission.politeness.enter("\(number)", now: .at(0))
            keys.append(AdmissionKeys(domain: domain, politeness: slot))
        }
    }

    mutating func admit(
        _ origin: Int, cost: Int = 1, hasConnection: Bool = true, due: Instant? = nil,
        at now: Instant, random: UInt64 = 1 << 63
    ) -> ClientAdmission.Verdict {
        admission.admit(
            keys[origin], &origins[origin], cost: cost, hasConnection: hasConnection, due: due,
            now: now, random: random)
    }

    mutating func release(_ origin: Int, at now: Instant) {
        admission.release(keys[origin], &origins[origin], now: now)
    }

    /// The domain's tokens, as far as they can be seen from outside.
    func next(_ origin: Int, at now: Instant) -> Instant {
        admission.earliest(keys[origin], now: now)
    }
}

struct ClientAdmissionTests {
    private let slow = RateLimit.tokenBucket(.perSecond(1), burst: 1)

    @Test func `RATE-07 a host that waits for a token holds no slot`() {
        var stage = Stage(origins: 2, concurrency: 1, domain: slow)
        #expect(stage.admit(0, at: .at(0)) == .admitted)
        stage.release(0, at: .at(0))
        #expect(stage.admit(0, at: .at(0)) == .notBefore(.at(1)))
        #expect(stage.admit(1, at: .at(0)) == .admitted)
    }

    @Test func `RATE-07 a request that waits for a slot burns no token`() {
        var stage = Stage(origins: 2, concurrency: 1, client: slow, domain: slow)
        #expect(stage.admit(0, at: .at(0)) == .admitted)
        for seconds in [1.0, 2, 3] {
            #expect(stage.admit(1, at: .at(seconds)) == .wants(.client))
        }
        #expect(stage.next(1, at: .at(3)) == .at(3))
        stage.release(0, at: .at(3))
        #expect(stage.admit(1, at: .at(3)) == .admitted)
        // Had tokens piled up or been burnt, this would be another time.
        stage.release(1, at: .at(3))
        #expect(stage.admit(1, at: .at(3)) == .notBefore(.at(4)))
    }

    @Test func `nothing is taken while there is no connection or no room at the origin`() {
        var stage = Stage(origins: 1, perOrigin: 1, domain: slow)
        #expect(stage.admit(0, hasConnection: false, at: .at(0)) == .wants(.connection))
        #expect(stage.admission.inFlight == 0)
        #expect(stage.admit(0, at: .at(0)) == .admitted)
        #expect(stage.admit(0, at: .at(2)) == .wants(.origin))
        #expect(stage.next(0, at: .at(2)) == .at(2))
    }

    @Test func `the later of two limiters is named, and the earlier one keeps its token`() {
        var stage = Stage(
            origins: 2, client: .tokenBucket(.perSecond(10), burst: 1), domain: slow)
        #expect(stage.admit(0, at: .at(0)) == .admitted)
        #expect(stage.admit(0, at: .at(0)) == .notBefore(.at(1)))
        #expect(stage.admit(1, at: .at(0)) == .notBefore(.at(0.1)))
        // The domain of the second still has its token.
        #expect(stage.admit(1, at: .at(0.1)) == .admitted)
    }

    @Test func `CONC-03 two origins of ten each have twenty under way`() {
        var stage = Stage(origins: 2)
        for origin in [0, 1] {
            for _ in 0..<10 { #expect(stage.admit(origin, at: .at(0)) == .admitted) }
            #expect(stage.admit(origin, at: .at(0)) == .wants(.origin))
        }
        #expect(stage.admission.inFlight == 20)
    }

    @Test func `RATE-10 a parked domain waits, the others don't`() {
        var stage = Stage(origins: 2)
        stage.admission.park(stage.keys[0], until: .at(3))
        #expect(stage.admit(0, at: .at(0)) == .notBefore(.at(3)))
        #expect(stage.admit(1, at: .at(0)) == .admitted)
        #expect(stage.admit(0, at: .at(2.999)) == .notBefore(.at(3)))
        #expect(stage.admit(0, at: .at(3)) == .admitted)
    }

    @Test func `what was admitted and not sent goes back whole`() {
        var stage = Stage(
            origins: 1, client: slow, domain: slow,
            politeness: PolitenessRules(minDelay: .seconds(9), jitter: 0))
        #expect(stage.admit(0, at: .at(0)) == .admitted)
        stage.admission.undo(stage.keys[0], &stage.origins[0], now: .at(0))
        #expect(stage.admission.inFlight == 0)
        #expect(stage.admit(0, at: .at(0)) == .admitted)
    }

    @Test func `a late waking makes up for its lateness, within a tick`() {
        var stage = Stage(origins: 1, domain: .tokenBucket(.perSecond(10), burst: 1))
        #expect(stage.admit(0, at: .at(0)) == .admitted)
        #expect(stage.admit(0, due: .at(0.1), at: .at(0.1008)) == .admitted)
        #expect(stage.admit(0, at: .at(0.1008)) == .notBefore(.at(0.2)))
        // Half a second late is not made good.
        #expect(stage.admit(0, due: .at(0.2), at: .at(0.7)) == .admitted)
        #expect(stage.admit(0, at: .at(0.7)) == .notBefore(.at(0.799)))
        // A window counts what its server sees.
        var exact = Stage(origins: 1, domain: .slidingWindow(.perSecond(1)))
        #expect(exact.admit(0, at: .at(0)) == .admitted)
        #expect(exact.admit(0, due: .at(1), at: .at(1.0008)) == .admitted)
        #expect(exact.admit(0, at: .at(1.0008)) == .notBefore(.at(2.0008)))
    }

    @Test func `RATE-08 the earliest time behind others counts what they want`() {
        let stage = Stage(origins: 1, domain: slow)
        #expect(
            stage.admission.earliest(stage.keys[0], behind: 5, now: .at(0)) == .at(5))
    }

    /// A user's limiter that grants every second time it is asked.
    private struct Moody: RateLimiter {
        var grants: Bool
        var level = 0
        mutating func admit(_ cost: Int, now: Instant) -> Admission {
            defer { grants.toggle() }
            if grants { level += cost }
            return grants ? .now : .notBefore(now + .seconds(1))
        }
        mutating func giveBack(_ cost: Int, now: Instant) { level -= cost }
    }

    @Test func `of two limiters of the user's both grant or neither has`() {
        var stage = Stage(
            origins: 1, client: .custom { Moody(grants: false) },
            domain: .custom { Moody(grants: true) })
        #expect(stage.admit(0, at: .at(0)) == .notBefore(.at(1)))
        func level(_ limiter: Limiter?) -> Int? { (limiter?.userDefined as? Moody)?.level }
        let domain = stage.keys[0].domain
        #expect(level(domain.flatMap { stage.admission.domains[$0]?.limiter }) == 0)
        #expect(level(stage.admission.limiter) == 0)
        #expect(stage.admission.inFlight == 0)
        // A built-in one beside a moody one is never asked in vain.
        var mixed = Stage(origins: 1, client: .custom { Moody(grants: false) }, domain: slow)
        #expect(mixed.admit(0, at: .at(0)) == .notBefore(.at(1)))
        #expect(mixed.admit(0, at: .at(0)) == .admitted)
        #expect(mixed.admit(0, at: .at(0)) == .notBefore(.at(1)))
    }

    /// Everything at once, at random: what is taken is what was granted, and no bound is broken.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `admission conserves slots and tokens, and keeps every bound`(seed: UInt64) {
        var random = Sequence64(seed)
        var stage = Stage(
            origins: 4, perOrigin: 3, concurrency: 7,
            client: .tokenBucket(.perSecond(100), burst: 5),
            domain: .slidingWindow(Rate(4, per: .milliseconds(100))))
        var underWay: [Int] = []
        var perDomain: [[Instant]] = Array(repeating: [], count: 4)
        var all: [Instant] = []
        var nanoseconds = 0
        for _ in 0..<1_200 {
            nanoseconds += random.pick(0...2) * random.pick(0...4_000_000)
            let now = Instant(nanoseconds: Int64(nanoseconds))
            let origin = random.pick(0...3)
            if random.chance(45), let index = underWay.indices.randomElement(using: &random) {
                let ended = underWay.remove(at: index)
                stage.release(ended, at: now)
            } else {
                let before = stage.next(origin, at: now)
                let hasConnection = random.chance(80)
                let verdict = stage.admit(origin, hasConnection: hasConnection, at: now)
                switch verdict {
                case .admitted:
                    #expect(before == now)
                    underWay.append(origin)
                    perDomain[origin].append(now)
                    all.append(now)
                case .notBefore(let later):
                    #expect(later > now)
                    #expect(later == before)
                    #expect(stage.next(origin, at: now) == before)
                case .wants(let slot):
                    let own = underWay.count { $0 == origin }
                    switch slot {
                    case .client: #expect(underWay.count == 7)
                    case .origin: #expect(own == 3)
                    case .connection: #expect(!hasConnection)
                    case .politeness: Issue.record("no politeness is asked for")
                    }
                    #expect(stage.next(origin, at: now) == before)
                case .skipped:
                    Issue.record("no site is skipped")
                }
            }
            #expect(stage.admission.inFlight == underWay.count)
            for origin in 0..<4 {
                #expect(stage.origins[origin].inFlight == underWay.count { $0 == origin })
            }
        }
        for times in perDomain { #expect(mostInAnyWindow(times, .milliseconds(100)) <= 4) }
        #expect(mostInAnyWindow(all, .milliseconds(100)) <= 15)
        #expect(all.count > 90)
    }

    @Test func `whoever releases twice has made a mistake and traps`() async {
        await #expect(processExitsWith: .failure) {
            var admission = ClientAdmission(concurrency: 1, domains: LimiterTable(limit: nil))
            var origin = OriginGate(concurrency: 1)
            _ = admission.admit(
                AdmissionKeys(), &origin, hasConnection: true, now: .at(0), random: 0)
            admission.release(AdmissionKeys(), &origin, now: .at(0))
            admission.release(AdmissionKeys(), &origin, now: .at(0))
        }
    }
}
