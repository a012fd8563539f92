// One line of `fetch --jsonl`'s input, understood or refused (docs/jsonl.md). Pure.
//
// It decides what the line says, not whether that makes a request: URL, method and field syntax are
// the library's to judge, so that this command can't be laxer or stricter than a program.

/// A request as a line states it.
package struct RequestLine: Equatable, Sendable {
    /// A field; its value in the bytes that go on the wire.
    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: [UInt8]
    }

    /// The JSON text of `id`, as it stood in the line; nil where it was left out, or null.
    package var id: [UInt8]?
    package var method = "GET"
    package var url = ""
    package var fields: [Field] = []
    package var body: [UInt8]?
    package var timeout: Duration?
    /// How it uses the cache, in the Fetch standard's words.
    package var cache: String?

    /// Reads one line. It throws the refusal that answers it.
    package static func read(_ line: [UInt8]) throws(Refusal) -> RequestLine {
        let members = try objectMembers(of: line)
        var request = RequestLine()
        if let id = members.last(where: { $0.name.utf8 == Array("id".utf8) }), id.value != .null {
            request.id = Array(line[id.source])
        }
        do {
            try request.take(members)
        } catch {
            throw Refusal(id: request.id, code: error.code, message: error.message)
        }
        return request
    }

    private static func objectMembers(of line: [UInt8]) throws(Refusal) -> [JSONMember] {
        let value: JSONValue
        do {
            value = try JSONReader.read(line)
        } catch {
            throw Refusal(code: .invalidJSON, message: error.message)
        }
        guard case .object(let members) = value else {
            throw Refusal(
                code: .invalidRequest, message: "a request is an object, not \(value.kind)")
        }
        return members
    }

    private mutating func take(_ members: [JSONMember]) throws(Refusal) {
        let stated = try Self.lastOfEachName(members)
        if let member = stated["method"] { method = try Self.optionalText(member) ?? "GET" }
        guard let member = stated["url"] else { throw .invalid("\"url\" is missing") }
        url = try Self.text(member)
        if let member = stated["headers"] { fields = try Self.fields(member) }
        if let member = stated["timeout_ms"] { timeout = try Self.duration(member) }
        if let member = stated["cache"] { cache = try Self.optionalText(member) }
        if let member = stated["body"] {
            body = try Self.optionalText(member).map { Array($0.utf8) }
        }
        guard let member = stated["body_base64"], member.value != .null else { return }
        guard body == nil else {
            throw .invalid("\"body\" and \"body_base64\" exclude each other")
        }
        body = try Self.decodedBase64(member)
    }

    /// Where a name comes twice, the last one counts (RFC 8259 section 4 leaves it open).
    private static func lastOfEachName(
        _ members: [JSONMember]
    ) throws(Refusal) -> [String: JSONMember] {
        var stated: [String: JSONMember] = [:]
        for member in members {
            let name = member.name.shown
            guard names.contains(name) else {
                throw Refusal(code: .unsupportedField, message: "\"\(name)\" is not supported")
            }
            stated[name] = member
        }
        return stated
    }

    private static let names: Set<String> = [
        "id", "method", "url", "headers", "body", "body_base64", "timeout_ms", "cache",
    ]

    // MARK: members

    private static func text(_ member: JSONMember) throws(Refusal) -> String {
        guard case .string(let string) = member.value else {
            throw .wrongKind(member, expected: "a string")
        }
        guard let text = string.text else {
            throw .invalid("\"\(member.name.shown)\" holds half a surrogate pair")
        }
        return text
    }

    /// A member that may be left out may also be null, as programs write it.
    private static func optionalText(_ member: JSONMember) throws(Refusal) -> String? {
        member.value == .null ? nil : try text(member)
    }

    private static func decodedBase64(_ member: JSONMember) throws(Refusal) -> [UInt8] {
        guard let bytes = Base64.decode(Array(try text(member).utf8)) else {
            throw .invalid("\"\(member.name.shown)\" is not padded base64")
        }
        return bytes
    }

    private static func duration(_ member: JSONMember) throws(Refusal) -> Duration? {
        if member.value == .null { return nil }
        guard case .number(let digits) = member.value, let milliseconds = Double(digits) else {
            throw .wrongKind(member, expected: "a number")
        }
        guard milliseconds > 0 else {
            throw .invalid("\"\(member.name.shown)\" must be above 0")
        }
        // Some 68 years are as good as for ever; a microsecond is the least that is not nothing.
        let microseconds = Int64(min(milliseconds, 2_147_483_648_000) * 1_000)
        return .microseconds(max(1, microseconds))
    }

    private static func fields(_ member: JSONMember) throws(Refusal) -> [Field] {
        if member.value == .null { return [] }
        guard case .array(let pairs) = member.value else {
            throw .wrongKind(member, expected: "an array of [name, value] pairs")
        }
        var fields: [Field] = []
        for pair in pairs {
            guard case .array(let parts) = pair, parts.count == 2,
                case .string(let name) = parts[0], case .string(let value) = parts[1]
            else { throw .invalid("\"headers\" holds something else than [name, value] pairs") }
            fields.append(Field(name: name.shown, value: try latin1(value)))
        }
        return fields
    }

    /// Characters U+0000 to U+00FF stand for the bytes of the same number.
    private static func latin1(_ string: JSONString) throws(Refusal) -> [UInt8] {
        guard let text = string.text else {
            throw .invalid("\"headers\" holds half a surrogate pair")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(string.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else {
                throw .invalid("\"headers\" holds a character above U+00FF")
            }
            bytes.append(byte)
        }
        return bytes
    }
}

/// Why a line got no request.
package struct Refusal: Error, Equatable, Sendable {
    package var id: [UInt8]?
    package var code: ResultCode
    package var message: String

    package init(id: [UInt8]? = nil, code: ResultCode, message: String) {
        self.id = id
        self.code = code
        self.message = message
    }

    fileprivate static func invalid(_ message: String) -> Refusal {
        Refusal(code: .invalidRequest, message: message)
    }

    fileprivate static func wrongKind(_ member: JSONMember, expected: String) -> Refusal {
        .invalid("\"\(member.name.shown)\" is \(member.value.kind), not \(expected)")
    }
}
