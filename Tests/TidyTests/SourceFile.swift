// A file of the tree as the rules see it: its path, its lines, its tokens and its comments.
//
// A value made from (path, text) alone, so that a rule can be tried on a text that is in no file.
// The scanner knows just enough Swift to tell code from comments, string literals and raw
// identifiers; code inside an interpolation is code. Regex literals it doesn't know: the tree has
// none.

/// A word, number or single punctuation mark of the code, comments and literals left out.
struct Token: Equatable, Sendable {
    let text: String
    /// From 1.
    let line: Int
    /// Whether it touches the token before it, as the mark of `try!` does and that of `try !a` not.
    let isJoined: Bool
}

/// What a rule found: printed as `path:line: message`, which editors and CI turn into a link.
struct Violation: Equatable, Sendable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// One file: `path` is relative to the root of the package, with `/` between its parts.
struct SourceFile: Sendable {
    let path: String
    /// The lines as written, without their line ends.
    let lines: [String]
    /// The code's tokens in order.
    let tokens: [Token]
    /// What each line says in comments: nil where the line has none. Same count as `lines`.
    let comments: [String?]
    /// Whether each line holds code. Same count as `lines`.
    let hasCode: [Bool]

    init(path: String, text: String) {
        let bytes = Array(text.utf8)
        let isCodeFile = path.hasSuffix(".swift") || path.hasSuffix(".c") || path.hasSuffix(".h")
        self.path = path
        lines = Self.split(bytes)
        guard isCodeFile else {
            tokens = []
            comments = Array(repeating: nil, count: lines.count)
            hasCode = Array(repeating: false, count: lines.count)
            return
        }
        var scanner = Scanner(bytes)
        scanner.run()
        tokens = scanner.tokens
        var comments = [String?](repeating: nil, count: lines.count)
        for (line, text) in scanner.comments where line <= lines.count {
            comments[line - 1] = String(decoding: text, as: UTF8.self)
        }
        self.comments = comments
        var hasCode = [Bool](repeating: false, count: lines.count)
        for line in scanner.codeLines where line <= lines.count { hasCode[line - 1] = true }
        self.hasCode = hasCode
    }

    func violation(_ line: Int, _ message: String) -> Violation {
        Violation(path: path, line: line, message: message)
    }

    /// The first part of the path that names a room: `Sources/HTTP`, `Tests/TestSupport`; nil at
    /// the root.
    var room: String? {
        let parts = path.split(separator: "/")
        return parts.count < 3 ? nil : "\(parts[0])/\(parts[1])"
    }

    func isUnder(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }

    private static func split(_ bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: Scanner.newline, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}
