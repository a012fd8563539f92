// A process that bench starts: itself under another command, or a tool found in PATH
// (posix_spawn(3)). Its CPU time comes from wait4(2), which counts that process alone. Owned by
// whoever spawned it; main thread.

import CBench
import Glibc

/// How a child ended and what it cost.
struct ChildOutcome {
    /// Exit code, or 128 + signal.
    let exitCode: Int
    let processor: ProcessorTime
    /// The most resident memory seen, in kB.
    let peakResidentKilobytes: Int
    let threads: Int
    let output: String
}

/// A running child with pipes on its standard input and output.
final class ChildProcess {
    /// This executable, whatever its name is now.
    static let ownPath = "/proc/self/exe"

    let pid: pid_t
    private let output: CInt
    /// Closing it is how the embedded origin learns that its parent is gone.
    private var input: CInt

    /// Starts `path` (searched in PATH when it has no slash). `quiet` sends its stderr to
    /// /dev/null.
    ///
    /// All memory that posix_spawnp is shown outlives the call, and glibc copies what it keeps.
    init(_ path: String, _ arguments: [String], quiet: Bool = false) throws {
        let toChild = try Self.makePipe()
        let fromChild = try Self.makePipe()
        defer {
            close(toChild.read)
            close(fromChild.write)
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, toChild.read, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, fromChild.write, 1)
        if quiet { unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }
        var pid: pid_t = 0
        let code = unsafe withCStrings([path] + arguments) { argv in
            unsafe withCStrings(Self.environment) { envp in
                unsafe posix_spawnp(&pid, path, &actions, nil, argv, envp)
            }
        }
        guard code == 0 else {
            close(toChild.write)
            close(fromChild.read)
            throw SystemFailure("spawn \(path)", code: code)
        }
        self.pid = pid
        output = fromChild.read
        input = toChild.write
    }

    deinit {
        close(output)
        if input >= 0 { close(input) }
    }

    /// One line of its standard output, without the newline; nil at the end.
    func readLine() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        // One byte a call: the rest must stay in the pipe, and lines are short.
        while unsafe read(output, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    /// Reads its output to the end, watches its memory meanwhile, and waits for it.
    ///
    /// VmHWM is sampled, because `ru_maxrss` of a child starts at its parent's.
    func finish() throws -> ChildOutcome {
        var bytes: [UInt8] = []
        var peak = 0
        var threads = 0
        Interruption.forward(to: pid)
        defer { Interruption.forward(to: 0) }
        while true {
            if let figures = ProcessFigures(of: "\(pid)") {
                peak = max(peak, figures.peakResidentKilobytes)
                threads = max(threads, figures.threads)
            }
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            // One pollfd of our own, filled during the call.
            guard unsafe poll(&waiting, 1, 50) > 0 else { continue }
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let got = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(output, $0.baseAddress, $0.count)
            }
            if got <= 0 { break }
            bytes += chunk[..<got]
        }
        var status: CInt = 0
        var usage = rusage()
        // Both are filled by the kernel before the call returns; a signal only interrupts the wait.
        while unsafe wait4(pid, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw SystemFailure("wait4") }
        }
        return ChildOutcome(
            exitCode: status & 0x7F == 0 ? Int(status >> 8) & 0xFF : 128 + Int(status & 0x7F),
            processor: ProcessorTime(usage), peakResidentKilobytes: peak, threads: threads,
            output: String(decoding: bytes, as: UTF8.self))
    }

    /// Ends it: end of input first, for those who listen, then SIGTERM; then waits.
    func stop() {
        close(input)
        input = -1
        kill(pid, SIGTERM)
        // Filled before the call returns.
        var status: CInt = 0
        while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    }

    private static func makePipe() throws -> (read: CInt, write: CInt) {
        var ends: (read: CInt, write: CInt) = (0, 0)
        // Filled before the call returns.
        try check(unsafe bench_pipe(&ends.read, &ends.write), "pipe2")
        return ends
    }

    /// The variables this process was started with; `environ` itself is an unprotected global.
    private static let environment = (readFile("/proc/self/environ") ?? "")
        .split(separator: "\0").map(String.init)
}

/// The full path of a tool in PATH, or nil where it is not installed.
func findTool(_ name: String) -> String? {
    // Copied at once.
    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
    let folders: [Substring] = path.split(separator: ":") + ["/usr/sbin"]
    for folder in folders {
        let candidate = "\(folder)/\(name)"
        // The string lives for the call.
        if unsafe access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
}

/// Runs `body` with a null-ended array of C strings that lives for the call.
func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
    // Copies of our own, freed below; execve wants mutable pointers but copies.
    let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe copies.withUnsafeBufferPointer { buffer in
        // The array has its null terminator at least, so it has an address.
        guard let base = buffer.baseAddress else {
            preconditionFailure("an empty array of strings")
        }
        return unsafe body(base)
    }
}
