// The command's standard output, written without ever blocking the reactor's thread (pipe(7)).
//
// The descriptor is shared and stays blocking. A write of at most PIPE_BUF bytes to a pipe that
// poll has called writable does not block: Linux says "writable" when a whole page is free. So
// output leaves in such pieces, and when there is no room epoll says when there is some again.

internal import FetchReactor
internal import Glibc

/// A queue of bytes on their way out; owned by `LineRun` or `SingleFetch`.
final class StandardOutput: ReadinessHandler {
    /// Most bytes of one write: PIPE_BUF; a terminal's buffer is only sure to take less.
    private static let pipeWriteSize = 4_096
    private static let terminalWriteSize = 256
    /// Most writes in one turn.
    private static let writesPerTurn = 64
    /// Lines are gathered into pieces of about this size; a longer line is a piece of its own.
    private static let pieceSize = 65_536

    private let reactor: Reactor
    private let descriptor: CInt
    private let writeSize: Int
    private let readiness: SharedDescriptor
    private var isScheduled = false
    private var pieces: [[UInt8]] = []
    /// `pieces[..<current]` are written, and `written` bytes of `pieces[current]`.
    private var current = 0
    private var written = 0

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

    /// Queues bytes; they leave in this turn, with all that is appended until then.
    func append(_ bytes: some Collection<UInt8>) {
        guard failure == nil, !bytes.isEmpty else { return }
        if let last = pieces.last, last.count + bytes.count <= Self.pieceSize {
            pieces[pieces.count - 1].append(contentsOf: bytes)
        } else {
            pieces.append(Array(bytes))
        }
        waiting += bytes.count
        if !readiness.isWaiting { schedule() }
    }

    func descriptorReady(_ readiness: Readiness) {
        flush()
    }

    private func schedule() {
        guard !isScheduled else { return }
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
        let count = min(writeSize, pieces[current].count - written)
        // `written + count` is within the piece.
        let taken = unsafe pieces[current].withUnsafeBytes { piece in
            unsafe write(descriptor, piece.baseAddress.map { unsafe $0 + written }, count)
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
        pieces[current] = []
        current += 1
        written = 0
        if current == pieces.count || current == 64 {
            pieces.removeFirst(current)
            current = 0
        }
    }

    private func fail(_ error: CInt) {
        failure = error
        pieces = []
        (current, written, waiting) = (0, 0, 0)
    }
}
