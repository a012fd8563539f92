// The script of the mock server: what to do is said by the path, so that `curl` can ask for every
// misbehaviour. The table is in docs/mockserver.md. Values and one counter behind a lock.

internal import FetchBytes
internal import Synchronization

package final class MockPaths: Sendable {
    /// How often each path with a list was asked for.
    private let turns = Mutex<[String: Int]>([:])
    private static let mostPathsCounted = 10_000
    /// Ten minutes: no request for a delay holds a connection longer.
    private static let longestMilliseconds = 600_000
    private static let largestBody = 1 << 40
    private static let longestChunk = 1_000

    package init() {}

    package var script: Script {
        Script(
            early: { request in
                switch MockPaths.words(request).first {
                case "early":
                    [.text("answered before the body\n")]
                case "swallow":
                    [.swallow, .tally]
                case "slow-reader":
                    [
                        .stopReading,
                        .delay(.milliseconds(MockPaths.word(request, 1, else: 1_000))),
                        .resumeReading, .swallow, .tally,
                    ]
                default:
                    nil
                }
            },
            whole: { [self] request in steps(request) })
    }

    private func steps(_ request: SeenRequest) -> [Step] {
        let words = MockPaths.words(request)
        switch words.first {
        case "status", "sequence": return status(request, words)
        case "delay":
            return [.delay(MockPaths.milliseconds(request, 1)), .text("waited\n")]
        case "bytes": return [.generate(MockPaths.size(request, 1))]
        case "drip": return MockPaths.drip(request)
        case "chunked": return MockPaths.chunked(request)
        case "close": return [.close]
        case "reset": return [.reset]
        case "truncate":
            let count = MockPaths.word(request, 1, else: 10)
            let said = [("Content-Length", "\(max(1_024, count * 2))")]
            return [.head(200, fields: said), .pattern(count), .close]
        case "close-delimited":
            let count = min(MockPaths.word(request, 1, else: 1_024), BodyPattern.period)
            return [.closeDelimited(BodyPattern.bytes(at: 0, count: count))]
        case "close-after":
            let last = request.numberOnConnection + 1 >= MockPaths.word(request, 1, else: 1)
            return [.text("request \(request.numberOnConnection)\n")] + (last ? [.close] : [])
        case "keep-alive":
            return [.keepAliveHint(MockPaths.word(request, 1, else: 5)), .text("hinted\n")]
        case "extra": return [.text("asked for\n"), .extraBytes("HTTP/1.1 200 OK\r\n")]
        case "hang": return [.hang]
        case "informational":
            return [
                .informational(MockPaths.word(request, 1, else: 103), fields: [("Link", "</a>")]),
                .text("after an interim response\n"),
            ]
        case "echo": return [.echo]
        case "headers": return [.text(originFields(request))]
        case nil: return [.text("mockserver: see docs/mockserver.md\n")]
        default: return [.text("no such path\n", status: 404)]
        }
    }

    /// `/status/200,503` answers with one after the other, over all connections.
    private func status(_ request: SeenRequest, _ words: [Substring]) -> [Step] {
        let list = words.count > 1 ? String(words[1]) : request.query("statuses") ?? "200"
        let codes = list.split(separator: ",").compactMap { Int($0) }
            .filter { (200...999).contains($0) }
        guard !codes.isEmpty else { return [.text("no status in \(list)\n", status: 400)] }
        let turn = codes.count == 1 ? 0 : nextTurn(of: request.target)
        let code = codes[turn % codes.count]
        var fields: [(String, String)] = []
        if (300...399).contains(code) { fields.append(("Location", "/")) }
        if let seconds = request.query("retry-after") { fields.append(("Retry-After", seconds)) }
        return [.text("status \(code)\n", status: code, fields: fields)]
    }

    private func nextTurn(of target: String) -> Int {
        turns.withLock { turns in
            if turns.count >= MockPaths.mostPathsCounted { turns.removeAll() }
            let turn = turns[target, default: 0]
            turns[target] = turn + 1
            return turn
        }
    }

    /// `/drip?bytes=10&every_ms=100`
    private static func drip(_ request: SeenRequest) -> [Step] {
        let count = min(Int(request.query("bytes") ?? "") ?? 10, BodyPattern.period)
        let every = min(Int(request.query("every_ms") ?? "") ?? 100, longestMilliseconds)
        return [
            .head(200, fields: [("Content-Length", "\(max(0, count))")]),
            .drip(BodyPattern.bytes(at: 0, count: max(0, count)), every: .milliseconds(every)),
        ]
    }

    /// `/chunked/N?trailers=1`: N chunks of 1, 2, … 1,000 bytes, and again from 1.
    private static func chunked(_ request: SeenRequest) -> [Step] {
        let count = min(word(request, 1, else: 3), 10_000)
        let chunks = (0..<count).map {
            BodyPattern.bytes(at: $0 * 7, count: $0 % longestChunk + 1)
        }
        guard request.query("trailers") != nil else { return [.chunked(chunks)] }
        return [
            .chunked(
                chunks, fields: [("Trailer", "X-Chunks")], trailers: [("X-Chunks", "\(count)")])
        ]
    }

    private static func words(_ request: SeenRequest) -> [Substring] {
        request.path.split(separator: "/")
    }

    /// A number in the path, never negative.
    private static func word(_ request: SeenRequest, _ index: Int, else other: Int) -> Int {
        let words = words(request)
        guard index < words.count, let number = Int(words[index]) else { return other }
        return min(max(0, number), largestBody)
    }

    private static func milliseconds(_ request: SeenRequest, _ index: Int) -> Duration {
        .milliseconds(min(word(request, index, else: 1_000), longestMilliseconds))
    }

    private static func size(_ request: SeenRequest, _ index: Int) -> Int {
        word(request, index, else: 1_024)
    }
}
