// Which connection a request gets, decided as a pure value: counts, caps and the order of idle
// connections. `Pool` carries the decisions out; nothing here knows a socket or a clock.
//
// Connections are slots of one table, chained into two lists while idle: their origin's (last used
// first out, so that a working set stays small) and the client's (longest idle first, for caps and
// eviction). Every operation is O(1) but the sweep, which walks the idle ones it may close.

package import FetchTime

/// A connection's name: slot and generation, so that a stale one is told apart.
package struct ConnectionID: Hashable, Sendable {
    package let slot: Int32
    package let generation: UInt32
}

/// The pool's part of an origin's record.
package struct OriginPool: Equatable, Sendable {
    package fileprivate(set) var connecting = 0
    package fileprivate(set) var active = 0
    package fileprivate(set) var idle = 0
    fileprivate var newestIdle: Int32 = -1
    /// Connections that the origin may have; nil for the client's number.
    fileprivate let limit: Int?

    package init(limit: Int? = nil) {
        self.limit = limit
    }

    package var connections: Int { connecting + active + idle }
}

package struct PoolState: Sendable {
    package enum Phase: Equatable, Sendable {
        case free
        /// Can transition to `active` and `free`.
        case connecting
        /// Carries a request. Can transition to `idle` and `free`.
        case active
        /// Can transition to `active` and `free`.
        case idle(since: Instant)
    }

    /// The answer to `capacity(for:)`.
    package enum Capacity: Equatable, Sendable {
        /// Take this idle connection.
        case reuse(ConnectionID)
        /// A new connection may be opened.
        case open
        /// Close this idle connection of another origin, then open one.
        case evictThenOpen(ConnectionID)
        /// The origin's cap is reached: one of its own connections must come free.
        case originFull
        /// The client's cap is reached.
        case clientFull
    }

    struct Slot: Sendable {
        var phase: Phase = .free
        var generation: UInt32 = 0
        // Chains of idle slots: the origin's, and the client's by age.
        var olderInOrigin: Int32 = -1
        var newerInOrigin: Int32 = -1
        var older: Int32 = -1
        var newer: Int32 = -1
    }

    package let limits: PoolLimits
    package private(set) var connecting = 0
    package private(set) var active = 0
    package private(set) var idle = 0
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var oldestIdle: Int32 = -1
    private var newestIdle: Int32 = -1

    package init(limits: PoolLimits) {
        self.limits = limits
    }

    package var connections: Int { connecting + active + idle }

    /// Whether any origin could have a connection, be it by another's leave.
    package var mayHaveRoom: Bool { idle > 0 || connections < limits.connections }

    /// What a request to `origin` can have now. `fresh` asks for a connection never used before.
    package func capacity(for origin: OriginPool, fresh: Bool, now: Instant) -> Capacity {
        if !fresh, origin.newestIdle >= 0 { return .reuse(id(origin.newestIdle)) }
        if origin.connections >= origin.limit ?? limits.connectionsPerOrigin {
            // A fresh one is wanted and idle ones fill the origin: one of them makes room.
            if fresh, origin.newestIdle >= 0 { return .evictThenOpen(id(origin.newestIdle)) }
            return .originFull
        }
        if connections < limits.connections { return .open }
        guard oldestIdle >= 0, case .idle(let since) = slots[Int(oldestIdle)].phase else {
            return .clientFull
        }
        if origin.connections == 0 || since.after(limits.idleGrace) <= now {
            return .evictThenOpen(id(oldestIdle))
        }
        return .clientFull
    }

    /// A connection is being opened for `origin`.
    package mutating func opened(_ origin: inout OriginPool) -> ConnectionID {
        let slot = freeSlots.popLast() ?? Int32(slots.count)
        if slot == slots.count { slots.append(Slot()) }
        slots[Int(slot)].phase = .connecting
        origin.connecting += 1
        connecting += 1
        return id(slot)
    }

    /// The new connection stands and carries a request.
    package mutating func connected(_ connection: ConnectionID, _ origin: inout OriginPool) {
        precondition(phase(of: connection) == .connecting, "only a connecting one gets connected")
        slots[Int(connection.slot)].phase = .active
        origin.connecting -= 1
        connecting -= 1
        origin.active += 1
        active += 1
    }

    /// An idle connection carries a request again.
    package mutating func reused(_ connection: ConnectionID, _ origin: inout OriginPool) {
        unchain(connection.slot, &origin)
        slots[Int(connection.slot)].phase = .active
        origin.active += 1
        active += 1
    }

    /// The request is over and the connection may serve another.
    package mutating func rested(
        _ connection: ConnectionID, _ origin: inout OriginPool, now: Instant
    ) {
        precondition(phase(of: connection) == .active, "only an active connection can rest")
        origin.active -= 1
        active -= 1
        chain(connection.slot, &origin, since: now)
    }

    /// The connection is gone, whatever it was doing.
    package mutating func closed(_ connection: ConnectionID, _ origin: inout OriginPool) {
        switch phase(of: connection) {
        case .free:
            preconditionFailure("a connection is closed once")
        case .connecting:
            origin.connecting -= 1
            connecting -= 1
        case .active:
            origin.active -= 1
            active -= 1
        case .idle:
            unchain(connection.slot, &origin)
        }
        slots[Int(connection.slot)].phase = .free
        slots[Int(connection.slot)].generation &+= 1
        freeSlots.append(connection.slot)
    }

    /// The idle connections to close now because more than the cap have been idle for longer than
    /// the grace, oldest first.
    package func overIdleCap(now: Instant) -> [ConnectionID] {
        guard idle > limits.idleConnections else { return [] }
        var aged: [ConnectionID] = []
        var slot = oldestIdle
        while slot >= 0, case .idle(let since) = slots[Int(slot)].phase,
            since.after(limits.idleGrace) <= now
        {
            aged.append(id(slot))
            slot = slots[Int(slot)].newer
        }
        return Array(aged.prefix(max(0, aged.count - limits.idleConnections)))
    }

    /// When more than the cap will have been idle for the grace, if none is used before.
    package var overIdleCapDue: Instant? {
        guard idle > limits.idleConnections else { return nil }
        // The first beyond the cap, by age, is what makes them too many.
        var slot = oldestIdle
        for _ in 0..<limits.idleConnections { slot = slots[Int(slot)].newer }
        guard case .idle(let since) = slots[Int(slot)].phase else { return nil }
        return since.after(limits.idleGrace)
    }

    /// When the connection that has been idle longest began to be.
    package var idleLongestSince: Instant? {
        guard oldestIdle >= 0, case .idle(let since) = slots[Int(oldestIdle)].phase else {
            return nil
        }
        return since
    }

    /// The connection that has been idle longest of those that `condition` holds for.
    package func firstIdle(where condition: (ConnectionID) -> Bool) -> ConnectionID? {
        var slot = oldestIdle
        while slot >= 0 {
            if condition(id(slot)) { return id(slot) }
            slot = slots[Int(slot)].newer
        }
        return nil
    }

    package func phase(of connection: ConnectionID) -> Phase {
        let slot = slots[Int(connection.slot)]
        return slot.generation == connection.generation ? slot.phase : .free
    }

    private func id(_ slot: Int32) -> ConnectionID {
        ConnectionID(slot: slot, generation: slots[Int(slot)].generation)
    }

    private mutating func chain(_ slot: Int32, _ origin: inout OriginPool, since: Instant) {
        let index = Int(slot)
        slots[index].phase = .idle(since: since)
        slots[index].olderInOrigin = origin.newestIdle
        slots[index].newerInOrigin = -1
        if origin.newestIdle >= 0 { slots[Int(origin.newestIdle)].newerInOrigin = slot }
        origin.newestIdle = slot
        slots[index].older = newestIdle
        slots[index].newer = -1
        if newestIdle >= 0 { slots[Int(newestIdle)].newer = slot } else { oldestIdle = slot }
        newestIdle = slot
        origin.idle += 1
        idle += 1
    }

    private mutating func unchain(_ slot: Int32, _ origin: inout OriginPool) {
        let place = slots[Int(slot)]
        guard case .idle = place.phase else {
            preconditionFailure("only an idle connection stands in the idle lists")
        }
        if place.newerInOrigin >= 0 {
            slots[Int(place.newerInOrigin)].olderInOrigin = place.olderInOrigin
        } else {
            origin.newestIdle = place.olderInOrigin
        }
        if place.olderInOrigin >= 0 {
            slots[Int(place.olderInOrigin)].newerInOrigin = place.newerInOrigin
        }
        if place.newer >= 0 {
            slots[Int(place.newer)].older = place.older
        } else {
            newestIdle = place.older
        }
        if place.older >= 0 {
            slots[Int(place.older)].newer = place.newer
        } else {
            oldestIdle = place.newer
        }
        origin.idle -= 1
        idle -= 1
    }
}
