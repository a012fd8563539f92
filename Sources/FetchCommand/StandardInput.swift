// The command's standard input as an event source on the reactor's thread (epoll(7)).
//
// The descriptor is shared with whoever started the command, so it stays in the mode it came in: a
// blocking one. It is read only when epoll has called it readable, once each time: level-triggered,
// what is left calls again. A regular file epoll refuses, because it is always ready: it is read
// once a turn, so that a large one starves nobody.

internal import FetchReactor
internal import Glibc

/// Who hears what arrives.
protocol StandardInputHandler: AnyObject {
    func inputReceived(_ bytes: ArraySlice<UInt8>)
    /// No more input will come; `failure` is the errno that ended it, if one did.
    func inputEnded(failure: CInt?)
}

/// Reads while `resume` was the last thing said; owned by `LineRun`.
final class StandardInput: ReadinessHandler {
    /// Most bytes taken in one go: what a pipe holds by default.
    private static let readSize = 65_536

    private let reactor: Reactor
    private let descriptor: CInt
    private var registration: Registration?
    private var isAlwaysReady = false
    private var isReading = false
    private var hasEnded = false
    private var buffer = [UInt8](repeating: 0, count: readSize)
    weak var handler: (any StandardInputHandler)?

    init(descriptor: CInt = STDIN_FILENO, on reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
    }

    func resume() {
        guard !isReading, !hasEnded else { return }
        isReading = true
        if !isAlwaysReady && !register() { isAlwaysReady = true }
        if isAlwaysReady { readNextTurn() }
    }

    /// Leaves the set altogether: a closed pipe calls (`EPOLLHUP`) whatever the interest is.
    func pause() {
        isReading = false
        if let registration { reactor.deregister(registration) }
        registration = nil
    }

    func descriptorReady(_ readiness: Readiness) {
        if isReading { readOnce() }
    }

    /// False when epoll will have nothing to do with the descriptor; reading it then says why.
    private func register() -> Bool {
        registration = try? reactor.register(descriptor, .readable, self)
        return registration != nil
    }

    private func readNextTurn() {
        reactor.enqueue { [self] in
            guard isReading else { return }
            readOnce()
            if isReading { readNextTurn() }
        }
    }

    private func readOnce() {
        // The kernel writes at most `count` bytes, which is what the buffer has.
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            unsafe read(descriptor, room.baseAddress, room.count)
        }
        if count > 0 {
            handler?.inputReceived(buffer[..<count])
        } else if count == 0 {
            end(failure: nil)
        } else if errno != EINTR && errno != EAGAIN {
            end(failure: errno)
        }
    }

    private func end(failure: CInt?) {
        hasEnded = true
        pause()
        handler?.inputEnded(failure: failure)
    }
}
