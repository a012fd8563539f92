// A rule of the house: a name and a pure function over one file.

import Testing

/// One rule. `check` looks at the file it is given and at nothing else.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (SourceFile) -> [Violation]

    var testDescription: String { name }

    /// Every rule that reads one file at a time.
    static let all: [Rule] = [
        .imports, .fileLength, .functionLength, .lineLength, .forbiddenWords, .unfinishedWork,
        .uncheckedSendable, .explainedUnsafe, .sleeping, .unstructuredTasks, .machinePaths,
        .speaksOfItself,
    ]
}

extension Array where Element == Token {
    /// Where `pattern` stands in the tokens, one after the other: the indices of its first token.
    func indices(of pattern: String...) -> [Int] {
        guard count >= pattern.count else { return [] }
        return (0...(count - pattern.count)).filter { start in
            guard self[start].text == pattern[0] else { return false }
            for offset in 1..<pattern.count where self[start + offset].text != pattern[offset] {
                return false
            }
            return true
        }
    }
}
