// Obeys the pool's decisions: makes connections, keeps them by slot, ends them. It queues nobody:
// it answers `capacity(for:)`, and whoever closes or rests a connection through it learns that
// capacity came free. Reactor thread.

internal import FetchTime

final class Pool: CustomStringConvertible {
    private let cell: Cell<PoolState>
    private let connections = Cell<[Connection?]>([])

    init(limits: PoolLimits) {
        cell = Cell(PoolState(limits: limits))
    }

    var state: PoolState { cell.value }

    /// What a request to the origin can have now.
    func capacity(for record: OriginRecord, fresh: Bool, now: Instant) -> PoolState.Capacity {
        cell.value.capacity(for: record.pool.value, fresh: fresh, now: now)
    }

    /// A new connection for `call`, not yet dialled.
    func open(_ record: OriginRecord, road: Road, for call: Call) -> Connection {
        let id = cell.value.opened(&record.pool.value)
        let connection = Connection(id, record, road: road, for: call)
        while connections.value.count <= id.slot { connections.value.append(nil) }
        connections.value[Int(id.slot)] = connection
        return connection
    }

    func connected(_ connection: Connection) {
        cell.value.connected(connection.id, &connection.record.pool.value)
    }

    /// An idle connection leaves the idle lists for a request.
    func reuse(_ connection: Connection) {
        cell.value.reused(connection.id, &connection.record.pool.value)
        connection.used()
    }

    /// An active connection becomes idle until `expiry`.
    func rest(_ connection: Connection, until expiry: Instant, now: Instant) {
        let record = connection.record
        cell.value.rested(connection.id, &record.pool.value, now: now)
        connection.rest(until: expiry)
    }

    /// Ends a connection in whatever state it is.
    func close(_ connection: Connection, resetting: Bool = false) {
        guard connection.state != .closed else { return }
        cell.value.closed(connection.id, &connection.record.pool.value)
        connections.value[Int(connection.id.slot)] = nil
        connection.close(resetting: resetting)
    }

    subscript(id: ConnectionID) -> Connection? {
        guard let connection = connections.value[Int(id.slot)], connection.id == id else {
            return nil
        }
        return connection
    }

    /// Every connection there is, in no order.
    var all: [Connection] { connections.value.compactMap { $0 } }

    /// The idle connections that the cap says to close now.
    func overIdleCap(now: Instant) -> [Connection] {
        state.overIdleCap(now: now).compactMap { self[$0] }
    }

    /// `2 active, 1 idle, 0 connecting`
    var description: String {
        "\(state.active) active, \(state.idle) idle, \(state.connecting) connecting"
    }
}
