// `fetch URL`: one request whose response's body goes to standard output as it arrives. Reactor
// thread; made by `main`.
//
// Memory stays flat: while much waits for the reader of the output, no more of the body is taken,
// and the library then stops reading the socket.

internal import Fetch
internal import Glibc

struct SingleFetch {
    /// Bytes that may wait for the output's reader before the body is held.
    private static let waitingLimit = 256 << 10

    let arguments: Arguments
    let output: StandardOutput

    func run() async -> CommandExit {
        let exit: CommandExit
        do {
            let client = try Fetcher(configuration())
            exit = try await client.stream(request()) { response in try await print(response) }
        } catch let exitByOutput as CommandExit {
            return exitByOutput
        } catch {
            exit = .fetchFailed("\(error)")
        }
        await output.drain(to: 0)
        if let failure = output.failure { return .outputFailed(errno: failure) }
        return exit
    }

    private func print(_ response: StreamedResponse) async throws -> CommandExit {
        if arguments.fail && response.statusCode >= 400 {
            return .unacceptableStatus("status \(response.statusCode) \(response.head.reason)")
        }
        for try await piece in response.body {
            output.append(piece)
            await output.drain(to: Self.waitingLimit)
            if let failure = output.failure { throw CommandExit.outputFailed(errno: failure) }
        }
        return .success
    }

    /// A streamed response ends the total clock at its head; after that silence ends the call.
    private func configuration() throws(CommandExit) -> FetcherConfiguration {
        var configuration = FetcherConfiguration()
        try arguments.network.apply(to: &configuration)
        arguments.policies.apply(to: &configuration)
        arguments.cache.apply(to: &configuration)
        if let total = arguments.total {
            configuration.timeouts.total = total
            configuration.timeouts.readIdle = configuration.timeouts.readIdle.map { min($0, total) }
        }
        return configuration
    }

    private func request() throws -> Request {
        let name = arguments.method ?? (arguments.data == nil ? "GET" : "POST")
        guard let method = HTTPRequest.Method(name) else {
            throw CommandExit.fetchFailed("invalid-request: --method is not a token")
        }
        var request = Request(method, arguments.url ?? "")
        for field in arguments.fields { try request.headers.append(field.name, field.value) }
        request.body = arguments.data.map { .string($0) }
        return request
    }
}

extension StandardOutput {
    /// Waits until no more than so many bytes wait, or nothing can be written any more.
    func drain(to limit: Int) async {
        while waiting > limit, failure == nil {
            await withCheckedContinuation { continuation in
                progressed = { [unowned self] in
                    progressed = {}
                    continuation.resume()
                }
            }
        }
    }
}
