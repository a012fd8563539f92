// The pool under random operations, held against a recount of what each connection is doing. Pure.

import FetchEngine
import FetchTime
import Testing

struct PoolStatePropertyTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `counts, caps and order hold after every one of random operations`(seed: UInt64) {
        var model = PoolModel(seed: seed)
        for _ in 0..<2_000 {
            model.step()
            model.check()
        }
    }
}

/// The pool, its origins, and a plain list of what every connection is doing.
private struct PoolModel {
    enum Doing: Equatable {
        case connecting
        case active
        case idle(since: Instant)
    }

    var dice: Numbers
    var pool: PoolState
    var origins: [OriginPool]
    /// In the order in which they took up what they are doing.
    var connections: [(id: ConnectionID, origin: Int, doing: Doing)] = []
    var now = Instant(nanoseconds: 0)

    init(seed: UInt64) {
        dice = Numbers(state: seed)
        var limits = PoolLimits()
        limits.connectionsPerOrigin = 3
        limits.connections = 8
        limits.idleConnections = 2
        pool = PoolState(limits: limits)
        origins = Array(repeating: OriginPool(), count: 5)
    }

    mutating func step() {
        now = now.advanced(by: .milliseconds(dice.below(400)))
        switch dice.below(10) {
        case ..<4: request(origin: dice.below(origins.count))
        case ..<9: change()
        default: sweep()
        }
    }

    private mutating func request(origin: Int) {
        let fresh = dice.below(4) == 0
        let capacity = pool.capacity(for: origins[origin], fresh: fresh, now: now)
        #expect(capacity == expected(origin, fresh: fresh))
        switch capacity {
        case .reuse(let id):
            pool.reused(id, &origins[origin])
            set(id, .active)
        case .open:
            open(origin)
        case .evictThenOpen(let id):
            close(id)
            open(origin)
        case .originFull, .clientFull:
            break
        }
    }

    private mutating func open(_ origin: Int) {
        connections.append((pool.opened(&origins[origin]), origin, .connecting))
    }

    /// One connection goes on, or ends.
    private mutating func change() {
        guard !connections.isEmpty else { return }
        let (id, origin, doing) = connections[dice.below(connections.count)]
        if dice.below(5) == 0 { return close(id) }
        switch doing {
        case .connecting:
            pool.connected(id, &origins[origin])
            set(id, .active)
        case .active:
            pool.rested(id, &origins[origin], now: now)
            set(id, .idle(since: now))
        case .idle:
            break
        }
    }

    private mutating func sweep() {
        let aged = idle.filter { $0.since.advanced(by: .seconds(1)) <= now }
        let over = idle.count > 2 ? max(0, aged.count - 2) : 0
        let closing = pool.overIdleCap(now: now)
        #expect(closing == aged.prefix(over).map(\.id))
        for id in closing { close(id) }
    }

    private mutating func set(_ id: ConnectionID, _ doing: Doing) {
        guard let index = connections.firstIndex(where: { $0.id == id }) else { return }
        let origin = connections.remove(at: index).origin
        connections.append((id, origin, doing))
    }

    private mutating func close(_ id: ConnectionID) {
        guard let index = connections.firstIndex(where: { $0.id == id }) else {
            Issue.record("a connection that is not there is to be closed")
            return
        }
        pool.closed(id, &origins[connections.remove(at: index).origin])
    }

    /// Longest idle first.
    private var idle: [(id: ConnectionID, origin: Int, since: Instant)] {
        connections.compactMap {
            if case .idle(let since) = $0.doing { ($0.id, $0.origin, since) } else { nil }
        }
    }

    private func expected(_ origin: Int, fresh: Bool) -> PoolState.Capacity {
        let newestOwn = idle.last { $0.origin == origin }
        if !fresh, let newestOwn { return .reuse(newestOwn.id) }
        let own = connections.count { $0.origin == origin }
        if own >= 3 { return newestOwn.map { .evictThenOpen($0.id) } ?? .originFull }
        if connections.count < 8 { return .open }
        guard let oldest = idle.first else { return .clientFull }
        let mayEvict = own == 0 || oldest.since.advanced(by: .seconds(1)) <= now
        return mayEvict ? .evictThenOpen(oldest.id) : .clientFull
    }

    func check() {
        #expect(pool.connecting == connections.count { $0.doing == .connecting })
        #expect(pool.active == connections.count { $0.doing == .active })
        #expect(pool.idle == idle.count)
        #expect(pool.connections <= 8)
        #expect(pool.idleLongestSince == idle.first?.since)
        for (index, origin) in origins.enumerated() {
            let own = connections.filter { $0.origin == index }
            #expect(origin.connecting == own.count { $0.doing == .connecting })
            #expect(origin.active == own.count { $0.doing == .active })
            #expect(origin.idle == idle.count { $0.origin == index })
            #expect(origin.connections <= 3)
        }
    }
}

/// Knuth's MMIX generator, so that a failing seed fails again.
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
