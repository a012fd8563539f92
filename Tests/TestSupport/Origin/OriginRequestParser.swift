// Reads requests off a connection (RFC 9112 §2, §3, §6, §7.1), the origin's own reading and not
// the project's, so that the two can disagree in a test. A value with a step function: it is fed
// what has come and says what it is. Lenient where a test needs no verdict, strict where a client's
// mistake would shift a message's end.

package import FetchBytes

package struct OriginRequestParser {
    package enum Event {
        case needsMore
        case head(OriginRequestHead)
        /// So many bytes of content stand at the front of the buffer. The caller consumes them.
        case content(Int)
        case end(trailers: [(name: String, value: String)])
        case malformed(String)
    }

    private enum State {
        /// Can become any of the next three.
        case head
        /// Can become `end`.
        case fixed(remaining: Int)
        /// Can become `chunkData` and `trailers`.
        case chunkSize
        /// Can become `chunkEnd`.
        case chunkData(remaining: Int)
        /// Can become `chunkSize`.
        case chunkEnd
        /// Can become `head`.
        case trailers
        /// Can become `head`.
        case end
    }

    private static let longestHead = 1 << 20
    private var state = State.head
    /// What `next` has consumed since it was last asked, for the record.
    package private(set) var consumed: [UInt8] = []

    package init() {}

    /// Reads one event from the front of `buffer`.
    package mutating func next(_ buffer: ByteBuffer) -> Event {
        consumed.removeAll(keepingCapacity: true)
        while true {
            switch state {
            case .head:
                return nextHead(buffer)
            case .fixed(let remaining):
                if remaining == 0 { return end(trailers: []) }
                if buffer.isEmpty { return .needsMore }
                let count = min(remaining, buffer.readableCount)
                state = .fixed(remaining: remaining - count)
                return .content(count)
            case .chunkSize:
                guard let line = takeLine(buffer) else { return tooLongOrMore(buffer) }
                guard let size = OriginRequestParser.chunkSize(line) else {
                    return .malformed("chunk size: \(line)")
                }
                state = size == 0 ? .trailers : .chunkData(remaining: size)
            case .chunkData(let remaining):
                if buffer.isEmpty { return .needsMore }
                let count = min(remaining, buffer.readableCount)
                state = count == remaining ? .chunkEnd : .chunkData(remaining: remaining - count)
                return .content(count)
            case .chunkEnd:
                guard buffer.readableCount >= 2 else { return .needsMore }
                guard takeLine(buffer) == "" else { return .malformed("no CRLF after a chunk") }
                state = .chunkSize
            case .trailers:
                guard let text = takeSection(buffer) else { return tooLongOrMore(buffer) }
                guard let fields = OriginRequestParser.fields(text.split(separator: "\r\n")) else {
                    return .malformed("trailers: \(text)")
                }
                return end(trailers: fields)
            case .end:
                return end(trailers: [])
            }
        }
    }

    private mutating func end(trailers: [(name: String, value: String)]) -> Event {
        state = .head
        return .end(trailers: trailers)
    }

    private mutating func nextHead(_ buffer: ByteBuffer) -> Event {
        guard let text = takeSection(buffer) else { return tooLongOrMore(buffer) }
        switch OriginRequestHead.parse(text) {
        case .failure(let complaint):
            return .malformed(complaint.reason)
        case .success(let head):
            switch head.framing {
            case .none: state = .end
            case .length(let count): state = .fixed(remaining: count)
            case .chunked: state = .chunkSize
            }
            return .head(head)
        }
    }

    private func tooLongOrMore(_ buffer: ByteBuffer) -> Event {
        buffer.readableCount > OriginRequestParser.longestHead
            ? .malformed("a line or head of more than 1 MiB") : .needsMore
    }

    /// A line without its CRLF, or nil while its end has not come.
    private mutating func takeLine(_ buffer: ByteBuffer) -> String? {
        let bytes = buffer.readable
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == 13, bytes[index + 1] == 10 {
                return take(index, plus: 2, from: buffer)
            }
            index += 1
        }
        return nil
    }

    /// Lines up to and with an empty one, the empty one left out; "" if that is the first.
    private mutating func takeSection(_ buffer: ByteBuffer) -> String? {
        let bytes = buffer.readable
        if bytes.count >= 2, bytes[0] == 13, bytes[1] == 10 {
            return take(0, plus: 2, from: buffer)
        }
        var index = 3
        while index < bytes.count {
            if bytes[index] == 10, bytes[index - 1] == 13, bytes[index - 2] == 10,
                bytes[index - 3] == 13
            {
                return take(index - 3, plus: 4, from: buffer)
            }
            index += 1
        }
        return nil
    }

    /// Consumes `count + extra` bytes and returns the first `count` as Latin-1.
    private mutating func take(_ count: Int, plus extra: Int, from buffer: ByteBuffer) -> String {
        let bytes = [UInt8](buffer.takeBytes(count + extra))
        consumed.append(contentsOf: bytes)
        return String(latin1: bytes.prefix(count))
    }

    /// RFC 9112 §7.1: hex digits, then perhaps extensions.
    private static func chunkSize(_ line: String) -> Int? {
        let digits = line.prefix { $0 != ";" && $0 != " " }
        guard !digits.isEmpty, digits.allSatisfy({ $0.isHexDigit }) else { return nil }
        return Int(digits, radix: 16)
    }

    /// Field lines, or nil if one is none.
    static func fields(_ lines: some Sequence<Substring>) -> [(name: String, value: String)]? {
        var fields: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.utf8.firstIndex(of: 58), colon != line.startIndex else {
                return nil
            }
            let name = line[..<colon]
            guard name.utf8.allSatisfy({ ASCII.isToken($0) }) else { return nil }
            var value = line[line.index(after: colon)...]
            while let first = value.utf8.first, first == 32 || first == 9 { value.removeFirst() }
            while let last = value.utf8.last, last == 32 || last == 9 { value.removeLast() }
            fields.append((String(name), String(value)))
        }
        return fields
    }
}

extension String {
    /// One character a byte.
    package init(latin1 bytes: some Sequence<UInt8>) {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        self = text
    }
}
