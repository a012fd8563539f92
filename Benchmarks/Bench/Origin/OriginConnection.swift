// One client of the embedded origin: what has come, what is still to be sent. A value in the
// origin's table, one per descriptor, reused by the descriptor's next owner. RFC 9112 as far as a
// load tester needs it: requests one after another, bodies skipped by their Content-Length, chunked
// ones not understood.

/// State of one connection.
struct OriginConnection {
    private(set) var isOpen = false
    /// Counts the owners of this descriptor, so that a late answer finds the right one.
    private(set) var generation: UInt32 = 0
    /// Request bytes that came without their end.
    var arrived: [UInt8] = []
    /// Bytes of a request's body that are still to be skipped.
    var bodyToSkip = 0
    /// Response bytes that the socket did not take, from `unsentStart` on.
    var unsent: [UInt8] = []
    var unsentStart = 0
    /// Bytes of a `/bytes/N` body still to be sent after `unsent`.
    var bodyToSend = 0
    var closesAfterwards = false
    /// An answer waits in the delay line: later requests wait behind it.
    var isDelayed = false
    var watchesWriting = false

    var hasUnsent: Bool { unsentStart < unsent.count || bodyToSend > 0 }

    mutating func open() {
        let next = generation &+ 1
        self = OriginConnection()
        generation = next
        isOpen = true
    }

    mutating func close() {
        let last = generation
        self = OriginConnection()
        generation = last
    }
}
