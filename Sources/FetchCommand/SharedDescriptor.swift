// Waiting for a descriptor that the command shares with whoever started it (epoll(7)). Reactor
// thread; owned by `StandardInput` and `StandardOutput`.
//
// A shared descriptor is never made non-blocking: that would be seen by everybody who shares it.
// Regular files, and some devices, epoll refuses because they are always ready: an eventfd that is
// always readable and writable stands in for them, so that they too get their turn once a turn.

internal import CFetchLinux
internal import FetchReactor
internal import Glibc

final class SharedDescriptor {
    private let reactor: Reactor
    private let descriptor: CInt
    private var standIn: CInt = -1
    private var registration: Registration?

    init(_ descriptor: CInt, on reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
    }

    deinit {
        if standIn >= 0 { _ = close(standIn) }
    }

    var isWaiting: Bool { registration != nil }

    /// Calls the handler in each turn in which the descriptor is ready, until `leave`.
    func wait(for interest: Interest, _ handler: any ReadinessHandler) {
        guard registration == nil else { return }
        if standIn < 0 {
            registration = try? reactor.register(descriptor, interest, handler)
            if registration != nil { return }
            // Whatever epoll has against it, reading or writing will tell.
            standIn = eventfd(1, CInt(EFD_CLOEXEC))
        }
        registration = try? reactor.register(standIn, interest, handler)
    }

    /// Leaves the set: an idle registration would still hear of the other side's end
    /// (`EPOLLHUP`, `EPOLLERR`), in every turn.
    func leave() {
        if let registration { reactor.deregister(registration) }
        registration = nil
    }
}
