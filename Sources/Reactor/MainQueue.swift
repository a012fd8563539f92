// Dispatch's main queue, drained by a reactor that owns the main thread. Reactor thread.
//
// On Linux `@MainActor` is Dispatch's main queue. While a reactor has the main thread nobody else
// can drain it, and main-actor code would wait for ever; so the queue's own descriptor,
// libdispatch's door for run loops, stands in the epoll set.

internal import CFetchLinux
internal import Dispatch  // for the linker: its two functions are declared in CFetchLinux
internal import Glibc

extension Reactor {
    /// Adds the main queue to the set, if this is the main thread.
    func adoptMainQueue() throws(SystemError) {
        guard fetch_is_main_thread() else { return }
        let descriptor = _dispatch_get_main_queue_handle_4CF()
        guard descriptor >= 0 else { return }
        try poller.add(descriptor, fetch_EPOLLIN, tag: Tag.mainQueue)
        mainQueueDescriptor = descriptor
        // What was enqueued before anybody looked.
        drainMainQueue()
    }

    func leaveMainQueue() {
        guard mainQueueDescriptor >= 0, !isForked else { return }
        poller.remove(mainQueueDescriptor)
        mainQueueDescriptor = -1
    }

    /// Acknowledges the descriptor, then runs what the queue holds.
    func drainMainQueue() {
        var count: UInt64 = 0
        // An eventfd: eight bytes, to a local. If there is nothing to read there may still be work.
        _ = unsafe read(mainQueueDescriptor, &count, 8)
        _dispatch_main_queue_callback_4CF(nil)
        refreshClockAfterLongCall()
    }
}
