// The tree the rules read: every text file of the package, found from this file's own path.
//
// Read once per run. Build output, the repository's own folder and the fixtures, which are there to
// be refused, are left out.

import FoundationEssentials

/// The files of the package.
enum Tree {
    /// Absolute path of the package's root: three steps up from this file.
    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    static let fixtures = "Tests/TidyTests/Fixtures"

    /// Every text file, code and prose.
    static let files: [SourceFile] = paths(in: "").map { path in
        SourceFile(path: path, text: text(of: path))
    }

    /// The files that a compiler reads.
    static let code: [SourceFile] = files.filter { file in
        ["swift", "c", "h"].contains(ending(of: file.path))
    }

    static func text(of path: String) -> String {
        String(decoding: bytes(of: path) ?? [], as: UTF8.self)
    }

    /// The bytes of a file: nil when there is none.
    static func bytes(of path: String) -> [UInt8]? {
        let absolute = path.hasPrefix("/") ? path : "\(root)/\(path)"
        return FileManager.default.contents(atPath: absolute).map { [UInt8]($0) }
    }

    /// The repository's index, for what is tracked: nil outside a repository. In a linked work
    /// tree `.git` is a file that names the folder.
    static var index: [UInt8]? {
        if let index = bytes(of: ".git/index") { return index }
        let link = text(of: ".git")
        guard link.hasPrefix("gitdir: ") else { return nil }
        let folder = link.dropFirst("gitdir: ".count).prefix { $0 != "\n" }
        return bytes(of: "\(folder)/index")
    }

    private static let skipped: Set<String> = [".git", ".build", ".swiftpm", ".vscode", fixtures]
    private static let endings: Set<String> = [
        "swift", "c", "h", "modulemap", "md", "json", "jsonl", "py", "sh", "txt", "template", "yml",
        "conf",
    ]

    private static func paths(in folder: String) -> [String] {
        let absolute = folder.isEmpty ? root : "\(root)/\(folder)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: absolute)) ?? []
        return names.sorted().flatMap { name -> [String] in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if skipped.contains(path) { return [] }
            var isFolder = false
            guard FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
            else { return [] }
            if isFolder { return paths(in: path) }
            return isText(name) ? [path] : []
        }
    }

    /// Scripts and the Makefile have no ending; anything else without one is text here too.
    private static func isText(_ name: String) -> Bool {
        guard let ending = ending(of: name) else { return true }
        return endings.contains(ending)
    }

    private static func ending(of path: String) -> String? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let parts = name.split(separator: ".")
        return parts.count < 2 ? nil : String(parts[parts.count - 1])
    }
}
