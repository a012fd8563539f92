// A request's head as the scripted origin reads it (RFC 9112 §3, §6.3). A value.

package struct OriginRequestHead {
    package enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
    }

    package struct Complaint: Error {
        package let reason: String
    }

    package let method: String
    package let target: String
    package let minorVersion: Int
    package let fields: [(name: String, value: String)]
    package let framing: Framing

    /// Reads a head without its last empty line.
    static func parse(_ text: String) -> Result<OriginRequestHead, Complaint> {
        var lines = lines(of: text)[...]
        guard let first = lines.popFirst() else {
            return .failure(Complaint(reason: "an empty request line"))
        }
        let words = first.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words.allSatisfy({ !$0.isEmpty }) else {
            return .failure(Complaint(reason: "request line: \(first)"))
        }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
            return .failure(Complaint(reason: "version: \(words[2])"))
        }
        guard let fields = OriginRequestParser.fields(lines) else {
            return .failure(Complaint(reason: "a field line of: \(text)"))
        }
        let minor = words[2] == "HTTP/1.1" ? 1 : 0
        let hosts = fields.count { $0.name.lowercased() == "host" }
        guard minor == 0 || hosts == 1 else {
            return .failure(Complaint(reason: "\(hosts) Host fields"))
        }
        return framing(of: fields).map {
            OriginRequestHead(
                method: String(words[0]), target: String(words[1]), minorVersion: minor,
                fields: fields, framing: $0)
        }
    }

    /// Swift takes CR LF as one character, so the split is at that one.
    private static func lines(of text: String) -> [Substring] {
        text.split(separator: "\r\n", omittingEmptySubsequences: false)
    }

    private static func framing(
        of fields: [(name: String, value: String)]
    ) -> Result<Framing, Complaint> {
        let lengths = fields.filter { $0.name.lowercased() == "content-length" }
        let codings = fields.filter { $0.name.lowercased() == "transfer-encoding" }
        switch (lengths.count, codings.count) {
        case (0, 0):
            return .success(.none)
        case (1, 0):
            guard let count = Int(lengths[0].value), count >= 0 else {
                return .failure(Complaint(reason: "Content-Length: \(lengths[0].value)"))
            }
            return .success(.length(count))
        case (0, 1) where codings[0].value.lowercased() == "chunked":
            return .success(.chunked)
        case (_, _):
            return .failure(Complaint(reason: "framing fields that contradict each other"))
        }
    }
}
