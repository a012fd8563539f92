// `fetch`: the client on the command line. Reads the arguments, runs one reactor on this thread and
// the work on it, says how it ended.

internal import ArgumentParser
internal import Fetch
internal import Glibc

// The command's own output may lose its reader: that is an exit status, not a signal. The library
// changes no signal's disposition.
_ = signal(SIGPIPE, SIG_IGN)
openStandardDescriptors()

let arguments: Arguments
do {
    arguments = try Arguments.parse()
} catch {
    let isHelp = Arguments.exitCode(for: error).isSuccess
    let text = Arguments.fullMessage(for: error) + "\n"
    writeAll(text, to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
    exit(isHelp ? 0 : 2)
}

let ending: CommandExit
do {
    ending = try Reactor.run { [arguments] in try await perform(arguments) }
} catch {
    ending = .notStarted("\(error)")
}
if let message = ending.message { writeAll(message, to: STDERR_FILENO) }
exit(ending.status)

/// Runs on the reactor's thread.
func perform(_ arguments: Arguments) async throws -> CommandExit {
    guard let reactor = Reactor.current else { return .notStarted("no reactor on this thread") }
    guard arguments.jsonl else {
        return await SingleFetch(arguments: arguments, output: StandardOutput(on: reactor)).run()
    }
    let concurrency = arguments.concurrency ?? LineRun.defaultConcurrency
    var configuration = FetcherConfiguration()
    // `--concurrency` is what limits, so the pool must not.
    let pool = configuration.pool
    configuration.pool.connectionsPerOrigin = max(pool.connectionsPerOrigin, concurrency)
    configuration.pool.connections = max(pool.connections, concurrency)
    if let total = arguments.total { configuration.timeouts.total = total }
    let client = try LocalFetcher(configuration, on: reactor)
    let run = LineRun(client: client, concurrency: concurrency, on: reactor)
    let exit = await withCheckedContinuation { continuation in
        run.start { continuation.resume(returning: $0) }
    }
    // Until here nobody else holds it while it waits for input.
    return withExtendedLifetime(run) { exit }
}

/// A closed standard descriptor's number would go to the next file that is opened, the reactor's
/// epoll set perhaps. One that can't be written stands in for it: writing to it fails, as it should.
func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
        _ = unsafe open("/dev/null", O_RDONLY)  // the pointer is to a literal
    }
}

/// Writes a short text, blocking, when nothing else runs any more.
func writeAll(_ text: String, to descriptor: CInt) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        // The pointer is to `rest`, for the call.
        let count = unsafe rest.withUnsafeBytes { bytes in
            unsafe write(descriptor, bytes.baseAddress, bytes.count)
        }
        guard count > 0 || errno == EINTR else { return }
        rest = rest.dropFirst(max(0, count))
    }
}
