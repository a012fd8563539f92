// The line in which the requests of one origin wait for a connection: first in, first out.
//
// A pure value inside the origin's record; `Element` is whatever the owner calls a waiter. Leaving
// from the middle is O(1), because cancellation and time-outs come in any order.

/// Where a waiter stands. Stale tickets (the waiter has left) are told apart by generation.
@usableFromInline
package struct WaitingTicket: Equatable, Sendable {
    @usableFromInline let slot: Int32
    @usableFromInline let generation: UInt32

    @inlinable init(slot: Int32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

@usableFromInline
package struct WaitingLine<Element> {
    /// One place in the line, or a free one chained by `next`.
    @usableFromInline struct Place {
        @usableFromInline var element: Element?
        @usableFromInline var previous: Int32
        @usableFromInline var next: Int32
        @usableFromInline var generation: UInt32

        @inlinable init(element: Element?, previous: Int32, generation: UInt32) {
            self.element = element
            self.previous = previous
            self.generation = generation
            next = -1
        }
    }

    @usableFromInline var places: [Place] = []
    @usableFromInline var head: Int32 = -1
    @usableFromInline var tail: Int32 = -1
    @usableFromInline var free: Int32 = -1
    /// One more with every joining, so that no two tickets are alike.
    @usableFromInline var lastGeneration: UInt32 = 0
    /// How many stand in the line.
    @usableFromInline package var count = 0

    @inlinable package init() {}

    @inlinable package var isEmpty: Bool { count == 0 }

    /// Joins at the end. O(1).
    @inlinable package mutating func join(_ element: Element) -> WaitingTicket {
        lastGeneration &+= 1
        let place = Place(element: element, previous: tail, generation: lastGeneration)
        let slot: Int32
        if free >= 0 {
            slot = free
            free = places[Int(slot)].next
            places[Int(slot)] = place
        } else {
            slot = Int32(places.count)
            places.append(place)
        }
        if tail >= 0 { places[Int(tail)].next = slot } else { head = slot }
        tail = slot
        count += 1
        return WaitingTicket(slot: slot, generation: lastGeneration)
    }

    /// Who stands first.
    @inlinable package var first: Element? {
        head >= 0 ? places[Int(head)].element : nil
    }

    /// Lets the first go. O(1).
    @inlinable package mutating func takeFirst() -> Element? {
        guard head >= 0 else { return nil }
        return remove(head)
    }

    /// Leaves from anywhere; nil when the ticket is stale. O(1).
    @inlinable @discardableResult
    package mutating func leave(_ ticket: WaitingTicket) -> Element? {
        guard ticket.slot < places.count, places[Int(ticket.slot)].generation == ticket.generation
        else { return nil }
        return remove(ticket.slot)
    }

    /// The first, in order, for which `condition` holds.
    @inlinable package func first(where condition: (Element) -> Bool) -> Element? {
        var slot = head
        while slot >= 0 {
            if let element = places[Int(slot)].element, condition(element) { return element }
            slot = places[Int(slot)].next
        }
        return nil
    }

    @inlinable mutating func remove(_ slot: Int32) -> Element? {
        let place = places[Int(slot)]
        guard let element = place.element else { return nil }
        if place.previous >= 0 {
            places[Int(place.previous)].next = place.next
        } else {
            head = place.next
        }
        if place.next >= 0 {
            places[Int(place.next)].previous = place.previous
        } else {
            tail = place.previous
        }
        count -= 1
        if count == 0 {
            // An idle origin's line holds next to no memory.
            places.removeAll(keepingCapacity: places.capacity <= 16)
            free = -1
        } else {
            places[Int(slot)].element = nil
            places[Int(slot)].next = free
            free = slot
        }
        return element
    }
}

extension WaitingLine: Sendable where Element: Sendable {}
extension WaitingLine.Place: Sendable where Element: Sendable {}
