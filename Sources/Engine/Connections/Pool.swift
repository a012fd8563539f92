// Obeys the pool's decisions: makes connections, keeps them by slot, ends them. It queues nobody:
// it answers `capacity(for:)`, and whoever closes or rests a connection through it learns that
// capacity came free. Reactor thread.

internal import FetchReactor
internal import FetchTime

final class Pool: CustomStringConvertible {
    @ThreadBound private var decisions: PoolState
    @ThreadBound private var connections: [Connection?] = []

    init(limits: PoolLimits) {
        decisions = PoolState(limits: limits)
    }

    deinit {
        _decisions.deallocate()
        _connections.deallocate()
    }

    var state: PoolState { decisions }

    /// Connections that carry nothing.
    var idle: Int { decisions.idle }

    /// What a request to the origin can have now.
    func capacity(for record: OriginRecord, fresh: Bool, now: Instant) -> PoolState.Capacity {
        decisions.capacity(for: record.pool, fresh: fresh, now: now)
    }

    /// A new connection for `call`, not yet dialled.
    func open(_ record: OriginRecord, road: Road, for call: Call) -> Connection {
        let id = decisions.opened(&record.pool)
        let connection = Connection(id, record, road: road, for: call)
        while connections.count <= id.slot { connections.append(nil) }
        connections[Int(id.slot)] = connection
        return connection
    }

    func connected(_ connection: Connection) {
        decisions.connected(connection.id, &connection.record.pool)
    }

    /// An idle connection leaves the idle lists for a request.
    func reuse(_ connection: Connection) {
        decisions.reused(connection.id, &connection.record.pool)
        connection.used()
    }

    /// An active connection becomes idle until `expiry`.
    func rest(_ connection: Connection, until expiry: Instant, now: Instant) {
        let record = connection.record
        decisions.rested(connection.id, &record.pool, now: now)
        connection.rest(until: expiry)
    }

    /// Ends a connection in whatever state it is.
    func close(_ connection: Connection, resetting: Bool = false) {
        guard connection.state != .closed else { return }
        decisions.closed(connection.id, &connection.record.pool)
        connections[Int(connection.id.slot)] = nil
        connection.close(resetting: resetting)
    }

    subscript(id: ConnectionID) -> Connection? {
        guard let connection = connections[Int(id.slot)], connection.id == id else {
            return nil
        }
        return connection
    }

    /// Every connection there is, in no order.
    var all: [Connection] { connections.compactMap { $0 } }

    /// The idle connections that the cap says to close now.
    func overIdleCap(now: Instant) -> [Connection] {
        state.overIdleCap(now: now).compactMap { self[$0] }
    }

    /// `2 active, 1 idle, 0 connecting`
    var description: String {
        "\(state.active) active, \(state.idle) idle, \(state.connecting) connecting"
    }
}
