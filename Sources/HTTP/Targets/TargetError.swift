// TargetError: what can be wrong with a URL. Pure; any thread. It carries no part of the URL, which
// may hold a password.

/// Why a string is not a URL this client can fetch.
package enum TargetError: Error, Equatable, Sendable {
    /// Longer than `Target.mostBytes`.
    case tooLong
    /// A space, control character or NUL somewhere.
    case forbiddenCharacter
    /// No `scheme:` at the start.
    case missingScheme
    /// A scheme other than http and https.
    case unsupportedScheme
    /// No `//`, or nothing where the host should be.
    case missingHost
    /// A host that is no name (letters, digits, `-`, `_`, labels of 1 to 63 bytes) and no address.
    case invalidHost
    /// A percent sign in a host name.
    case percentEncodedHost
    /// A host name outside ASCII, in a build without the IDN trait; write its `xn--` form.
    case internationalHost
    /// A host name outside ASCII that has no ASCII form (RFC 5891).
    case invalidInternationalHost
    /// Something like an IPv4 or IPv6 address that is none.
    case invalidAddress
    /// A port that is not 1…65535.
    case invalidPort
}

extension TargetError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooLong: "URL longer than \(Target.mostBytes) bytes"
        case .forbiddenCharacter: "space or control character in URL"
        case .missingScheme: "URL without a scheme"
        case .unsupportedScheme: "URL scheme is neither http nor https"
        case .missingHost: "URL without a host"
        case .invalidHost: "invalid host in URL"
        case .percentEncodedHost: "percent-encoding in the host of a URL"
        case .internationalHost: "host name outside ASCII (write its xn-- form)"
        case .invalidInternationalHost: "host name outside ASCII that has no xn-- form"
        case .invalidAddress: "invalid IP address in URL"
        case .invalidPort: "port in URL is not 1...65535"
        }
    }
}
