// Preconditions: the caller's own conditions, held against a stored response that could be used
// (RFC 9111 section 4.3.2, RFC 9110 section 13). Pure; any thread.
//
// A cache evaluates If-None-Match, If-Modified-Since and If-Range, and only where it could answer
// with what it has. If-Match and If-Unmodified-Since are the origin's.

internal import FetchBytes
internal import FetchHTTP
internal import FetchTime

/// Evaluates conditions.
enum Preconditions {
    /// Whether the caller has the stored response already, so that a 304 is the answer.
    static func isNotModified(_ request: CacheRequest, _ stored: CachedResponse) -> Bool {
        guard stored.status == 200 || stored.status == 206 else { return false }
        let fields = request.kinds
        if fields.contains(.ifNoneMatch) {
            // If-Modified-Since is then ignored, even if this list can't be read.
            return EntityTagList("If-None-Match", of: request.source(of: "If-None-Match"))?
                .containsWeakly(stored.entityTag) ?? false
        }
        guard fields.contains(.ifModifiedSince), let field = request.single("If-Modified-Since"),
            let since = HTTPDate.seconds(
                field.span, now: stored.facts.times.response.wall.seconds)
        else { return false }
        return (stored.lastModified?.seconds ?? stored.facts.date) <= since
    }

    /// Whether a Range is to be obeyed; if not, the whole representation is the answer (RFC 9110
    /// section 13.1.5).
    static func holdsForRange(_ request: CacheRequest, _ stored: CachedResponse) -> Bool {
        guard request.kinds.contains(.ifRange) else { return true }
        guard let value = request.single("If-Range"), let first = value.first else { return false }
        let isMarked = value.count > 1 && value[1] == UInt8(ascii: "/")
        if first == UInt8(ascii: "\"") || (first == UInt8(ascii: "W") && isMarked) {
            guard let wanted = EntityTag(value), let mine = stored.entityTag else { return false }
            return wanted.matchesStrongly(mine)
        }
        // A date is a strong validator only if the response was made at least a second later
        // (section 8.8.2.2), and it has to be the same date.
        let received = stored.facts.times.response.wall.seconds
        guard let wanted = HTTPDate.seconds(value.span, now: received),
            let modified = stored.lastModified
        else { return false }
        return wanted == modified.seconds && stored.facts.date > modified.seconds
    }
}
