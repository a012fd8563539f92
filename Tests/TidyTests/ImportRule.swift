// The rule of the table: what a file imports, held against its room. See `Rooms`.

extension Rule {
    /// A Swift file imports only what the table gives its room; nothing stands outside a room.
    static let imports = Rule(name: "imports") { file in
        guard file.path.hasSuffix(".swift"), let folder = file.room else { return [] }
        guard let room = Rooms.room(folder) else {
            return [file.violation(1, "\(folder) is no room for Swift: add it to Rooms.table")]
        }
        return imports(of: file).compactMap { found in
            if isFoundation(found.module), !Rooms.mayImportFoundation(folder) {
                return file.violation(found.line, "\(found.module) is for test targets only")
            }
            if room.takesAnything || room.modules.contains(found.module) { return nil }
            return file.violation(found.line, "\(folder) may not import \(found.module)")
        }
    }

    private static let kinds: Set<String> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "var", "let",
    ]

    /// Every import, whatever its access, attributes or kind: `import struct A.B` imports A.
    private static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        let tokens = file.tokens
        return tokens.indices.compactMap { index in
            guard tokens[index].text == "import", index + 1 < tokens.count,
                index == 0 || tokens[index - 1].text != "."
            else { return nil }
            var name = index + 1
            if kinds.contains(tokens[name].text), name + 1 < tokens.count { name += 1 }
            return (tokens[name].text, tokens[index].line)
        }
    }

    private static func isFoundation(_ module: String) -> Bool {
        module.hasPrefix("Foundation") && module != "FoundationEssentials"
    }
}
