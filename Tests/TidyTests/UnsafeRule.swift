// The rule of reasons: an `unsafe` says why it is sound.
//
// The reason may stand in three places:
//   1. in a comment on the same line;
//   2. in a comment above it in the same paragraph (no blank line between) of the same function,
//      twelve lines above at most;
//   3. in the comment on a declaration that encloses it (function, property, type, extension),
//      which then has to speak of memory: one of its words begins with "safe", "unsafe",
//      "pointer", "memory", "lifetime", "alive", "outliv" or "bounds". The comment at the top of
//      the file, a blank line after it, counts like one if it says "safe" or "unsafe".
// So an ordinary documentation comment excuses nothing, and one sentence on a type can excuse a
// ring of pointers without being repeated at each.

extension Rule {
    static let explainedUnsafe = Rule(name: "explained unsafe") { file in
        guard file.path.hasSuffix(".swift") else { return [] }
        let found = file.tokens.indices.filter { file.tokens[$0].text == "unsafe" }
        guard !found.isEmpty,
            !speaks(block(endingAt: openingBlock(of: file), in: file), of: ["safe", "unsafe"])
        else { return [] }
        let excused = linesUnderAReason(file)
        let lines = Set(found.map { file.tokens[$0].line }).sorted()
        return lines.compactMap { line in
            if isCommentedNear(line, in: file) || excused.contains(line) { return nil }
            return file.violation(line, "unsafe without a reason")
        }
    }

    private static func isCommentedNear(_ line: Int, in file: SourceFile) -> Bool {
        if file.comments[line - 1] != nil { return true }
        guard !opensBody(line, in: file) else { return false }
        for above in stride(from: line - 1, through: max(1, line - 12), by: -1) {
            if file.comments[above - 1] != nil { return true }
            if !file.hasCode[above - 1] || opensBody(above, in: file) { return false }
        }
        return false
    }

    /// Whether a function or a computed property begins on the line: above it stands its
    /// documentation, which the third place is for.
    private static func opensBody(_ line: Int, in file: SourceFile) -> Bool {
        let words = file.lines[line - 1].split { !$0.isLetter && $0 != "." && $0 != "{" }
        if words.contains(where: { ["func", "init", "deinit", "subscript"].contains($0) }) {
            return true
        }
        return words.contains("var") && words.contains("{") && !file.lines[line - 1].contains("=")
    }

    private static let declarations: Set<String> = [
        "func", "init", "deinit", "subscript", "var", "let", "struct", "class", "enum", "extension",
        "protocol", "actor",
    ]

    /// The lines inside declarations whose comment is a reason.
    private static func linesUnderAReason(_ file: SourceFile) -> Set<Int> {
        var excused: Set<Int> = []
        let tokens = file.tokens
        for index in tokens.indices where declarations.contains(tokens[index].text) {
            let first = firstLine(ofDeclarationAt: tokens[index].line, in: file)
            guard speaks(block(endingAt: first - 1, in: file), of: reasons) else { continue }
            excused.formUnion(first...lastLine(ofDeclarationAt: index, in: tokens))
        }
        return excused
    }

    /// Attributes stand on lines of their own between a comment and what it speaks of.
    private static func firstLine(ofDeclarationAt line: Int, in file: SourceFile) -> Int {
        var first = line
        while first > 1, file.hasCode[first - 2], file.comments[first - 2] == nil,
            file.lines[first - 2].drop(while: { $0 == " " }).hasPrefix("@")
        {
            first -= 1
        }
        return first
    }

    /// The line of the brace that closes what opens first after the declaration; without braces the
    /// declaration's own line.
    private static func lastLine(ofDeclarationAt index: Int, in tokens: [Token]) -> Int {
        var depth = 0
        for token in tokens[(index + 1)...] {
            if depth == 0, declarations.contains(token.text) || token.text == "}" { break }
            if token.text == "{" { depth += 1 }
            if token.text == "}" { depth -= 1 }
            if depth == 0, token.text == "}" { return token.line }
        }
        return tokens[index].line
    }

    /// The last line of the comment that opens the file: 0 when none does, or when it speaks of
    /// the declaration that follows.
    private static func openingBlock(of file: SourceFile) -> Int {
        var line = 0
        while line < file.lines.count, file.comments[line] != nil, !file.hasCode[line] { line += 1 }
        return line < file.lines.count && file.hasCode[line] ? 0 : line
    }

    /// The words of the comment lines that end at `line`.
    private static func block(endingAt line: Int, in file: SourceFile) -> String {
        var words = ""
        var line = line
        while line > 0, let comment = file.comments[line - 1], !file.hasCode[line - 1] {
            words += " " + comment
            line -= 1
        }
        return words
    }

    private static let reasons = [
        "safe", "unsafe", "pointer", "memory", "lifetime", "alive", "outliv", "bounds",
    ]

    private static func speaks(_ words: String, of beginnings: [String]) -> Bool {
        words.lowercased().split { !$0.isLetter }
            .contains { word in beginnings.contains { word.hasPrefix($0) } }
    }
}
