// The closed list of codes of failed results (docs/jsonl.md). Pure.

internal import Fetch

/// A code: one of the library's, or one of what only a run of lines can have wrong.
package struct ResultCode: Hashable, Sendable {
    package let name: String

    private init(_ name: String) {
        self.name = name
    }

    /// The line is not JSON.
    package static let invalidJSON = ResultCode("invalid-json")
    /// The line has a member that this version does not know.
    package static let unsupportedField = ResultCode("unsupported-field")
    /// The run ended before the request did.
    package static let cancelled = ResultCode("cancelled")
    /// The response came and its body could not be kept.
    package static let outputFailed = ResultCode("output-failed")
    /// The line asks for what can't be sent.
    package static let invalidRequest = ResultCode(FetchError.Code.invalidRequest)

    init(_ code: FetchError.Code) {
        switch code {
        case .forked, .uploadLengthMismatch, .unacceptableStatus:
            // Nothing that a line can ask for ends so.
            name = FetchError.Code.system.rawValue
        default:
            name = code.rawValue
        }
    }

    /// Every code that a result can have.
    package static let all =
        Set(FetchError.Code.allCases.map { ResultCode($0) })
        .union([invalidJSON, unsupportedField, cancelled, outputFailed])
}
