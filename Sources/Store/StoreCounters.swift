// StoreCounters: what a client's store did, for whoever watches it. A value; any thread.

package struct StoreCounters: Equatable, Sendable {
    /// Look-ups that the memory answered alone, at a glance.
    package var glanced = 0
    /// Look-ups that gave something from memory, or from behind it.
    package var foundInMemory = 0
    package var foundBehind = 0
    /// Look-ups that gave nothing.
    package var missed = 0
    package var stored = 0
    /// URIs that were made doubtful by unsafe requests, and purges.
    package var invalidated = 0
    package var purged = 0

    package init() {}
}
