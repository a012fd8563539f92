// What the command asks of its process: standard descriptors that are open, descriptors enough, and
// a last word on standard error.

internal import Glibc

/// A closed standard descriptor's number would go to the next file that is opened, the reactor's
/// epoll set perhaps. What stands in for it can't be read where it is the input, and not be written
/// where it is an output: using it fails, as it should.
func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
        let mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY
        _ = unsafe open("/dev/null", mode)  // the pointer is to a literal
    }
}

/// Writes a short text, blocking, when nothing else runs any more.
func writeAll(_ text: String, to descriptor: CInt) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        // The pointer is to `rest`, for the call.
        let count = unsafe rest.withUnsafeBytes { bytes in
            unsafe write(descriptor, bytes.baseAddress, bytes.count)
        }
        guard count > 0 || errno == EINTR else { return }
        rest = rest.dropFirst(max(0, count))
    }
}

/// Raises this process's soft limit on open descriptors, as far as the hard one lets it.
func raiseDescriptorLimit(to count: Int) {
    let wanted = rlim_t(count)
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    // Both calls see `limit` for their own length only.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < wanted else { return }
    limit.rlim_cur = min(wanted, limit.rlim_max)
    _ = unsafe setrlimit(resource, &limit)
}

/// The file that `--input` names, or standard input for `-`.
struct InputFile {
    let descriptor: CInt
    /// What it is called where it can't be read.
    let name: String
    /// Its bytes; nil for what is no regular file.
    let size: Int?

    init(_ path: String) throws(CommandExit) {
        // The path lives for the call.
        let opened = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else {
            // Read before anybody calls it again.
            let sentence = unsafe String(cString: strerror(errno))
            throw .notStarted("--input \(path): \(sentence)")
        }
        descriptor = opened
        name = path == "-" ? InputFile.standard : "--input \(path)"
        var status = stat()
        // The call sees `status` for its own length only.
        let isFile = unsafe fstat(opened, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        size = isFile ? Int(status.st_size) : nil
    }

    static let standard = "standard input"

    func close() {
        if descriptor != STDIN_FILENO { _ = Glibc.close(descriptor) }
    }
}
