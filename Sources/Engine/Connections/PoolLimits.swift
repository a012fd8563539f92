// The pool's bounds, as plain values; the public configuration fills them. Times are nanoseconds:
// `Duration`'s 128-bit arithmetic is not for the road.

package struct PoolLimits: Equatable, Sendable {
    package var connectionsPerOrigin = 10
    package var connections = 100
    package var idleConnections = 20
    /// How long an unused connection stays without a hint from its server.
    package var idleTimeout = 10 * Clocks.second
    /// The longest that a server's `Keep-Alive: timeout` may keep one.
    package var idleTimeoutMost = 60 * Clocks.second
    /// Taken off the server's hint, for the journey of its FIN.
    package var idleHintMargin = 2 * Clocks.second
    /// Younger idleness does not count for the idle cap, nor for eviction by an origin that has
    /// connections: a working set is never closed between two requests.
    package var idleGrace = Clocks.second
    /// Requests one connection may carry; nil for any number.
    package var usesPerConnection: Int?
    /// Age at which a connection is no longer reused; nil for any age.
    package var lifetime: Int64?

    package init() {}
}
