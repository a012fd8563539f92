// Threads and descriptors of this process, for tests that run alone in one.

import Glibc
import TestSupport

struct Resources: Equatable, CustomStringConvertible {
    let threads: Int
    let descriptors: Int

    static var now: Resources {
        Resources(threads: ProcessFacts.threads, descriptors: countDescriptors())
    }

    var description: String { "\(threads) threads, \(descriptors) descriptors" }

    /// Whether there are no more than those soon; a thread ends a moment after it was asked to.
    static func becomes(_ wanted: Resources) async -> Bool {
        for _ in 0..<1_000_000 {
            let now = now
            if now.threads <= wanted.threads, now.descriptors <= wanted.descriptors { return true }
            sched_yield()
            await Task.yield()
        }
        print("\(now) instead of \(wanted)")
        return false
    }

    private static func countDescriptors() -> Int {
        // fcntl only asks whether the number is in use.
        (0..<1_024).count { fcntl(CInt($0), F_GETFD) >= 0 }
    }
}
