// What this client is made of, at run time.

internal import FetchTLS
internal import FetchTransport

/// The versions of the library and of the C libraries that are loaded with it.
///
/// OpenSSL 3.0 and c-ares 1.18 are the oldest that build.
public struct Versions: Sendable, Hashable, CustomStringConvertible {
    /// swift-fetch's own: `0.1.0`.
    public let fetch: String
    /// OpenSSL's words for itself: `OpenSSL 3.0.19 27 Jan 2026`.
    public let openSSL: String
    /// c-ares' number: `1.18.1`.
    public let cAres: String

    /// What is loaded in this process.
    public static var current: Versions {
        Versions(
            fetch: FetchVersion.current, openSSL: OpenSSLVersion.current,
            cAres: AresVersion.current)
    }

    /// All of them in one line.
    public var description: String { "swift-fetch \(fetch), \(openSSL), c-ares \(cAres)" }
}
