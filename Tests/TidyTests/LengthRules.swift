// The rules of length: 400 lines a file, 70 lines a function, 100 columns a line.

extension Rule {
    static let linesPerFile = 400
    static let linesPerFunction = 70
    static let columnsPerLine = 100

    private static func isCode(_ file: SourceFile) -> Bool {
        [".swift", ".c", ".h"].contains { file.path.hasSuffix($0) }
    }

    static let fileLength = Rule(name: "file length") { file in
        guard isCode(file), file.lines.count > linesPerFile else { return [] }
        let message = "\(file.lines.count) lines; a file has \(linesPerFile) at most"
        return [file.violation(linesPerFile + 1, message)]
    }

    static let lineLength = Rule(name: "line length") { file in
        guard isCode(file) else { return [] }
        return file.lines.indices.compactMap { index in
            // Bytes are counted first because characters are dear and rarely matter.
            guard file.lines[index].utf8.count > columnsPerLine,
                file.lines[index].count > columnsPerLine
            else { return nil }
            let message = "\(file.lines[index].count) columns; a line has \(columnsPerLine) at most"
            return file.violation(index + 1, message)
        }
    }

    /// From the declaration's own line to its closing brace, both counted.
    static let functionLength = Rule(name: "function length") { file in
        guard file.path.hasSuffix(".swift") else { return [] }
        return file.tokens.indices.compactMap { index in
            guard isDeclaration(at: index, in: file.tokens),
                let end = endOfBody(from: index, in: file.tokens)
            else { return nil }
            let length = file.tokens[end].line - file.tokens[index].line + 1
            guard length > linesPerFunction else { return nil }
            let message = "\(length) lines; a function has \(linesPerFunction) at most"
            return file.violation(file.tokens[index].line, message)
        }
    }

    private static let declarations: Set<String> = ["func", "init", "deinit", "subscript", "var"]

    /// `x.init(…)` is a call and `(x: …, init: …)` a label; the rest are declarations.
    private static func isDeclaration(at index: Int, in tokens: [Token]) -> Bool {
        guard declarations.contains(tokens[index].text) else { return false }
        if index > 0, [".", "(", ","].contains(tokens[index - 1].text) { return false }
        return true
    }

    /// What can't stand between a declaration and its body: meeting one means there is no body.
    private static let ends: Set<String> = [
        "}", ";", "func", "init", "deinit", "subscript", "var", "let", "typealias", "case",
        "associatedtype", "struct", "class", "enum", "extension", "protocol", "import", "static",
        "mutating", "public", "package", "private", "fileprivate", "internal",
    ]

    /// The closing brace of the declaration at `start`: nil when it has no body, as in a protocol.
    private static func endOfBody(from start: Int, in tokens: [Token]) -> Int? {
        var depth = 0
        var index = start + 1
        while index < tokens.count {
            let text = tokens[index].text
            if text == "(" || text == "[" { depth += 1 }
            if text == ")" || text == "]" { depth -= 1 }
            if depth < 0 { return nil }
            if depth == 0, text == "{" { return closingBrace(from: index, in: tokens) }
            if depth == 0, ends.contains(text) { return nil }
            if depth == 0, tokens[start].text == "var", text == "=" { return nil }
            index += 1
        }
        return nil
    }

    private static func closingBrace(from start: Int, in tokens: [Token]) -> Int? {
        var depth = 0
        for index in start..<tokens.count {
            if tokens[index].text == "{" { depth += 1 }
            if tokens[index].text == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }
}
