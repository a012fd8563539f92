// What the embedded origin answers, built before anybody asks. Pure but for the clock that is
// handed in.

import Glibc

/// What a request line asks for.
package enum OriginRoute: Equatable {
    /// `/`: 13 bytes.
    case hello
    /// `/close`: the same and the connection ends.
    case close
    /// `/bytes/N`.
    case bytes(Int)
    /// `/fresh/N`: the same, and it may be stored for an hour.
    case fresh(Int)
    /// `/delay/MS`: `hello`, later.
    case delay(milliseconds: Int)
    /// `/status/CODE`: no body.
    case status(Int)
    /// `/half`: every second one gets 503, the others `hello`.
    case half
    /// `/count`: how many requests were answered, those for this number left out.
    case count
    case unknown

    package init(path: String) {
        let path = path.prefix { $0 != "?" }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        switch (parts.count, parts.count > 1 ? parts[1] : "") {
        case (2, ""): self = .hello
        case (2, "close"): self = .close
        case (2, "half"): self = .half
        case (2, "count"): self = .count
        case (3, "status"): self = Self.status(parts[2])
        case (3, "bytes"): self = Int(parts[2]).map { .bytes(max(0, $0)) } ?? .unknown
        case (3, "fresh"): self = Int(parts[2]).map { .fresh(max(0, $0)) } ?? .unknown
        case (3, "delay"): self = Int(parts[2]).map { .delay(milliseconds: max(0, $0)) } ?? .unknown
        default: self = .unknown
        }
    }

    private static func status(_ text: Substring) -> OriginRoute {
        guard let code = Int(text), (200...599).contains(code), code != 204, code != 304 else {
            return .unknown
        }
        return .status(code)
    }
}

/// The prebuilt messages; rebuilt once a second, for they carry the date.
struct OriginAnswers {
    /// One block of the body that `/bytes/N` repeats.
    static let block = [UInt8](repeating: UInt8(ascii: "x"), count: 262_144)

    private(set) var hello: [UInt8] = []
    private(set) var helloHead: [UInt8] = []
    private(set) var close: [UInt8] = []
    private(set) var notFound: [UInt8] = []
    private var date = ""
    private var second: time_t = -1

    /// Follows the clock.
    mutating func refresh() {
        let now = time(nil)
        if now == second { return }
        second = now
        date = Self.httpDate(now)
        helloHead = head("200 OK", length: 13, connection: "keep-alive")
        hello = helloHead + Array("Hello, world!".utf8)
        close = head("200 OK", length: 13, connection: "close") + Array("Hello, world!".utf8)
        notFound = head("404 Not Found", length: 0, connection: "keep-alive")
    }

    /// A whole answer of any status.
    func answer(_ status: Int, _ body: String = "") -> [UInt8] {
        head("\(status) Status", length: body.utf8.count, connection: "keep-alive")
            + Array(body.utf8)
    }

    /// The head of an answer that may be stored.
    func fresh(_ length: Int) -> [UInt8] {
        head(
            "200 OK", length: length, connection: "keep-alive",
            further: "Cache-Control: max-age=3600\r\n")
    }

    /// Five fields, as nginx sends them, and others.
    func head(
        _ status: String, length: Int, connection: String, further: String = ""
    ) -> [UInt8] {
        Array(
            """
            HTTP/1.1 \(status)\r\nServer: bench\r\nDate: \(date)\r\nContent-Type: text/plain\r\n\
            Content-Length: \(length)\r\nConnection: \(connection)\r\n\(further)\r\n
            """.utf8)
    }

    private static func httpDate(_ now: time_t) -> String {
        // The structs are ours, filled during the calls; strftime is told the room there is.
        var now = now
        var parts = unsafe tm()
        var text = [CChar](repeating: 0, count: 40)
        unsafe gmtime_r(&now, &parts)
        let count = unsafe strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
