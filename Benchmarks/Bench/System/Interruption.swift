// Ctrl-C (signal(7)): the handler only sets a flag and passes the signal on; load loops look at the
// flag several times a second and end with the figures so far. Process-wide by nature.

import Glibc
import Synchronization

/// SIGINT and SIGTERM as a flag.
enum Interruption {
    private static let count = Atomic<Int>(0)
    /// The child that is measured now, or 0: it is told too, for a signal may have been sent to one
    /// pid.
    private static let child = Atomic<CInt>(0)

    /// Whether the run is to end now.
    static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

    /// Installs the handler. Only async-signal-safe calls inside; the third signal ends at once.
    static func install() {
        for number in [SIGINT, SIGTERM] {
            // The handler is a C function pointer without context: nothing can dangle.
            signal(number) { number in
                let seen = Interruption.count.add(1, ordering: .relaxed).newValue
                let child = Interruption.child.load(ordering: .relaxed)
                if child > 0 { kill(child, number) }
                if seen > 2 { _exit(130) }
            }
        }
        // Peers reset connections under load; the raw loops must see EPIPE.
        signal(SIGPIPE, SIG_IGN)
    }

    /// For the embedded origin: Ctrl-C reaches the whole process group, and the last requests still
    /// need their answers; the origin ends with its standard input.
    static func ignore() {
        for number in [SIGINT, SIGPIPE] {
            // SIG_IGN is no function to call.
            signal(number, SIG_IGN)
        }
    }

    /// Passes signals on to `child` while it runs; 0 afterwards.
    static func forward(to child: CInt) {
        Interruption.child.store(child, ordering: .relaxed)
        if isRequested && child > 0 { kill(child, SIGINT) }
    }
}
