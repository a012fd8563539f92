// RequestError: what a caller may not send over HTTP/1.1. Pure; any thread.

/// Why a request was refused before anything was sent.
package enum RequestError: Error, Equatable, Sendable {
    /// Framing and hop-by-hop fields are the library's own: Transfer-Encoding, Upgrade, Keep-Alive,
    /// Expect.
    case reservedField(String)
    /// A field that means nothing, or something else, behind a body.
    case notATrailer(String)
    /// A Content-Length that is not the body's length.
    case contentLengthMismatch
    /// A Connection field with an option other than close, keep-alive and TE.
    case unsupportedConnectionOption
    /// A Host value that is no host, or more than one Host.
    case invalidHost
    /// TRACE must not have a body.
    case bodyNotAllowed
}

extension RequestError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .reservedField(let name): "\(name) is set by the library, not by the caller"
        case .notATrailer(let name): "\(name) can't be sent as a trailer"
        case .contentLengthMismatch: "Content-Length is not the body's length"
        case .unsupportedConnectionOption: "Connection may say close, keep-alive or TE only"
        case .invalidHost: "invalid Host field"
        case .bodyNotAllowed: "TRACE must not have a body"
        }
    }
}
