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
    arguments = try Arguments.read()
} catch {
    let isHelp = Arguments.exitCode(for: error).isSuccess
    let text = Arguments.fullMessage(for: error) + "\n"
    writeAll(text, to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
    exit(isHelp ? 0 : 2)
}

let ending: CommandExit
do {
    ending = try Reactor.run { [arguments] in try await perform(arguments) }
} catch let exit as CommandExit {
    ending = exit
} catch {
    ending = .notStarted("\(error)")
}
if let message = ending.message { writeAll(message, to: STDERR_FILENO) }
exit(ending.status)

/// Runs on the reactor's thread.
func perform(_ arguments: Arguments) async throws -> CommandExit {
    guard let reactor = Reactor.current else { return .notStarted("no reactor on this thread") }
    guard arguments.jsonl || arguments.input != nil else {
        return await SingleFetch(arguments: arguments, output: StandardOutput(on: reactor)).run()
    }
    let concurrency = arguments.concurrency ?? LineRun.defaultConcurrency
    raiseDescriptorLimit(to: concurrency + LineRun.otherDescriptors)
    var configuration = FetcherConfiguration()
    // `--concurrency` is what limits, so the pool must not.
    let pool = configuration.pool
    configuration.pool.connectionsPerOrigin = max(pool.connectionsPerOrigin, concurrency)
    configuration.pool.connections = max(pool.connections, concurrency)
    if let total = arguments.total { configuration.timeouts.total = total }
    try arguments.network.apply(to: &configuration)
    arguments.policies.apply(to: &configuration)
    arguments.cache.apply(to: &configuration)
    let client = try LocalFetcher(configuration, on: reactor)
    guard let path = arguments.input else {
        return await finish(
            LineRun(JSONLines(), client: client, concurrency: concurrency, on: reactor))
    }
    let file = try InputFile(path)
    defer { file.close() }
    let lines = URLLines(
        folder: try arguments.output.map { path throws(CommandExit) in try BodyFolder(path) },
        minds: arguments.fail, size: file.size, on: reactor)
    let run = LineRun(
        lines, from: file, client: client, concurrency: concurrency, on: reactor)
    let progress = ProgressLine(on: reactor) { lines.progress }
    let exit = await finish(run)
    progress?.end()
    writeAll("fetch: \(lines.summary)\n", to: STDERR_FILENO)
    return exit
}

/// Runs on the reactor's thread.
func finish(_ run: LineRun) async -> CommandExit {
    let exit = await withCheckedContinuation { continuation in
        run.start { continuation.resume(returning: $0) }
    }
    // Until here nobody else holds it while it waits for input.
    return withExtendedLifetime(run) { exit }
}
