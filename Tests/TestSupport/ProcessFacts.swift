// What the kernel says of this process (proc(5)). Any thread.

package enum ProcessFacts {
    /// Threads now.
    package static var threads: Int { status("Threads") }

    /// Resident memory now, in KiB.
    package static var residentKiB: Int { status("VmRSS") }

    /// The number in a line of /proc/self/status; 0 if there is none.
    private static func status(_ name: String) -> Int {
        let text = Files.text("/proc/self/status") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            return Int(line.filter { $0.isNumber }) ?? 0
        }
        return 0
    }
}
