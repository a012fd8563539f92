// A limiter with its line: what `acquire` and `reserve` stand on outside a request. First in, first
// out; whoever leaves gives the place to the next. A value of identifiers; its owner wakes people.

package import FetchTime

package struct LimiterQueue: Sendable {
    /// The answer to whoever wants in.
    package enum Joining: Equatable, Sendable {
        /// Let go now.
        case admitted
        /// Stands in the line: ask `popReady`, which says when to ask again.
        case waiting(WaitingTicket)
        case refused(Refusal)
    }

    package enum Refusal: Equatable, Sendable {
        /// It could not go before this, which is after its deadline.
        case tooLate(Instant)
        /// So many stand in the line already.
        case full(limit: Int)
    }

    /// The answer to whoever wants a time.
    package enum Reservation: Equatable, Sendable {
        /// Go then.
        case at(Instant)
        case refused(Refusal)
    }

    private struct Waiter: Sendable {
        let number: UInt64
        let cost: Int
        /// A reservation was promised this time, and goes then: nobody is waked for it.
        let promised: Instant?
    }

    package private(set) var limiter: Limiter
    private var line = WaitingLine<Waiter>()
    /// What all in the line want together.
    private var costInLine = 0
    /// The most that stand in the line.
    private let most: Int
    /// Times of one question to the limiter about the future; a user's limiter may answer anything.
    private static var mostQuestions: Int { 64 }

    package init(_ limiter: Limiter, most: Int) {
        self.limiter = limiter
        self.most = most
    }

    package var count: Int { line.count }

    /// Lets `number` go now, or puts it in the line, or refuses it at once when its deadline can't
    /// be met. Nobody goes before those who came earlier.
    package mutating func join(
        _ number: UInt64, cost: Int, deadline: Instant, now: Instant
    ) -> Joining {
        let cost = Self.counted(cost)
        if line.isEmpty, limiter.admit(cost, now: now) == .now { return .admitted }
        let earliest = limiter.earliest(cost, behind: costInLine, now: now)
        guard earliest <= deadline, earliest < .distantFuture else {
            return .refused(.tooLate(earliest))
        }
        guard line.count < most else { return .refused(.full(limit: most)) }
        return .waiting(stand(Waiter(number: number, cost: cost, promised: nil)))
    }

    /// Whoever may go now, and is told; nil when nobody may, and then `nextTime` says when to ask
    /// again.
    package mutating func popReady(now: Instant) -> UInt64? {
        while let waiter = line.first {
            if let promised = waiter.promised, promised > now {
                nextTime = promised
                return nil
            }
            if case .notBefore(let time) = limiter.admit(waiter.cost, now: now) {
                nextTime = time
                return nil
            }
            _ = line.takeFirst()
            costInLine -= waiter.cost
            if waiter.promised == nil { return waiter.number }
        }
        nextTime = nil
        return nil
    }

    /// When the first in the line may go; known after `popReady` has answered nil.
    package private(set) var nextTime: Instant?

    /// Leaves the line; false when the ticket is stale. Those behind move up: ask `popReady`.
    package mutating func leave(_ ticket: WaitingTicket) -> Bool {
        guard let waiter = line.leave(ticket) else { return false }
        costInLine -= waiter.cost
        return true
    }

    /// Promises `cost` for a time, behind all who wait, and returns it; the caller goes then
    /// without being told. Refused when that is after `latest`.
    package mutating func reserve(
        _ cost: Int, latest: Instant, now: Instant
    ) -> Reservation {
        let cost = Self.counted(cost)
        if line.isEmpty, limiter.admit(cost, now: now) == .now { return .at(now) }
        guard line.count < most else {
            return .refused(.full(limit: most))
        }
        let time = timeAfterEverybody(cost, now: now)
        guard time <= latest, time < .distantFuture else {
            return .refused(.tooLate(time))
        }
        _ = stand(Waiter(number: 0, cost: cost, promised: time))
        return .at(time)
    }

    /// Plays the line on a copy of the limiter. O(n), for reservations behind others only.
    private func timeAfterEverybody(_ cost: Int, now: Instant) -> Instant {
        var limiter = self.limiter
        var time = now
        var line = self.line
        while let waiter = line.takeFirst() {
            time = Self.take(waiter.cost, &limiter, max(time, waiter.promised ?? time))
        }
        return Self.take(cost, &limiter, time)
    }

    private static func take(_ cost: Int, _ limiter: inout Limiter, _ time: Instant) -> Instant {
        var time = time
        for _ in 0..<mostQuestions {
            switch limiter.admit(cost, now: time) {
            case .now: return time
            case .notBefore(let later) where later > time && later < .distantFuture: time = later
            case .notBefore: return .distantFuture
            }
        }
        return .distantFuture
    }

    /// No cost is more than ``Rate/mostCount``, so that sums of them never overflow.
    private static func counted(_ cost: Int) -> Int { min(max(0, cost), Rate.mostCount) }

    private mutating func stand(_ waiter: Waiter) -> WaitingTicket {
        costInLine += waiter.cost
        return line.join(waiter)
    }

    /// Puts back what was let go and not used.
    package mutating func giveBack(_ cost: Int, now: Instant) {
        limiter.giveBack(cost, now: now)
    }

    /// Another limit from now on, for those in the line too.
    package mutating func adjust(_ limit: RateLimit?, now: Instant) {
        limiter.adjust(limit, now: now)
    }
}
