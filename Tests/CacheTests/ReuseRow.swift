// A row of the tables of reuse: a response is stored (or not), time passes, somebody asks.

import FetchCache
import FetchHTTP
import Testing

/// One case, named after its paragraph. As text:
///
///     name / response / seconds / more => expected
///
/// `|` stands between fields; `cc`, `exp`, `lm`, `date`, `age` and `etag` are short for the obvious
/// ones (`etag` alone for `ETag: "a"`), `-` is nothing, and `@60` the date 60 seconds behind the
/// start. More may be `asks FIELDS` and `first FIELDS` of the two requests, `mode`, `method`,
/// `status`, `shared`, `heuristic`, `forced SECONDS`.
struct ReuseRow: Sendable, CustomTestStringConvertible {
    var name = ""
    var response = ""
    var after = 0.0
    var request = ""
    var expected = ""
    var status: UInt16 = 200
    var method = "GET"
    var first = ""
    var mode = CacheMode.standard
    var rules = CacheRules()

    var testDescription: String { name }

    static func table(_ text: String) -> [ReuseRow] {
        text.split(separator: "\n").map { ReuseRow(String($0)) }
    }

    private init(_ line: String) {
        guard let arrow = Self.cut(line, " => ") else { preconditionFailure("no => in \(line)") }
        expected = arrow.1.trimmed
        let columns = Self.split(arrow.0)
        precondition(columns.count >= 3, "a column is missing in \(line)")
        name = columns[0]
        response = Self.fields(columns[1])
        after = Double(columns[2]) ?? .nan
        for column in columns.dropFirst(3) { read(column) }
    }

    private mutating func read(_ column: String) {
        let (word, rest) = Self.cut(column, " ") ?? (column, "")
        switch word {
        case "asks": request = Self.fields(rest)
        case "first": first = Self.fields(rest)
        case "method": method = rest
        case "status": status = UInt16(rest) ?? 0
        case "mode": mode = Self.mode(rest)
        case "shared": rules.isShared = true
        case "heuristic": rules.heuristics = .init()
        case "forced": rules.forcedLifetime = Int64(rest)
        case "skipping": rules.sensitive = .skip
        case "standing": rules.staleIfError = Int64(rest) ?? 0
        default: preconditionFailure("what is \(column)?")
        }
    }

    private static func mode(_ name: String) -> CacheMode {
        switch name {
        case "noStore": .noStore
        case "reload": .reload
        case "noCache": .noCache
        case "forceCache": .forceCache
        case "onlyIfCached": .onlyIfCached
        default: preconditionFailure("no mode is called \(name)")
        }
    }

    static func fields(_ text: String) -> String {
        let short = [
            "cc": "Cache-Control", "exp": "Expires", "lm": "Last-Modified", "date": "Date",
            "age": "Age", "etag": "ETag",
        ]
        return text.split(separator: "|").compactMap { part -> String? in
            let line = part.trimmed
            if line == "-" { return nil }
            if line == "etag" { return "ETag: \"a\"" }
            if let (word, rest) = cut(line, " "), let name = short[word] {
                return "\(name): \(rest)"
            }
            return short[line].map { "\($0):" } ?? line
        }.joined(separator: "|")
    }

    /// What stands before and behind the first separator.
    private static func cut(_ text: String, _ separator: String) -> (String, String)? {
        guard let range = text.firstRange(of: separator) else { return nil }
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    private static func split(_ text: String) -> [String] {
        var columns: [String] = []
        var rest = text
        while let (column, behind) = cut(rest, " / ") {
            columns.append(column.trimmed)
            rest = behind
        }
        return columns + [rest.trimmed]
    }

    /// What comes of the second request.
    var outcome: String {
        var rehearsal = Rehearsal(rules)
        rehearsal.fetch(CacheRequest(fields: first), status, response)
        rehearsal.wait(after)
        return rehearsal.outcome(CacheRequest(method, fields: request, mode: mode))
    }

    func check() {
        #expect(outcome == expected, "\(name)")
    }
}
