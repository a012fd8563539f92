// Where the secrets of connections are written for those who may see them (NSS key log format).
// Owned by a context; the reactor's thread.

internal import Glibc

/// A file that lines are appended to, each in one write: several processes may share it.
struct KeyLogFile: ~Copyable {
    private let descriptor: CInt

    /// Nil when nothing is to be logged.
    init?(_ keyLog: TLSConfiguration.KeyLog, _ environment: TLSEnvironment) throws(TLSFailure) {
        let path: String
        switch keyLog {
        case .off: return nil
        case .file(let named): path = named
        case .environment:
            guard let named = environment.keyLogFile else { return nil }
            path = named
        }
        // The path is read during the call. The lines open every connection: nobody else's eyes.
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = PEMReader.ReadFailure(errno)
            throw .invalidConfiguration(key: "tls.keyLog", reason: "\(path): \(reason)")
        }
    }

    /// A line that can't be written is lost: the log is an aid, and no connection fails for it.
    borrowing func append(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // The kernel reads the array during the call.
        _ = unsafe write(descriptor, bytes, bytes.count)
    }

    deinit {
        close(descriptor)
    }
}
