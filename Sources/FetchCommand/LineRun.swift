// `fetch --jsonl` and `fetch --input`: one run from the first line of input to the last line of
// output, with one client for all of it. What a line asks for, and how its result looks, is its
// `LineWork`'s to say. Reactor thread; made by `main`.
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
    /// While so many bytes of results wait to be written, no line is read.
    static let waitingResultsLimit = 8 << 20

    private let reactor: Reactor
    private let client: LocalFetcher
    private let concurrency: Int
    private let work: any LineWork
    private let input: StandardInput
    private let inputName: String
    private let output: StandardOutput
    private var splitter: LineSplitter
    private(set) var running = 0
    private var inputHasEnded = false
    private var inputFailure: CInt?
    private var isPumpDue = false
    private var finished: ((CommandExit) -> Void)?

    /// - Parameter file: where the lines come from; nil for standard input.
    init(
        _ work: any LineWork, from file: InputFile? = nil, client: LocalFetcher,
        concurrency: Int, on reactor: Reactor
    ) {
        self.work = work
        self.client = client
        self.concurrency = concurrency
        self.reactor = reactor
        splitter = LineSplitter(limit: work.lineLimit)
        input = StandardInput(descriptor: file?.descriptor ?? STDIN_FILENO, on: reactor)
        inputName = file?.name ?? InputFile.standard
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
        work.inputReceived(bytes.count)
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
        finish(
            inputFailure.map { .inputFailed(source: inputName, errno: $0) } ?? work.exit)
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
                if let request = try work.request(of: bytes, line: number) { execute(request) }
            } catch {
                output.append(line: work.refused(error, line: number))
            }
        case .tooLong(let number):
            let refusal = Refusal(
                code: .invalidRequest, message: "the line is longer than \(work.lineLimit) bytes")
            output.append(line: work.refused(refusal, line: number))
        }
    }

    private func execute(_ line: LineRequest) {
        running += 1
        // The completion comes later, in this turn or in another.
        client.execute(line.request) { [self] outcome in
            running -= 1
            output.append(line: work.ended(line, outcome))
            askForPump()
        }
    }
}

/// What a line asks for.
struct LineRequest {
    /// By what its result is known.
    let name: ResultName
    let request: Request
}

/// What the lines of a run are, and how results look. Reactor thread.
protocol LineWork: AnyObject {
    /// Longest line of input, in bytes.
    var lineLimit: Int { get }
    /// How the run ends when everything was answered.
    var exit: CommandExit { get }
    func inputReceived(_ count: Int)
    /// Nil for a line that asks for nothing. Throws the refusal that answers it.
    func request(of line: [UInt8], line number: Int) throws(Refusal) -> LineRequest?
    /// The result of a line that made no request.
    func refused(_ refusal: Refusal, line number: Int) -> [UInt8]
    /// The result of a request.
    func ended(_ line: LineRequest, _ outcome: Result<Response, any Error>) -> [UInt8]
}

/// Lines of `fetch --jsonl`: a JSON object each (docs/jsonl.md).
final class JSONLines: LineWork {
    /// Room for a body of 48 MiB in base64.
    let lineLimit = 64 << 20
    let exit = CommandExit.success

    func inputReceived(_ count: Int) {}

    func request(of line: [UInt8], line number: Int) throws(Refusal) -> LineRequest? {
        let read = try RequestLine.read(line)
        return LineRequest(
            name: ResultName(read.id, line: number), request: try read.request)
    }

    func refused(_ refusal: Refusal, line number: Int) -> [UInt8] {
        ResultLine.refusal(refusal, ResultName(refusal.id, line: number))
    }

    func ended(_ line: LineRequest, _ outcome: Result<Response, any Error>) -> [UInt8] {
        switch outcome {
        case .success(let response): ResultLine.success(line.name, response)
        case .failure(let error): ResultLine.failure(line.name, error)
        }
    }
}
