// Why a call failed, as Engine sees it: a closed set of facts, wrapped once more by `FetchError`.

package import FetchHTTP1
internal import FetchPolicy
package import FetchReactor
package import FetchTransport

package indirect enum CallError: Error {
    /// One of the call's clocks ran out.
    case timedOut(ClockName)
    /// No connection came about.
    case connect(ConnectError)
    /// The connection could not be secured, or TLS ended it later with an alert.
    case handshake(HandshakeFailure)
    /// The peer ended the connection before the first byte of a response.
    case closedBeforeResponse
    /// The connection broke; `duringBody` tells whether a response's head had come.
    case broken(SystemError, duringBody: Bool)
    /// The response is not HTTP, or beyond a limit of its head.
    case malformed(MessageError)
    /// The response ended before its framing said that it would.
    case truncated(MessageError)
    /// The whole body would be larger than the call allows.
    case bodyTooLarge(limit: Int)
    /// More calls wait already than the configuration allows.
    case waitingLineFull(limit: Int)
    /// As many origins are in use as the configuration allows.
    case tooManyOrigins(limit: Int)
    /// The origin's breaker is open, for so many nanoseconds more; nothing was sent.
    case circuitOpen(for: Int64)
    /// The limits would let the call go in so many nanoseconds, which is after its clocks.
    case rateLimited(for: Int64)
    /// The site asks crawlers for more patience than the rules have.
    case impolite
    /// As many attempts were made as may be, or another was refused; the last one's response.
    case attemptsSpent(WholeResponse)
    /// The caller wanted a stored response, and none can be used.
    case notCached
    /// The caller cancelled.
    case cancelled
    /// The client was shut down.
    case clientClosed
    /// The caller's own upload failed; its error goes back as it was.
    case uploadFailed(any Error)
    /// The upload gave fewer or more bytes than it had said.
    case uploadLength(declared: Int, given: Int)
    /// The upload's trailers may not be sent as such.
    case uploadTrailers(RequestError)
}

extension CallError {
    /// What an attempt that ended like this was to the policies; nil for what is the caller's own
    /// affair, or no attempt's.
    var cause: FailureCause? {
        switch self {
        case .timedOut(.queue), .timedOut(.total): nil
        case .timedOut: .timeout
        case .connect(.nameNotResolved(let error)): error.isAnswer ? .noAddress : .dns
        case .connect(.failed): .connect
        case .handshake: .tls
        case .closedBeforeResponse, .broken: .reset
        case .malformed: .malformed
        case .truncated: .truncated
        case .bodyTooLarge, .waitingLineFull, .tooManyOrigins, .circuitOpen, .rateLimited,
            .impolite, .attemptsSpent, .notCached, .cancelled, .clientClosed, .uploadFailed,
            .uploadLength, .uploadTrailers:
            nil
        }
    }

    /// Whether the caller leaves, and nothing else has happened.
    var isCallersOwn: Bool {
        switch self {
        case .cancelled, .timedOut(.total): true
        default: false
        }
    }

    /// Whether it would have met others who asked the same: not what their clocks, bounds and
    /// callers make of it.
    var meetsEverybody: Bool {
        if case .attemptsSpent = self { return true }
        if case .circuitOpen = self { return true }
        return cause != nil
    }
}
