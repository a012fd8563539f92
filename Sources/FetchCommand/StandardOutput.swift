// The command's standard output, written without ever blocking the reactor's thread (pipe(7)).
//
// The descriptor is shared and stays blocking. A write of at most PIPE_BUF bytes to a pipe that
// poll has called writable does not block: Linux says "writable" when a whole page is free. So
// output leaves in such pieces, and when there is no room epoll says when there is some again.

internal import FetchBytes
internal import FetchReactor
internal import Glibc

/// A queue of bytes on their way out; owned by `LineRun` or `SingleFetch`.
final class StandardOutput: ReadinessHandler {
    /// Most bytes of one write: PIPE_BUF; a terminal's buffer is only sure to take less.
    private static let pipeWriteSize = 4_096
    private static let terminalWriteSize = 256
    /// Most writes in one turn.
    private static let writesPerTurn = 64
    /// Lines are gathered into pieces of this size at most; a longer one is a piece of its own.
    private static let pieceSize = 65_536

    private let reactor: Reactor
    private let descriptor: CInt
    private let writeSize: Int
    private let readiness: SharedDescriptor
    private var isScheduled = false
    /// What waits, first to last: `pieces` from `current` on, less `written` bytes; then `tail`.
    private var pieces: [Bytes] = []
    private var current = 0
    private var written = 0
    private var tail: [UInt8] = []

    /// Bytes that wait to be written.
    private(set) var waiting = 0
    /// The errno that ended the output, and what was waiting with it.
    private(set) var failure: CInt?
    /// Called when bytes have left or the output has failed, outside of `append`.
    var progressed: () -> Void = {}

    init(descriptor: CInt = STDOUT_FILENO, on reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
        readiness = SharedDescriptor(descriptor, on: reactor)
        writeSize = isatty(descriptor) == 1 ? Self.terminalWriteSize : Self.pipeWriteSize
    }

    /// Queues a line; it leaves in this turn, with all that is appended until then.
    func append(line: [UInt8]) {
        if tail.count + line.count <= Self.pieceSize {
            guard failure == nil else { return }
            tail.append(contentsOf: line)
            waiting += line.count
            schedule()
        } else {
            append(Bytes(line))
        }
    }

    /// Queues bytes as they are, without copying them.
    func append(_ bytes: Bytes) {
        guard failure == nil, !bytes.isEmpty else { return }
        sealTail()
        pieces.append(bytes)
        waiting += bytes.count
        schedule()
    }

    private func sealTail() {
        guard !tail.isEmpty else { return }
        pieces.append(Bytes(tail))
        tail = []
    }

    func descriptorReady(_ readiness: Readiness) {
        flush()
    }

    private func schedule() {
        guard !isScheduled, !readiness.isWaiting else { return }
        isScheduled = true
        reactor.enqueue { [self] in
            isScheduled = false
            flush()
        }
    }

    private func flush() {
        var writes = 0
        while waiting > 0, writes < Self.writesPerTurn, isWritable(), writeOnce() { writes += 1 }
        if waiting > 0 { readiness.wait(for: .writable, self) } else { readiness.leave() }
        if writes > 0 || failure != nil { progressed() }
    }

    /// Errors and hang-ups count as writable: the write itself says which they are.
    private func isWritable() -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // One entry, alive for the call.
        return unsafe poll(&entry, 1, 0) == 1
    }

    /// False when nothing could be written for now, or ever.
    private func writeOnce() -> Bool {
        if current == pieces.count { sealTail() }
        let piece = pieces[current]
        let count = min(writeSize, piece.count - written)
        // `written + count` is within the piece.
        let taken = unsafe piece.withUnsafeBytes { bytes in
            unsafe write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, count)
        }
        guard taken >= 0 else {
            if errno != EINTR && errno != EAGAIN { fail(errno) }
            return false
        }
        advance(by: taken)
        return true
    }

    private func advance(by count: Int) {
        waiting -= count
        written += count
        guard written == pieces[current].count else { return }
        pieces[current] = Bytes()
        current += 1
        written = 0
        if current == pieces.count || current == 64 {
            pieces.removeFirst(current)
            current = 0
        }
    }

    private func fail(_ error: CInt) {
        failure = error
        (pieces, tail) = ([], [])
        (current, written, waiting) = (0, 0, 0)
    }
}
