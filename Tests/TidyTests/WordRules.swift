// The rules of words: what may not be written at all, and what only in its one place.

extension Rule {
    /// Shortcuts that hide a failure or a race.
    static let forbiddenWords = Rule(name: "forbidden words") { file in
        refuse(file, "@", "testable", because: "tests see what ships: use package access")
            + refuse(file, "try", "!", because: "a failure would trap: throw it or answer it")
            + refuse(
                file, "nonisolated", "(", "unsafe", because: "state belongs to the reactor's thread"
            )
    }

    /// Unfinished work belongs in an issue; the words are looked for in code and comments.
    static let unfinishedWork = Rule(name: "unfinished work") { file in
        let words: Set<Substring> = ["TODO", "FIXME", "XXX"]
        let commented = file.comments.indices.filter { index in
            guard let comment = file.comments[index] else { return false }
            return comment.split { !$0.isLetter && $0 != "_" }.contains { words.contains($0) }
        }
        let named = file.tokens.filter { words.contains(Substring($0.text)) }.map { $0.line - 1 }
        return Set(commented + named).sorted().map { file.violation($0 + 1, "unfinished work") }
    }

    /// `Reactor` and `ReactorBound` alone, in the file that says why that is sound.
    static let uncheckedSendable = Rule(name: "unchecked Sendable") { file in
        let home = "Sources/Reactor/Reactor.swift"
        let found = file.tokens.indices(of: "@", "unchecked")
        return found.dropFirst(file.path == home ? 2 : 0).map { index in
            let message = "@unchecked Sendable is for Reactor and ReactorBound in \(home)"
            return file.violation(file.tokens[index].line, message)
        }
    }

    /// A test that sleeps is slow on a good day and wrong on a bad one. A clock's own `sleep`,
    /// which is the reactor's and may be virtual, is no such sleep. The reactor's own tests and its
    /// probe try `Task.sleep` itself, which the reactor serves.
    static let sleeping = Rule(name: "sleeping") { file in
        guard file.isUnder("Tests"), !file.isUnder("Tests/ReactorProbe") else { return [] }
        let triesTaskSleep = file.isUnder("Tests/ReactorTests")
        let tokens = file.tokens
        let calls: Set<String> = ["sleep", "usleep", "nanosleep", "clock_nanosleep"]
        return tokens.indices.compactMap { index in
            guard calls.contains(tokens[index].text), index + 1 < tokens.count,
                tokens[index + 1].text == "("
            else { return nil }
            let before = index > 0 ? tokens[index - 1].text : ""
            let owner = index > 1 ? tokens[index - 2].text : ""
            if before == "func" { return nil }
            if before == ".", !["Task", "Thread", "Glibc"].contains(owner) { return nil }
            if before == ".", owner == "Task", triesTaskSleep { return nil }
            return file.violation(
                tokens[index].line,
                "a test never sleeps: use the virtual clock or wait for the event")
        }
    }

    /// Unstructured tasks outlive their caller and leave its thread; Reactor, which makes the
    /// executors, is where one may be born.
    static let unstructuredTasks = Rule(name: "unstructured tasks") { file in
        guard file.isUnder("Sources"), !file.isUnder("Sources/Reactor") else { return [] }
        let tokens = file.tokens
        return tokens.indices(of: "Task").compactMap { index in
            guard index + 1 < tokens.count, index == 0 || tokens[index - 1].text != "." else {
                return nil
            }
            let next = tokens[index + 1].text
            let member = index + 2 < tokens.count ? tokens[index + 2].text : ""
            let isMade = next == "{" || next == "("
            let isDetached = next == "." && ["detached", "immediate", "init"].contains(member)
            guard isMade || isDetached else { return nil }
            return file.violation(
                tokens[index].line, "no unstructured task outside Sources/Reactor")
        }
    }

    private static func refuse(
        _ file: SourceFile, _ first: String, _ second: String, _ third: String? = nil,
        because reason: String
    ) -> [Violation] {
        let found =
            third.map { file.tokens.indices(of: first, second, $0) }
            ?? file.tokens.indices(of: first, second)
        let written = first + second + (third ?? "")
        // Joined, because `try !a` is no `try!`.
        return found.filter { file.tokens[$0 + 1].isJoined }
            .map { file.violation(file.tokens[$0].line, "\(written): \(reason)") }
    }
}
