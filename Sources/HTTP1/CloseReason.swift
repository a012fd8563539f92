// CloseReason: why a connection can't carry another request (RFC 9112 section 9). Pure; any thread.

/// Why a connection ends instead of being used again.
package enum CloseReason: UInt8, Equatable, Sendable, BitwiseCopyable {
    /// The response said `Connection: close`.
    case peerSaidClose
    /// HTTP/1.0 without `Connection: keep-alive`.
    case versionWithoutKeepAlive
    /// The body ends where the connection ends.
    case bodyEndsWithConnection
    /// `Keep-Alive: timeout=0`, or less, or `max=0`.
    case hintForbidsReuse
    /// Framing fields that make no sense, in a response that has no body anyway.
    case doubtfulFraming
    /// The request said `Connection: close`.
    case requestSaidClose
}

extension CloseReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .peerSaidClose: "server said Connection: close"
        case .versionWithoutKeepAlive: "HTTP/1.0 without keep-alive"
        case .bodyEndsWithConnection: "body ends with the connection"
        case .hintForbidsReuse: "Keep-Alive hint forbids reuse"
        case .doubtfulFraming: "doubtful framing fields"
        case .requestSaidClose: "request said Connection: close"
        }
    }
}
