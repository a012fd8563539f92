// `--output DIR`: each body in a file of its own, named by the line of its URL. Regular files are
// written blocking: the kernel takes them as fast as memory. Reactor thread.

internal import Fetch
internal import Glibc

struct BodyFolder {
    /// Why a body could not be kept.
    struct Failure: Error {
        let message: String
    }

    private let path: String

    /// The folder, made if it is not there.
    init(_ path: String) throws(CommandExit) {
        self.path = path
        // The path lives for the calls; the status is written by the second one.
        var status = stat()
        let isThere =
            unsafe mkdir(path, 0o777) == 0 || (errno == EEXIST && stat(path, &status) == 0)
        guard isThere else { throw .notStarted("--output \(path): \(Self.sentence(for: errno))") }
    }

    /// Writes a body and returns its file's path. A file of that name is replaced.
    func keep(_ body: Bytes, of line: Int) throws(Failure) -> String {
        let name = "\(path)/\(line)"
        // The path lives for the call.
        let file = unsafe open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw Failure(message: "\(name): \(Self.sentence(for: errno))") }
        var written = 0
        var failure: CInt = 0
        // What is written lies within the body.
        unsafe body.withUnsafeBytes { bytes in
            while written < bytes.count, failure == 0 {
                let rest = unsafe bytes.baseAddress.map { unsafe $0 + written }
                let count = unsafe write(file, rest, bytes.count - written)
                if count >= 0 { written += count } else if errno != EINTR { failure = errno }
            }
        }
        if close(file) != 0, failure == 0 { failure = errno }
        guard failure == 0 else {
            throw Failure(message: "\(name): \(Self.sentence(for: failure))")
        }
        return name
    }

    private static func sentence(for error: CInt) -> String {
        unsafe String(cString: strerror(error))  // read before anybody calls it again
    }
}
