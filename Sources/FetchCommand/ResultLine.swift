// Writes one line of output of `fetch --jsonl` and `fetch --input` (docs/jsonl.md). Pure.

internal import Fetch

/// By what a result is known: the `id` of the line that asked for it, and that line's number where
/// there is no `id`, or where it is always told.
struct ResultName {
    /// The JSON text of `id`; nil for null.
    let id: [UInt8]?
    /// Counted from 1.
    let line: Int
    /// Whether the result tells the line's number.
    let isNumbered: Bool

    init(_ id: [UInt8]?, line: Int, isNumbered: Bool = false) {
        self.id = id
        self.line = line
        self.isNumbered = isNumbered || id == nil
    }
}

enum ResultLine {
    /// What becomes of a response's body.
    enum Body {
        case base64
        case left
        /// It is in this file.
        case file(String)
    }

    /// A response that arrived whole, whatever its status.
    static func success(
        _ name: ResultName, _ response: Response, body: Body = .base64
    ) -> [UInt8] {
        var line = JSONWriter()
        if case .base64 = body { line.reserve(response.body.count / 3 * 4 + 1_024) }
        begin(&line, name)
        line.raw(",\"ok\":true,\"status\":\(response.statusCode),\"reason\":")
        line.latin1(response.reasonBytes)
        line.raw(",\"version\":")
        line.string(response.version)
        line.raw(",\"url\":")
        line.string(response.url)
        line.raw(",\"headers\":")
        write(response.headers, to: &line)
        line.raw(",\"trailers\":")
        write(response.trailers, to: &line)
        switch body {
        case .base64:
            line.raw(",\"body_base64\":")
            line.base64(response.body.span)
        case .left:
            line.raw(",\"body_bytes\":\(response.body.count)")
        case .file(let path):
            line.raw(",\"body_bytes\":\(response.body.count),\"body_file\":")
            line.string(path)
        }
        write(response.metadata, to: &line)
        line.raw("}\n")
        return line.bytes
    }

    /// A request that got no whole response.
    static func failure(_ name: ResultName, _ error: any Error) -> [UInt8] {
        var line = JSONWriter()
        begin(&line, name)
        switch error {
        case let error as FetchError:
            write(ResultCode(error.code), "\(error)", error.phase, to: &line)
        case is CancellationError:
            write(.cancelled, "the request was cancelled", .none, to: &line)
        default:
            // The library throws nothing else to a request whose body is bytes.
            write(ResultCode(FetchError.Code.system), "\(error)", .none, to: &line)
        }
        return line.bytes
    }

    /// A line that made no request, or whose response could not be kept.
    static func refusal(_ refusal: Refusal, _ name: ResultName) -> [UInt8] {
        var line = JSONWriter()
        begin(&line, name)
        write(refusal.code, refusal.message, .none, to: &line)
        return line.bytes
    }

    // MARK: pieces

    /// The JSON text of a string.
    static func quoted(_ text: String) -> [UInt8] {
        var line = JSONWriter()
        line.string(text)
        return line.bytes
    }

    private static func begin(_ line: inout JSONWriter, _ name: ResultName) {
        line.raw("{\"id\":")
        if let id = name.id { line.raw(id) } else { line.raw("null") }
        if name.isNumbered { line.raw(",\"line\":\(name.line)") }
    }

    private static func write(
        _ code: ResultCode, _ message: String, _ phase: FetchError.Phase,
        to line: inout JSONWriter
    ) {
        line.raw(",\"ok\":false,\"error\":{\"code\":")
        line.string(code.name)
        line.raw(",\"message\":")
        line.string(message)
        line.raw(",\"phase\":")
        line.string(phase.rawValue)
        line.raw("}}\n")
    }

    private static func write(_ fields: ReceivedFields?, to line: inout JSONWriter) {
        line.raw("[")
        var separator = "["
        for field in fields.map(Array.init) ?? [] {
            line.raw(separator)
            separator = ",["
            line.string(field.name)
            line.raw(",")
            line.latin1(field.valueBytes)
            line.raw("]")
        }
        line.raw("]")
    }

    /// Where a response is from: the origin (`miss`), the cache, or another line's request.
    private static func source(of metadata: Response.Metadata) -> String {
        if metadata.wasCoalesced { return "coalesced" }
        return switch metadata.cacheStatus {
        case .bypass, .miss: "miss"
        case .hit: "hit"
        case .revalidated: "revalidated"
        case .stale: "stale"
        }
    }

    private static func write(_ metadata: Response.Metadata, to line: inout JSONWriter) {
        line.raw(",\"from_cache\":\"\(source(of: metadata))\"")
        line.raw(",\"attempts\":\(metadata.attempts),\"timing\":{\"dns_ms\":")
        line.milliseconds(metadata.nameTime)
        line.raw(",\"connect_ms\":")
        line.milliseconds(metadata.connectTime)
        line.raw(",\"tls_ms\":")
        line.milliseconds(metadata.tlsTime)
        line.raw(",\"first_byte_ms\":")
        line.milliseconds(metadata.firstByteTime)
        line.raw(",\"total_ms\":")
        line.milliseconds(metadata.totalTime)
        line.raw("},\"remote\":")
        if let remote = metadata.remoteAddress { line.string(remote) } else { line.raw("null") }
    }
}
