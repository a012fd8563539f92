// Another process: what it prints, line by line, and its end by signal. Used by one thread.

import Glibc

final class Child {
    private let process: pid_t
    private let input: CInt
    private let output: UnsafeMutablePointer<FILE>
    private var isOver = false

    /// Starts a program with these words; nil where it can't be.
    init?(_ words: [String]) {
        var (toChild, fromChild): ([CInt], [CInt]) = ([-1, -1], [-1, -1])
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0,
            let output = fdopen(fromChild[0], "r")
        else { return nil }
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer {
            for argument in arguments { free(argument) }
            posix_spawn_file_actions_destroy(&actions)
            close(toChild[0])
            close(fromChild[1])
        }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var process = pid_t()
        guard posix_spawnp(&process, words[0], &actions, nil, &arguments, environ) == 0 else {
            return nil
        }
        self.process = process
        self.output = output
        input = toChild[1]
    }

    /// The next line it prints; nil at the end.
    func line() -> String? {
        var bytes: [UInt8] = []
        while true {
            let byte = getc(output)
            if byte == EOF { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
            if byte == 10 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
    }

    /// kill -9, now.
    func kill() {
        if !isOver { Glibc.kill(process, SIGKILL) }
    }

    /// Lets it read the end of its input, and waits for its own; what it exited with, or minus the
    /// signal.
    @discardableResult
    func wait() -> Int32 {
        guard !isOver else { return 0 }
        isOver = true
        close(input)
        while getc(output) != EOF {}
        fclose(output)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    deinit {
        kill()
        wait()
    }

    /// The probe, which stands where this very program does.
    static func probe(_ words: String...) -> Child? {
        var path = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &path, path.count)
        let own = String(
            decoding: path.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        // The tests' bundle is an argument where the program is the toolchain's.
        for argument in [own] + CommandLine.arguments {
            let folder = argument.split(separator: "/", omittingEmptySubsequences: false)
                .dropLast().joined(separator: "/")
            let program = folder + "/StoreProbe"
            if access(program, X_OK) == 0 { return Child([program] + words) }
        }
        return nil
    }
}
