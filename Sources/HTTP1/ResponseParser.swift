// ResponseParser: bytes from a server become responses (RFC 9112). A value owned by one connection;
// reactor thread. It keeps no bytes: what it has not consumed is presented again, in front of what
// came since. It remembers how far it looked, so feeding byte by byte costs no more than feeding
// whole.
//
// Strict on purpose: whatever two readers could read differently is an error, because the next
// response on the connection would be read from the wrong place (request smuggling, section 11.2).

package import FetchBytes
package import FetchHTTP

/// An incremental parser of the responses on one connection.
package struct ResponseParser: Sendable {
    /// What the input so far amounts to. Steps come one at a time: call again until `.needMore`.
    package enum Step: Sendable {
        /// Nothing more can be said without more input.
        case needMore
        /// A 1xx head was read and dropped; the final response is still to come.
        case informational(status: UInt16)
        /// The final head; its body follows in `.body` steps, then `.end`.
        case head(ResponseHead)
        /// The whole response: no body, or a short one that was all there, in the head's storage.
        case complete(ResponseHead, Bytes)
        /// A run of the body, as a range of the input just given; never empty.
        case body(Range<Int>)
        /// The body is whole. Trailers where there were some.
        case end(trailers: FieldSection?)
    }

    /// What the next byte belongs to.
    enum State: UInt8, Sendable {
        /// No response is awaited, or the last one failed or ended. `begin` leads to `statusLine`.
        case idle
        /// Can become `fields`.
        case statusLine
        /// Can become `statusLine` (1xx), `counted`, `chunkLine`, `untilClose` or `idle`.
        case fields
        /// A body of known length. Can become `idle`.
        case counted
        /// A chunk's size and extensions. Can become `chunkData` or `trailers`.
        case chunkLine
        /// Can become `chunkEnd`.
        case chunkData
        /// The CR LF behind a chunk. Can become `chunkLine`.
        case chunkEnd
        /// Can become `idle`.
        case trailers
        /// A body that ends with the connection. Can become `idle`.
        case untilClose
    }

    package let limits: ParserLimits
    var state = State.idle
    var chunkLine = ChunkLine()
    private var isHeadRequest = false
    private var interimCount = 0
    /// Bytes of the body, or of the chunk, still to come.
    var remaining = 0
    private var lines = FieldLines()
    private var facts = HeadFacts()

    /// A parser for a new connection. Limits beyond what offsets and `HTTPFields` can hold are
    /// lowered to that: a gibibyte of head or trailers, 65,534 fields.
    package init(limits: ParserLimits = ParserLimits()) {
        var bounded = limits
        bounded.headBytes = min(limits.headBytes, 1 << 30)
        bounded.trailerBytes = min(limits.trailerBytes, 1 << 30)
        bounded.fields = min(limits.fields, 65_534)
        self.limits = bounded
    }

    /// Whether a response has begun and not ended.
    package var isInsideResponse: Bool {
        switch state {
        case .idle: false
        case .statusLine: interimCount > 0 || !lines.isUntouched
        case .fields, .counted, .chunkLine, .chunkData, .chunkEnd, .trailers, .untilClose: true
        }
    }

    /// Bytes of the body still to come, where its length is known.
    package var bodyBytesLeft: Int? { state == .counted ? remaining : nil }

    /// Bytes of the body that were announced and have not come: of the whole or of a chunk.
    package var bodyBytesAnnounced: Int {
        state == .counted || state == .chunkData ? remaining : 0
    }

    /// Bytes that come next and belong to the body whatever they are, so that nobody need look at
    /// them: none before a chunk's size is known, any number where the connection ends the body.
    package var bodyBytesAhead: Int {
        state == .untilClose ? .max : bodyBytesAnnounced
    }

    /// So many of `bodyBytesAhead` went past the parser.
    package mutating func bodyBytesPassed(_ count: Int) {
        precondition(count >= 0 && count <= bodyBytesAhead)
        guard state != .untilClose else { return }
        remaining &-= count
        if remaining == 0, state == .chunkData { state = .chunkEnd }
    }

    /// Awaits the next response on the connection; `isHead` when the request was HEAD.
    package mutating func begin(isHead: Bool) {
        state = .statusLine
        isHeadRequest = isHead
        interimCount = 0
        beginHead()
    }

    private mutating func beginHead() {
        facts = HeadFacts()
        lines.begin(at: 0)
    }

    /// Reads one step. What lies behind `consumed` must stand at the start of the next input.
    ///
    /// After an error the connection is of no further use. `remembered` is the origin's, whose
    /// connections all have the same limits.
    package mutating func parse(
        _ input: Span<UInt8>, _ remembered: inout RememberedHead
    ) throws(MessageError) -> (step: Step, consumed: Int) {
        switch state {
        case .idle: (.needMore, 0)
        case .statusLine, .fields: try parseHead(input, &remembered)
        case .counted: parseCounted(input)
        case .chunkLine, .chunkData, .chunkEnd: try parseChunk(input)
        case .trailers: try parseTrailers(input)
        case .untilClose:
            input.isEmpty ? (.needMore, 0) : (.body(0..<input.count), input.count)
        }
    }

    /// Reads one step, without a memory of other responses.
    package mutating func parse(
        _ input: Span<UInt8>
    ) throws(MessageError) -> (step: Step, consumed: Int) {
        var none = RememberedHead()
        return try parse(input, &none)
    }

    /// Says that no more input comes. Ends a body that ends with the connection; throws
    /// `closedBeforeResponse`, `truncatedHead` or `truncatedBody` otherwise.
    package mutating func endOfInput() throws(MessageError) -> Step {
        switch state {
        case .idle:
            throw .closedBeforeResponse
        case .statusLine:
            throw isInsideResponse ? .truncatedHead : .closedBeforeResponse
        case .fields:
            throw .truncatedHead
        case .counted, .chunkLine, .chunkData, .chunkEnd, .trailers:
            throw .truncatedBody
        case .untilClose:
            state = .idle
            return .end(trailers: nil)
        }
    }

    @inline(__always)
    private mutating func parseHead(
        _ input: Span<UInt8>, _ remembered: inout RememberedHead
    ) throws(MessageError) -> (step: Step, consumed: Int) {
        if state == .statusLine {
            if lines.isUntouched, remembered.isMet(by: input, isHeadRequest: isHeadRequest) {
                return repeatHead(remembered, input)
            }
            let end = try facts.readStatusLine(
                input, lines.scanned, limit: limits.startLineBytes)
            guard end >= 0 else {
                lines.begin(at: ~end)
                return (.needMore, 0)
            }
            lines.begin(at: end)
            state = .fields
        }
        let bounds = FieldLines.Bounds(
            bytes: limits.headBytes, fields: limits.fields, tooLarge: .headTooLarge)
        guard try lines.read(input, bounds, &facts, isTrailer: false) else {
            return (.needMore, 0)
        }
        if facts.status < 200 { return try endInterim() }
        return try endHead(input, &remembered)
    }

    @inline(never)
    private mutating func endInterim() throws(MessageError) -> (step: Step, consumed: Int) {
        interimCount += 1
        guard interimCount <= limits.interimResponses else { throw .tooManyInterimResponses }
        let status = facts.status
        let consumed = lines.lineStart
        state = .statusLine
        beginHead()
        return (.informational(status: status), consumed)
    }

    @inline(__always)
    private mutating func endHead(
        _ input: Span<UInt8>, _ remembered: inout RememberedHead
    ) throws(MessageError) -> (step: Step, consumed: Int) {
        let end = lines.lineStart
        facts.headEnd = UInt32(truncatingIfNeeded: end)
        try facts.headEnded(isHeadRequest: isHeadRequest)
        if end <= limits.rememberedHeadBytes, remembered.givesWay() {
            remembered.remember(
                lines.section(facts, input.extracting(0..<end)), fieldCount: lines.count,
                isHeadRequest: isHeadRequest)
        }
        let taken = facts.bodyBytesTaken(atMost: min(limits.inlineBodyBytes, input.count &- end))
        let consumed = end &+ max(taken, 0)
        let storage = lines.section(facts, input.extracting(0..<consumed))
        let all = storage.count
        return handOn(
            ResponseHead(storage: storage, fieldCount: lines.count), facts,
            Bytes(storage: storage, range: all &- max(taken, 0)..<all), isTaken: taken >= 0)
    }

    /// The head that was remembered has come again, and is shared.
    @inline(__always)
    private mutating func repeatHead(
        _ remembered: borrowing RememberedHead, _ input: Span<UInt8>
    ) -> (step: Step, consumed: Int) {
        let facts = remembered.facts
        let end = Int(facts.headEnd)
        let taken = facts.bodyBytesTaken(atMost: min(limits.inlineBodyBytes, input.count &- end))
        let body =
            taken > 0
            ? Bytes(PackedStorage.copy(input.extracting(end..<end &+ taken))) : Bytes()
        return handOn(
            ResponseHead(storage: remembered.storage, fieldCount: remembered.fieldCount), facts,
            body, isTaken: taken >= 0)
    }

    /// Head and body, or the head alone where the body comes in steps of its own.
    @inline(__always)
    private mutating func handOn(
        _ head: consuming ResponseHead, _ facts: HeadFacts, _ body: consuming Bytes, isTaken: Bool
    ) -> (step: Step, consumed: Int) {
        bodyBegins(facts.framing, isTaken: isTaken)
        let end = Int(facts.headEnd)
        guard isTaken else { return (.head(head), end) }
        let consumed = end &+ body.count
        return (.complete(head, body), consumed)
    }

    /// Turns to what follows a head: a body, unless it was taken with the head.
    @inline(__always)
    private mutating func bodyBegins(_ framing: Framing, isTaken: Bool) {
        switch framing {
        case _ where isTaken, .none:
            state = .idle
        case .length(let count):
            remaining = count
            state = .counted
        case .chunked:
            chunkLine = ChunkLine()
            state = .chunkLine
        case .closeDelimited:
            state = .untilClose
        }
    }

    private mutating func parseCounted(_ input: Span<UInt8>) -> (step: Step, consumed: Int) {
        if remaining == 0 {
            state = .idle
            return (.end(trailers: nil), 0)
        }
        let count = min(remaining, input.count)
        if count == 0 { return (.needMore, 0) }
        remaining &-= count
        return (.body(0..<count), count)
    }

    /// Turns to the trailer section behind the last chunk.
    mutating func beginTrailers() {
        state = .trailers
        lines.begin(at: 0)
    }

    @inline(never)
    mutating func parseTrailers(
        _ input: Span<UInt8>
    ) throws(MessageError) -> (step: Step, consumed: Int) {
        let bounds = FieldLines.Bounds(
            bytes: limits.trailerBytes, fields: limits.fields, tooLarge: .trailersTooLarge)
        guard try lines.read(input, bounds, &facts, isTrailer: true) else {
            return (.needMore, 0)
        }
        let end = lines.lineStart
        state = .idle
        guard lines.count > 0 else { return (.end(trailers: nil), end) }
        let trailers = FieldSection(
            storage: lines.section(input.extracting(0..<end)), count: lines.count)
        return (.end(trailers: trailers), end)
    }
}
