// TargetReference: a URI reference as a field gives it (Location, Content-Location), resolved
// against the target of the request (RFC 3986 section 5.2). Pure; any thread.

extension Target {
    /// The target that a reference means, seen from this one.
    ///
    /// - Throws: what is wrong with the URL that comes of it.
    package func resolving(_ reference: String) throws(TargetError) -> Target {
        guard !TargetRewriting.hasScheme(reference.utf8.span) else {
            return try Target(reference)
        }
        return try Target(prefix(for: reference) + reference)
    }

    /// What of this target's text stands in front of a relative reference.
    private func prefix(for reference: String) -> String {
        let origin = String(text.utf8[range: 0..<parts.authority.upperBound])
        if reference.utf8.starts(with: "//".utf8) { return isSecure ? "https:" : "http:" }
        switch reference.utf8.first {
        case nil, UInt8(ascii: "#"):
            return description
        case UInt8(ascii: "/"):
            return origin
        case UInt8(ascii: "?"):
            return origin + pathOnly
        default:
            return origin + (pathOnly.lastIndex(of: "/").map { String(pathOnly[...$0]) } ?? "/")
        }
    }

    private var pathOnly: String { hadEmptyPath ? "/" : String(text.utf8[range: parts.path]) }
}
