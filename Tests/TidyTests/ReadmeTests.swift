// The README speaks of what is there: its program is the snippet, its figures are the budgets'.

import FoundationEssentials
import Testing

struct ReadmeTests {
    private static func text(_ path: String) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try String(contentsOf: URL(filePath: "/\(root)/\(path)"), encoding: .utf8)
    }

    /// The lines of the first block of code in that language.
    private static func code(_ language: String, in text: String) -> [Substring] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let begun = lines.drop { $0 != "```\(language)" }.dropFirst()
        return Array(begun.prefix { $0 != "```" })
    }

    @Test func `the first program is the snippet`() throws {
        let program = Self.code("swift", in: try Self.text("README.md"))
        let snippet = try Self.text("Snippets/FirstProgram.swift")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("// snippet.") }
        #expect(program.joined(separator: "\n") == snippet.dropLast().joined(separator: "\n"))
        #expect(!program.isEmpty)
    }

    @Test func `the figures are the budgets' own`() throws {
        struct Budgets: Decodable {
            struct Scenario: Decodable {
                let name: String
                let budget: Int
            }
            let scenarios: [Scenario]
        }
        let data = Data(try Self.text("Benchmarks/budgets.json").utf8)
        let budgets = try JSONDecoder().decode(Budgets.self, from: data)
        let readme = try Self.text("README.md")
        for scenario in budgets.scenarios {
            #expect(readme.contains("| \(scenario.name) | \(scenario.budget) |"))
        }
        #expect(budgets.scenarios.count == 13)
    }

    @Test func `the two commands are targets of the Makefile`() throws {
        let makefile = try Self.text("Makefile")
        for line in Self.code("sh", in: try Self.text("README.md")) {
            let words = line.split(separator: " ")
            #expect(words.first == "make")
            #expect(makefile.contains("\n\(words[1]):\n"))
        }
    }
}
