// One epoll instance with its array of events (epoll(7)), for the two loops that must not use the
// library they measure: the floor and the embedded origin. One owner, one thread.

import CFetchLinux
import Glibc

/// epoll with at most 1,024 events a wait; safe, for its one pointer never leaves it.
@safe final class EventQueue {
    static let capacity = 1_024
    private let descriptor: CInt
    /// Owned by this object; filled by epoll_wait, read up to the count it answered.
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws {
        descriptor = try check(epoll_create1(CInt(O_CLOEXEC)), "epoll_create1")
        unsafe events = .allocate(capacity: Self.capacity)
    }

    deinit {
        close(descriptor)
        unsafe events.deallocate()
    }

    func add(_ target: CInt, _ interest: EPOLL_EVENTS) throws {
        try control(EPOLL_CTL_ADD, target, interest)
    }

    func modify(_ target: CInt, _ interest: EPOLL_EVENTS) throws {
        try control(EPOLL_CTL_MOD, target, interest)
    }

    private func control(_ operation: CInt, _ target: CInt, _ interest: EPOLL_EVENTS) throws {
        // Holds a C union; this file is its only reader and writer, always as `fd`.
        var event = unsafe epoll_event()
        unsafe event.events = interest.rawValue
        unsafe event.data.fd = target
        // The kernel copies the struct during the call.
        try check(unsafe epoll_ctl(descriptor, operation, target, &event), "epoll_ctl")
    }

    /// How many events came; 0 after a timeout or a signal.
    @inline(__always)
    func wait(milliseconds: CInt) -> Int {
        max(0, Int(unsafe epoll_wait(descriptor, events, CInt(Self.capacity), milliseconds)))
    }

    /// The descriptor and readiness of event `index`, below the count `wait` answered.
    @inline(__always)
    subscript(_ index: Int) -> (descriptor: CInt, readiness: UInt32) {
        unsafe (events[index].data.fd, events[index].events)
    }
}
