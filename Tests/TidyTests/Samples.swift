// The texts that prove the rules: for each, some that it must refuse and some that it must accept.
//
// Bad code stands in string literals, which the rules of code don't read; bad prose is put together
// from halves, because the rules of prose read everything.

import Testing

/// A text at a path, and the lines a rule must refuse in it: none means the text is good.
struct Sample: Sendable, CustomTestStringConvertible {
    let rule: Rule
    let path: String
    let text: String
    let refused: [Int]

    var testDescription: String {
        "\(rule.name): \(text.prefix(60).split(separator: "\n").first ?? "")"
    }

    init(_ rule: Rule, _ path: String, _ text: String, refused: [Int] = []) {
        self.rule = rule
        self.path = path
        self.text = text
        self.refused = refused
    }

    static let all: [Sample] =
        imports + lengths + words + unsafety + places + prose

    private static let imports: [Sample] = [
        Sample(
            .imports, "Sources/HTTP1/A.swift",
            Tree.text(of: "\(Tree.fixtures)/forbidden-import.txt"),
            refused: [5, 6, 7]),
        Sample(
            .imports, "Sources/HTTP1/A.swift",
            Tree.text(of: "\(Tree.fixtures)/allowed-import.txt")),
        Sample(.imports, "Sources/Attic/A.swift", "let a = 1", refused: [1]),
        Sample(.imports, "Sources/CLinux/A.swift", "let a = 1", refused: [1]),
        Sample(.imports, "Sources/Time/A.swift", "import Glibc", refused: [1]),
        Sample(.imports, "Sources/Engine/A.swift", "import FoundationEssentials", refused: [1]),
        Sample(.imports, "Sources/Fetch/A.swift", "import FoundationEssentials"),
        Sample(.imports, "Sources/Fetch/A.swift", "import FoundationNetworking", refused: [1]),
        Sample(.imports, "Benchmarks/Bench/A.swift", "import Foundation", refused: [1]),
        Sample(.imports, "Benchmarks/Bench/A.swift", "import FoundationEssentials"),
        Sample(.imports, "Tests/FetchTests/A.swift", "import Foundation\nimport CFetchLinux"),
        Sample(.imports, "Package.swift", "import PackageDescription"),
    ]

    private static let lengths: [Sample] = [
        Sample(.fileLength, "Sources/Time/A.swift", lines(401), refused: [401]),
        Sample(.fileLength, "Sources/Time/A.swift", lines(400)),
        Sample(.fileLength, "docs/long.md", lines(401)),
        Sample(.lineLength, "Sources/Time/A.swift", "\n" + columns(101), refused: [2]),
        Sample(.lineLength, "Sources/Time/A.swift", columns(100)),
        Sample(.lineLength, "Sources/Time/A.swift", String(repeating: "é", count: 100)),
        Sample(.functionLength, "Sources/Time/A.swift", function("func a()", 71), refused: [1]),
        Sample(.functionLength, "Sources/Time/A.swift", function("func a()", 70)),
        Sample(
            .functionLength, "Sources/Time/A.swift", function("init(a: Int = 1)", 71),
            refused: [1]),
        Sample(.functionLength, "Sources/Time/A.swift", function("var a: Int", 71), refused: [1]),
        Sample(.functionLength, "Sources/Time/A.swift", function("struct A", 200)),
        Sample(.functionLength, "Sources/Time/A.swift", "protocol A {\nfunc a()\n}\n" + structure),
        Sample(.functionLength, "Sources/Time/A.swift", "let s = \"{\"\nfunc a() {}\n" + structure),
    ]

    private static let words: [Sample] = [
        Sample(.forbiddenWords, "Tests/ATests/A.swift", "@testable import A", refused: [1]),
        Sample(.forbiddenWords, "Sources/Time/A.swift", "let a = try! b()", refused: [1]),
        Sample(
            .forbiddenWords, "Sources/Time/A.swift", "let a = \"\\(try! b(\"\"))\"", refused: [1]),
        Sample(
            .forbiddenWords, "Sources/Time/A.swift", "nonisolated(unsafe) var a = 1", refused: [1]),
        Sample(.forbiddenWords, "Sources/Time/A.swift", "while try !a() {}"),
        Sample(.forbiddenWords, "Sources/Time/A.swift", "// try! and @testable\nlet a = \"try!\""),
        Sample(
            .forbiddenWords, "Sources/Time/A.swift", "let a = #\"\"try!\"# + \"\"\"\ntry!\n\"\"\""),
        Sample(.unfinishedWork, "Sources/Time/A.swift", "let a = 1\n// TODO: b", refused: [2]),
        Sample(.unfinishedWork, "Sources/CLinux/a.c", "/* one\n FIXME */", refused: [2]),
        Sample(.unfinishedWork, "Sources/Time/A.swift", "let TODOList = \"TODO\" // a todo list"),
        Sample(
            .uncheckedSendable, "Sources/Engine/A.swift", "final class A: @unchecked Sendable {}",
            refused: [1]),
        Sample(
            .uncheckedSendable, "Sources/Reactor/Reactor.swift",
            "class A: @unchecked Sendable {}\nstruct B: @unchecked Sendable {}\n"
                + "struct C: @unchecked Sendable {}", refused: [3]),
        Sample(
            .uncheckedSendable, "Sources/Reactor/Reactor.swift",
            "class A: @unchecked Sendable {}\nstruct B: @unchecked Sendable {}"),
    ]

    private static let unsafety: [Sample] = [
        Sample(.explainedUnsafe, "Sources/Time/A.swift", "let a = unsafe b()", refused: [1]),
        Sample(.explainedUnsafe, "Sources/Time/A.swift", "let a = unsafe b() // b is pinned"),
        Sample(.explainedUnsafe, "Sources/Time/A.swift", "// b is pinned\nlet a =\n    unsafe b()"),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift", "let c = 1 // far\n\nlet a = unsafe b()",
            refused: [3]),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift",
            "// far\n" + lines(12) + "let a = unsafe b()", refused: [14]),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift",
            "// near\n" + lines(11) + "let a = unsafe b()"),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift",
            "/// Gives a.\nfunc a() {\n    unsafe b()\n}", refused: [3]),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift",
            "/// Gives a. Safe because b is pinned.\n@inlinable\nfunc a() {\n\n    unsafe b()\n}"),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift",
            "/// Safety: b is pinned.\nstruct A {\n    let c = 1\n\n    func a() { unsafe c() }\n}"
                + "\n\nfunc d() { unsafe b() }", refused: [8]),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift",
            "// The file of b, whose unsafe calls are sound: b is pinned.\n\nlet a = unsafe b()"),
        Sample(
            .explainedUnsafe, "Sources/Time/A.swift", "let a = \"unsafe\"\nfunc `is unsafe`() {}"),
    ]

    private static let places: [Sample] = [
        Sample(
            .sleeping, "Tests/ATests/A.swift", "try await Task.sleep(for: .seconds(1))",
            refused: [1]),
        Sample(.sleeping, "Tests/ATests/A.swift", "usleep(100)\nsleep(1)", refused: [1, 2]),
        Sample(.sleeping, "Tests/ReactorTests/A.swift", "Task.sleep(1)\nsleep(1)", refused: [2]),
        Sample(
            .sleeping, "Tests/ATests/A.swift", "try await reactor.clock.sleep(for: .seconds(1))"),
        Sample(.sleeping, "Sources/Reactor/A.swift", "func sleep(for a: Int) {}\nsleep(1)"),
        Sample(.unstructuredTasks, "Sources/Engine/A.swift", "Task {\n}", refused: [1]),
        Sample(
            .unstructuredTasks, "Sources/Fetch/A.swift", "let a = Task.detached { b() }",
            refused: [1]),
        Sample(
            .unstructuredTasks, "Sources/Fetch/A.swift", "Task(priority: .low) { b() }",
            refused: [1]),
        Sample(.unstructuredTasks, "Sources/Reactor/A.swift", "Task { b() }"),
        Sample(
            .unstructuredTasks, "Sources/Fetch/A.swift",
            "if Task.isCancelled {}\nvar task: Task<Int, any Error>?"),
    ]

    private static let prose: [Sample] = [
        Sample(.machinePaths, "docs/a.md", "See `/ho" + "me/ada/notes`.", refused: [1]),
        Sample(.machinePaths, ".ci/run", "one\ncd /ro" + "ot/x", refused: [2]),
        Sample(
            .machinePaths, "docs/a.md", "https://example.org/home/ and Sources/work/x, /etc/hosts"),
        Sample(.speaksOfItself, "README.md", "Generated" + " by hand", refused: [1]),
        Sample(.speaksOfItself, "README.md", "A TLS session is resumed, a User-Agent is sent."),
    ]

    private static func lines(_ count: Int) -> String {
        String(repeating: "let a = 1\n", count: count)
    }

    private static func columns(_ count: Int) -> String {
        "// " + String(repeating: "a", count: count - 3) + "\n"
    }

    /// A declaration with a body, `count` lines from the first to the closing brace.
    private static func function(_ head: String, _ count: Int) -> String {
        "\(head) {\n" + lines(count - 2) + "}\n"
    }

    private static let structure = function("struct A", 100)
}
