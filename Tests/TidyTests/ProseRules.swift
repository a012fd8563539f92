// The rules of prose, over every text file: no path of one machine, and no word on how the text
// came to be. The project speaks of itself alone.

extension Rule {
    /// A path that exists on somebody's machine only. What every Debian has is no such path.
    static let machinePaths = Rule(name: "machine paths") { file in
        file.lines.indices.compactMap { index in
            let line = file.lines[index]
            guard line.utf8.contains(UInt8(ascii: "/")) else { return nil }
            let isNamed = tokens(of: line).contains { word in
                homes.contains { word.hasPrefix($0) }
            }
            return isNamed ? file.violation(index + 1, "the path of one machine") : nil
        }
    }

    /// Pieces of a line that could be paths, cut where quotes, blanks and brackets stand.
    private static func tokens(of line: String) -> [Substring] {
        line.split { " \t\"'`()[]{}<>=,;:".contains($0) }
    }

    // Written in two halves, so that this file keeps its own rules.
    private static let homes = ["root", "home", "Users", "work", "mnt", "opt"].map { "/\($0)/" }

    /// Words that speak of the making instead of the thing.
    /// The licence is not the project's own text.
    static let speaksOfItself = Rule(name: "speaks of itself") { file in
        file.path == "LICENSE" ? [] : spokenOtherwise(file)
    }

    private static func spokenOtherwise(_ file: SourceFile) -> [Violation] {
        file.lines.indices.compactMap { index in
            let line = file.lines[index].lowercased()
            guard let phrase = phrases.first(where: { line.contains($0) }) else { return nil }
            return file.violation(index + 1, "\"\(phrase)\": say what the thing is")
        }
    }

    private static let phrases = [
        ("co-author", "ed-by"), ("generated", " by"), ("generated", " with"),
        ("language", " model"),
        ("chat", "bot"), ("this", " session"), ("as", " instructed"), ("as", " requested by"),
        ("sub", "agent"), ("the", " prompt"), ("the", " brief"), ("the", " architect"),
    ].map { $0.0 + $0.1 }

    /// The pins are the user's, never the library's: `Package.resolved` is not tracked. A path
    /// stands in the index in plain bytes.
    static func tracksPins(index: [UInt8]) -> Bool {
        let name = Array("Package.resolved".utf8)
        guard index.count >= name.count else { return false }
        return (0...(index.count - name.count)).contains { start in
            index[start] == name[0] && index[start..<(start + name.count)].elementsEqual(name)
        }
    }
}
