// `fetch --jsonl`: one run from the first line of input to the last line of output, with one client
// for all of it. Reactor thread; made by `main`.
//
// Everything happens in `pump`: it starts what may start and says whether input is wanted. What may
// change its answer (input, a result, room in the output) asks for one, and gets it once a turn.

internal import Fetch
internal import FetchReactor
internal import Glibc

final class LineRun: StandardInputHandler {
    /// Most requests that run at once, unless the command line says otherwise.
    static let defaultConcurrency = 64
    /// Descriptors beside the running requests' connections: standard, the reactor's, idle ones.
    static let otherDescriptors = 64
    /// Longest line of input; room for a body of 48 MiB in base64.
    static let lineLimit = 64 << 20
    /// While so many bytes of results wait to be written, no line is read.
    static let waitingResultsLimit = 8 << 20

    private let reactor: Reactor
    private let client: LocalFetcher
    private let concurrency: Int
    private let input: StandardInput
    private let output: StandardOutput
    private var splitter = LineSplitter(limit: LineRun.lineLimit)
    private var running = 0
    private var inputHasEnded = false
    private var inputFailure: CInt?
    private var isPumpDue = false
    private var finished: ((CommandExit) -> Void)?

    init(client: LocalFetcher, concurrency: Int, on reactor: Reactor) {
        self.client = client
        self.concurrency = concurrency
        self.reactor = reactor
        input = StandardInput(on: reactor)
        output = StandardOutput(on: reactor)
    }

    /// Runs to the end; `finished` is called once.
    func start(finished: @escaping (CommandExit) -> Void) {
        self.finished = finished
        input.handler = self
        output.progressed = { [unowned self] in askForPump() }
        askForPump()
    }

    func inputReceived(_ bytes: ArraySlice<UInt8>) {
        splitter.append(bytes)
        askForPump()
    }

    func inputEnded(failure: CInt?) {
        inputHasEnded = true
        inputFailure = failure
        splitter.end()
        askForPump()
    }

    private func askForPump() {
        guard !isPumpDue else { return }
        isPumpDue = true
        reactor.enqueue { [self] in
            isPumpDue = false
            pump()
        }
    }

    private func pump() {
        guard finished != nil else { return }
        if let failure = output.failure { return finish(.outputFailed(errno: failure)) }
        while hasRoom, let line = splitter.next() { take(line) }
        guard inputHasEnded else {
            return hasRoom ? input.resume() : input.pause()
        }
        guard splitter.isEmpty, running == 0, output.waiting == 0 else { return }
        finish(inputFailure.map { .inputFailed(errno: $0) } ?? .success)
    }

    private var hasRoom: Bool {
        running < concurrency && output.waiting < Self.waitingResultsLimit
    }

    private func finish(_ exit: CommandExit) {
        input.pause()
        finished?(exit)
        finished = nil
    }

    // MARK: one line

    private func take(_ line: LineSplitter.Line) {
        switch line {
        case .text(let bytes, let number):
            do {
                try execute(RequestLine.read(bytes))
            } catch {
                output.append(line: ResultLine.refusal(error, line: number))
            }
        case .tooLong(let number):
            let refusal = Refusal(
                code: .invalidRequest, message: "the line is longer than \(Self.lineLimit) bytes")
            output.append(line: ResultLine.refusal(refusal, line: number))
        }
    }

    private func execute(_ line: RequestLine) throws(Refusal) {
        let request = try line.request
        running += 1
        // The completion comes later, in this turn or in another.
        client.execute(request) { [self] outcome in
            running -= 1
            switch outcome {
            case .success(let response): output.append(line: ResultLine.success(line.id, response))
            case .failure(let error): output.append(line: ResultLine.failure(line.id, error))
            }
            askForPump()
        }
    }
}
