// Writes one line of `fetch --jsonl`'s output (docs/jsonl.md). Pure.

internal import Fetch

enum ResultLine {
    /// A response that arrived whole, whatever its status.
    static func success(_ id: [UInt8]?, _ response: Response) -> [UInt8] {
        var line = JSONWriter()
        line.reserve(response.body.count / 3 * 4 + 1_024)
        begin(&line, id: id)
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
        line.raw(",\"body_base64\":")
        line.base64(response.body.span)
        write(response.metadata, to: &line)
        line.raw("}\n")
        return line.bytes
    }

    /// A request that got no whole response.
    static func failure(_ id: [UInt8]?, _ error: any Error) -> [UInt8] {
        var line = JSONWriter()
        begin(&line, id: id)
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

    /// A line that made no request.
    static func refusal(_ refusal: Refusal, line number: Int) -> [UInt8] {
        var line = JSONWriter()
        begin(&line, id: refusal.id)
        if refusal.id == nil { line.raw(",\"line\":\(number)") }
        write(refusal.code, refusal.message, .none, to: &line)
        return line.bytes
    }

    // MARK: pieces

    private static func begin(_ line: inout JSONWriter, id: [UInt8]?) {
        line.raw("{\"id\":")
        if let id { line.raw(id) } else { line.raw("null") }
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

    private static func write(_ metadata: Response.Metadata, to line: inout JSONWriter) {
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
