// What the kernel says of this process (proc(5)). Any thread.

internal import Glibc

package enum ProcessFacts {
    /// Threads now.
    package static var threads: Int { status("Threads") }

    /// Resident memory now, in KiB.
    package static var residentKiB: Int { status("VmRSS") }

    /// What the threads are called that are there now.
    package static var threadNames: [String] {
        entries(of: "/proc/self/task").compactMap { id in
            Files.text("/proc/self/task/\(id)/comm").map { String($0.dropLast()) }
        }
    }

    /// What the open descriptors stand for: `socket:[123]`, `anon_inode:[eventfd]`, a path.
    package static var descriptorKinds: [String] {
        entries(of: "/proc/self/fd").compactMap { number in
            var text = [CChar](repeating: 0, count: 256)
            // readlink writes at most what the buffer holds.
            let length = unsafe readlink("/proc/self/fd/\(number)", &text, text.count)
            guard length >= 0 else { return nil }
            return String(
                decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The numbered entries of a directory.
    private static func entries(of directory: String) -> [Int] {
        // The stream is this function's own until closedir; an entry is read before the next one.
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var numbers: [Int] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int(name) { numbers.append(number) }
        }
        return numbers
    }

    /// The number in a line of /proc/self/status; 0 if there is none.
    private static func status(_ name: String) -> Int {
        let text = Files.text("/proc/self/status") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            return Int(line.filter { $0.isNumber }) ?? 0
        }
        return 0
    }
}
