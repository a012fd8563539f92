// Why a call failed, as Engine sees it: a closed set of facts, wrapped once more by `FetchError`.

package import FetchHTTP1
package import FetchReactor
package import FetchTransport

package enum CallError: Error {
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
    /// The caller cancelled.
    case cancelled
    /// The client was shut down.
    case clientClosed
    /// The caller's own upload failed; its error goes back as it was.
    case uploadFailed(any Error)
    /// The upload gave fewer or more bytes than it had said.
    case uploadLength(declared: Int, given: Int)
}
