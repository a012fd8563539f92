// The pool's bounds, as plain values; the public configuration fills them.

package struct PoolLimits: Equatable, Sendable {
    package var connectionsPerOrigin = 10
    package var connections = 100
    package var idleConnections = 20
    /// How long an unused connection stays without a hint from its server.
    package var idleTimeout: Duration = .seconds(10)
    /// The longest that a server's `Keep-Alive: timeout` may keep one.
    package var idleTimeoutMost: Duration = .seconds(60)
    /// Taken off the server's hint, for the journey of its FIN.
    package var idleHintMargin: Duration = .seconds(2)
    /// Younger idleness does not count for the idle cap, nor for eviction by an origin that has
    /// connections: a working set is never closed between two requests.
    package var idleGrace: Duration = .seconds(1)
    /// Requests one connection may carry; nil for any number.
    package var usesPerConnection: Int?
    /// Age at which a connection is no longer reused; nil for any age.
    package var lifetime: Duration?

    package init() {}
}
