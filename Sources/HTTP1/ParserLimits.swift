// ParserLimits: what a response may cost before it is refused. A value; any thread.

/// Bounds on what a server may send around a body. A response beyond one fails with its name.
package struct ParserLimits: Equatable, Sendable {
    /// Status line and fields of one head, in bytes with line ends.
    package var headBytes = 65_536
    /// Fields in one head, and in one trailer section.
    package var fields = 256
    /// The status line alone, in bytes.
    package var startLineBytes = 16_384
    /// The trailer section of a chunked body, in bytes.
    package var trailerBytes = 16_384
    /// Responses with a 1xx status before the final one.
    package var interimResponses = 16
    /// One chunk's size line with its extensions, in bytes.
    package var chunkLineBytes = 4_096
    /// Bodies up to this length arrive with their head, in one allocation, when all is there.
    package var inlineBodyBytes = 16_384

    /// Heads up to this length are remembered, one per origin, so that the next one need not
    /// be read if it is the same; 0 remembers none.
    package var rememberedHeadBytes = 1_024

    /// The defaults.
    package init() {}
}
