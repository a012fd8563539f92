// The pool's decisions, one operation after the other. Pure: time is a number handed in.

import FetchEngine
import FetchTime
import Testing

struct PoolStateTests {
    private static func limits(
        perOrigin: Int = 10, total: Int = 100, idle: Int = 20
    ) -> PoolLimits {
        var limits = PoolLimits()
        limits.connectionsPerOrigin = perOrigin
        limits.connections = total
        limits.idleConnections = idle
        return limits
    }

    private static func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test func `an origin without connections may open one`() {
        let pool = PoolState(limits: Self.limits())
        #expect(pool.capacity(for: OriginPool(), fresh: false, now: Self.at(0)) == .open)
        #expect(pool.capacity(for: OriginPool(), fresh: true, now: Self.at(0)) == .open)
    }

    @Test func `a connection goes from connecting over active to idle and back`() {
        var pool = PoolState(limits: Self.limits())
        var origin = OriginPool()
        let id = pool.opened(&origin)
        #expect(pool.phase(of: id) == .connecting)
        #expect((origin.connecting, origin.active, origin.idle) == (1, 0, 0))
        pool.connected(id, &origin)
        #expect(pool.phase(of: id) == .active)
        pool.rested(id, &origin, now: Self.at(5))
        #expect(pool.phase(of: id) == .idle(since: Self.at(5)))
        #expect((pool.connecting, pool.active, pool.idle) == (0, 0, 1))
        #expect(pool.capacity(for: origin, fresh: false, now: Self.at(6)) == .reuse(id))
        pool.reused(id, &origin)
        #expect(pool.phase(of: id) == .active)
        pool.closed(id, &origin)
        #expect(pool.phase(of: id) == .free)
        #expect(origin.connections == 0)
        #expect(pool.connections == 0)
    }

    @Test(arguments: [0, 1, 2])
    func `a connection may be closed in any phase`(phase: Int) {
        var pool = PoolState(limits: Self.limits())
        var origin = OriginPool()
        let id = pool.opened(&origin)
        if phase > 0 { pool.connected(id, &origin) }
        if phase > 1 { pool.rested(id, &origin, now: Self.at(0)) }
        pool.closed(id, &origin)
        #expect(origin == OriginPool())
        #expect((pool.connecting, pool.active, pool.idle) == (0, 0, 0))
    }

    @Test func `a slot's next connection has another name`() {
        var pool = PoolState(limits: Self.limits())
        var origin = OriginPool()
        let first = pool.opened(&origin)
        pool.closed(first, &origin)
        let second = pool.opened(&origin)
        #expect(second.slot == first.slot)
        #expect(second != first)
        #expect(pool.phase(of: first) == .free)
        #expect(pool.phase(of: second) == .connecting)
    }

    @Test func `the connection used last is used first`() {
        var pool = PoolState(limits: Self.limits())
        var origin = OriginPool()
        let ids = (0..<3).map { _ in pool.active(&origin) }
        for (index, id) in ids.enumerated() {
            pool.rested(id, &origin, now: Self.at(Int64(index)))
        }
        for id in ids.reversed() {
            #expect(pool.capacity(for: origin, fresh: false, now: Self.at(9)) == .reuse(id))
            pool.reused(id, &origin)
        }
    }

    @Test func `an origin is full at its cap`() {
        var pool = PoolState(limits: Self.limits(perOrigin: 2))
        var origin = OriginPool()
        let first = pool.opened(&origin)
        #expect(pool.capacity(for: origin, fresh: false, now: Self.at(0)) == .open)
        _ = pool.opened(&origin)
        #expect(pool.capacity(for: origin, fresh: false, now: Self.at(0)) == .originFull)
        #expect(pool.capacity(for: OriginPool(), fresh: false, now: Self.at(0)) == .open)
        pool.closed(first, &origin)
        #expect(pool.capacity(for: origin, fresh: false, now: Self.at(0)) == .open)
    }

    @Test func `who wants a fresh one never gets a used one, and evicts one in a full origin`() {
        var pool = PoolState(limits: Self.limits(perOrigin: 2))
        var origin = OriginPool()
        let idle = pool.active(&origin)
        pool.rested(idle, &origin, now: Self.at(0))
        #expect(pool.capacity(for: origin, fresh: true, now: Self.at(0)) == .open)
        _ = pool.opened(&origin)
        #expect(pool.capacity(for: origin, fresh: true, now: Self.at(0)) == .evictThenOpen(idle))
    }

    @Test func `at the client's cap a new origin evicts the longest idle connection at once`() {
        var pool = PoolState(limits: Self.limits(total: 2))
        var (one, two) = (OriginPool(), OriginPool())
        let older = pool.active(&one)
        let newer = pool.active(&two)
        #expect(pool.capacity(for: OriginPool(), fresh: false, now: Self.at(0)) == .clientFull)
        pool.rested(newer, &two, now: Self.at(1))
        pool.rested(older, &one, now: Self.at(2))
        #expect(
            pool.capacity(for: OriginPool(), fresh: false, now: Self.at(2))
                == .evictThenOpen(newer))
    }

    @Test func `an origin that has connections evicts others only after a second of idleness`() {
        var pool = PoolState(limits: Self.limits(total: 2))
        var (one, two) = (OriginPool(), OriginPool())
        let idle = pool.active(&one)
        _ = pool.active(&two)
        pool.rested(idle, &one, now: Self.at(0))
        #expect(pool.capacity(for: two, fresh: false, now: Self.at(999)) == .clientFull)
        #expect(
            pool.capacity(for: two, fresh: false, now: Self.at(1_000)) == .evictThenOpen(idle))
    }

    @Test func `what is over the idle cap after a second is closed, the longest idle first`() {
        var pool = PoolState(limits: Self.limits(idle: 2))
        var origin = OriginPool()
        let ids = (0..<5).map { _ in pool.active(&origin) }
        for (index, id) in ids.enumerated() {
            pool.rested(id, &origin, now: Self.at(Int64(index)))
        }
        #expect(pool.overIdleCap(now: Self.at(999)).isEmpty)
        #expect(pool.overIdleCap(now: Self.at(1_002)) == [ids[0]])
        #expect(pool.overIdleCap(now: Self.at(1_004)) == Array(ids[..<3]))
        for id in ids[..<3] { pool.closed(id, &origin) }
        #expect(pool.overIdleCap(now: Self.at(9_000)).isEmpty)
        #expect(pool.idleLongestSince == Self.at(3))
    }

    @Test func `the idle cap is due when the first beyond it has been idle for a second`() {
        var pool = PoolState(limits: Self.limits(idle: 1))
        var origin = OriginPool()
        let ids = (0..<3).map { _ in pool.active(&origin) }
        #expect(pool.overIdleCapDue == nil)
        for (id, since) in zip(ids, [0, 500, 900] as [Int64]) {
            pool.rested(id, &origin, now: Self.at(since))
        }
        #expect(pool.overIdleCapDue == Self.at(1_500))
        pool.closed(ids[0], &origin)
        #expect(pool.overIdleCapDue == Self.at(1_900))
        pool.closed(ids[1], &origin)
        #expect(pool.overIdleCapDue == nil)
    }

    @Test func `a working set within its second is never over the idle cap`() {
        var pool = PoolState(limits: Self.limits(idle: 1))
        var origin = OriginPool()
        let ids = (0..<8).map { _ in pool.active(&origin) }
        for round in 0..<50 as Range<Int64> {
            for id in ids { pool.rested(id, &origin, now: Self.at(round * 100)) }
            #expect(pool.overIdleCap(now: Self.at(round * 100 + 99)).isEmpty)
            for id in ids { pool.reused(id, &origin) }
        }
    }

    @Test func `the longest idle that meets a condition is found`() {
        var pool = PoolState(limits: Self.limits())
        var origin = OriginPool()
        let ids = (0..<3).map { _ in pool.active(&origin) }
        for id in ids { pool.rested(id, &origin, now: Self.at(0)) }
        #expect(pool.firstIdle { _ in true } == ids[0])
        #expect(pool.firstIdle { $0 != ids[0] } == ids[1])
        #expect(pool.firstIdle { _ in false } == nil)
    }

    @Test func `using the pool out of order traps`() async {
        await #expect(processExitsWith: .failure) {
            var pool = PoolState(limits: PoolLimits())
            var origin = OriginPool()
            let id = pool.opened(&origin)
            pool.rested(id, &origin, now: Instant(nanoseconds: 0))
        }
        await #expect(processExitsWith: .failure) {
            var pool = PoolState(limits: PoolLimits())
            var origin = OriginPool()
            let id = pool.opened(&origin)
            pool.closed(id, &origin)
            pool.closed(id, &origin)
        }
        await #expect(processExitsWith: .failure) {
            var pool = PoolState(limits: PoolLimits())
            var origin = OriginPool()
            pool.reused(pool.opened(&origin), &origin)
        }
    }
}

extension PoolState {
    /// A new connection that carries a request.
    mutating func active(_ origin: inout OriginPool) -> ConnectionID {
        let id = opened(&origin)
        connected(id, &origin)
        return id
    }
}
