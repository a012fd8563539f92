// Cuts what arrives on standard input into lines. Pure; owned by `LineRun`.

/// Bytes in, lines out. Memory is bounded by the longest line allowed and one read.
package struct LineSplitter {
    /// One line, numbered from 1; every line counts, the empty ones too.
    package enum Line: Equatable, Sendable {
        case text([UInt8], number: Int)
        /// Longer than the limit; its bytes were dropped as they came.
        case tooLong(number: Int)
    }

    private let limit: Int
    private var buffer: [UInt8] = []
    /// Bytes before `start` are given out; bytes before `scanned` hold no line feed.
    private var start = 0
    private var scanned = 0
    private var number = 1
    private var isSkipping = false
    private var hasEnded = false

    package init(limit: Int) {
        self.limit = limit
    }

    /// True when no line can come out any more without further input.
    package var isEmpty: Bool { start == buffer.count && !isSkipping }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            scanned -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// No more input: what is left is the last line.
    package mutating func end() { hasEnded = true }

    /// The next line that holds something, or nil until more arrives.
    package mutating func next() -> Line? {
        while let line = nextOfAnyKind() {
            guard case .text(let bytes, _) = line else { return line }
            if !bytes.allSatisfy(isJSONWhitespace) { return line }
        }
        return nil
    }

    private mutating func nextOfAnyKind() -> Line? {
        if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
            return finishLine(at: end, resumingAt: end + 1)
        }
        scanned = buffer.count
        if hasEnded && !isEmpty { return finishLine(at: buffer.count, resumingAt: buffer.count) }
        if buffer.count - start > limit { isSkipping = true }
        if isSkipping {
            buffer.removeAll(keepingCapacity: false)
            (start, scanned) = (0, 0)
        }
        return nil
    }

    private mutating func finishLine(at end: Int, resumingAt next: Int) -> Line {
        let isTooLong = isSkipping || end - start > limit
        let line: Line =
            isTooLong ? .tooLong(number: number) : .text(text(upTo: end), number: number)
        isSkipping = false
        number += 1
        (start, scanned) = (next, next)
        return line
    }

    /// The line's bytes, without the byte order mark some programs put before the first.
    private func text(upTo end: Int) -> [UInt8] {
        let line = buffer[start..<end]
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return Array(number == 1 && line.starts(with: mark) ? line.dropFirst(3) : line)
    }
}
