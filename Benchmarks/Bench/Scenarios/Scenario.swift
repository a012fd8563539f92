// The scenario list: what `bench` without arguments measures. Each is bounded by time, all together
// stay under two minutes. Pure.

/// One line of the table.
enum Scenario: String, CaseIterable, Sendable {
    case keepAlive = "keep-alive"
    case keepAliveCallback = "keep-alive-callback"
    case keepAliveEmbedded = "keep-alive-embedded"
    case newConnection = "new-connection"
    case body100KiB = "body-100-kib"
    case body1GiB = "body-1-gib"
    case connections8000 = "8000-connections"
    case origins10000 = "10000-origins"
    case crossThread = "cross-thread"

    var title: String {
        switch self {
        case .keepAlive: "keep-alive, 64 connections"
        case .keepAliveCallback: "the same, callback API"
        case .keepAliveEmbedded: "keep-alive, in a foreign poll loop"
        case .newConnection: "new connection each time, 16 at once"
        case .body100KiB: "100 KiB body, 16 connections"
        case .body1GiB: "1 GiB body, streamed, 1 connection"
        case .connections8000: "8,000 connections, all busy"
        case .origins10000: "10,000 origins, visited twice"
        case .crossThread: "64 callers on other threads"
        }
    }

    /// What to do against an embedded origin on `port`, `seconds` at most.
    func plan(port: UInt16, seconds: Double) -> LoadPlan {
        let base = "http://127.0.0.1:\(port)"
        let time = Amount(nanoseconds: UInt64(seconds * 1e9))
        var plan = LoadPlan(target: .url(base + "/"), amount: time)
        switch self {
        case .keepAlive:
            break
        case .keepAliveCallback:
            plan.face = .callback
        case .keepAliveEmbedded:
            plan.face = .embedded
        case .newConnection:
            plan.target = .url(base + "/close")
            plan.connections = 16
        case .body100KiB:
            plan.target = .url(base + "/bytes/102400")
            plan.connections = 16
        case .body1GiB:
            plan.target = .url(base + "/bytes/1073741824")
            plan.face = .stream
            plan.connections = 1
        case .connections8000:
            plan.connections = 8_000
        case .origins10000:
            plan.target = .origins(10_000, port: port)
            plan.amount.requests = 20_000
            plan.amount.nanoseconds = UInt64(seconds * 3e9)
        case .crossThread:
            plan.face = .crossThread
        }
        return plan
    }
}
