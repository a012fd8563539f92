// What the tests of this room share: descriptors that are ready when told, and handlers that log.

import CFetchLinux
import FetchReactor
import FetchTime
import Glibc

/// An eventfd: readable after `raise`, until `lower`.
final class Bell {
    let descriptor: CInt

    init(raised: Bool = false) {
        descriptor = eventfd(raised ? 1 : 0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    }

    deinit { close(descriptor) }

    func raise() { eventfd_write(descriptor, 1) }

    func lower() {
        var value: eventfd_t = 0
        // The pointer is to a local.
        unsafe eventfd_read(descriptor, &value)
    }
}

/// Calls a closure for everything that it hears.
final class Ear: ReadinessHandler, TimerHandler {
    var onReady: (Readiness) -> Void = { _ in }
    var onTimer: (Int) -> Void = { _ in }
    var heard = 0

    init(_ onReady: @escaping (Readiness) -> Void = { _ in }) { self.onReady = onReady }

    func descriptorReady(_ readiness: Readiness) {
        heard += 1
        onReady(readiness)
    }

    func timerFired(_ token: Int) {
        heard += 1
        onTimer(token)
    }
}

/// Whether poll(2) says that the descriptor is readable, within so many milliseconds.
func isReadable(_ descriptor: CInt, within milliseconds: CInt = 0) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // The pointer is to a local.
    return unsafe poll(&entry, 1, milliseconds) == 1
}

/// Keeps the thread busy until the system's clock has moved on that far.
func spin(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {}
}

/// An embedded reactor whose clock only `advance(by:)` moves.
func steppedReactor(
    _ configure: (inout Reactor.Configuration) -> Void = { _ in }
) throws -> Reactor {
    var configuration = Reactor.Configuration()
    configuration.virtualTime = VirtualTime(jumps: false)
    configure(&configuration)
    return try .embedded(configuration)
}
