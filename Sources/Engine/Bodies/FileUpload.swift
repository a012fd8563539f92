// A file as a request's body: read piece by piece as the peer takes it (pread(2)), so that a file
// of any size costs one buffer. Reading a file may wait for the disk; epoll cannot wait for files.
// Reactor thread.

package import FetchBytes
package import FetchReactor
internal import Glibc

package final class FileUpload: Upload {
    package let length: Int?
    package var moreArrived: (() -> Void)?
    private let descriptor: CInt
    private var offset = 0

    /// Opens the file and takes its size, which must not change until it is sent.
    package init(path: String) throws(SystemError) {
        // open() reads the path's bytes during the call only.
        descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .failed(.open, errno: errno) }
        var facts = stat()
        // fstat writes one stat structure.
        guard unsafe fstat(descriptor, &facts) == 0 else {
            let number = errno
            close(descriptor)
            throw .failed(.open, errno: number)
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .failed(.open, errno: facts.st_mode & S_IFMT == S_IFDIR ? EISDIR : ESPIPE)
        }
        length = Int(facts.st_size)
    }

    package func pull(into buffer: ByteBuffer, atMost: Int) -> UploadPull {
        let wanted = min(atMost, (length ?? 0) - offset)
        guard wanted > 0 else { return .end(trailers: nil) }
        // The kernel writes into the buffer's own free space, never past its end.
        let count = unsafe buffer.withFreeSpace(atLeast: wanted) { space in
            let count = unsafe pread(descriptor, space.baseAddress, wanted, off_t(offset))
            return (written: max(0, count), result: count)
        }
        guard count >= 0 else { return .failed(SystemError.failed(.read, errno: errno)) }
        // The file became shorter: the exchange compares what was given with what was declared.
        guard count > 0 else { return .end(trailers: nil) }
        offset += count
        return .bytes(count)
    }

    package func stop() {
        moreArrived = nil
    }

    package var isReplayable: Bool { true }

    package func rewind() -> Bool {
        offset = 0
        return true
    }

    deinit {
        close(descriptor)
    }
}
