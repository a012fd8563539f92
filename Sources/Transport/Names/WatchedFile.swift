// A small file of the system that may change while we run: read when its time, size or identity is
// another. Looked at when somebody asks and the last look is old enough; no thread, no inotify.

internal import Glibc

struct WatchedFile {
    /// What stat(2) tells two versions of a file apart by.
    private struct Stamp: Equatable {
        var device: UInt = 0
        var inode: UInt = 0
        var size = 0
        var seconds = 0
        var nanoseconds = 0
    }

    let path: String
    private let most: Int
    private let interval: Int64
    private var lookedAt: Int64?
    private var stamp: Stamp?

    init(_ path: String, most: Int, interval: Int64) {
        self.path = path
        self.most = most
        self.interval = interval
    }

    /// The file's bytes, the first time and when it has changed; empty when there is no such file.
    /// Nil when it is as it was, or was looked at less than the interval ago.
    mutating func bytesIfChanged(now: Int64) -> [UInt8]? {
        if let lookedAt, now - lookedAt < interval { return nil }
        let isFirst = lookedAt == nil
        lookedAt = now
        let found = Self.stamp(of: path)
        guard isFirst || found != stamp else { return nil }
        stamp = found
        return found == nil ? [] : read()
    }

    private static func stamp(of path: String) -> Stamp? {
        var status = stat()
        // stat writes one `struct stat`; the path is read during the call only.
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Stamp(
            device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    private func read() -> [UInt8] {
        // O_NONBLOCK: a pipe in the file's place must not hold the loop. The path is read during
        // the call only.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < most {
            let room = min(65_536, most - bytes.count)
            // The kernel writes into the array's own space, at most `room` bytes.
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: room) { space, count in
                count = unsafe max(0, Glibc.read(descriptor, space.baseAddress, room))
            }
            if piece.isEmpty { break }
            bytes += piece
        }
        return bytes
    }
}
