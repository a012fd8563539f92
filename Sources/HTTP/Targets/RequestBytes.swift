// The bytes of what a request names and says, for whoever digests them without making text of them.
// Pure; any thread.

internal import FetchBytes

extension Target {
    /// Whether both name the same at their origins.
    package func hasSamePathAndQuery(as other: Target) -> Bool {
        self === other || pathAndQuery == other.pathAndQuery
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
