// Which requests are one request, and which answers may be shared, as settings and pure decisions.
// Values; any thread.

package import FetchBytes
package import FetchHTTP

/// What makes two requests the same, besides method and URL.
public enum CoalescingKey: Sendable, Hashable {
    /// Every field that the callers set, but those that only trace a request and these names: who
    /// differs in anything that might matter asks for himself. The default.
    case everyField(but: Set<String>)
    /// What HTTP itself selects an answer by (`Accept*`, `Range`, `If-*`, `Cache-Control`,
    /// `Pragma`), credentials (`Authorization`, `Proxy-Authorization`, `Cookie`), and these names.
    case knownFields(and: Set<String>)
    /// Nothing: whatever the callers' fields and credentials say, they get the same answer.
    case urlOnly
}

/// When callers who ask the same at the same time are answered by one request.
public struct CoalescingRules: Sendable, Hashable {
    /// What makes two requests the same.
    public var key: CoalescingKey {
        didSet { normalise() }
    }
    /// A longer body is not shared. Default 1 MiB.
    public var mostSharedBytes: Int
    /// Callers that wait for one answer, at most; more ask for themselves. Default 10,000.
    public var mostFollowers: Int

    /// The key's names in lower case.
    private var names: Set<String> = []

    /// Rules of these values.
    public init(
        key: CoalescingKey = .everyField(but: []), mostSharedBytes: Int = 1 << 20,
        mostFollowers: Int = 10_000
    ) {
        self.key = key
        self.mostSharedBytes = mostSharedBytes
        self.mostFollowers = mostFollowers
        normalise()
    }

    private mutating func normalise() {
        switch key {
        case .everyField(let named), .knownFields(let named):
            names = Set(named.map { $0.lowercased() })
        case .urlOnly:
            names = []
        }
    }

    package var invalidSetting: InvalidSetting? {
        if mostSharedBytes < 0 {
            return InvalidSetting("mostSharedBytes", "must not be negative")
        }
        return mostFollowers < 0
            ? InvalidSetting("mostFollowers", "must not be negative") : nil
    }

    /// Whether a field belongs to the key.
    ///
    /// - Parameter name: in lower case.
    package func covers(_ name: String) -> Bool {
        // Part of what is asked for (RFC 9110 §7.1), whatever is left out.
        if name == "host" { return true }
        return switch key {
        case .everyField: !Self.tracing.contains(name) && !names.contains(name)
        case .knownFields: Self.isSelecting(name) || names.contains(name)
        case .urlOnly: false
        }
    }

    /// Fields that name a request and not what it asks for.
    private static let tracing: Set<String> = [
        "traceparent", "tracestate", "baggage", "x-request-id", "x-correlation-id", "b3",
    ]

    private static func isSelecting(_ name: String) -> Bool {
        if name.hasPrefix("accept") || name.hasPrefix("if-") { return true }
        return switch name {
        case "range", "cache-control", "pragma": true
        case "authorization", "proxy-authorization", "cookie": true
        default: false
        }
    }

    /// What stands for the request among those under way to its origin, which it does not name: a
    /// hint of the path, which has to be compared, and a digest of method and fields, which has
    /// not. Fields in another order make another digest, which costs a request and harms nobody.
    package func digest(
        _ method: Method, _ target: Target, _ fields: Headers, key: DigestKey
    ) -> Digest {
        let plain = Self.plainDigest(target)
        var digest = KeyedDigest(key)
        digest.append(plain.low)
        digest.append(UInt64(method.isHead ? 1 : 0))
        let isPlain = !append(fields, to: &digest) && !method.isHead
        return isPlain ? plain : digest.finish()
    }

    /// The digest of a GET without any field that counts. It is quick and not more than a hint: two
    /// paths may have the same, so whoever finds it compares them.
    package static func plainDigest(_ target: Target) -> Digest {
        Digest(low: target.resourceHash, high: 0)
    }

    /// Whether any field counts.
    private func append(_ fields: Headers, to digest: inout KeyedDigest) -> Bool {
        var counts = false
        for index in 0..<fields.count {
            let name = fields.name(at: index).lowercased()
            guard covers(name) else { continue }
            counts = true
            fields.withBytes(at: index) { _, value in
                digest.append(UInt64(name.utf8.count) &<< 32 | UInt64(value.count))
                let utf8 = name.utf8
                digest.append(utf8.span)
                digest.append(value)
            }
        }
        return counts
    }

    /// Whether an answer may go to callers other than the one who asked. Asked of the answer that
    /// the leader is given, not of one that is retried.
    ///
    /// - Parameter contentLength: the body's length, where its framing tells it.
    package func mayShare(_ fields: FieldSection, contentLength: Int64?) -> Bool {
        if let contentLength, contentLength > Int64(mostSharedBytes) { return false }
        if fields.contains("Set-Cookie") { return false }
        for value in fields.values(of: "Cache-Control") where Self.says("no-store", in: value) {
            return false
        }
        // Callers may differ in a field that the key leaves out, unless the user wants just that.
        if case .urlOnly = key { return true }
        return fields.values(of: "Vary").allSatisfy { value in
            value.split(separator: ",").allSatisfy {
                let name = Self.trimmed($0).lowercased()
                return name != "*" && (name.isEmpty || covers(name))
            }
        }
    }

    private static func says(_ directive: String, in value: String) -> Bool {
        value.split(separator: ",").contains { part in
            trimmed(part.prefix { $0 != "=" && $0 != ";" }).lowercased() == directive
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
