// `fetch --input`: a URL a line (docs/jsonl.md). Counts what ends, keeps bodies where they are
// asked for, and says how the run ended. Reactor thread; made by `main`.

internal import Fetch
internal import FetchPolicy
internal import FetchReactor
internal import FetchTime

final class URLLines: LineWork {
    /// A little more than the longest URL that the library takes.
    let lineLimit = 66_000

    private let folder: BodyFolder?
    /// `--fail`: a status of 400 or above counts in the exit status.
    private let minds: Bool
    private let reactor: Reactor
    private let size: Int?
    private var bytesRead = 0
    private var linesRead = 0
    private var running = 0
    private var unacceptable = 0
    private var counts: BatchCounts

    /// - Parameter size: of the input in bytes, where that is known.
    init(folder: BodyFolder?, minds: Bool, size: Int?, on reactor: Reactor) {
        self.folder = folder
        self.minds = minds
        self.size = size
        self.reactor = reactor
        counts = BatchCounts(total: nil, now: reactor.clock.now)
    }

    func inputReceived(_ count: Int) { bytesRead += count }

    /// Spaces around the URL are left out; so are blank lines, and those that begin with `#`, which
    /// no URL does.
    func request(of line: [UInt8], line number: Int) throws(Refusal) -> LineRequest? {
        linesRead = number
        guard let url = URLLines.url(in: line) else { return nil }
        running += 1
        let id = ResultLine.quoted(url)
        return LineRequest(
            name: ResultName(id, line: number, isNumbered: true), request: Request(url))
    }

    /// What is not UTF-8 becomes a character that no URL may hold as a host, and is encoded
    /// elsewhere, as it is for every caller of the library.
    package static func url(in line: [UInt8]) -> String? {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0D]
        let start = line.drop { blanks.contains($0) }
        guard let last = start.lastIndex(where: { !blanks.contains($0) }),
            start.first != UInt8(ascii: "#")
        else { return nil }
        return String(decoding: start[...last], as: UTF8.self)
    }

    func refused(_ refusal: Refusal, line number: Int) -> [UInt8] {
        counts.itemFailed()
        return ResultLine.refusal(
            refusal, ResultName(refusal.id, line: number, isNumbered: true))
    }

    func ended(_ line: LineRequest, _ outcome: Result<Response, any Error>) -> [UInt8] {
        running -= 1
        switch outcome {
        case .success(let response):
            do {
                let path = try folder?.keep(response.body, of: line.name.line)
                counts.itemSucceeded(
                    nanoseconds: response.metadata.totalTime.saturatingNanoseconds)
                if response.statusCode >= 400 { unacceptable += 1 }
                return ResultLine.success(
                    line.name, response, body: path.map { .file($0) } ?? .left)
            } catch {
                counts.itemFailed()
                return ResultLine.refusal(
                    Refusal(code: .outputFailed, message: error.message), line.name)
            }
        case .failure(let error):
            counts.itemFailed()
            return ResultLine.failure(line.name, error)
        }
    }

    var exit: CommandExit {
        let report = counts.report(now: reactor.clock.now)
        if report.failed > 0 {
            return .fetchFailed(
                "\(report.failed) of \(report.failed + report.succeeded) URLs have no response")
        }
        if minds, unacceptable > 0 {
            return .unacceptableStatus("\(unacceptable) responses have a status of 400 or above")
        }
        return .success
    }

    // MARK: What a person is told

    /// `812 done, 3 failed, 64 in flight, 97.2/s, 0:42 left`
    var progress: String {
        let now = reactor.clock.now
        let progress = counts.progress(inFlight: running, now: now)
        var text = "\(progress.done) done, \(progress.failed) failed, "
        text += "\(progress.inFlight) in flight, \(URLLines.decimal(progress.rate))/s"
        guard let size, bytesRead > 0, progress.rate > 0 else { return text }
        // As many lines as the part that was read lets expect.
        let total = Double(linesRead) * Double(size) / Double(max(1, min(bytesRead, size)))
        let left = max(0, total - Double(progress.done)) / progress.rate
        return text + ", \(URLLines.clock(left)) left"
    }

    /// `812 fetched, 3 failed in 0:09, 97.2/s, p50 12.1 ms, p99 80.0 ms`
    var summary: String {
        let report = counts.report(now: reactor.clock.now)
        var text = "\(report.succeeded) fetched, \(report.failed) failed in "
        text += URLLines.clock(report.elapsed / .seconds(1))
        text += ", \(URLLines.decimal(report.rate))/s"
        for (name, duration) in [("p50", report.p50), ("p99", report.p99)] {
            guard let duration else { continue }
            text += ", \(name) \(URLLines.decimal(duration / .milliseconds(1))) ms"
        }
        return text
    }

    /// With one digit behind the point.
    private static func decimal(_ number: Double) -> String {
        let tenths = Int64(min(number, 1e15) * 10 + 0.5)
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `1:02:03`, or `2:03`.
    private static func clock(_ seconds: Double) -> String {
        let all = Int64(min(seconds, 1e15) + 0.5)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let hours = all / 3_600
        let minutes = all / 60 % 60
        return (hours > 0 ? "\(hours):\(two(minutes))" : "\(minutes)") + ":\(two(all % 60))"
    }
}
