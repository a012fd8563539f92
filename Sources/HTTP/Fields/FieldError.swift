// FieldError: what can be wrong with a field the caller gives. Pure; any thread. Values are not
// repeated in it: they may be secret.

/// Why a field was refused.
public enum FieldError: Error, Equatable, Sendable {
    /// The name is empty or holds something other than token characters.
    case invalidName(String)
    /// The value holds CR, LF, NUL or another control character than HTAB.
    case invalidValue(name: String)
    /// More fields, or more bytes, than `Headers.mostFields` and `Headers.mostBytes`.
    case tooLarge
}

extension FieldError: CustomStringConvertible {
    /// One line that names the field.
    public var description: String {
        switch self {
        case .invalidName(let name): "invalid field name \(name.debugDescription)"
        case .invalidValue(let name): "invalid value of field \(name)"
        case .tooLarge: "too many header fields"
        }
    }
}
