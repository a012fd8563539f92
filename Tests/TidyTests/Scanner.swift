// The scanner under `SourceFile`: one pass over the bytes that tells code, comments and literals
// apart. Never fails: a literal that is not closed ends with its line, so that one odd line can
// hide no more than itself.

/// Reads a text once and leaves its tokens, comments and lines of code.
struct Scanner {
    static let newline = UInt8(ascii: "\n")

    private(set) var tokens: [Token] = []
    /// Comment bytes by line, from 1.
    private(set) var comments: [Int: [UInt8]] = [:]
    /// Lines, from 1, that hold code or part of a literal.
    private(set) var codeLines: Set<Int> = []

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    /// Where the last token ended.
    private var lastEnd = -1
    private var openings: [Opening] = []

    /// A construct whose end the scanner waits for.
    private enum Opening {
        /// A string literal. Can transition to `interpolation`, or ends.
        case literal(hashes: Int, isMultiline: Bool)
        /// Code between `\(` and its `)`. Ends when `depth` falls below zero.
        case interpolation(depth: Int)
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
        while index < bytes.count {
            if case .literal(let hashes, let isMultiline)? = openings.last {
                scanLiteral(hashes: hashes, isMultiline: isMultiline)
            } else {
                scanCode()
            }
        }
    }

    // MARK: Code

    private mutating func scanCode() {
        let byte = bytes[index]
        switch byte {
        case Self.newline:
            endLine()
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
            index += 1
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
            scanLineComment()
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
            scanBlockComment()
        case UInt8(ascii: "\""):
            openLiteral(hashes: 0)
        case UInt8(ascii: "#") where hashesBeforeQuote() > 0:
            openLiteral(hashes: hashesBeforeQuote())
        case UInt8(ascii: "`"):
            skipRawIdentifier()
        default:
            if Self.isWordByte(byte) { scanWord() } else { scanMark(byte) }
        }
    }

    private mutating func scanWord() {
        let start = index
        while index < bytes.count, Self.isWordByte(bytes[index]) { index += 1 }
        append(String(decoding: bytes[start..<index], as: UTF8.self), from: start)
    }

    private mutating func scanMark(_ byte: UInt8) {
        if case .interpolation(let depth)? = openings.last {
            if byte == UInt8(ascii: ")"), depth == 0 {
                openings.removeLast()
                index += 1
                return
            }
            let change = byte == UInt8(ascii: "(") ? 1 : byte == UInt8(ascii: ")") ? -1 : 0
            openings[openings.count - 1] = .interpolation(depth: depth + change)
        }
        index += 1
        append(String(UnicodeScalar(byte)), from: index - 1)
    }

    /// A raw identifier may be any sentence: it becomes one token that no rule knows.
    private mutating func skipRawIdentifier() {
        let start = index
        index += 1
        while index < bytes.count, bytes[index] != Self.newline, bytes[index] != UInt8(ascii: "`") {
            index += 1
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "`") { index += 1 }
        append("``", from: start)
    }

    // MARK: Comments

    private mutating func scanLineComment() {
        let start = index
        while index < bytes.count, bytes[index] != Self.newline { index += 1 }
        comments[line, default: []] += bytes[start..<index]
    }

    private mutating func scanBlockComment() {
        var depth = 0
        var start = index
        repeat {
            if bytes[index] == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if bytes[index] == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                index += 2
            } else if bytes[index] == Self.newline {
                comments[line, default: []] += bytes[start..<index]
                line += 1
                index += 1
                start = index
            } else {
                index += 1
            }
        } while depth > 0 && index < bytes.count
        comments[line, default: []] += bytes[start..<index]
    }

    // MARK: Literals

    private mutating func openLiteral(hashes: Int) {
        codeLines.insert(line)
        let quote = index + hashes
        let isMultiline =
            byte(at: quote + 1) == UInt8(ascii: "\"")
            && byte(at: quote + 2) == UInt8(ascii: "\"")
        index = quote + (isMultiline ? 3 : 1)
        openings.append(.literal(hashes: hashes, isMultiline: isMultiline))
    }

    private mutating func scanLiteral(hashes: Int, isMultiline: Bool) {
        switch bytes[index] {
        case Self.newline:
            if !isMultiline { openings.removeLast() }
            endLine()
        case UInt8(ascii: "\\") where isHashes(hashes, at: index + 1):
            index += 1 + hashes
            if peek(0) == UInt8(ascii: "(") {
                index += 1
                openings.append(.interpolation(depth: 0))
            } else if peek(0) != Self.newline {
                index += 1
            }
        case UInt8(ascii: "\"") where closes(hashes: hashes, isMultiline: isMultiline):
            codeLines.insert(line)
            index += (isMultiline ? 3 : 1) + hashes
            openings.removeLast()
        default:
            index += 1
        }
    }

    private func closes(hashes: Int, isMultiline: Bool) -> Bool {
        guard isMultiline else { return isHashes(hashes, at: index + 1) }
        return peek(1) == UInt8(ascii: "\"") && peek(2) == UInt8(ascii: "\"")
            && isHashes(hashes, at: index + 3)
    }

    // MARK: Leaves

    /// Takes the token that ends here.
    private mutating func append(_ text: String, from start: Int) {
        codeLines.insert(line)
        tokens.append(Token(text: text, line: line, isJoined: start == lastEnd))
        lastEnd = index
    }

    private mutating func endLine() {
        line += 1
        index += 1
    }

    /// How many `#` stand before a quote here; 0 when what follows is no literal.
    private func hashesBeforeQuote() -> Int {
        var count = 0
        while peek(count) == UInt8(ascii: "#") { count += 1 }
        return peek(count) == UInt8(ascii: "\"") ? count : 0
    }

    private func isHashes(_ count: Int, at start: Int) -> Bool {
        for offset in 0..<count where byte(at: start + offset) != UInt8(ascii: "#") { return false }
        return true
    }

    private func peek(_ offset: Int) -> UInt8? { byte(at: index + offset) }

    private func byte(at position: Int) -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
            true
        default:
            false
        }
    }
}
