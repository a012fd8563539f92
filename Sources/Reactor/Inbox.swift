// What other threads hand to a reactor: jobs, actions and last references, first in, first out.
//
// Any thread may put something in, under a lock; the reactor's thread takes everything out at
// once. The eventfd is written only when the queue was empty: one wake-up per batch.

internal import CFetchLinux
internal import Glibc

/// One thing handed over.
@safe
enum InboxEntry {
    case job(LocalJob)
    case action(@Sendable () -> Void)
    /// An object whose release may run deinitialisers that belong to the reactor's thread.
    case release(Unmanaged<AnyObject>)
}

/// The queue of a reactor for other threads.
///
/// The pointers are mutexes that live as long as the inbox; unsafe calls are pthread's and write's
/// own. `entries` and the flags are touched with the mutex held.
@safe
final class Inbox {
    /// Becomes readable, edge-triggered, when the reactor has something to look at.
    let eventDescriptor: CInt
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    /// Held by whoever lets go of what belonged to a reactor that has ended; recursive, because
    /// one release leads to others.
    private let endMutex: UnsafeMutablePointer<pthread_mutex_t>
    private var entries: [InboxEntry] = []
    private var isClosed = false
    private var stopIsAskedFor = false

    init() throws(SystemError) {
        eventDescriptor = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
        guard eventDescriptor >= 0 else { throw .failed(.eventfd, errno: errno) }
        unsafe mutex = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe endMutex = .allocate(capacity: 1)
        var recursive = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&recursive)
        unsafe pthread_mutexattr_settype(&recursive, CInt(PTHREAD_MUTEX_RECURSIVE))
        unsafe pthread_mutex_init(endMutex, &recursive)
    }

    deinit {
        _ = Glibc.close(eventDescriptor)
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        unsafe pthread_mutex_destroy(endMutex)
        unsafe endMutex.deallocate()
    }

    /// Puts an entry at the end; false, and nothing happens, once the inbox is closed.
    func put(_ entry: InboxEntry) -> Bool {
        lock()
        guard !isClosed else {
            unlock()
            return false
        }
        let wasEmpty = entries.isEmpty
        entries.append(entry)
        // Written with the lock held: after `close` nobody writes to a descriptor that may be gone.
        if wasEmpty { signal() }
        unlock()
        return true
    }

    /// Takes everything, in order, into `other`, which must be empty and lends its storage.
    func takeAll(into other: inout [InboxEntry]) {
        lock()
        swap(&entries, &other)
        unlock()
    }

    /// Asks the reactor's thread to end.
    func askToStop() {
        lock()
        if !isClosed {
            stopIsAskedFor = true
            signal()
        }
        unlock()
    }

    var isAskedToStop: Bool {
        lock()
        defer { unlock() }
        return stopIsAskedFor
    }

    /// Lets go of what belonged to the reactor, one thread at a time.
    func lettingGo(_ body: () -> Void) {
        unsafe pthread_mutex_lock(endMutex)
        body()
        unsafe pthread_mutex_unlock(endMutex)
    }

    /// Nothing is taken from now on.
    func close() {
        lock()
        isClosed = true
        unlock()
    }

    /// Makes the reactor's set readable. The counter of an eventfd can't be exhausted by ones.
    func signal() {
        var one: UInt64 = 1
        while unsafe write(eventDescriptor, &one, 8) < 0, errno == EINTR {}
    }

    private func lock() { unsafe pthread_mutex_lock(mutex) }
    private func unlock() { unsafe pthread_mutex_unlock(mutex) }
}
