// epoll(7), and nothing but: one descriptor, one buffer of events. Owned by the reactor, used on
// its thread.
//
// Facts about epoll that the reactor rests on:
//
// - A registration belongs to the pair (descriptor, open file). Closing the descriptor ends it only
//   when no duplicate is left, and a forked child holds duplicates of all: so descriptors are taken
//   out before they are closed, and a child never calls epoll_ctl on the set it shares.
// - Events wait in a list inside the kernel, in order of arrival; a level-triggered one that was
//   handed out goes back to the end. However small the buffer, after as many events as there are
//   registrations every ready descriptor has been handed out once.
// - An event that was handed out stays in our buffer, whatever happens to its descriptor since.
//   Hence the 64 bits of our own that come back with it carry a generation.
// - EPOLLERR and EPOLLHUP are reported whether asked for or not, again and again. A registration
//   without interest is therefore edge-triggered: it hears of them once and doesn't spin.
// - An edge-triggered eventfd is ready again after every write, read or not: nobody reads it.
// - The epoll descriptor itself is readable exactly while its list holds something that is still
//   ready; that is what an embedding loop waits for.

internal import CFetchLinux
internal import FetchTime
internal import Glibc

/// A set of descriptors to wait for.
///
/// Its pointer is a buffer that lives as long as the set and is written by `wait` alone; `close`
/// ends both. Unsafe calls here are epoll's own, on that buffer or on a local event.
@safe
struct Poller {
    let descriptor: CInt
    private let events: UnsafeMutableBufferPointer<epoll_event>

    init(maxEvents: Int) throws(SystemError) {
        descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .failed(.epollCreate, errno: errno) }
        unsafe events = .allocate(capacity: max(1, maxEvents))
    }

    func close() {
        _ = Glibc.close(descriptor)
        unsafe events.deallocate()
    }

    func add(_ descriptor: CInt, _ mask: UInt32, tag: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, descriptor, mask, tag)
    }

    func modify(_ descriptor: CInt, _ mask: UInt32, tag: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, descriptor, mask, tag)
    }

    func remove(_ descriptor: CInt) {
        // Fails only if the descriptor was closed before, which took it out as well.
        try? control(EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    private func control(
        _ operation: CInt, _ fd: CInt, _ mask: UInt32, _ tag: UInt64
    ) throws(SystemError) {
        var event = unsafe epoll_event(events: mask, data: epoll_data_t(u64: tag))
        guard unsafe epoll_ctl(descriptor, operation, fd, &event) != 0 else { return }
        // EPERM: a file that has no readiness to report.
        throw errno == EPERM ? .notPollable : .failed(.epollControl, errno: errno)
    }

    /// Waits for events: `milliseconds` at most, not at all if 0, for ever if negative. Returns how
    /// many came. A signal (EINTR) is no failure: nothing came, the caller polls again.
    func wait(milliseconds: CInt, atMost limit: Int) -> Int {
        let limit = CInt(clamping: min(limit, unsafe events.count))
        let count = unsafe epoll_wait(descriptor, events.baseAddress, limit, milliseconds)
        if count >= 0 { return Int(count) }
        guard errno == EINTR else {
            fatalError("\(SystemError.failed(.epollWait, errno: errno))")
        }
        return 0
    }

    /// An event of the last wait: what is ready, and the tag of the registration.
    @inline(__always)
    func event(_ index: Int) -> (mask: UInt32, tag: UInt64) {
        let event = unsafe events[index]
        return unsafe (event.events, event.data.u64)
    }
}
