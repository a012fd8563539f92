// The eight clocks of a call and the facts of their running out. Plain values in nanoseconds: a
// call sets several, and `Duration`'s 128-bit arithmetic is not for the road.

internal import FetchTime

/// Which of a call's clocks ran out.
package enum ClockName: String, Equatable, Sendable, CaseIterable {
    /// Waiting for a connection slot.
    case queue
    /// Asking name servers.
    case dns
    /// The transport's handshake, over all addresses.
    case connect
    /// The TLS handshake.
    case tls
    /// No byte of the request was taken by the peer for so long.
    case writeIdle
    /// From the request's last byte to the response's first.
    case firstByte
    /// No byte of the response came for so long.
    case readIdle
    /// From the call to the response's last byte, waits and further attempts included. A streamed
    /// response or upload ends it at the response's head.
    case total
}

/// How long each clock runs, in nanoseconds; `Clocks.never` for one that is switched off.
package struct Clocks: Equatable, Sendable {
    package static var never: Int64 { Int64.max }
    package static var second: Int64 { 1_000_000_000 }

    package var queue = 30 * second
    package var dns = 10 * second
    package var connect = 10 * second
    package var tls = 10 * second
    package var writeIdle = 30 * second
    package var firstByte = 30 * second
    package var readIdle = 30 * second
    package var total = 300 * second

    package init() {}
}

/// Clocks that all calls of a configuration have in common: one reference instead of a copy.
package final class SharedClocks: Sendable {
    package let clocks: Clocks

    package init(_ clocks: Clocks) {
        self.clocks = clocks
    }
}

extension Instant {
    /// This instant and so many nanoseconds more; the far future when that overflows.
    func after(_ nanoseconds: Int64) -> Instant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return Instant(nanoseconds: overflow ? Int64.max : sum)
    }

    static let farFuture = Instant(nanoseconds: Int64.max)
}
