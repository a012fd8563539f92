// ForeignSettings: how a caller's own store is used. A value; any thread.

package struct ForeignSettings: Equatable, Sendable {
    /// Nanoseconds that a look-up may take; then the request goes on without it.
    package var patience: Int64 = 500_000_000
    /// Calls of the store that wait or are under way. Look-ups and stores beyond it are left out;
    /// where what must be forgotten would exceed it, everything is forgotten in its place.
    package var mostCalls = 1_024
    /// Calls under way at a time.
    package var mostConcurrent = 64
    /// Bytes of responses that wait to be stored.
    package var mostQueuedBytes = 16 << 20

    package init() {}
}
