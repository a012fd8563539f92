// Another program as a fixture, ended with its owner. Any thread.
//
// The program is started by sh, which waits for the end of a pipe that this process alone holds
// open: however this process ends, killed included, the pipe ends, and sh ends the program and
// removes its directory.

package import FetchTransport
internal import Glibc
internal import Synchronization

package final class ServerProcess: Sendable {
    /// A new directory that goes with the process.
    package let directory: String
    private let child: pid_t
    /// The pipe's end that keeps the program alive; -1 once it is stopped.
    private let lifeline: Mutex<CInt>

    /// $1 is the directory, the rest the program. The descriptor limit is raised as far as it goes,
    /// because load tests open thousands.
    private static let keeper = """
        exec 3<&0; directory=$1; shift
        ulimit -n "$(ulimit -Hn)" 2>/dev/null
        "$@" <&- >"$directory/output" 2>&1 3<&- &
        program=$!
        read nothing <&3
        { kill -KILL $program; wait $program; } 2>/dev/null
        rm -rf "$directory"
        """

    /// Starts `program`, found by its path, in the directory. The words of `command` may hold
    /// `$DIRECTORY`, which is replaced.
    package init(directory: String, _ command: [String]) throws(ServerError) {
        self.directory = directory
        var ends: [CInt] = [-1, -1]
        // pipe2 writes two descriptors.
        guard unsafe pipe(&ends) == 0 else { throw .system("pipe", errno) }
        // No other child may hold the writing end, or the program would outlive us.
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        let words = ["/bin/sh", "-c", ServerProcess.keeper, "sh", directory] + command
        let (failure, child) = ServerProcess.spawn(words, input: ends[0])
        _ = close(ends[0])
        guard failure == 0 else {
            _ = close(ends[1])
            throw .system("posix_spawn", failure)
        }
        self.child = child
        lifeline = Mutex(ends[1])
    }

    /// The same, and waits until it listens there.
    package convenience init(
        directory: String, _ command: [String], on address: SocketAddress
    ) throws(ServerError) {
        try self.init(directory: directory, command)
        guard Loopback.waitUntilAccepts(address) else {
            throw .didNotListen(program: command[0], output: output)
        }
    }

    /// posix_spawn(3) with `input` as standard input, in a process group of its own, so that Ctrl-C
    /// in a terminal reaches us first. The threads of tests block all signals; a shell that
    /// inherited that would never hear that its child is gone.
    ///
    /// Unsafe: the C strings and both objects outlive posix_spawn, which reads them before it
    /// returns.
    private static func spawn(_ words: [String], input: CInt) -> (failure: CInt, child: pid_t) {
        // C strings and the two objects below live until posix_spawn has returned, which has read
        // them by then.
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        var noSignals = sigset_t()
        unsafe sigemptyset(&noSignals)
        unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        var child = pid_t()
        let failure = unsafe posix_spawn(
            &child, "/bin/sh", &actions, &attributes, &arguments, environ)
        return (failure, child)
    }

    /// Ends the program and waits until it and its directory are gone. Idempotent.
    package func stop() {
        let descriptor = lifeline.withLock { held in
            defer { held = -1 }
            return held
        }
        guard descriptor >= 0 else { return }
        _ = close(descriptor)
        var status: CInt = 0
        // waitpid writes one int.
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    }

    /// What the program has printed, and `errors.log` of its directory.
    package var output: String {
        [directory + "/output", directory + "/errors.log"].map { Files.text($0) ?? "" }
            .joined()
    }

    deinit {
        stop()
    }
}

/// Why a fixture did not start.
package enum ServerError: Error, CustomStringConvertible {
    /// The program is not installed; how to get it.
    case missing(program: String, package: String)
    case didNotListen(program: String, output: String)
    case system(String, CInt)

    package var description: String {
        switch self {
        case .missing(let program, let package):
            "\(program) is not installed; on Debian: apt-get install \(package)"
        case .didNotListen(let program, let output):
            "\(program) did not listen within a minute: \(output)"
        case .system(let call, let number):
            "\(call): errno \(number)"
        }
    }
}
