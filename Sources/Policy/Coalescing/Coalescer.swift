// Who answers whom: callers who ask the same while it is being asked follow the one who asked
// first. A value in an origin's record, on the reactor thread. Calls are known by numbers; whoever
// owns the calls carries out what comes of an event.
//
// A flight is one question under way: a leader, who holds the exchange, and followers, who wait.
//
//     listed    no head has come: who asks the same joins. To `sharing`, `ended`; unlisted when an
//               unsafe request of this client to that origin ends after the leader was sent, for
//               whoever asks now must see what that request did.
//     sharing   the head has come and may be shared: nobody joins, the followers wait for the body.
//     ended     the followers have the leader's answer, or were told to ask for themselves.

package import FetchBytes

/// Names a flight; stale once it has ended.
package struct FlightID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

package struct Coalescer: Sendable {
    package enum Joining: Equatable, Sendable {
        /// Ask, and report what happens under this name.
        case lead(FlightID)
        /// Wait: the answer comes, or the word to ask alone.
        case follow(FlightID, WaitingTicket)
        /// Ask, and nobody follows: too many wait already.
        case alone
    }

    /// What becomes of an exchange whose leader has left.
    package enum Succession: Equatable, Sendable {
        /// It goes on for this follower, who leads from now on.
        case handOver(to: UInt64)
        /// Nobody wants it any more.
        case cancelExchange
    }

    private struct Flight: Sendable {
        var digest: Digest
        var generation: UInt32
        var isLive = false
        var isListed = false
        var hasHead = false
        /// How many unsafe requests to the origin had ended when the leader was sent.
        var unsafeEndedWhenSent: UInt64?
        var leader: UInt64 = 0
        var followers = WaitingLine<UInt64>()
        /// The next one in its chain, or of those that are free.
        var next: Int32 = -1
        /// The one before it in its chain.
        var previous: Int32 = -1

        /// A place is taken into use: by one access, as all of it lies together.
        mutating func begin(_ digest: Digest, _ generation: UInt32, _ call: UInt64) {
            self.digest = digest
            self.generation = generation
            isLive = true
            isListed = true
            hasHead = false
            unsafeEndedWhenSent = nil
            leader = call
        }

        mutating func end(_ nextFree: Int32) {
            isLive = false
            next = nextFree
        }

        mutating func chain(before next: Int32) {
            self.next = next
            previous = -1
        }

        /// Its neighbours, if it stands in a chain, which it leaves.
        mutating func unchain() -> (previous: Int32, next: Int32)? {
            guard isListed else { return nil }
            isListed = false
            return (previous, next)
        }

        mutating func takeFollowers() -> [UInt64] {
            guard !followers.isEmpty else { return [] }
            var taken: [UInt64] = []
            taken.reserveCapacity(followers.count)
            while let call = followers.takeFirst() { taken.append(call) }
            return taken
        }
    }

    private let mostFollowers: Int
    private var flights: ContiguousArray<Flight> = []
    private var firstFree: Int32 = -1
    /// By the digest's lower half, the first of a chain of listed flights, or −1. As many as a
    /// power of two, and no fewer than are listed; none before the first.
    private var chains: [Int32] = []
    private var listed = 0
    /// One more with every flight, so that no two are alike.
    private var lastGeneration: UInt32 = 0
    /// Flights under way.
    package private(set) var count = 0

    package init(_ rules: CoalescingRules) {
        mostFollowers = rules.mostFollowers
    }

    // MARK: Events

    /// A call asks. `unsafeEnded` is how many unsafe requests of this client to that origin have
    /// ended so far, however they ended.
    package mutating func join(
        _ digest: Digest, call: UInt64, unsafeEnded: UInt64
    ) -> Joining {
        guard let slot = slot(of: digest) else { return .lead(open(digest, call)) }
        if let sent = flights[slot].unsafeEndedWhenSent, sent != unsafeEnded {
            unlist(Int32(slot))
            return .lead(open(digest, call))
        }
        guard flights[slot].followers.count < mostFollowers else { return .alone }
        let ticket = flights[slot].followers.join(call)
        return .follow(FlightID(slot: Int32(slot), generation: flights[slot].generation), ticket)
    }

    /// Whether somebody leads whom a call with this question may join. In place, as asking must not
    /// copy what is asked.
    package mutating func isAsked(_ digest: Digest) -> Bool {
        listed > 0 && slot(of: digest) != nil
    }

    /// A call that asks already, and that nobody has joined so far, leads; nil where another does.
    package mutating func begin(_ digest: Digest, leader call: UInt64) -> FlightID? {
        slot(of: digest) == nil ? open(digest, call) : nil
    }

    /// The leader's answer is whole, and nobody follows; false where somebody does.
    package mutating func endedAlone(_ flight: FlightID) -> Bool {
        guard isLive(flight), flights[Int(flight.slot)].followers.isEmpty else { return false }
        close(flight.slot)
        return true
    }

    /// The leader's request leaves, for the first time or once more.
    package mutating func sent(_ flight: FlightID, unsafeEnded: UInt64) {
        guard isLive(flight) else { return }
        flights[Int(flight.slot)].unsafeEndedWhenSent = unsafeEnded
    }

    /// Whether anybody follows: only then need it be asked whether the answer may be shared.
    package func hasFollowers(_ flight: FlightID) -> Bool {
        isLive(flight) && !flights[Int(flight.slot)].followers.isEmpty
    }

    /// The head of the answer that the leader is given has come. Returns who must ask for
    /// themselves, in the order in which they came, and not join again.
    package mutating func headArrived(_ flight: FlightID, mayShare: Bool) -> [UInt64] {
        guard isLive(flight) else { return [] }
        unlist(flight.slot)
        flights[Int(flight.slot)].hasHead = true
        return mayShare ? [] : takeFollowers(flight.slot)
    }

    /// The body has become too long to be shared. Returns who must ask for themselves.
    package mutating func bodyOutgrew(_ flight: FlightID) -> [UInt64] {
        isLive(flight) ? takeFollowers(flight.slot) : []
    }

    /// The leader's answer is whole, or has failed for a reason that would have met everybody.
    /// Returns who gets it too.
    package mutating func ended(_ flight: FlightID) -> [UInt64] {
        guard isLive(flight) else { return [] }
        let followers = takeFollowers(flight.slot)
        close(flight.slot)
        return followers
    }

    /// The leader was cancelled, or failed for a reason of its own, such as its clocks.
    package mutating func leaderLeft(_ flight: FlightID) -> Succession {
        guard isLive(flight) else { return .cancelExchange }
        guard let heir = flights[Int(flight.slot)].followers.takeFirst() else {
            close(flight.slot)
            return .cancelExchange
        }
        flights[Int(flight.slot)].leader = heir
        return .handOver(to: heir)
    }

    /// A follower was cancelled or ran out of time; false when it no longer followed.
    package mutating func followerLeft(_ flight: FlightID, _ ticket: WaitingTicket) -> Bool {
        guard isLive(flight) else { return false }
        return flights[Int(flight.slot)].followers.leave(ticket) != nil
    }

    /// Who leads; nil when the flight has ended.
    package func leader(of flight: FlightID) -> UInt64? {
        isLive(flight) ? flights[Int(flight.slot)].leader : nil
    }

    // MARK: Flights

    private func isLive(_ flight: FlightID) -> Bool {
        flight.slot < flights.count && flights[Int(flight.slot)].generation == flight.generation
            && flights[Int(flight.slot)].isLive
    }

    private mutating func open(_ digest: Digest, _ call: UInt64) -> FlightID {
        var slot = firstFree
        if slot >= 0 {
            firstFree = flights[Int(slot)].next
        } else {
            slot = Int32(flights.count)
            flights.append(Flight(digest: digest, generation: 0))
        }
        lastGeneration &+= 1
        flights[Int(slot)].begin(digest, lastGeneration, call)
        count += 1
        list(slot)
        return FlightID(slot: slot, generation: lastGeneration)
    }

    private mutating func close(_ slot: Int32) {
        unlist(slot)
        count -= 1
        if count == 0, flights.count > 16 {
            // A quiet origin holds next to no memory.
            flights.removeAll()
            chains = []
            firstFree = -1
        } else {
            flights[Int(slot)].end(firstFree)
            firstFree = slot
        }
    }

    private mutating func takeFollowers(_ slot: Int32) -> [UInt64] {
        flights[Int(slot)].takeFollowers()
    }

    // MARK: The flights that may be joined

    private func home(_ digest: Digest) -> Int {
        Int(truncatingIfNeeded: digest.low) & (chains.count - 1)
    }

    private func slot(of digest: Digest) -> Int? {
        guard listed > 0 else { return nil }
        var slot = Int(chains[home(digest)])
        while slot >= 0 {
            if flights[slot].digest == digest { return slot }
            slot = Int(flights[slot].next)
        }
        return nil
    }

    private mutating func list(_ slot: Int32) {
        if listed >= chains.count { resize(to: max(16, chains.count * 2)) }
        chain(slot)
        listed += 1
    }

    private mutating func chain(_ slot: Int32) {
        let home = home(flights[Int(slot)].digest)
        let first = chains[home]
        if first >= 0 { flights[Int(first)].previous = slot }
        flights[Int(slot)].chain(before: first)
        chains[home] = slot
    }

    private mutating func unlist(_ slot: Int32) {
        guard let (previous, next) = flights[Int(slot)].unchain() else { return }
        if previous >= 0 {
            flights[Int(previous)].next = next
        } else {
            chains[home(flights[Int(slot)].digest)] = next
        }
        if next >= 0 { flights[Int(next)].previous = previous }
        listed -= 1
        if chains.count > 16, listed * 8 < chains.count { resize(to: chains.count / 2) }
    }

    private mutating func resize(to size: Int) {
        let old = chains
        chains = Array(repeating: -1, count: size)
        for first in old {
            var slot = first
            while slot >= 0 {
                let next = flights[Int(slot)].next
                chain(slot)
                slot = next
            }
        }
    }
}
