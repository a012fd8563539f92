// CacheStatus: how a cache came to its answer (RFC 9211), written as a structured field (RFC 8941).
// A value; any thread.

internal import FetchBytes

/// One cache's member of a Cache-Status field.
package struct CacheStatus: Equatable, Sendable {
    /// Section 2.2: why the request went on to the origin.
    package enum Forward: String, Equatable, Sendable {
        /// The cache was configured not to handle it.
        case bypass
        /// Its method has to go to the origin.
        case method
        /// Nothing was stored for its URI.
        case uriMiss = "uri-miss"
        /// Something was, for other values of the fields that Vary names.
        case varyMiss = "vary-miss"
        /// Nothing could be used, for one of those two reasons.
        case miss
        /// Something could have been used, but the request would have none of it.
        case request
        /// What was stored is stale.
        case stale
        /// What was stored is a part of what is asked for.
        case partial
    }

    /// The cache's name.
    package var cache: String
    /// The request was answered without going on.
    package var isHit = false
    package var forward: Forward?
    /// The status that the origin answered, where it differs from the one handed on.
    package var forwardStatus: UInt16?
    /// Seconds of freshness that are left; negative for a stale response.
    package var timeToLive: Int64?
    /// The response was stored.
    package var isStored = false
    /// The request waited for another one's answer.
    package var isCollapsed = false
    /// A word on why, for people.
    package var detail: String?

    package init(cache: String) {
        self.cache = cache
    }

    /// The field's value.
    package var text: String {
        var text = Self.isToken(cache) ? cache : Self.quoted(cache)
        if isHit { text += ";hit" }
        if let forward { text += ";fwd=\(forward.rawValue)" }
        if let forwardStatus { text += ";fwd-status=\(forwardStatus)" }
        if let timeToLive { text += ";ttl=\(timeToLive)" }
        if isStored { text += ";stored" }
        if isCollapsed { text += ";collapsed" }
        if let detail { text += ";detail=" + (Self.isToken(detail) ? detail : Self.quoted(detail)) }
        return text
    }

    /// `sf-token`: a letter or `*`, then token characters, `:` or `/`.
    private static func isToken(_ text: String) -> Bool {
        guard let first = text.utf8.first, ASCII.isLetter(first) || first == UInt8(ascii: "*")
        else { return false }
        return text.utf8.allSatisfy {
            ASCII.isToken($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/")
        }
    }

    /// `sf-string`: what is outside printable ASCII becomes `?`.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case " "..."~": quoted.unicodeScalars.append(scalar)
            default: quoted += "?"
            }
        }
        return quoted + "\""
    }
}
