// Every state of a breaker meets every event, as text: what docs/states/breaker.txt says.

import FetchPolicy
import FetchTime
import Glibc

enum BreakerTable {
    /// Two failures in a row open it for ten seconds; one probe closes it.
    static let rules = BreakerRules(consecutiveFailures: 2, coolDown: .seconds(10))

    /// A breaker in a state, and the permit of the request that is under way in it.
    struct Stage {
        var breaker = CircuitBreaker(BreakerTable.rules)
        var permit: CircuitBreaker.Permit?
        var now = Instant.at(0)
        var transition: CircuitBreaker.Transition?

        mutating func arrive() -> CircuitBreaker.Answer {
            transition = nil
            let answer = breaker.requestArrived(now: now, transition: &transition)
            if case .admitted(let permit) = answer { self.permit = permit }
            return answer
        }

        mutating func end(_ verdict: BreakerVerdict) {
            transition = permit.flatMap { breaker.ended($0, verdict, now: now) }
        }

        mutating func open() {
            for _ in 0..<2 {
                _ = arrive()
                end(.failure)
            }
        }
    }

    static let states: [(name: String, reach: @Sendable (inout Stage) -> Void)] = [
        ("closed", { _ = $0.arrive() }),
        (
            "closed, one failed",
            {
                _ = $0.arrive()
                $0.end(.failure)
                _ = $0.arrive()
            }
        ),
        (
            "open",
            {
                _ = $0.arrive()
                let permit = $0.permit
                $0.open()
                $0.permit = permit
            }
        ),
        (
            "open, cooled down",
            {
                _ = $0.arrive()
                let permit = $0.permit
                $0.open()
                $0.permit = permit
                $0.now = .at(10)
            }
        ),
        (
            "half open, probing",
            {
                $0.open()
                $0.now = .at(10)
                _ = $0.arrive()
            }
        ),
        (
            "half open, probe lost",
            {
                $0.open()
                $0.now = .at(10)
                _ = $0.arrive()
                $0.now = .at(20)
            }
        ),
        (
            "half open, idle",
            {
                $0.open()
                $0.now = .at(10)
                _ = $0.arrive()
                $0.end(.ignored)
            }
        ),
    ]

    static let events = [
        "request arrived", "ended(success)", "ended(failure)", "ended(ignored)",
    ]

    static var text: String {
        var lines = [
            "# What a breaker becomes: state, event, next state, what is answered.",
            "# Two failures in a row open it for 10 s; compared with the code by a test.",
            "# The outcomes are those of the request that was let through last. An open breaker",
            "# let it through before it opened; one half open and idle has its outcome already.",
            "",
        ]
        for state in states {
            for event in events { lines.append(row(state, event)) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(
        _ state: (name: String, reach: @Sendable (inout Stage) -> Void), _ event: String
    ) -> String {
        var stage = Stage()
        state.reach(&stage)
        var answer = ""
        switch event {
        case "request arrived": answer = name(stage.arrive())
        case "ended(success)": stage.end(.success)
        case "ended(failure)": stage.end(.failure)
        default: stage.end(.ignored)
        }
        var line = padded(state.name, 24) + padded(event, 18)
        line += padded(name(stage.breaker.state), 20) + answer
        if stage.transition != nil { line = padded(line, 80) + "transition" }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }

    private static func name(_ state: CircuitBreaker.State) -> String {
        switch state {
        case .closed: "closed"
        case .open(let until): "open until \(Int(until.seconds)) s"
        case .halfOpen: "half open"
        }
    }

    private static func name(_ answer: CircuitBreaker.Answer) -> String {
        switch answer {
        case .admitted: "admitted"
        case .refused(let until): "refused until \(Int(until.seconds)) s"
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// The file beside the sources.
    static func documented(_ here: String = #filePath) -> String? {
        let root = here.split(separator: "/").dropLast(3).joined(separator: "/")
        // Opened and closed here; fread writes at most the buffer's size into it.
        guard let file = unsafe fopen("/\(root)/docs/states/breaker.txt", "r") else { return nil }
        defer { unsafe _ = fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
