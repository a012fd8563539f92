// placeholder until the library's list is known
package enum ResultCode: String, CaseIterable, Sendable {
    case invalidJSON = "invalid-json"
    case invalidRequest = "invalid-request"
    case unsupportedField = "unsupported-field"
}
