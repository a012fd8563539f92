// What the origins of a scenario do, and what they saw wrong. The script runs on the simulation's
// thread; the findings are read when it is over.

import Fetch
import Synchronization
import TestSupport

/// What went against the client's promises, as seen by an origin or by the judge.
final class Findings: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    var all: [String] { lines.withLock { $0 } }
}

extension Scenario {
    /// One script for all origins: a request's target says which call it is.
    func script(_ findings: Findings) -> Script {
        Script(
            early: { request in
                guard let call = self.call(of: request) else { return [] }
                switch call.kind {
                case .early:
                    return [self.answer(call)]
                case .slowReader:
                    return [
                        .stopReading, .delay(.milliseconds(300)), .resumeReading, .swallow,
                        self.answer(call),
                    ]
                default:
                    return nil
                }
            },
            whole: { request in
                guard let call = self.call(of: request) else {
                    findings.add("an origin saw \(request.method) \(request.target)")
                    return [.close]
                }
                if call.upload != nil, request.body != call.uploadBody {
                    findings.add("call \(call.id): the upload came as \(request.body.count) bytes")
                }
                if request["X-Id"] != "\(call.id)" {
                    findings.add("call \(call.id): its field is \(request["X-Id"] ?? "absent")")
                }
                return self.steps(call)
            })
    }

    func call(of request: SeenRequest) -> PlannedCall? {
        guard let id = Int(request.path.dropFirst()), calls.indices.contains(id),
            calls[id].method.rawValue == request.method
        else { return nil }
        return calls[id]
    }

    private func answer(_ call: PlannedCall, fields: [(String, String)] = []) -> Step {
        .respond(200, fields: [("X-Id", "\(call.id)")] + fields, body: Bytes(call.body))
    }

    private func steps(_ call: PlannedCall) -> [Step] {
        let mark = [("X-Id", "\(call.id)")]
        let body = Bytes(call.body)
        switch call.kind {
        case .plain, .early, .slowReader: return [answer(call)]
        case .delayed: return [.delay(.milliseconds(call.size % 700)), answer(call)]
        case .chunked:
            let middle = body.count / 3
            return [
                .chunked(
                    [body.slice(0..<middle), body.slice(middle..<body.count)], fields: mark,
                    trailers: mark)
            ]
        case .closeDelimited: return [.closeDelimited(body, fields: mark)]
        case .interim: return [.informational(103), .informational(102), answer(call)]
        case .noContent: return [.respond(204, fields: mark)]
        case .notModified: return [.respond(304, fields: mark)]
        case .silentClose: return [answer(call), .close]
        case .announcedClose: return [answer(call, fields: [("Connection", "close")]), .close]
        case .extraBytes: return [answer(call), .extraBytes("HTTP/1.1 200 OK\r\nGARBAGE")]
        case .keepAliveHint: return [.keepAliveHint(call.size % 9), answer(call)]
        case .drip:
            return [
                .head(200, fields: mark + [("Content-Length", "\(body.count)")]),
                .drip(body, every: .milliseconds(10)),
            ]
        case .dropped: return [.close]
        case .reset: return [.reset]
        case .truncated: return [.truncate(body, after: body.count - 1)]
        case .resetInBody:
            return [.head(200, fields: mark + [("Content-Length", "100000")]), .raw(body), .reset]
        case .malformed: return [.raw("HTTP/1.1 2x0 OK\r\n\r\n")]
        case .twoLengths:
            return [.raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")]
        case .hang: return [.hang]
        case .stall:
            return [.head(200, fields: mark + [("Content-Length", "100000")]), .raw(body), .hang]
        }
    }
}
