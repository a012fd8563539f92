// A head made of fields that were stored, for a caller who gets a stored response as if it had come
// (RFC 9111 section 4). A value; any thread.

package import FetchBytes
package import FetchHTTP

extension ResponseHead {
    /// The head of a response that didn't come over a connection. Names and values aren't checked:
    /// they come from heads that were.
    ///
    /// Three allocations and some 40 instructions per field: a caller who reads status and body
    /// alone is better off without.
    ///
    /// - Parameters:
    ///   - reason: the reason phrase, as it was received.
    ///   - fields: all fields, Age among them.
    ///   - bodyCount: bytes of content; nil where there is none by definition.
    package init(status: UInt16, reason: Bytes, fields: FieldSection, bodyCount: Int?) {
        var builder = FieldSectionBuilder()
        let line = builder.appendAside("HTTP/1.1 \(status) ")
        let phrase = builder.appendAside(reason.span)
        _ = builder.appendAside("\r\n")
        for index in 0..<fields.count { builder.append(fields, at: index) }
        let end = builder.appendAside("\r\n")
        var facts = HeadFacts()
        facts.status = status
        facts.reasonStart = UInt32(truncatingIfNeeded: line.upperBound)
        facts.reasonEnd = UInt32(truncatingIfNeeded: phrase.upperBound)
        facts.headEnd = UInt32(truncatingIfNeeded: end.upperBound)
        facts.framing = bodyCount.map { .length($0) } ?? .none
        self.init(section: builder.build(noting: facts))
    }
}
