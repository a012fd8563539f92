// A line with priorities: first in, first out within each, and nobody starves. A pure value inside
// the origin's record; `Element` is whatever the owner calls a waiter.
//
// Each priority is a line of its own, and a lower one carries a handicap: who joined at `t` counts
// as if at t + handicap, and whoever counts as the earliest goes first. So a high one overtakes
// every normal one that has waited less than `ageing`, and none that has waited longer: a low one
// goes at the latest when all who joined twice `ageing` after it are the next.

public import FetchTime

/// Who leaves a waiting line first.
public enum RequestPriority: UInt8, Sendable, Hashable, CaseIterable, Comparable {
    /// Behind the others, until it has waited long.
    case low
    /// The default.
    case normal
    /// Before the others.
    case high

    /// Whether the first is less urgent.
    public static func < (left: RequestPriority, right: RequestPriority) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Where a waiter stands in a line with priorities.
@usableFromInline
package struct PriorityTicket: Equatable, Sendable {
    @usableFromInline let priority: RequestPriority
    @usableFromInline let ticket: WaitingTicket

    @inlinable init(_ priority: RequestPriority, _ ticket: WaitingTicket) {
        self.priority = priority
        self.ticket = ticket
    }
}

/// What comes of wanting to stand in a bounded line.
@usableFromInline
package enum Joining: Equatable, Sendable {
    case joined(PriorityTicket)
    /// So many stand in it already.
    case overloaded(limit: Int)
    /// It can't go before this, which is after its deadline.
    case tooLate(notBefore: Instant)
}

@usableFromInline
package struct PriorityLine<Element> {
    @usableFromInline struct Waiter {
        @usableFromInline let element: Element
        /// When it joined, and its priority's handicap.
        @usableFromInline let rank: Instant

        @inlinable init(_ element: Element, rank: Instant) {
            self.element = element
            self.rank = rank
        }
    }

    /// How much longer than a normal one a low one waits before it goes first; the same between
    /// high and normal: 5 s, so that low ones go within the queue clock's 30 s.
    @inlinable package static var defaultAgeingNanoseconds: Int64 { 5_000_000_000 }

    @usableFromInline var high = WaitingLine<Waiter>()
    @usableFromInline var normal = WaitingLine<Waiter>()
    @usableFromInline var low = WaitingLine<Waiter>()
    @usableFromInline let ageing: Int64

    @inlinable package init(ageingNanoseconds: Int64 = Self.defaultAgeingNanoseconds) {
        ageing = Swift.max(0, ageingNanoseconds)
    }

    @inlinable package var count: Int { high.count + normal.count + low.count }

    @inlinable package var isEmpty: Bool { high.count | normal.count | low.count == 0 }

    /// Joins behind those of its priority. O(1).
    @inlinable package mutating func join(
        _ element: Element, _ priority: RequestPriority = .normal, now: Instant
    ) -> PriorityTicket {
        switch priority {
        case .high:
            return PriorityTicket(priority, high.join(Waiter(element, rank: now)))
        case .normal:
            let rank = now.adding(nanoseconds: ageing)
            return PriorityTicket(priority, normal.join(Waiter(element, rank: rank)))
        case .low:
            let rank = now.adding(nanoseconds: ageing).adding(nanoseconds: ageing)
            return PriorityTicket(priority, low.join(Waiter(element, rank: rank)))
        }
    }

    /// Joins if the line has room and the deadline can be met. O(1).
    ///
    /// - Parameters:
    ///   - standing: how many stand in this line, or in all that share the limit.
    ///   - earliest: when the element could go; later than the deadline, it is refused at once.
    @inlinable package mutating func join(
        _ element: Element, _ priority: RequestPriority, standing: Int, limit: Int,
        earliest: Instant, deadline: Instant, now: Instant
    ) -> Joining {
        guard earliest <= deadline else { return .tooLate(notBefore: earliest) }
        guard standing < limit else { return .overloaded(limit: limit) }
        return .joined(join(element, priority, now: now))
    }

    /// Who goes first.
    @inlinable package var first: Element? {
        guard let priority = firstPriority else { return nil }
        return switch priority {
        case .high: high.first?.element
        case .normal: normal.first?.element
        case .low: low.first?.element
        }
    }

    /// Lets the first go. O(1).
    @inlinable package mutating func takeFirst() -> Element? {
        guard let priority = firstPriority else { return nil }
        return switch priority {
        case .high: high.takeFirst()?.element
        case .normal: normal.takeFirst()?.element
        case .low: low.takeFirst()?.element
        }
    }

    /// Leaves from anywhere; nil when the ticket is stale. O(1).
    @inlinable @discardableResult
    package mutating func leave(_ ticket: PriorityTicket) -> Element? {
        switch ticket.priority {
        case .high: high.leave(ticket.ticket)?.element
        case .normal: normal.leave(ticket.ticket)?.element
        case .low: low.leave(ticket.ticket)?.element
        }
    }

    /// The first, in the order of going, for which `condition` holds. O(n).
    @inlinable package func first(where condition: (Element) -> Bool) -> Element? {
        let meets: (Waiter) -> Bool = { condition($0.element) }
        // Within a priority the first that meets it goes first; of the three, the lowest rank.
        var best = high.first(where: meets)
        for line in [normal, low] where !line.isEmpty {
            guard let waiter = line.first(where: meets) else { continue }
            if let rank = best?.rank, rank <= waiter.rank { continue }
            best = waiter
        }
        return best?.element
    }

    /// Whose first one goes next. A line of one priority is not compared with anything.
    @inlinable var firstPriority: RequestPriority? {
        if high.isEmpty, low.isEmpty { return normal.isEmpty ? nil : .normal }
        var rank = Instant.distantFuture
        var priority: RequestPriority?
        if let waiter = high.first { (rank, priority) = (waiter.rank, .high) }
        if let waiter = normal.first, priority == nil || waiter.rank < rank {
            (rank, priority) = (waiter.rank, .normal)
        }
        if let waiter = low.first, priority == nil || waiter.rank < rank { priority = .low }
        return priority
    }
}

extension PriorityLine: Sendable where Element: Sendable {}
extension PriorityLine.Waiter: Sendable where Element: Sendable {}
