// What a scripted origin saw. Values, any thread.

package import FetchTime

/// One request as the origin received it.
package struct SeenRequest: Sendable {
    /// Which connection it came on, counted from 0 in the order they were accepted.
    package internal(set) var connection: Int
    /// Its place on that connection, from 0.
    package internal(set) var numberOnConnection: Int
    /// Its place among all that the origin saw, from 0.
    package internal(set) var number: Int
    package internal(set) var method: String
    /// As sent.
    package internal(set) var target: String
    /// The x of HTTP/1.x.
    package internal(set) var minorVersion: Int
    /// In order, names as sent; values as Latin-1.
    package internal(set) var fields: [(name: String, value: String)]
    /// The content, chunked coding removed; empty where it was thrown away.
    package internal(set) var body: [UInt8] = []
    package internal(set) var trailers: [(name: String, value: String)] = []
    /// What became of the content, thrown away or not.
    package internal(set) var upload = UploadTally()
    /// The bytes as they came, head and framing included, at most `OriginLimits.raw` of them.
    package internal(set) var raw: [UInt8]
    /// When its head was whole, by the origin's reactor's clock: a millisecond early at most, and
    /// so never earlier than a millisecond before it was sent.
    package internal(set) var arrived: Instant
    /// Whether all of it has come.
    package internal(set) var isComplete = false

    /// The first value of a field, its name in any case.
    package subscript(_ name: String) -> String? {
        let wanted = name.lowercased()
        return fields.first { $0.name.lowercased() == wanted }?.value
    }

    /// The target up to `?`.
    package var path: String {
        String(target.prefix { $0 != "?" })
    }

    /// The value of `name=value` in the target's query, undecoded.
    package func query(_ name: String) -> String? {
        guard let mark = target.firstIndex(of: "?") else { return nil }
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts[0] == name { return parts.count == 2 ? String(parts[1]) : "" }
        }
        return nil
    }

    /// Whether the peer lets the connection be used again (RFC 9112 §9.3).
    package var allowsReuse: Bool {
        let options = fields.filter { $0.name.lowercased() == "connection" }
            .flatMap { field -> [Substring] in field.value.lowercased().split(separator: ",") }
            .map { (option: Substring) -> String in option.filter { $0 != " " && $0 != "\t" } }
        if options.contains("close") { return false }
        return minorVersion >= 1 || options.contains("keep-alive")
    }
}

/// What came of a request's content, in flat memory.
package struct UploadTally: Equatable, Sendable {
    package internal(set) var bytes = 0
    /// Whether every byte so far is the one ``BodyPattern`` has in its place.
    package internal(set) var followsPattern = true
}

/// What an origin saw up to now.
package struct OriginSnapshot: Sendable {
    /// Connections accepted.
    package internal(set) var accepted = 0
    /// Connections open now.
    package internal(set) var open = 0
    /// The most connections ever open at once.
    package internal(set) var mostOpen = 0
    /// Requests whose head has come.
    package internal(set) var requestCount = 0
    /// How many requests each connection carried, by its index.
    package internal(set) var requestsOnConnection: [Int] = []
    /// The requests, oldest first, as many as `OriginLimits.requests` keeps.
    package internal(set) var requests: [SeenRequest] = []
    /// Why the parser refused a request, one line each.
    package internal(set) var complaints: [String] = []
}

/// How much an origin keeps.
package struct OriginLimits: Sendable {
    /// Requests remembered; later ones are only counted.
    package var requests = 10_000
    /// Raw bytes remembered of each.
    package var raw = 65_536
    /// Content kept for `Script.whole`; what is above it ends the connection.
    package var body = 64 * 1_048_576
    /// Connections whose requests are counted one by one.
    package var connections = 100_000

    package init() {}

    /// For servers that run long: counts only.
    package static var nothing: OriginLimits {
        var limits = OriginLimits()
        limits.requests = 0
        limits.raw = 0
        limits.connections = 0
        return limits
    }
}
