// The few file operations that fixtures need, without Foundation. Any thread.

internal import Glibc

package enum Files {
    /// A new directory under TMPDIR or /tmp.
    package static func makeTemporaryDirectory(_ name: String) throws(ServerError) -> String {
        // The environment's string is copied at once.
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/\(name)-XXXXXX".utf8CString)
        // mkdtemp replaces the six X in place.
        guard unsafe mkdtemp(&template) != nil else { throw .system("mkdtemp", errno) }
        return String(
            decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func write(_ text: String, to path: String) throws(ServerError) {
        try write(Array(text.utf8), to: path)
    }

    package static func write(_ bytes: [UInt8], to path: String) throws(ServerError) {
        // open reads the path during the call only.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("open", errno) }
        defer { _ = close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            // The kernel reads the array during the call only.
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { throw .system("write", errno) }
            rest.removeFirst(count)
        }
    }

    /// The whole file as UTF-8; nil if it can't be read.
    package static func text(_ path: String) -> String? {
        // open reads the path during the call only.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            // read writes at most what the block holds.
            let count = unsafe read(descriptor, &block, block.count)
            guard count > 0 else { break }
            all.append(contentsOf: block.prefix(count))
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// The permission bits; nil if there is no such file.
    package static func mode(_ path: String) -> UInt32? {
        var facts = stat()
        // stat reads the path and writes one structure, during the call.
        return unsafe stat(path, &facts) == 0 ? facts.st_mode & 0o7777 : nil
    }

    /// Removes a file, or a directory and the files in it, one level deep; what is not there is no
    /// failure.
    package static func remove(_ path: String) {
        // The entry's name lives until the next readdir and is copied; paths are read during calls.
        if let directory = unsafe opendir(path) {
            while let entry = unsafe readdir(directory) {
                let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { _ = unsafe unlink("\(path)/\(name)") }
            }
            unsafe closedir(directory)
        }
        _ = unsafe Glibc.remove(path)
    }

    package static func isExecutable(_ path: String) -> Bool {
        // access reads the path during the call only.
        unsafe access(path, X_OK) == 0
    }
}
