// Limiters of any kind, their table and their line: RATE-05, RATE-08, RATE-11, RATE-12. Pure.

import FetchPolicy
import FetchTime
import Testing

/// Grants in pairs: the user's own algorithm.
private struct EveryOther: RateLimiter {
    var asked = 0
    mutating func admit(_ cost: Int, now: Instant) -> Admission {
        asked += 1
        return asked % 2 == 1 ? .now : .notBefore(now + .seconds(1))
    }
    mutating func giveBack(_ cost: Int, now: Instant) { asked -= 1 }
}

struct LimiterTests {
    private let kinds: [RateLimit] = [
        .tokenBucket(.perSecond(10)), .tokenBucket(.perSecond(10), burst: 3),
        .slidingWindow(.perSecond(10)), .leakyBucket(.perSecond(10)),
        .leakyBucket(.perSecond(10), shaping: .strict),
    ]

    @Test func `every kind answers as the limiter that it holds`() {
        for kind in kinds {
            var limiter = Limiter(kind)
            #expect(limiter.isConfigured)
            #expect(!limiter.isCustom)
            var now = Instant.at(1)
            for _ in 0..<200 {
                let earliest = limiter.earliest(1, now: now)
                switch limiter.admit(1, now: now) {
                case .now: #expect(earliest == now)
                case .notBefore(let later):
                    #expect(earliest == later)
                    #expect(!limiter.isAtRest(now: now))
                    now = later
                }
            }
            #expect(now >= .at(10) && now <= .at(21), "\(kind)")
            #expect(limiter.isAtRest(now: now + .seconds(2)))
        }
    }

    @Test func `no limiter grants everything`() {
        var limiter = Limiter(nil)
        #expect(limiter.admit(.max, now: .at(0)) == .now)
        #expect(limiter.earliest(.max, now: .at(0)) == .at(0))
        #expect(limiter.isAtRest(now: .at(0)))
        #expect(!limiter.isConfigured)
        limiter.giveBack(.max, now: .at(0))
    }

    @Test func `RATE-05 an algorithm of the user's is a limiter like any other`() {
        var limiter = Limiter(.custom { EveryOther() })
        #expect(limiter.isCustom)
        #expect(limiter.isConfigured)
        #expect(!limiter.isAtRest(now: .at(0)))
        #expect(limiter.admit(1, now: .at(0)) == .now)
        #expect(limiter.admit(1, now: .at(0)) == .notBefore(.at(1)))
        limiter.giveBack(1, now: .at(0))
        #expect(limiter.admit(1, now: .at(0)) == .notBefore(.at(1)))
    }

    @Test func `CFG-08 a limiter of the same kind keeps what it knows, another starts anew`() {
        for kind in kinds {
            var limiter = Limiter(kind)
            while limiter.admit(1, now: .at(0)) == .now {}
            limiter.adjust(kind, now: .at(0))
            #expect(limiter.earliest(1, now: .at(0)) > .at(0))
            limiter.adjust(.custom { EveryOther() }, now: .at(0))
            #expect(limiter.admit(1, now: .at(0)) == .now)
            limiter.adjust(nil, now: .at(0))
            #expect(!limiter.isConfigured)
        }
        var limiter = Limiter(.leakyBucket(.perSecond(1)))
        #expect(limiter.admit(1, now: .at(0)) == .now)
        limiter.adjust(.leakyBucket(.perSecond(1), shaping: .strict), now: .at(0))
        #expect(limiter.admit(1, now: .at(0)) == .now)
    }

    @Test func `a cost that is never granted is known not to be`() {
        for kind in kinds.dropLast() {
            #expect(Limiter(kind).earliest(11, now: .at(0)) == .distantFuture)
        }
        let behind = Limiter(kinds[0]).earliest(10, behind: .max, now: .at(0))
        #expect(behind > .at(1e6))
    }

    @Test func `RATE-11 sub-domains share what their registrable domain may have`() {
        func text(_ key: RateKey, _ host: String, address: String? = nil) -> String {
            key.text(
                host: host, port: 443, registrableDomain: "example.test", address: address)
        }
        #expect(text(.host, "a1.example.test") != text(.host, "a2.example.test"))
        var table = LimiterTable(limit: .tokenBucket(.perSecond(1), burst: 3))
        var granted = 0
        for number in 1...100 {
            let key = text(.registrableDomain, "a\(number).example.test")
            let domain = table.enter(key, now: .at(0))
            if let domain, table.admit(1, domain, now: .at(0)) == .now { granted += 1 }
        }
        #expect(granted == 3)
        #expect(table.count == 1)
        #expect(text(.address, "a.test", address: "192.0.2.1") == "192.0.2.1")
        #expect(text(.address, "a.test") == "a.test:443")
    }
}

struct LimiterTableTests {
    @Test func `RATE-12 whoever names hosts without end fills a table to its cap and no further`() {
        var table = LimiterTable(limit: .tokenBucket(.perSecond(1)), most: 500)
        var evicted: DomainID?
        for number in 0..<20_000 {
            let now = Instant(nanoseconds: Int64(number) * 1_000)
            guard let domain = table.enter(String(number), now: now) else {
                Issue.record("nobody is in use, so there is room")
                return
            }
            if number == 0 { evicted = domain }
            if number % 16 == 0 { _ = table.admit(1, domain, now: now) }
            table.leave(domain, now: now)
            if number % 1_000 == 0 { #expect(table.count <= 500) }
        }
        #expect(table.count <= 500)
        #expect(table.count > 0)
        if let evicted { #expect(table[evicted] == nil) }
    }

    @Test func `a domain that limits nothing is forgotten at once, one that does is kept`() {
        var table = LimiterTable(limit: .tokenBucket(.perSecond(1)), most: 10)
        let idle = table.enter("idle", now: .at(0))
        if let idle { table.leave(idle, now: .at(0)) }
        #expect(table.count == 0)
        let busy = table.enter("busy", now: .at(0))
        if let busy {
            #expect(table.admit(1, busy, now: .at(0)) == .now)
            table.leave(busy, now: .at(0))
        }
        #expect(table.count == 1)
        // Who comes back within the second finds the bucket empty.
        if let again = table.enter("busy", now: .at(0.5)) {
            #expect(again == busy)
            #expect(table.admit(1, again, now: .at(0.5)) == .notBefore(.at(1)))
            table.leave(again, now: .at(0.5))
        }
        // Two seconds later it is full, and the next new key sweeps it out.
        _ = table.enter("other", now: .at(2))
        #expect(table.count == 1)
    }

    @Test func `at the cap one at rest goes before one that limits, and one in use never`() {
        var table = LimiterTable(limit: .tokenBucket(.perSecond(1)), most: 3)
        func leaveOne(_ key: String, at seconds: Double) -> DomainID? {
            guard let domain = table.enter(key, now: .at(seconds)) else { return nil }
            #expect(table.admit(1, domain, now: .at(seconds)) == .now)
            table.leave(domain, now: .at(seconds))
            return domain
        }
        let used = table.enter("used", now: .at(0))
        let limiting = leaveOne("limiting", at: 10)
        let older = leaveOne("older", at: 10.1)
        #expect(table.count == 3)
        // Nobody is at rest at 10.5: the oldest goes although it limits.
        let newer = leaveOne("newer", at: 10.5)
        #expect(limiting.flatMap { table[$0] } == nil)
        #expect(older.flatMap { table[$0] } != nil)
        // At 11.2 `older` is at rest.
        let newest = table.enter("newest", now: .at(11.2))
        #expect(older.flatMap { table[$0] } == nil)
        #expect(newer.flatMap { table[$0] } != nil)
        #expect(used.flatMap { table[$0] } != nil)
        // All in use: nobody is evicted.
        let third = table.enter("third", now: .at(11.2))
        #expect(newest != nil && third != nil)
        #expect(table.enter("fourth", now: .at(11.2)) == nil)
        #expect(table.enter("used", now: .at(11.2)) == used)
    }

    @Test func `a parked domain is kept, and grants nothing until its end`() {
        var table = LimiterTable(limit: nil)
        guard let domain = table.enter("a", now: .at(0)) else { return }
        table.park(domain, until: .at(3))
        table.park(domain, until: .at(2))
        table.leave(domain, now: .at(0))
        #expect(table.count == 1)
        let again = table.enter("a", now: .at(1))
        #expect(again == domain)
        #expect(table.admit(1, domain, now: .at(1)) == .notBefore(.at(3)))
        #expect(table.earliest(1, domain, now: .at(1)) == .at(3))
        #expect(table.admit(1, domain, now: .at(3)) == .now)
        table.leave(domain, now: .at(3))
        #expect(table.count == 0)
        // A stale identifier harms nobody.
        #expect(table.admit(1, domain, now: .at(3)) == .now)
        table.park(domain, until: .at(9))
        table.leave(domain, now: .at(9))
        #expect(table.count == 0)
    }

    @Test func `another limit holds for every domain at once`() {
        var table = LimiterTable(limit: .tokenBucket(.perSecond(1)))
        let domains = ["a", "b", "c"].compactMap { table.enter($0, now: .at(0)) }
        for domain in domains { #expect(table.admit(1, domain, now: .at(0)) == .now) }
        table.adjust(.tokenBucket(.perSecond(10)), now: .at(0))
        for domain in domains {
            #expect(table.admit(1, domain, now: .at(0)) == .notBefore(.at(0.1)))
        }
    }
}

struct LimiterQueueTests {
    private func queue(_ limit: RateLimit, most: Int = 100) -> LimiterQueue {
        LimiterQueue(Limiter(limit), most: most)
    }

    /// Plays the line until it is empty; who went when.
    private func play(
        _ queue: inout LimiterQueue, from start: Instant
    ) -> [(number: UInt64, seconds: Double)] {
        var now = start
        var gone: [(UInt64, Double)] = []
        while true {
            if let number = queue.popReady(now: now) {
                gone.append((number, now.seconds))
            } else if let next = queue.nextTime {
                now = next
            } else {
                return gone
            }
        }
    }

    @Test func `RATE-08 who came first goes first, and nobody overtakes`() {
        var queue = queue(.tokenBucket(.perSecond(10), burst: 1))
        #expect(queue.join(1, cost: 1, deadline: .distantFuture, now: .at(0)) == .admitted)
        for number in 2...4 as ClosedRange<UInt64> {
            let joined = queue.join(number, cost: 1, deadline: .distantFuture, now: .at(0))
            #expect(joined != .admitted)
        }
        // There is a token at 0.1, but it is not for whoever comes last.
        #expect(queue.join(5, cost: 1, deadline: .distantFuture, now: .at(0.1)) != .admitted)
        let gone = play(&queue, from: .at(0.1))
        #expect(gone.map(\.number) == [2, 3, 4, 5])
        #expect(gone.map(\.seconds) == [0.1, 0.2, 0.3, 0.4])
    }

    @Test func `RATE-08 whoever leaves gives the place to the next`() {
        var queue = queue(.tokenBucket(.perSecond(10), burst: 1))
        _ = queue.join(0, cost: 1, deadline: .distantFuture, now: .at(0))
        var tickets: [WaitingTicket] = []
        for number in 1...3 as ClosedRange<UInt64> {
            if case .waiting(let ticket) = queue.join(
                number, cost: 1, deadline: .distantFuture, now: .at(0))
            {
                tickets.append(ticket)
            }
        }
        #expect(queue.leave(tickets[1]) == true)
        #expect(queue.leave(tickets[1]) == false)
        let gone = play(&queue, from: .at(0))
        #expect(gone.map(\.number) == [1, 3])
        #expect(gone.map(\.seconds) == [0.1, 0.2])
    }

    @Test func `RATE-08 a deadline that can't be met is refused at once`() {
        for limit in [
            RateLimit.tokenBucket(.perSecond(1), burst: 1), .slidingWindow(.perSecond(1)),
            .leakyBucket(.perSecond(1), shaping: .strict),
        ] {
            var queue = queue(limit)
            _ = queue.join(0, cost: 1, deadline: .distantFuture, now: .at(10))
            for number in 1...5 as ClosedRange<UInt64> {
                _ = queue.join(number, cost: 1, deadline: .distantFuture, now: .at(10))
            }
            #expect(queue.count == 5)
            let answer = queue.join(6, cost: 1, deadline: .at(11), now: .at(10))
            guard case .refused(.tooLate(let time)) = answer else {
                Issue.record("\(answer)")
                return
            }
            #expect(time >= .at(15.99) && time <= .at(16))
            #expect(queue.join(7, cost: 1, deadline: .at(16), now: .at(10)) != answer)
            #expect(queue.count == 6)
        }
    }

    @Test func `a line is bounded`() {
        var queue = queue(.tokenBucket(.perSecond(1), burst: 1), most: 2)
        for number in 0...2 as ClosedRange<UInt64> {
            _ = queue.join(number, cost: 1, deadline: .distantFuture, now: .at(0))
        }
        #expect(
            queue.join(9, cost: 1, deadline: .distantFuture, now: .at(0))
                == .refused(.full(limit: 2)))
        #expect(
            queue.join(9, cost: 2, deadline: .distantFuture, now: .at(0))
                == .refused(.tooLate(.distantFuture)))
    }

    @Test func `RATE-05 a reservation tells its time, behind all who wait`() {
        var queue = queue(.tokenBucket(.perSecond(10), burst: 1))
        #expect(queue.reserve(1, latest: .distantFuture, now: .at(0)) == .at(.at(0)))
        #expect(queue.reserve(1, latest: .distantFuture, now: .at(0)) == .at(.at(0.1)))
        _ = queue.join(1, cost: 1, deadline: .distantFuture, now: .at(0))
        #expect(queue.reserve(1, latest: .distantFuture, now: .at(0)) == .at(.at(0.3)))
        _ = queue.join(2, cost: 1, deadline: .distantFuture, now: .at(0))
        #expect(
            queue.reserve(1, latest: .at(0.4), now: .at(0))
                == .refused(.tooLate(.at(0.5))))
        let gone = play(&queue, from: .at(0))
        #expect(gone.map(\.number) == [1, 2])
        #expect(gone.map(\.seconds) == [0.2, 0.4])
    }

    @Test func `a limiter of the user's that says nothing sensible ends a reservation`() {
        struct Never: RateLimiter {
            mutating func admit(_ cost: Int, now: Instant) -> Admission {
                .notBefore(now + .seconds(1))
            }
            mutating func giveBack(_ cost: Int, now: Instant) {}
        }
        var queue = queue(.custom { Never() })
        #expect(
            queue.reserve(1, latest: .distantFuture, now: .at(0))
                == .refused(.tooLate(.distantFuture)))
    }

    /// Costs, leavings and joinings at random: what is granted stays within rate and burst.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `whatever comes and goes, the order is that of coming and the rate holds`(seed: UInt64) {
        var random = Sequence64(seed)
        var queue = queue(.tokenBucket(.perSecond(1_000), burst: 5), most: 50)
        var waiting: [(UInt64, WaitingTicket)] = []
        var last: UInt64 = 0
        var spent = 0
        var costs: [UInt64: Int] = [:]
        for number in 1...3_000 as ClosedRange<UInt64> {
            let now = Instant(nanoseconds: Int64(number) * 400_000)
            let cost = random.pick(1...3)
            costs[number] = cost
            switch queue.join(number, cost: cost, deadline: now + .milliseconds(40), now: now) {
            case .admitted: spent += cost
            case .waiting(let ticket): waiting.append((number, ticket))
            case .refused: break
            }
            if random.chance(10), let (number, ticket) = waiting.randomElement(using: &random) {
                if queue.leave(ticket) { waiting.removeAll { $0.0 == number } }
            }
            while let gone = queue.popReady(now: now) {
                #expect(gone > last)
                #expect(waiting.first?.0 == gone)
                waiting.removeFirst()
                last = gone
                spent += costs[gone] ?? 0
            }
            #expect(Double(spent) <= now.seconds * 1_000 + 5)
        }
        #expect(spent > 1_100)
    }
}
