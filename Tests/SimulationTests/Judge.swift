// What must hold after every seed. Reads what was played; changes nothing.

import Fetch
import FetchTime
import TestSupport

struct Judge {
    private let play: Play
    private let scenario: Scenario
    private(set) var findings: [String] = []
    /// How often each outcome was seen, so that the suite can show that it tries them all.
    private(set) var tally: [String: Int] = [:]

    init(_ play: Play) {
        self.play = play
        scenario = play.scenario
    }

    mutating func judgeCalls() {
        for (id, ending) in play.endings.enumerated() {
            guard let ending else {
                findings.append("call \(id) never ended: \(scenario.calls[id])")
                continue
            }
            switch ending.result {
            case .success(let response): judge(ending, response)
            case .failure(let error): judge(ending, error)
            }
        }
        judgeCaps()
        judgeRequests()
    }

    // MARK: Responses

    private mutating func judge(_ ending: Ending, _ response: Response) {
        let call = ending.call
        tally["success", default: 0] += 1
        tally["success \(call.kind.rawValue)", default: 0] += 1
        guard call.kind.answersRightly else {
            return complain(call, "succeeded with \(response.statusCode)")
        }
        if response["X-Id"] != "\(call.asks)" {
            complain(call, "got the response of \(response["X-Id"] ?? "nobody")")
        }
        let wanted = [Kind.noContent: 204, .notModified: 304][call.kind] ?? 200
        if response.statusCode != wanted { complain(call, "has status \(response.statusCode)") }
        let body = [UInt8](response.body)
        // An end from the network inside a body that only the end delimits can't be told from the
        // origin's own (RFC 9112 §8).
        let mayBeCut = call.kind == .closeDelimited && canBeEnded
        if body != call.body, !(mayBeCut && call.body.starts(with: body)) {
            complain(call, "has \(body.count) bytes, not its own \(call.body.count)")
        }
        if call.kind == .chunked, call.method != .head,
            response.trailers?["X-Id"] != "\(call.asks)"
        {
            complain(call, "lost its trailers")
        }
    }

    // MARK: Failures

    private mutating func judge(_ ending: Ending, _ error: any Error) {
        let call = ending.call
        if error is CancellationError {
            tally["cancelled", default: 0] += 1
            if !ending.isCancelAsked { complain(call, "was cancelled by nobody") }
            return
        }
        guard let error = error as? FetchError else {
            return complain(call, "failed with \(type(of: error)): \(error)")
        }
        tally[error.code.rawValue, default: 0] += 1
        if !explains(error, ending) { complain(call, "failed unexplained: \(error)") }
        judgeClock(error, ending)
    }

    /// Whether the call's kind, the weather or the pool's state can bring the failure about.
    private func explains(_ error: FetchError, _ ending: Ending) -> Bool {
        let call = ending.call
        switch error.code {
        case .queueTimeout, .totalTimeout: return true
        case .circuitOpen: return scenario.policies?.breaker != nil
        case .rateLimited: return scenario.policies?.hasLimit ?? false
        case .connectTimeout: return scenario.weather.blackHole > 0
        case .refused: return scenario.weather.refusal > 0
        case .firstByteTimeout: return call.kind == .hang || scenario.weather.loss > 0
        case .readTimeout: return call.kind == .stall || scenario.weather.loss > 0
        case .writeTimeout: return scenario.weather.loss > 0
        case .malformedResponse:
            // An end inside a response's head, too.
            return [.malformed, .twoLengths].contains(call.kind) || follows(.extraBytes, call)
                || canBeEnded
        case .truncatedBody: return call.kind == .truncated || canBeEnded
        case .closedBeforeResponse:
            return call.kind == .dropped || canBeEnded || canRace(call)
        case .reset:
            return [.reset, .resetInBody, .dropped].contains(call.kind) || canBeReset
                || canRace(call)
        default: return false
        }
    }

    /// A clock never fires early, and on time when it does.
    private mutating func judgeClock(_ error: FetchError, _ ending: Ending) {
        let clocks = scenario.timeouts
        let least: Duration? =
            switch error.code {
            case .queueTimeout: clocks.queue
            case .connectTimeout: clocks.connect
            case .firstByteTimeout: clocks.firstByte
            case .readTimeout: clocks.readIdle
            case .writeTimeout: clocks.writeIdle
            case .totalTimeout: ending.call.total ?? clocks.total
            default: nil
            }
        // Who follows another is told what that one's exchange met, whose clocks began earlier.
        if error.code != .totalTimeout, scenario.hasTwins(ending.call) { return }
        guard let least else { return }
        if ending.elapsed < least { complain(ending.call, "timed out early: \(error)") }
        if error.code == .totalTimeout, ending.elapsed > least + .milliseconds(25) {
            complain(ending.call, "timed out late, after \(ending.elapsed): \(error)")
        }
    }

    /// The origins or the network end connections in an orderly way.
    private var canBeEnded: Bool {
        scenario.weather.orderlyEnd > 0 || !scenario.restarts.isEmpty
    }

    private var canBeReset: Bool { scenario.weather.reset > 0 || canBeEnded }

    /// A request that may not be sent twice, on a connection that its origin ended (RFC 9112
    /// §9.3.1).
    private func canRace(_ call: PlannedCall) -> Bool {
        guard !call.isIdempotent else { return false }
        return follows(.silentClose, call) || follows(.extraBytes, call)
            || follows(.keepAliveHint, call) || follows(.early, call)
            || follows(.announcedClose, call)
    }

    /// Whether some other call to the same origin is of that kind.
    private func follows(_ kind: Kind, _ call: PlannedCall) -> Bool {
        // Where origins are balanced, any may be behind any name.
        let isAnywhere = scenario.policies?.isBalanced ?? false
        return scenario.calls.contains {
            $0.asks != call.asks && (isAnywhere || $0.origin == call.origin) && $0.kind == kind
        }
    }

    // MARK: Promises that origins and the network can see

    private mutating func judgeCaps() {
        for origin in 0..<scenario.origins {
            let most = play.network.mostOpen[Play.address(origin)] ?? 0
            if most > scenario.connectionsPerOrigin {
                findings.append("\(most) connections to origin \(origin) at once")
            }
        }
        if play.network.mostOpenInAll > scenario.connections {
            findings.append("\(play.network.mostOpenInAll) connections at once")
        }
    }

    /// A request that is not idempotent is never seen twice, any other at most twice an attempt.
    private mutating func judgeRequests() {
        var seen = [Int](repeating: 0, count: scenario.calls.count)
        for origin in play.origins {
            for complaint in origin.seen.complaints {
                findings.append("an origin could not read a request: \(complaint)")
            }
            for request in origin.seen.requests {
                guard let call = scenario.call(of: request) else { continue }
                seen[call.id] += 1
            }
        }
        var allowed = [Int](repeating: 0, count: scenario.calls.count)
        let attempts = scenario.policies?.attempts ?? 1
        let hedges = scenario.policies?.hedging == nil ? 0 : 1
        for call in scenario.calls {
            let exchanges = attempts + (call.isSafe ? hedges : 0)
            allowed[call.asks] += call.isIdempotent ? 2 * exchanges : 1
        }
        for call in scenario.calls where seen[call.id] > allowed[call.id] {
            complain(call, "was sent \(seen[call.id]) times")
        }
    }

    /// Seventy seconds later nothing is left.
    mutating func judgeRest() {
        let statistics = play.fetcher.statistics
        let left = [
            ("calls in flight", statistics.callsInFlight), ("waiting", statistics.callsWaiting),
            ("active", statistics.active), ("connecting", statistics.connecting),
            ("idle", statistics.idle), ("admitted", statistics.admitted),
            ("tracked origins", statistics.trackedOrigins),
            ("open streams", play.network.openInAll),
        ]
        for (what, count) in left where count != 0 {
            findings.append("\(count) \(what) at the end")
        }
        let ended =
            statistics.callsSucceeded + statistics.callsFailed + statistics.callsCancelled
        if ended != statistics.callsStarted || ended != scenario.calls.count {
            findings.append("the counters do not add up: \(statistics)")
        }
        tally["reuses", default: 0] += statistics.reuses
        tally["retries", default: 0] += statistics.retries
        tally["hedges", default: 0] += statistics.hedges
        tally["hedges won", default: 0] += statistics.hedgesWon
        tally["coalesced", default: 0] += statistics.callsCoalesced
        tally["reuse races", default: 0] += statistics.reuseRacesLost
        tally["calls", default: 0] += statistics.callsStarted
        findings += play.findings.all
    }

    private mutating func complain(_ call: PlannedCall, _ what: String) {
        findings.append("call \(call.id) (\(call.method) \(call.kind)) \(what)")
    }
}
