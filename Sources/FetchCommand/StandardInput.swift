// The command's standard input as an event source on the reactor's thread (epoll(7)).
//
// The descriptor stays in the mode it came in: a blocking one. It is read only when it is readable,
// once each time; what is left calls again.

internal import FetchReactor
internal import Glibc

/// Who hears what arrives.
protocol StandardInputHandler: AnyObject {
    func inputReceived(_ bytes: ArraySlice<UInt8>)
    /// No more input will come; `failure` is the errno that ended it, if one did.
    func inputEnded(failure: CInt?)
}

/// Reads while `resume`, not `pause`, was said last; owned by `LineRun`.
final class StandardInput: ReadinessHandler {
    /// Most bytes taken in one go: what a pipe holds by default.
    private static let readSize = 65_536

    private let descriptor: CInt
    private let readiness: SharedDescriptor
    private var hasEnded = false
    private var buffer = [UInt8](repeating: 0, count: readSize)
    weak var handler: (any StandardInputHandler)?

    init(descriptor: CInt = STDIN_FILENO, on reactor: Reactor) {
        self.descriptor = descriptor
        readiness = SharedDescriptor(descriptor, on: reactor)
    }

    func resume() {
        if !hasEnded { readiness.wait(for: .readable, self) }
    }

    func pause() {
        readiness.leave()
    }

    func descriptorReady(_ readiness: Readiness) {
        readOnce()
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
