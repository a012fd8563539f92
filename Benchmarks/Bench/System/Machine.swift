// What bench asks of the machine for itself: more descriptors, one core. Called on the main thread
// before any load; children inherit both.

import CBench
import Glibc

/// Raises the soft limit of open descriptors to the hard one, and the hard one where allowed
/// (root).
func raiseDescriptorLimit(to wanted: UInt = 65_536) -> UInt {
    var limit = rlimit()
    // The struct is ours; the kernel reads or fills it during the call.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
        return 0
    }
    if limit.rlim_cur >= wanted { return limit.rlim_cur }
    var raised = rlimit(rlim_cur: wanted, rlim_max: max(wanted, limit.rlim_max))
    if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { return wanted }
    raised = rlimit(rlim_cur: min(wanted, limit.rlim_max), rlim_max: limit.rlim_max)
    if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 {
        return raised.rlim_cur
    }
    return limit.rlim_cur
}

/// The cores the calling thread may run on.
struct Affinity: Equatable {
    /// Bit i is core i; the first 64 cores are enough for a load test.
    private let mask: UInt64

    /// As it is now.
    static var current: Affinity { Affinity(mask: bench_cores()) }

    /// One core only.
    static func core(_ number: Int) -> Affinity { Affinity(mask: 1 << UInt64(number)) }

    /// The cores by number.
    var cores: [Int] { (0..<64).filter { mask & (1 << UInt64($0)) != 0 } }

    /// Moves the calling thread; processes spawned afterwards start there.
    @discardableResult
    func apply() -> Bool { bench_set_cores(mask) == 0 }
}
