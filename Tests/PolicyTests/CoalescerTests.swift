// Who answers whom: COAL-01 to COAL-04. Pure.

import FetchBytes
import FetchPolicy
import Testing

struct CoalescerTests {
    private func digest(_ number: UInt64) -> Digest {
        var digest = KeyedDigest(DigestKey(1, 2))
        digest.append(number)
        return digest.finish()
    }

    /// A hundred callers of one URL; the flight and the followers' tickets.
    private func crowd(
        _ coalescer: inout Coalescer, _ count: UInt64 = 100
    ) -> (flight: FlightID?, tickets: [WaitingTicket]) {
        var flight: FlightID?
        var tickets: [WaitingTicket] = []
        for call in 0..<count {
            switch coalescer.join(digest(1), call: call, unsafeEnded: 0) {
            case .lead(let led): flight = led
            case .follow(let followed, let ticket):
                #expect(followed == flight)
                tickets.append(ticket)
            case .alone: Issue.record("there is room")
            }
        }
        return (flight, tickets)
    }

    @Test func `COAL-01 of a hundred callers one asks, and 99 get its answer in order`() throws {
        var coalescer = Coalescer(CoalescingRules())
        let (led, tickets) = crowd(&coalescer)
        let flight = try #require(led)
        #expect(tickets.count == 99)
        #expect(coalescer.leader(of: flight) == 0)
        coalescer.sent(flight, unsafeEnded: 0)
        #expect(coalescer.headArrived(flight, mayShare: true) == [])
        #expect(coalescer.hasFollowers(flight))
        #expect(coalescer.ended(flight) == Array(1..<100))
        #expect(coalescer.count == 0)
        #expect(coalescer.ended(flight) == [])
        #expect(coalescer.leader(of: flight) == nil)
    }

    @Test func `nobody joins once the head has come`() throws {
        var coalescer = Coalescer(CoalescingRules())
        let flight = try #require(crowd(&coalescer, 3).flight)
        _ = coalescer.headArrived(flight, mayShare: true)
        guard case .lead(let second) = coalescer.join(digest(1), call: 50, unsafeEnded: 0) else {
            Issue.record("the answer is on its way already")
            return
        }
        #expect(second != flight)
        #expect(coalescer.ended(flight) == [1, 2])
        #expect(coalescer.ended(second) == [])
    }

    @Test func `an answer that must not be shared releases the followers, once`() throws {
        var coalescer = Coalescer(CoalescingRules())
        let flight = try #require(crowd(&coalescer, 4).flight)
        #expect(coalescer.headArrived(flight, mayShare: false) == [1, 2, 3])
        #expect(!coalescer.hasFollowers(flight))
        #expect(coalescer.ended(flight) == [])
    }

    @Test func `a body that grows too long releases the followers, too`() throws {
        var coalescer = Coalescer(CoalescingRules())
        let flight = try #require(crowd(&coalescer, 4).flight)
        #expect(coalescer.headArrived(flight, mayShare: true) == [])
        #expect(coalescer.bodyOutgrew(flight) == [1, 2, 3])
        #expect(coalescer.ended(flight) == [])
    }

    @Test func `who asks after an unsafe request ended never joins one sent before`() throws {
        var coalescer = Coalescer(CoalescingRules())
        guard case .lead(let first) = coalescer.join(digest(1), call: 1, unsafeEnded: 0) else {
            return
        }
        // Not sent yet when the POST ended: what it will see is what the POST left.
        guard case .follow = coalescer.join(digest(1), call: 2, unsafeEnded: 1) else {
            Issue.record("the leader is not sent yet")
            return
        }
        coalescer.sent(first, unsafeEnded: 1)
        guard case .follow = coalescer.join(digest(1), call: 3, unsafeEnded: 1) else {
            Issue.record("nothing unsafe ended since")
            return
        }
        guard case .lead(let second) = coalescer.join(digest(1), call: 4, unsafeEnded: 2) else {
            Issue.record("the leader may not have seen the second POST")
            return
        }
        // Later callers follow the new one; the old one keeps its own.
        guard case .follow(let joined, _) = coalescer.join(digest(1), call: 5, unsafeEnded: 2)
        else { return }
        #expect(joined == second)
        #expect(coalescer.ended(first) == [2, 3])
        #expect(coalescer.ended(second) == [5])
        // A retry of the leader sees it after all.
        guard case .lead(let third) = coalescer.join(digest(1), call: 6, unsafeEnded: 2) else {
            return
        }
        coalescer.sent(third, unsafeEnded: 2)
        coalescer.sent(third, unsafeEnded: 3)
        guard case .follow = coalescer.join(digest(1), call: 7, unsafeEnded: 3) else {
            Issue.record("the leader was sent again")
            return
        }
    }

    @Test func `COAL-04 a leader that leaves hands over, and the last one out ends the exchange`()
        throws
    {
        var coalescer = Coalescer(CoalescingRules())
        let (led, tickets) = crowd(&coalescer, 4)
        let flight = try #require(led)
        #expect(coalescer.followerLeft(flight, tickets[0]) == true)
        #expect(coalescer.followerLeft(flight, tickets[0]) == false)
        #expect(coalescer.leaderLeft(flight) == .handOver(to: 2))
        #expect(coalescer.leader(of: flight) == 2)
        // The flight is still joined.
        guard case .follow(let joined, _) = coalescer.join(digest(1), call: 9, unsafeEnded: 0)
        else { return }
        #expect(joined == flight)
        #expect(coalescer.leaderLeft(flight) == .handOver(to: 3))
        #expect(coalescer.leaderLeft(flight) == .handOver(to: 9))
        #expect(coalescer.leaderLeft(flight) == .cancelExchange)
        #expect(coalescer.leaderLeft(flight) == .cancelExchange)
        #expect(coalescer.count == 0)
    }

    @Test func `followers are bounded`() {
        var coalescer = Coalescer(CoalescingRules(mostFollowers: 2))
        let answers = (0..<4).map { call in
            coalescer.join(digest(1), call: UInt64(call), unsafeEnded: 0)
        }
        #expect(answers[3] == .alone)
        #expect(answers[2] != .alone)
    }

    /// Events at random over a few keys, against a dictionary that does the same.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `it does what a plain model does, and nobody is lost`(seed: UInt64) {
        var play = CoalescerPlay(random: Sequence64(seed))
        for call in 0..<1_500 as Range<UInt64> { play.step(call) }
        #expect(play.joined == play.gone + play.waiting)
        #expect(play.gone > 250)
    }
}

/// A coalescer and a plain model of it under the same events.
private struct CoalescerPlay {
    private struct Flight {
        var key: UInt64
        var sentAt: UInt64?
        var isOpen = true
        var leader: UInt64
        var followers: [(call: UInt64, ticket: WaitingTicket)] = []
    }

    private var random: Sequence64
    private var coalescer = Coalescer(CoalescingRules())
    private var flights: [FlightID: Flight] = [:]
    /// Every flight there was, so that chance picks the same one each time; ended ones too.
    private var all: [FlightID] = []
    private var unsafeEnded: UInt64 = 0
    private(set) var joined = 0
    private(set) var gone = 0

    init(random: Sequence64) {
        self.random = random
    }

    var waiting: Int { flights.values.reduce(0) { $0 + $1.followers.count + 1 } }

    mutating func step(_ call: UInt64) {
        let event = random.pick(0...11)
        if event <= 5 {
            join(call)
        } else if event == 6 {
            unsafeEnded += 1
        } else if let picked = all.suffix(30).randomElement(using: &random) {
            switch event {
            case 7: sent(picked)
            case 8: headArrived(picked)
            case 9: ended(picked)
            case 10: leaderLeft(picked)
            default: followerLeft(picked)
            }
        }
        #expect(coalescer.count == flights.count)
    }

    private mutating func join(_ call: UInt64) {
        joined += 1
        let key = UInt64(random.pick(0...20))
        let open = flights.first {
            $0.value.key == key && $0.value.isOpen
                && ($0.value.sentAt == nil || $0.value.sentAt == unsafeEnded)
        }?.key
        var digest = KeyedDigest(DigestKey(1, 2))
        digest.append(key)
        switch coalescer.join(digest.finish(), call: call, unsafeEnded: unsafeEnded) {
        case .lead(let flight):
            #expect(open == nil)
            for (other, model) in flights where model.key == key { flights[other]?.isOpen = false }
            flights[flight] = Flight(key: key, leader: call)
            all.append(flight)
        case .follow(let flight, let ticket):
            #expect(flight == open)
            flights[flight]?.followers.append((call, ticket))
        case .alone:
            Issue.record("there is room")
        }
    }

    private mutating func sent(_ flight: FlightID) {
        coalescer.sent(flight, unsafeEnded: unsafeEnded)
        flights[flight]?.sentAt = unsafeEnded
    }

    private mutating func headArrived(_ flight: FlightID) {
        let shared = random.chance(50)
        let released = coalescer.headArrived(flight, mayShare: shared)
        let expected = shared ? [] : flights[flight]?.followers.map(\.call) ?? []
        #expect(released == expected)
        gone += released.count
        if !shared { flights[flight]?.followers = [] }
        flights[flight]?.isOpen = false
    }

    private mutating func ended(_ flight: FlightID) {
        let model = flights.removeValue(forKey: flight)
        let followers = model?.followers.map(\.call) ?? []
        #expect(coalescer.ended(flight) == followers)
        gone += followers.count + (model == nil ? 0 : 1)
    }

    private mutating func leaderLeft(_ flight: FlightID) {
        guard var model = flights[flight] else { return }
        gone += 1
        if model.followers.isEmpty {
            #expect(coalescer.leaderLeft(flight) == .cancelExchange)
            flights[flight] = nil
        } else {
            model.leader = model.followers.removeFirst().call
            #expect(coalescer.leaderLeft(flight) == .handOver(to: model.leader))
            flights[flight] = model
        }
    }

    private mutating func followerLeft(_ flight: FlightID) {
        guard var model = flights[flight], !model.followers.isEmpty else { return }
        let left = model.followers.remove(at: random.pick(0...model.followers.count - 1))
        #expect(coalescer.followerLeft(flight, left.ticket) == true)
        gone += 1
        flights[flight] = model
    }
}
