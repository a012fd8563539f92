// How the command ends: an exit status, and one line on standard error unless all is well.

internal import Glibc

enum CommandExit: Error, Equatable, Sendable {
    case success
    /// No response, or only a part of one; the sentence names phase and cause.
    case fetchFailed(String)
    /// `--fail`, and a status of 400 or above.
    case unacceptableStatus(String)
    case outputFailed(errno: CInt)
    /// What can't be read further: standard input, or the option and the file that it names.
    case inputFailed(source: String, errno: CInt)
    /// Something this program can't work without is missing.
    case notStarted(String)

    var status: CInt {
        switch self {
        case .success: 0
        case .fetchFailed, .outputFailed, .inputFailed, .notStarted: 1
        case .unacceptableStatus: 22
        }
    }

    /// One line, whatever a peer or an argument put into it.
    var message: String? {
        let text: String
        switch self {
        case .success: return nil
        case .fetchFailed(let sentence), .unacceptableStatus(let sentence),
            .notStarted(let sentence):
            text = sentence
        case .outputFailed(let error): text = "standard output: \(Self.sentence(for: error))"
        case .inputFailed(let source, let error): text = "\(source): \(Self.sentence(for: error))"
        }
        let scalars = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        return "fetch: " + String(String.UnicodeScalarView(scalars)) + "\n"
    }

    private static func sentence(for error: CInt) -> String {
        unsafe String(cString: strerror(error))  // read before anybody calls it again
    }
}
