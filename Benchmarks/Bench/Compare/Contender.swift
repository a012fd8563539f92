// One client in `bench compare`: how it is started, and how many requests it says it made. Pure;
// the process is started by Comparison.

/// A client that is measured as a process of its own, so that wait4(2) counts it alone.
package struct Contender {
    var name: String
    let program: String
    let arguments: [String]
    /// Requests made and requests failed, read from what the process printed; nil when it makes no
    /// sense.
    package let count: @Sendable (String) -> (requests: Int, errors: Int)?

    /// What a run is.
    struct Plan {
        var url: String
        var connections: Int
        /// Whole seconds: wrk takes no others.
        var seconds: Int
        /// Further arguments of `bench http`, of wrk and of curl.
        var ownArguments: [String] = []
        var wrkArguments: [String] = []
        var curlArguments: [String] = []
    }

    /// Requests that curl makes: it cannot be told a time.
    static let curlRequests = 20_000

    /// The clients in the order they run, and the names of those that aren't installed.
    static func all(_ plan: Plan, find: (String) -> String?) -> (
        here: [Contender], absent: [String]
    ) {
        var here = [floor(plan), ours(plan, callback: true), ours(plan, callback: false)]
        var absent: [String] = []
        for (name, make) in [("wrk", wrk), ("h2load", h2load), ("curl", curl)] {
            // curl goes through its URLs one by one: many connections mean nothing to it.
            if name == "curl" && plan.connections > 64 { continue }
            if let program = find(name) {
                here.append(make(plan, program))
            } else {
                absent.append(name)
            }
        }
        return (here, absent)
    }

    private static func floor(_ plan: Plan) -> Contender {
        Contender(
            name: "kernel floor", program: ChildProcess.ownPath,
            arguments: [
                "floor", plan.url, "--connections", "\(plan.connections)",
                "--duration", "\(plan.seconds)",
            ],
            count: countLines)
    }

    static func ours(_ plan: Plan, callback: Bool) -> Contender {
        Contender(
            name: callback ? "swift-fetch, callback" : "swift-fetch, async",
            program: ChildProcess.ownPath,
            arguments: [
                "http", plan.url, "--connections", "\(plan.connections)",
                "--duration", "\(plan.seconds)", "--lines",
            ] + (callback ? ["--callback"] : []) + plan.ownArguments,
            count: countLines)
    }

    static func wrk(_ plan: Plan, _ program: String) -> Contender {
        Contender(
            name: "wrk", program: program,
            arguments: [
                "-t1", "-c\(plan.connections)", "-d\(plan.seconds)s", "--timeout", "30s",
            ] + plan.wrkArguments + [plan.url],
            count: countWrk)
    }

    static func h2load(_ plan: Plan, _ program: String) -> Contender {
        Contender(
            name: "h2load --h1", program: program,
            arguments: [
                "--h1", "-t1", "-c\(plan.connections)", "-D\(plan.seconds)", plan.url,
            ],
            count: countH2load)
    }

    static func curl(_ plan: Plan, _ program: String) -> Contender {
        let separator = plan.url.contains("?") ? "&" : "?"
        return Contender(
            name: "curl, 1 connection", program: program,
            arguments: [
                "-sS", "--fail", "-o", "/dev/null",
            ] + plan.curlArguments + [
                "\(plan.url)\(separator)[1-\(curlRequests)]"
            ],
            count: { _ in (curlRequests, 0) })
    }

    static let countLines: @Sendable (String) -> (requests: Int, errors: Int)? = { text in
        Report(lines: text).map { ($0.requests, $0.errors) }
    }

    /// "  192315 requests in 3.04s, 28.24MB read"; "  Socket errors: connect 0, read 3, …".
    package static let countWrk: @Sendable (String) -> (requests: Int, errors: Int)? = { text in
        var requests: Int?
        var errors = 0
        for line in text.split(separator: "\n") {
            if line.contains(" requests in ") { requests = numbers(in: line).first }
            if line.contains("Socket errors:") || line.contains("Non-2xx") {
                errors += numbers(in: line.drop { $0 != ":" }).reduce(0, +)
            }
        }
        return requests.map { ($0, errors) }
    }

    /// "requests: 190000 total, 190000 started, 190000 done, 190000 succeeded, 0 failed, …".
    package static let countH2load: @Sendable (String) -> (requests: Int, errors: Int)? = { text in
        let line = text.split(separator: "\n").first { $0.hasPrefix("requests:") }
        guard let found = line.map({ numbers(in: $0) }), found.count >= 5 else { return nil }
        return (found[2], found[4])
    }

    private static func numbers(in text: Substring) -> [Int] {
        text.split { !$0.isNumber }.compactMap { Int($0) }
    }
}
