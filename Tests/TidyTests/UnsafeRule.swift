// The rule of reasons: an `unsafe` says why it is sound.
//
// The reason may stand in three places:
//   1. in a comment on the same line;
//   2. in a comment on one of the three lines above, no blank line between;
//   3. in the comment on a declaration that encloses it (function, property, type, extension),
//      which then has to speak of it: a word that begins with "unsafe" or "safe" in any case
//      ("Safety: …", "safe because …"). The comment at the top of the file, a blank line after
//      it, counts like one.
// So an ordinary documentation comment excuses nothing, and one sentence on a type can excuse a
// ring of pointers without being repeated at each.

extension Rule {
    static let explainedUnsafe = Rule(name: "explained unsafe") { file in
        guard file.path.hasSuffix(".swift") else { return [] }
        let found = file.tokens.indices.filter { file.tokens[$0].text == "unsafe" }
        guard !found.isEmpty, !isReason(block(endingAt: openingBlock(of: file), in: file)) else {
            return []
        }
        let excused = linesUnderAReason(file)
        let lines = Set(found.map { file.tokens[$0].line }).sorted()
        return lines.compactMap { line in
            if isCommentedNear(line, in: file) || excused.contains(line) { return nil }
            return file.violation(line, "unsafe without a reason")
        }
    }

    private static func isCommentedNear(_ line: Int, in file: SourceFile) -> Bool {
        if file.comments[line - 1] != nil { return true }
        for above in stride(from: line - 1, through: max(1, line - 3), by: -1) {
            if file.comments[above - 1] != nil { return true }
            if !file.hasCode[above - 1] { return false }
        }
        return false
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
            guard isReason(block(endingAt: first - 1, in: file)) else { continue }
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

    private static func isReason(_ words: String) -> Bool {
        words.lowercased().split { !$0.isLetter }
            .contains { $0.hasPrefix("unsafe") || $0.hasPrefix("safe") }
    }
}
