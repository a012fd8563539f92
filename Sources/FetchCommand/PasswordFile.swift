// The file that a key's password stands in. Blocking calls, before any reactor has work.

internal import Glibc

enum PasswordFile {
    /// OpenSSL takes 1,023 bytes of a password; a longer line can't be right.
    private static let limit = 1_023

    /// The first line without its end, as UTF-8.
    static func firstLine(of path: String) throws(CommandExit) -> String {
        // open reads the path during the call only.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { _ = close(descriptor) }
        var line: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 256)
        while line.count <= limit {
            // read writes at most what the block holds.
            let count = unsafe read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw failure(path, errno) }
            let piece = block[..<count].prefix { $0 != UInt8(ascii: "\n") }
            line += piece
            if count == 0 || piece.count < count { break }
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard line.count <= limit, let password = String(validating: line, as: UTF8.self) else {
            throw .notStarted("--pass-file \(path): no line of at most \(limit) bytes of UTF-8")
        }
        return password
    }

    private static func failure(_ path: String, _ error: CInt) -> CommandExit {
        // Read before anybody calls strerror again.
        .notStarted("--pass-file \(path): \(unsafe String(cString: strerror(error)))")
    }
}
