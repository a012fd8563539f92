// Every state of an attempt meets every event; what comes of it is compared with
// docs/states/attempt.txt, line by line. Pure.

import FetchRoad
import Glibc
import Testing

struct AttemptTests {
    @Test func `every state meets every event as docs/states/attempt.txt says`() throws {
        let documented = try AttemptTable.documented()
        #expect(AttemptTable.text == documented)
    }

    @Test func `a dispatch outside the line is the road's own mistake and traps`() async {
        await #expect(processExitsWith: .failure) {
            var attempt = Attempt(isIdempotent: true, isReplayable: true, retriesReuseRace: true)
            attempt.dispatched()
            attempt.dispatched()
        }
    }

    @Test func `the reuse race is retried once only`() {
        var attempt = Attempt(isIdempotent: true, isReplayable: true, retriesReuseRace: true)
        let race = Loss(onReusedConnection: true, nothingWritten: true, nothingReceived: true)
        attempt.dispatched()
        attempt.lost(race)
        #expect(attempt.next() == .wait(fresh: true))
        #expect(attempt.reuseRaceLost)
        attempt.dispatched()
        attempt.lost(race)
        #expect(attempt.next() == .fail)
        #expect(attempt.dispatches == 2)
    }

    /// All 64 combinations against the sentence of behaviour 1.
    @Test func `a loss is retried exactly when behaviour 1 allows it`() {
        for bits in 0..<64 {
            let facts = (0..<6).map { bits >> $0 & 1 == 1 }
            let (isIdempotent, isReplayable, isOn) = (facts[0], facts[1], facts[2])
            let loss = Loss(
                onReusedConnection: facts[3], nothingWritten: facts[4], nothingReceived: facts[5])
            var attempt = Attempt(
                isIdempotent: isIdempotent, isReplayable: isReplayable, retriesReuseRace: isOn)
            attempt.dispatched()
            attempt.lost(loss)
            let allowed =
                isOn && loss.onReusedConnection && loss.nothingReceived
                && (loss.nothingWritten || (isIdempotent && isReplayable))
            #expect(attempt.next() == (allowed ? .wait(fresh: true) : .fail), "\(facts)")
        }
    }
}

/// The table as text.
enum AttemptTable {
    /// How a state is reached from the start.
    static let states: [(name: String, reach: @Sendable (inout Attempt) -> Void)] = [
        ("waiting", { _ in }),
        ("dispatched", { $0.dispatched() }),
        (
            "waiting(fresh)",
            {
                $0.dispatched()
                $0.lost(race)
            }
        ),
        (
            "dispatched(fresh)",
            {
                $0.dispatched()
                $0.lost(race)
                $0.dispatched()
            }
        ),
        (
            "ended(answered)",
            {
                $0.dispatched()
                $0.responded()
            }
        ),
        ("ended(failed)", { $0.failed() }),
    ]

    static let race = Loss(onReusedConnection: true, nothingWritten: true, nothingReceived: true)
    static let plainLoss = Loss(
        onReusedConnection: false, nothingWritten: false, nothingReceived: true)

    static let events: [(name: String, apply: @Sendable (inout Attempt) -> Void)] = [
        ("dispatched", { $0.dispatched() }),
        ("responded", { $0.responded() }),
        ("lost(reuse race)", { $0.lost(race) }),
        ("lost(otherwise)", { $0.lost(plainLoss) }),
        ("failed", { $0.failed() }),
    ]

    static var text: String {
        var lines = [
            "# What an attempt becomes: state, event, next state, what the road does then.",
            "# The state of an idempotent, replayable request; compared with the code by a test.",
            "",
        ]
        for state in states {
            for event in events { lines.append(row(state, event)) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(
        _ state: (name: String, reach: @Sendable (inout Attempt) -> Void),
        _ event: (name: String, apply: @Sendable (inout Attempt) -> Void)
    ) -> String {
        var attempt = Attempt(isIdempotent: true, isReplayable: true, retriesReuseRace: true)
        state.reach(&attempt)
        let left = padded(state.name, 19) + padded(event.name, 18)
        let mayDispatch = if case .wait = attempt.next() { true } else { false }
        guard event.name != "dispatched" || mayDispatch else { return left + "traps" }
        event.apply(&attempt)
        return left + padded(name(attempt.state), 19) + name(attempt.next())
    }

    private static func name(_ state: Attempt.State) -> String {
        switch state {
        case .waiting(let fresh): fresh ? "waiting(fresh)" : "waiting"
        case .dispatched: "dispatched"
        case .ended(.answered): "ended(answered)"
        case .ended(.failed): "ended(failed)"
        }
    }

    private static func name(_ action: Attempt.Action) -> String {
        switch action {
        case .wait(let fresh): fresh ? "wait for a fresh connection" : "wait for a connection"
        case .proceed: "proceed"
        case .answer: "answer"
        case .fail: "fail"
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// The file beside the sources.
    static func documented(_ here: String = #filePath) throws -> String {
        let root = here.split(separator: "/").dropLast(3).joined(separator: "/")
        // Opened and closed here; fread writes at most the buffer's size into it.
        let file = try #require(unsafe fopen("/\(root)/docs/states/attempt.txt", "r"))
        defer { unsafe _ = fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
