// What a call ends with when all goes well. Immutable; any thread.

package import FetchBytes
package import FetchHTTP
package import FetchHTTP1
package import FetchTime
package import FetchTransport

/// When things happened to a call, on the reactor's clock.
package struct CallTimes: Equatable, Sendable {
    package var started = Instant(nanoseconds: 0)
    /// How long opening the connection took; zero on one that was used before.
    package var connectNanoseconds: Int64 = 0
    /// How long finding the host's addresses took before that; zero where they were known, and on
    /// a connection that was used before.
    package var dnsNanoseconds: Int64 = 0
    /// How long the TLS handshake took; zero without one, and on a connection used before.
    package var tlsNanoseconds: Int64 = 0
    package var firstByte = Instant(nanoseconds: 0)
    package var ended = Instant(nanoseconds: 0)

    package init() {}
}

/// A response with all of its body; for a streamed call, with none of it. An object for the same
/// reason as the plan.
package final class WholeResponse: Sendable {
    package let head: ResponseHead
    package let body: Bytes
    package let trailers: FieldSection?
    package let target: Target
    package let times: CallTimes
    /// Attempts made for it, the last one included.
    package let attempts: Int
    package let peer: SocketAddress?
    /// Another caller's exchange answered it.
    package let isShared: Bool

    init(
        head: ResponseHead, body: Bytes, trailers: FieldSection?, target: Target,
        times: CallTimes, attempts: Int, peer: SocketAddress?, isShared: Bool = false
    ) {
        self.head = head
        self.body = body
        self.trailers = trailers
        self.target = target
        self.times = times
        self.attempts = attempts
        self.peer = peer
        self.isShared = isShared
    }
}
