// The texts a scripted origin says: reasons (RFC 9110 §15) and what it saw, as JSON. Pure.

func originReason(_ status: Int) -> String {
    let reasons = [
        100: "Continue", 102: "Processing", 103: "Early Hints", 200: "OK", 201: "Created",
        202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
        302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
        308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict",
        410: "Gone", 412: "Precondition Failed", 413: "Content Too Large", 418: "(Unused)",
        422: "Unprocessable Content", 425: "Too Early", 429: "Too Many Requests",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout",
    ]
    return reasons[status] ?? "Unknown"
}

func originEcho(_ request: SeenRequest?) -> String {
    guard let request else { return "{}" }
    return "{"
        + [
            "\"method\":\(originQuoted(request.method))",
            "\"target\":\(originQuoted(request.target))",
            "\"version\":\"HTTP/1.\(request.minorVersion)\"",
            "\"fields\":\(originPairs(request.fields))",
            "\"body\":\(originQuoted(String(latin1: request.body)))",
            "\"trailers\":\(originPairs(request.trailers))",
            "\"connection\":\(request.connection)",
            "\"request\":\(request.numberOnConnection)",
        ].joined(separator: ",") + "}\n"
}

func originTally(_ request: SeenRequest?) -> String {
    let upload = request?.upload ?? UploadTally()
    return "{\"bytes\":\(upload.bytes),\"follows_pattern\":\(upload.followsPattern)}\n"
}

/// Fields alone, as `/headers` answers them.
func originFields(_ request: SeenRequest) -> String {
    "{\"fields\":\(originPairs(request.fields))}\n"
}

private func originPairs(_ fields: [(name: String, value: String)]) -> String {
    let pairs = fields.map { "[\(originQuoted($0.name)),\(originQuoted($0.value))]" }
    return "[" + pairs.joined(separator: ",") + "]"
}

/// A JSON string (RFC 8259 §7), ASCII only: a byte above 0x7E is its Latin-1 character, escaped.
private func originQuoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\r": quoted += "\\r"
        case "\t": quoted += "\\t"
        case " "..."~": quoted.unicodeScalars.append(scalar)
        default:
            let hex = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        }
    }
    return quoted + "\""
}
