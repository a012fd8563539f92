// What the kernel says about a process: CPU time (getrusage(2)), peak memory, threads and
// descriptors (/proc/PID). Read by the load generator about itself and by `compare` about its
// children. Any thread.

import Glibc

/// Nanoseconds of CLOCK_MONOTONIC.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    // The kernel fills the struct before the call returns.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// CPU seconds of one process.
struct ProcessorTime: Equatable {
    var user: Double
    var system: Double

    /// This process, all its threads, none of its children.
    static var own: ProcessorTime {
        var usage = rusage()
        // The kernel fills the struct before the call returns.
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return ProcessorTime(usage)
    }

    init(user: Double, system: Double) {
        self.user = user
        self.system = system
    }

    init(_ usage: rusage) {
        user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        system = Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
    }

    static func - (left: ProcessorTime, right: ProcessorTime) -> ProcessorTime {
        ProcessorTime(user: left.user - right.user, system: left.system - right.system)
    }
}

/// `/proc/PID/status` and `/proc/PID/fd`.
struct ProcessFigures {
    /// Threads now.
    let threads: Int
    /// VmRSS: resident memory now, in kB.
    let residentKilobytes: Int
    /// VmHWM: the most resident memory ever, in kB.
    let peakResidentKilobytes: Int

    /// `process` is a pid or "self"; nil when it is gone.
    init?(of process: String = "self") {
        guard let text = readFile("/proc/\(process)/status") else { return nil }
        threads = Self.number(after: "Threads:", in: text) ?? 0
        residentKilobytes = Self.number(after: "VmRSS:", in: text) ?? 0
        peakResidentKilobytes = Self.number(after: "VmHWM:", in: text) ?? 0
    }

    private static func number(after key: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            return Int(line.dropFirst(key.count).drop { !$0.isNumber }.prefix { $0.isNumber })
        }
        return nil
    }

    /// Descriptors this process holds now, the one that reads the directory not counted.
    ///
    /// The directory's memory is alive until closedir; an entry is only looked at before the next.
    static var openDescriptors: Int {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(directory) }
        var count = -1
        while let entry = unsafe readdir(directory) {
            if unsafe entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }
}

/// A whole small file as text, or nil.
func readFile(_ path: String) -> String? {
    // The path lives for the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return String(decoding: readToEnd(descriptor), as: UTF8.self)
}

/// Everything until the end of a blocking descriptor.
func readToEnd(_ descriptor: CInt) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
        // The kernel writes at most `count` bytes into storage this function owns.
        let got = unsafe chunk.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { return all }
        all += chunk[..<got]
    }
}
