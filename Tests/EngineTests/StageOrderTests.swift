// The order of a request's stages, as those see it whose own pieces stand at them: limiters and a
// retry strategy of the user's, the breaker's classifier, the network, the peer and the caller.
// Virtual time, a network in memory.

import FetchEngine
import FetchPolicy
import FetchReactor
import FetchTime
import Synchronization
import TestSupport
import Testing

struct StageOrderTests {
    private func attempt(_ dials: Bool = true, answer status: Int) -> [String] {
        ["domain's token", "client's token"] + (dials ? ["dial"] : [])
            + ["request", "retry? \(status)", "breaker hears \(status)"]
    }

    @Test func `a success passes every stage once, in order`() throws {
        let stages = try Stages()
        let call = try stages.call()
        stages.answer(200)
        #expect(call.status == 200)
        #expect(stages.trace == attempt(answer: 200) + ["told 200"])
        #expect(stages.world.statistics.admitted == 0)
    }

    @Test func `a retry passes token, slot and breaker again, and coalescing not`() throws {
        let stages = try Stages()
        let calls = [try stages.call(), try stages.call()]
        stages.answer(503)
        // Between the attempts nothing is held and nobody is asked.
        #expect(stages.world.statistics.admitted == 0)
        #expect(stages.world.statistics.onHold == 2)
        #expect(stages.trace == attempt(answer: 503))
        stages.world.pass(.milliseconds(99))
        #expect(stages.trace == attempt(answer: 503))
        stages.world.pass(.milliseconds(1))
        stages.answer(200)
        #expect(calls.allSatisfy { $0.status == 200 })
        #expect(
            stages.trace == attempt(answer: 503) + attempt(false, answer: 200)
                + ["told 200", "told 200"])
        #expect(stages.world.statistics.onHold == 0)
    }

    @Test func `a 429 parks its domain: nobody is asked for a token before that is over`() throws {
        let stages = try Stages()
        try stages.call()
        stages.answer(429, "Retry-After: 3\r\n")
        let other = try stages.call("http://10.0.0.1/other")
        stages.world.pass(.milliseconds(2_999))
        #expect(stages.trace == attempt(answer: 429))
        #expect(!other.isOver)
        stages.world.pass(.milliseconds(1))
        for _ in 0..<2 {
            stages.answer(200)
            stages.world.pass(.milliseconds(1))
        }
        #expect(stages.trace.count { $0 == "domain's token" } == 3)
        #expect(stages.trace.count { $0 == "told 200" } == 2)
        let seen = stages.trace.dropFirst(attempt(answer: 429).count)
        #expect(seen.first == "domain's token")
    }

    @Test func `an open breaker ends a call before any other stage`() throws {
        let stages = try Stages(breaker: 1, attempts: 1)
        try stages.call()
        stages.answer(503)
        let before = stages.trace
        let refused = try stages.call("http://10.0.0.1/other")
        #expect(refused.told == "circuitOpen(60000 ms), queue")
        stages.note()
        #expect(stages.trace == before + ["told circuitOpen(60000 ms)"])
    }

    @Test func `a breaker that opened meanwhile stops who waits for a slot, and no token is spent`()
        throws
    {
        let stages = try Stages(breaker: 1, attempts: 1, concurrency: 1)
        try stages.call()
        let waiting = try stages.call("http://10.0.0.1/other")
        let before = stages.trace
        stages.answer(503)
        #expect(waiting.told?.hasPrefix("circuitOpen") ?? false)
        #expect(before == ["domain's token", "client's token", "dial", "request"])
        #expect(stages.trace.count { $0.hasSuffix("token") } == 2)
        #expect(stages.trace.count { $0 == "request" } == 1)
    }

    @Test func `a cancelled call leaves where it stands, and no stage behind that is asked`() throws
    {
        let stages = try Stages(concurrency: 1)
        let sent = try stages.call()
        let waiting = try stages.call("http://10.0.0.1/other")
        stages.world.cancel(waiting)
        stages.note()
        stages.world.cancel(sent)
        stages.note()
        #expect(
            stages.trace == [
                "domain's token", "client's token", "dial", "request", "told cancelled",
                "told cancelled",
            ])
        #expect(stages.world.statistics.admitted == 0)
        stages.world.expectBaseline()
    }

    @Test func `who follows asks nobody but the one who leads`() throws {
        let stages = try Stages()
        for _ in 0..<3 { try stages.call() }
        #expect(stages.world.statistics.onHold == 2)
        stages.answer(200)
        #expect(stages.trace == attempt(answer: 200) + ["told 200", "told 200", "told 200"])
    }
}

/// A world whose every stage writes down that it was passed.
private final class Stages {
    let world: World
    private let log = StageLog()
    private var calls: [TestCall] = []
    private var asked: [MemoryStream] = []

    var trace: [String] { log.lines }

    init(breaker failures: Int = 100, attempts: Int = 3, concurrency: Int = 100) throws {
        let log = log
        world = try World {
            $0.policies.coalescing = CoalescingRules()
            $0.policies.concurrency = concurrency
            $0.policies.failsWhenSpent = false
            $0.policies.domainLimit = .custom { Open(name: "domain's token", log: log) }
            $0.policies.clientLimit = .custom { Open(name: "client's token", log: log) }
            $0.policies.retries = .strategy(Asked(attempts: attempts, log: log))
            $0.policies.breaker = BreakerRules(
                consecutiveFailures: failures,
                classifier: { outcome in
                    log.note("breaker hears \(Stages.name(outcome))")
                    return BreakerRules.standardVerdict(outcome)
                })
        }
        world.network.fate = { _ in
            log.note("dial")
            return .connects
        }
    }

    @discardableResult
    func call(_ url: String = "http://10.0.0.1/") throws -> TestCall {
        let call = try world.call(url)
        calls.append(call)
        note()
        return call
    }

    /// Answers what was asked.
    func answer(_ status: Int, _ fields: String = "") {
        note()
        for stream in asked {
            stream.send("HTTP/1.1 \(status) X\r\n\(fields)Content-Length: 0\r\n\r\n")
        }
        asked = []
        world.run()
        note()
    }

    /// What the peer and the callers know by now.
    func note() {
        for stream in world.network.open where !stream.takeWritten().isEmpty {
            log.note("request")
            asked.append(stream)
        }
        for call in calls where call.isOver {
            let end = call.status.map { "\($0)" } ?? call.failure.map { TestCall.name($0.error) }
            log.note("told \(end ?? "")")
        }
        calls.removeAll { $0.isOver }
    }

    fileprivate static func name(_ outcome: AttemptOutcome) -> String {
        switch outcome {
        case .responded(let status, _): "\(status)"
        case .failed(let cause): "\(cause)"
        }
    }
}

private final class StageLog: Sendable {
    private let noted = Mutex<[String]>([])

    var lines: [String] { noted.withLock { $0 } }

    func note(_ line: String) { noted.withLock { $0.append(line) } }
}

/// A limiter that lets everybody go.
private struct Open: RateLimiter {
    let name: String
    let log: StageLog

    mutating func admit(_ cost: Int, now: Instant) -> Admission {
        log.note(name)
        return .now
    }

    mutating func giveBack(_ cost: Int, now: Instant) { log.note("back: \(name)") }
}

/// Tries 429 and 503 again after 100 ms, or what the server asks for.
private struct Asked: RetryStrategy {
    let attempts: Int
    let log: StageLog

    func decide(_ context: RetryContext) -> RetryDecision {
        log.note("retry? \(Stages.name(context.outcome))")
        guard case .responded(let status, let wait) = context.outcome,
            [429, 503].contains(status), context.attempt < attempts
        else { return .giveUp(.refusedByStrategy) }
        return .retry(after: wait ?? .milliseconds(100), parksDomain: wait != nil)
    }
}
