// The states of an attempt and its events as a table of text, for docs/states/attempt.txt.

import FetchRoad
import FetchTime
import Glibc
import Testing

/// The table as text.
enum AttemptTable {
    typealias Change = @Sendable (inout Attempt) -> Void

    /// How a state is reached from the start of a call that passes every stage.
    static let states: [(name: String, reach: Change)] = [
        ("lookingUp", { _ in }),
        ("joining", { $0.cacheMissed() }),
        ("following", after(1) { $0.follows() }),
        ("asking", after(1) { $0.asksItself() }),
        ("waiting", after(2) { _ in }),
        ("dispatched", after(2) { $0.dispatched() }),
        (
            "waiting(fresh)",
            after(2) {
                $0.dispatched()
                _ = $0.lost(race)
            }
        ),
        (
            "dispatched(fresh)",
            after(2) {
                $0.dispatched()
                _ = $0.lost(race)
                $0.dispatched()
            }
        ),
        ("backingOff", after(2) { $0.backsOff(until: Instant(nanoseconds: 7)) }),
        ("ended(answered)", { $0.responded() }),
        ("ended(failed)", { $0.failed() }),
    ]

    /// The same behind the look-up, and behind joining and the breaker.
    private static func after(_ stages: Int, _ change: @escaping Change) -> Change {
        { attempt in
            attempt.cacheMissed()
            if stages == 2 {
                attempt.asksItself()
                attempt.breakerAdmitted()
            }
            change(&attempt)
        }
    }

    static let race = Loss(onReusedConnection: true, nothingWritten: true, nothingReceived: true)
    static let plainLoss = Loss(
        onReusedConnection: false, nothingWritten: false, nothingReceived: true)

    /// Each event with the states in which it traps, because only a mistake of the road's brings it
    /// about there.
    static let events: [(name: String, happensIn: Set<String>?, apply: Change)] = [
        ("cache missed", ["lookingUp"], { $0.cacheMissed() }),
        ("follows", ["joining"], { $0.follows() }),
        (
            "asks itself", ["joining", "following", "ended(answered)", "ended(failed)"],
            { $0.asksItself() }
        ),
        ("breaker admitted", ["asking"], { $0.breakerAdmitted() }),
        ("asks again", ["waiting", "waiting(fresh)"], { $0.asksAgain() }),
        ("dispatched", ["waiting", "waiting(fresh)"], { $0.dispatched() }),
        ("responded", nil, { $0.responded() }),
        ("lost(reuse race)", nil, { _ = $0.lost(race) }),
        ("lost(otherwise)", nil, { _ = $0.lost(plainLoss) }),
        (
            "backs off", ["waiting", "waiting(fresh)", "dispatched", "dispatched(fresh)"],
            { $0.backsOff(until: Instant(nanoseconds: 7)) }
        ),
        ("answered nothing", ["dispatched", "dispatched(fresh)"], { $0.answeredNothing() }),
        ("back-off ended", ["backingOff"], { $0.backOffEnded() }),
        ("failed", nil, { $0.failed() }),
    ]

    static var text: String {
        var lines = [
            "# What an attempt becomes: state, event, next state, what the road does then.",
            "# The state of an idempotent, replayable request that passes every stage; compared",
            "# with the code by a test.",
            "",
        ]
        for state in states {
            for event in events { lines.append(row(state, event)) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(
        _ state: (name: String, reach: Change),
        _ event: (name: String, happensIn: Set<String>?, apply: Change)
    ) -> String {
        let left = padded(state.name, 19) + padded(event.name, 18)
        guard event.happensIn?.contains(state.name) ?? true else { return left + "traps" }
        var attempt = Attempt(
            isIdempotent: true, isReplayable: true, retriesReuseRace: true,
            stages: [.lookUp, .joining, .breaker])
        state.reach(&attempt)
        event.apply(&attempt)
        return left + padded(name(attempt.state), 19) + name(attempt.next())
    }

    private static func name(_ state: Attempt.State) -> String {
        switch state {
        case .lookingUp: "lookingUp"
        case .joining: "joining"
        case .following: "following"
        case .asking: "asking"
        case .waiting(let fresh): fresh ? "waiting(fresh)" : "waiting"
        case .dispatched: "dispatched"
        case .backingOff: "backingOff"
        case .ended(.answered): "ended(answered)"
        case .ended(.failed): "ended(failed)"
        }
    }

    private static func name(_ action: Attempt.Action) -> String {
        switch action {
        case .lookUp: "look for a stored answer"
        case .join: "look for who asks the same"
        case .askBreaker: "ask the breaker"
        case .wait(let fresh): fresh ? "wait for a fresh connection" : "wait for a connection"
        case .backOff: "wait until then"
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
