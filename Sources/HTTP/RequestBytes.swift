// The bytes of what a request names and says, for whoever digests them without making text of them.
// Pure; any thread.

internal import FetchBytes

extension Target {
    /// Hands out what names the resource at its origin: path and query, the path `/` if the URL has
    /// none, without the fragment.
    package func withPathAndQuery(_ body: (Span<UInt8>) -> Void) {
        if hadEmptyPath {
            let rooted = Array(pathAndQuery.utf8)
            body(rooted.span)
        } else {
            let utf8 = text.utf8
            body(utf8.span.extracting(parts.pathAndQuery))
        }
    }
}

extension Headers {
    /// Hands out name and value of the field at an index, as they are sent.
    package func withBytes(
        at index: Int, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void
    ) {
        let name = name(at: index)
        let value = value(at: index)
        let utf8 = name.utf8
        body(utf8.span, value.span)
    }
}
