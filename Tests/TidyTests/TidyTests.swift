// The tree, read by the rules of the house; and the rules, held against texts that prove them.

import Testing

@Suite struct TidyTests {
    @Test func `the tree that is read is this one`() {
        let paths = Set(Tree.files.map(\.path))
        #expect(
            paths.isSuperset(of: ["Package.swift", "LICENSE", "Tests/TidyTests/TidyTests.swift"]))
        #expect(Tree.code.contains { $0.isUnder("Sources") })
        #expect(!paths.contains { $0.hasPrefix(".build/") || $0.hasPrefix(Tree.fixtures) })
    }

    @Test func `a room imports only what the table gives it`() { hold(.imports) }
    @Test func `a file has at most 400 lines`() { hold(.fileLength) }
    @Test func `a function has at most 70 lines`() { hold(.functionLength) }
    @Test func `a line has at most 100 columns`() { hold(.lineLength) }
    @Test func `no testable import, forced try or unsafe isolation`() { hold(.forbiddenWords) }
    @Test func `no work is left unfinished in the code`() { hold(.unfinishedWork) }
    @Test func `only Reactor and ReactorBound are unchecked Sendable`() { hold(.uncheckedSendable) }
    @Test func `every unsafe expression has its reason nearby`() { hold(.explainedUnsafe) }
    @Test func `no test sleeps`() { hold(.sleeping) }
    @Test func `no task is unstructured outside Reactor`() { hold(.unstructuredTasks) }
    @Test func `no text names the path of one machine`() { hold(.machinePaths) }
    @Test func `every text speaks of the project alone`() { hold(.speaksOfItself) }

    @Test func `the pins of the dependencies are not tracked`() {
        #expect(!Rule.tracksPins(index: Tree.index ?? []))
        #expect(Tree.text(of: ".gitignore").split(separator: "\n").contains("Package.resolved"))
    }

    /// Every violation is printed as `path:line: message`.
    private func hold(_ rule: Rule) {
        let violations = Tree.files.flatMap(rule.check)
        let isKept = violations.isEmpty
        #expect(isKept, "\(violations.map(\.description).joined(separator: "\n"))")
    }
}

@Suite struct RuleTests {
    @Test(arguments: Sample.all)
    func `a rule refuses the lines it must and no others`(_ sample: Sample) {
        let violations = sample.rule.check(SourceFile(path: sample.path, text: sample.text))
        #expect(violations.map(\.line) == sample.refused, "\(violations)")
        #expect(violations.allSatisfy { $0.description.hasPrefix("\(sample.path):\($0.line): ") })
    }

    @Test(arguments: Rule.all)
    func `every rule is proved by a text it refuses and one it accepts`(_ rule: Rule) {
        let samples = Sample.all.filter { $0.rule.name == rule.name }
        #expect(samples.contains { !$0.refused.isEmpty })
        #expect(samples.contains { $0.refused.isEmpty })
    }

    @Test func `tracked pins are found in an index's bytes`() {
        #expect(Rule.tracksPins(index: Array("DIRC....Package.resolved\0\0".utf8)))
        #expect(!Rule.tracksPins(index: Array("DIRC....Package.swift\0\0Package.resolve".utf8)))
        #expect(!Rule.tracksPins(index: []))
    }

    @Test func `the scanner tells code from comments and literals`() {
        let text = """
            let a = "x \\(b("c")) d" // e
            /* f /* g */
            h */ i
            """
        let file = SourceFile(path: "Sources/Time/A.swift", text: text)
        #expect(file.tokens.map(\.text) == ["let", "a", "=", "b", "(", ")", "i"])
        #expect(file.tokens.map(\.line) == [1, 1, 1, 1, 1, 1, 3])
        #expect(file.comments == ["// e", "/* f /* g */", "h */"])
        #expect(file.hasCode == [true, false, true])
    }
}
