// ResponseHead: status line, fields and what they say about body and connection (RFC 9112 sections
// 4, 6.3, 9.3). A value, made by ResponseParser; any thread.

package import FetchBytes
package import FetchHTTP

/// How long a response's body is.
package enum Framing: Equatable, Sendable, BitwiseCopyable {
    /// No body by definition: HEAD, 204, 304.
    case none
    /// So many bytes.
    case length(Int)
    /// Chunks, and trailers behind them.
    case chunked
    /// Everything up to the end of the connection.
    case closeDelimited
}

/// The head of a final response. One reference, where fields and facts lie: it is handed from the
/// parser through the engine to the caller, and copying a dozen numbers each time would cost more
/// than looking them up.
package struct ResponseHead: Sendable {
    /// The fields as received.
    package let fields: FieldSection

    /// Takes over what `FieldLines.section` made with facts.
    init(storage: [UInt8], fieldCount: Int) {
        fields = FieldSection(
            storage: storage, count: fieldCount, noteBytes: MemoryLayout<HeadFacts>.size)
    }

    /// Takes over a section that was built with facts.
    init(section: FieldSection) {
        fields = section
    }

    @inline(__always)
    private var facts: HeadFacts {
        PackedStorage.value(fields.storage, at: fields.noteStart, as: HeadFacts.self)
    }

    /// The status code, 102…999.
    package var status: UInt16 { facts.status }

    /// The `x` of HTTP/1.x as received.
    package var versionMinor: UInt8 { facts.minor }

    /// The reason phrase's bytes; often empty.
    package var reasonBytes: Bytes {
        fields.receivedBytes(Int(facts.reasonStart)..<Int(facts.reasonEnd))
    }

    /// The reason phrase as text.
    package var reason: String { FieldText.string(reasonBytes.span) }

    /// Bytes of the head as received, status line and empty line included.
    package var receivedBytes: Bytes { fields.receivedBytes(0..<Int(facts.headEnd)) }

    /// How the body ends.
    package var framing: Framing { facts.framing }

    /// Why the connection can't be used again after this response; nil when it can.
    package var closeReason: CloseReason? { facts.closeReason }

    /// `timeout=N` of a Keep-Alive field in seconds, up to 2³¹ − 1.
    package var keepAliveTimeoutSeconds: Int? {
        facts.keepAliveTimeout < 0 ? nil : Int(facts.keepAliveTimeout)
    }

    /// `max=N` of a Keep-Alive field, up to 2³¹ − 1.
    package var keepAliveMax: Int? {
        facts.keepAliveMax < 0 ? nil : Int(facts.keepAliveMax)
    }
}

extension ResponseHead: CustomStringConvertible {
    package var description: String {
        "HTTP/1.\(versionMinor) \(status) \(reason)\n\(fields)"
    }
}

/// What was learned while reading a head, beside the fields.
struct HeadFacts: Equatable, Sendable, BitwiseCopyable {
    var status: UInt16 = 0
    var minor: UInt8 = 1
    var marks: Marks = []
    var reasonStart: UInt32 = 0
    var reasonEnd: UInt32 = 0
    var headEnd: UInt32 = 0
    /// −1 when there was no hint.
    var keepAliveTimeout: Int32 = -1
    var keepAliveMax: Int32 = -1
    /// The agreed Content-Length; meaningful with `Marks.length` only.
    var contentLength = 0
    var framing: Framing = .none
    var closeReason: CloseReason?

    /// Facts about framing and persistence, gathered field by field.
    struct Marks: OptionSet, Sendable {
        let rawValue: UInt16
        /// A valid Content-Length was seen.
        static var length: Marks { Marks(rawValue: 1) }
        static var invalidLength: Marks { Marks(rawValue: 2) }
        static var conflictingLength: Marks { Marks(rawValue: 4) }
        static var transferEncoding: Marks { Marks(rawValue: 8) }
        /// Exactly one `chunked` so far, and nothing else.
        static var chunked: Marks { Marks(rawValue: 16) }
        static var unsupportedCoding: Marks { Marks(rawValue: 32) }
        static var close: Marks { Marks(rawValue: 64) }
        static var keepAlive: Marks { Marks(rawValue: 128) }

        static var anyLength: Marks { [.length, .invalidLength, .conflictingLength] }
    }

    /// How many bytes of body are handed on with the head, of `limit` that could be; −1 when the
    /// body comes in steps of its own.
    func bodyBytesTaken(atMost limit: Int) -> Int {
        switch framing {
        case .none: 0
        case .length(let count): count <= limit ? count : -1
        case .chunked, .closeDelimited: -1
        }
    }
}
