// Invalidation: which URIs an unsafe request makes doubtful (RFC 9111 section 4.4). Pure; any
// thread.

package import FetchHTTP

/// Finds what an unsafe request changed.
package enum Invalidation {
    /// Targets for which nothing stored may be used any more, whoever asked for it; none where the
    /// request was safe or failed.
    ///
    /// Location and Content-Location count on the request's own origin only: an origin must not be
    /// able to empty the cache of another.
    package static func targets(
        _ method: Method, _ target: Target, _ status: UInt16, _ fields: FieldSection
    ) -> [Target] {
        guard !method.isSafe, (200..<400).contains(status) else { return [] }
        var targets = [target]
        for name in ["location", "content-location"] {
            guard let index = fields.firstIndex(of: name),
                let other = resolved(fields.value(at: index), target),
                other.isSameOrigin(as: target), !targets.contains(other)
            else { continue }
            targets.append(other)
        }
        return targets
    }

    /// A reference that is no URL names nothing.
    private static func resolved(_ reference: String, _ target: Target) -> Target? {
        do throws(TargetError) {
            return try target.resolving(reference)
        } catch {
            return nil
        }
    }
}
