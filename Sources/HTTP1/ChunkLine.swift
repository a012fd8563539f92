// ChunkLine: a chunk's size and extensions (RFC 9112 section 7.1), byte by byte. A value inside
// ResponseParser. Extensions are checked by their full grammar and then forgotten: a lax reader of
// them is a way to smuggle.

internal import FetchBytes

/// The reader of one `chunk-size [ chunk-ext ] CRLF` line.
struct ChunkLine: Equatable, Sendable {
    enum State: UInt8, Equatable, Sendable {
        /// Before the first digit. Can become `size`.
        case start
        /// Can become `blanks`, `name`, `lineFeed`.
        case size
        /// White space that must lead to `;`, or to `=` behind a name. Can become `name`.
        case blanks
        /// The same behind a name. Can become `name` or `value`.
        case blanksAfterName
        /// Behind `;`, before the name. Can become `inName`.
        case name
        /// Can become `blanksAfterName`, `value`, `name`, `lineFeed`.
        case inName
        /// Behind `=`, before the value. Can become `inValue` or `quoted`.
        case value
        /// Can become `blanks`, `name`, `lineFeed`.
        case inValue
        /// Can become `escaped` or `afterQuoted`.
        case quoted
        /// Behind a backslash. Becomes `quoted`.
        case escaped
        /// Behind the closing quote. Can become `blanks`, `name`, `lineFeed`.
        case afterQuoted
        /// Behind CR. Becomes `done`.
        case lineFeed
        case done
    }

    private(set) var state = State.start
    private(set) var size = 0
    /// Bytes of the line so far.
    private(set) var count = 0

    /// Reads up to the line's end; gives how many bytes of the input were read.
    mutating func read(
        _ input: Span<UInt8>, limit: Int
    ) throws(MessageError) -> Int {
        var index = 0
        while index < input.count, state != .done {
            try byteReceived(input[index])
            index &+= 1
            count &+= 1
            guard count <= limit else { throw .chunkLineTooLong }
        }
        return index
    }

    private mutating func byteReceived(_ byte: UInt8) throws(MessageError) {
        switch state {
        case .start, .size:
            if let digit = ASCII.hexValue(byte) {
                guard size <= Int.max >> 4 else { throw .invalidChunkSize }
                size = size &<< 4 | Int(digit)
                state = .size
            } else if state == .start {
                throw .invalidChunkSize
            } else {
                state = try Self.afterElement(byte, or: .invalidChunkSize)
            }
        case .name:
            if ASCII.isToken(byte) {
                state = .inName
            } else if !ASCII.isBlank(byte) {
                throw Self.extensionError(byte)
            }
        case .inName:
            if byte == UInt8(ascii: "=") {
                state = .value
            } else if ASCII.isBlank(byte) {
                state = .blanksAfterName
            } else if !ASCII.isToken(byte) {
                state = try Self.afterElement(byte, or: .invalidChunkExtension)
            }
        case .value:
            if byte == UInt8(ascii: "\"") {
                state = .quoted
            } else if ASCII.isToken(byte) {
                state = .inValue
            } else if !ASCII.isBlank(byte) {
                throw Self.extensionError(byte)
            }
        case .inValue:
            if !ASCII.isToken(byte) {
                state = try Self.afterElement(byte, or: .invalidChunkExtension)
            }
        case .afterQuoted:
            state = try Self.afterElement(byte, or: .invalidChunkExtension)
        case .quoted, .escaped:
            try quotedByteReceived(byte)
        case .blanks, .blanksAfterName:
            try byteAfterBlanksReceived(byte)
        case .lineFeed:
            guard byte == 0x0a else { throw .bareCarriageReturn }
            state = .done
        case .done:
            break
        }
    }

    private mutating func quotedByteReceived(_ byte: UInt8) throws(MessageError) {
        guard ASCII.isFieldValue(byte) else { throw Self.extensionError(byte) }
        if state == .escaped {
            state = .quoted
        } else if byte == UInt8(ascii: "\\") {
            state = .escaped
        } else if byte == UInt8(ascii: "\"") {
            state = .afterQuoted
        }
    }

    private mutating func byteAfterBlanksReceived(_ byte: UInt8) throws(MessageError) {
        if byte == UInt8(ascii: ";") {
            state = .name
        } else if byte == UInt8(ascii: "="), state == .blanksAfterName {
            state = .value
        } else if !ASCII.isBlank(byte) {
            throw Self.extensionError(byte)
        }
    }

    /// What may follow a size, name or value: white space, another extension, the line's end.
    private static func afterElement(
        _ byte: UInt8, or error: MessageError
    ) throws(MessageError) -> State {
        switch byte {
        case UInt8(ascii: ";"): return .name
        case 0x20, 0x09: return .blanks
        case 0x0d: return .lineFeed
        case 0x0a: throw .bareLineFeed
        default: throw error
        }
    }

    private static func extensionError(_ byte: UInt8) -> MessageError {
        byte == 0x0a ? .bareLineFeed : .invalidChunkExtension
    }
}

extension ResponseParser {
    /// Reads chunk lines and data; what frames the data is consumed and never shown.
    mutating func parseChunk(
        _ input: Span<UInt8>
    ) throws(MessageError) -> (step: Step, consumed: Int) {
        var index = 0
        while true {
            let rest = input.extracting(index..<input.count)
            switch state {
            case .chunkLine:
                index &+= try chunkLine.read(rest, limit: limits.chunkLineBytes)
                guard chunkLine.state == .done else { return (.needMore, index) }
                remaining = chunkLine.size
                chunkLine = ChunkLine()
                if remaining > 0 {
                    state = .chunkData
                } else {
                    beginTrailers()
                    let (step, consumed) = try parseTrailers(
                        input.extracting(index..<input.count))
                    return (step, index &+ consumed)
                }
            case .chunkData:
                let count = min(remaining, rest.count)
                guard count > 0 else { return (.needMore, index) }
                remaining &-= count
                if remaining == 0 { state = .chunkEnd }
                return (.body(index..<index &+ count), index &+ count)
            case .chunkEnd:
                guard let first = rest.count > 0 ? rest[0] : nil else { return (.needMore, index) }
                guard first == 0x0d else { throw .invalidChunkEnd }
                guard rest.count > 1 else { return (.needMore, index) }
                guard rest[1] == 0x0a else { throw .invalidChunkEnd }
                index &+= 2
                state = .chunkLine
            case .idle, .statusLine, .fields, .counted, .trailers, .untilClose:
                return (.needMore, index)
            }
        }
    }
}
