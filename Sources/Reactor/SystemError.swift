// What the kernel can refuse, as facts. Used by every room that makes system calls; any thread.

internal import Glibc

/// The calls that can fail, by their names in section 2 and 3 of the manual.
public enum SystemCall: String, Hashable, Sendable {
    case accept = "accept4"
    case bind
    case connect
    case epollControl = "epoll_ctl"
    case epollCreate = "epoll_create1"
    case epollWait = "epoll_wait"
    case eventfd
    case fcntl
    case getpeername
    case getsockname
    case getsockopt
    case listen
    case open
    case pthreadCreate = "pthread_create"
    case read
    case receive = "recv"
    case send
    case setsockopt
    case shutdown
    case socket
    case timerfdCreate = "timerfd_create"
    case timerfdSetTime = "timerfd_settime"
    case write
}

/// Why the operating system, or the reactor in its name, refused something.
public enum SystemError: Error, Hashable, Sendable {
    /// A system call failed with that `errno`.
    case failed(SystemCall, errno: CInt)
    /// epoll(7) refuses the descriptor (EPERM): a regular file or a directory, always ready.
    case notPollable
    /// The reactor belongs to the process that this one was forked from, and so does its epoll set.
    case forked
    /// The reactor has ended.
    case closed

    /// The `errno` of a failed call.
    public var errorNumber: CInt? {
        if case .failed(_, let number) = self { return number }
        return nil
    }
}

extension SystemError: CustomStringConvertible {
    /// One sentence: the call, the fact, and what to do about it where something can be done.
    public var description: String {
        switch self {
        case .failed(let call, let number):
            return "\(call.rawValue): \(SystemError.sentence(for: number)) (errno \(number))"
        case .notPollable:
            return "epoll_ctl: this kind of file can't be waited for, it is always ready (EPERM)"
        case .forked:
            return "the reactor belongs to the parent process; a forked child makes its own"
        case .closed:
            return "the reactor has ended"
        }
    }

    /// What the number means to somebody who runs a client; strerror(3)'s words for the rest.
    private static func sentence(for number: CInt) -> String {
        switch number {
        case EMFILE: "this process has no descriptor left; raise RLIMIT_NOFILE (ulimit -n)"
        case ENFILE: "the whole system has no descriptor left (fs.file-max)"
        case ENOMEM: "the kernel has no memory left for it"
        case ENOBUFS: "the kernel has no buffer left for it"
        case ENOSPC: "this user watches too many descriptors (fs.epoll.max_user_watches)"
        case EAGAIN: "a limit on threads or memory is reached, or it would have to wait"
        case EACCES, EPERM: "the system does not permit it"
        case EADDRNOTAVAIL: "the local address does not exist or has no free port left"
        case EADDRINUSE: "the address is in use"
        case EAFNOSUPPORT: "this kernel does not speak the address family"
        case ECONNREFUSED: "the peer refused the connection"
        case ECONNRESET: "the peer reset the connection"
        case ECONNABORTED: "the connection was aborted"
        case EPIPE: "the peer takes no more data"
        case ENOTCONN: "the socket is not connected"
        case ETIMEDOUT: "the peer did not answer in time"
        case EHOSTUNREACH: "there is no route to the host"
        case ENETUNREACH: "there is no route to the network"
        case EBADF: "the descriptor is not open (closed by somebody else?)"
        case EINVAL: "the kernel does not accept the argument"
        default: unsafe String(cString: strerror(number))  // read before anybody calls it again
        }
    }
}
