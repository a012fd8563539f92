// MessageError: what a server did wrong (RFC 9112). Pure; any thread. After one of these the
// connection is closed: nothing more can be read from it safely.

/// Why bytes are not a response.
package enum MessageError: Error, Equatable, Sendable {
    /// The status line is not `HTTP/1.x NNN reason`.
    case invalidStatusLine
    /// A major version other than 1.
    case unsupportedVersion
    /// A status below 100.
    case invalidStatus
    /// 101 to a request that asked for no other protocol.
    case unexpectedUpgrade
    /// LF without CR.
    case bareLineFeed
    /// CR without LF.
    case bareCarriageReturn
    /// NUL or another control character.
    case controlCharacter
    /// A line that begins with white space.
    case foldedLine
    /// A field name that is empty or holds something other than token characters.
    case invalidFieldName
    /// White space between a field name and its colon.
    case spaceBeforeColon
    /// A field line without a colon.
    case missingColon
    /// A Content-Length that is not digits, or larger than can be counted.
    case invalidContentLength
    /// Content-Length values that differ.
    case conflictingContentLength
    /// Content-Length and Transfer-Encoding together.
    case lengthAndTransferEncoding
    /// A Transfer-Encoding other than exactly one final `chunked`.
    case unsupportedTransferEncoding
    /// Transfer-Encoding in a response of HTTP/1.0.
    case transferEncodingInOldVersion
    /// A chunk size that is not hexadecimal digits, or larger than can be counted.
    case invalidChunkSize
    /// A chunk extension outside the grammar of section 7.1.1.
    case invalidChunkExtension
    /// Chunk data that is not followed by CR LF.
    case invalidChunkEnd
    /// Over `ParserLimits.headBytes`.
    case headTooLarge
    /// Over `ParserLimits.fields`.
    case tooManyFields
    /// Over `ParserLimits.startLineBytes`.
    case startLineTooLong
    /// Over `ParserLimits.trailerBytes`.
    case trailersTooLarge
    /// Over `ParserLimits.interimResponses`.
    case tooManyInterimResponses
    /// Over `ParserLimits.chunkLineBytes`.
    case chunkLineTooLong
    /// The input ended before the first byte of a response.
    case closedBeforeResponse
    /// The input ended inside a head, or between an interim response and the final one.
    case truncatedHead
    /// The input ended inside a body of known length or a chunked body.
    case truncatedBody
}

extension MessageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidStatusLine: "invalid status line"
        case .unsupportedVersion: "HTTP version is not 1.x"
        case .invalidStatus: "status code below 100"
        case .unexpectedUpgrade: "101 without an upgrade asked for"
        case .bareLineFeed: "LF without CR"
        case .bareCarriageReturn: "CR without LF"
        case .controlCharacter: "control character in a head"
        case .foldedLine: "folded or indented field line"
        case .invalidFieldName: "invalid field name"
        case .spaceBeforeColon: "white space before a field's colon"
        case .missingColon: "field line without a colon"
        case .invalidContentLength: "invalid Content-Length"
        case .conflictingContentLength: "conflicting Content-Length values"
        case .lengthAndTransferEncoding: "both Content-Length and Transfer-Encoding"
        case .unsupportedTransferEncoding: "unsupported Transfer-Encoding"
        case .transferEncodingInOldVersion: "Transfer-Encoding in HTTP/1.0"
        case .invalidChunkSize: "invalid chunk size"
        case .invalidChunkExtension: "invalid chunk extension"
        case .invalidChunkEnd: "chunk not followed by CR LF"
        case .headTooLarge: "response head too large"
        case .tooManyFields: "too many fields"
        case .startLineTooLong: "status line too long"
        case .trailersTooLarge: "trailers too large"
        case .tooManyInterimResponses: "too many interim responses"
        case .chunkLineTooLong: "chunk size line too long"
        case .closedBeforeResponse: "connection closed before a response"
        case .truncatedHead: "connection closed inside a response head"
        case .truncatedBody: "connection closed inside a response body"
        }
    }
}
