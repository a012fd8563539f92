// What clients keep of this process, for tests that run alone in one. The runtime's own threads
// and files are not counted: its pool grows when it likes, a sanitizer asks a symbolizer.

import Glibc
import TestSupport

struct Resources: Equatable, CustomStringConvertible {
    /// Threads that clients own.
    let threads: Int
    /// Sockets, event sets and event counters.
    let descriptors: Int

    static var now: Resources {
        Resources(
            threads: ProcessFacts.threadNames.count { $0 == "fetch" },
            descriptors: ProcessFacts.descriptorKinds.count { kind in
                ["socket:", "anon_inode:[event"].contains { kind.hasPrefix($0) }
            })
    }

    var description: String { "\(threads) threads, \(descriptors) descriptors" }
}
