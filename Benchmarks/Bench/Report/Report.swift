// The figures of one load run: the JSON that `bench http --json` prints, and the lines by which a
// child process hands its figures to its parent. A pure value.

/// Figures of one load run.
package struct Report: Equatable {
    /// Microseconds.
    package struct Latency: Equatable {
        package var p50: UInt64 = 0
        package var p90: UInt64 = 0
        package var p99: UInt64 = 0
        package var p999: UInt64 = 0
        package var max: UInt64 = 0

        package init() {}
    }

    /// Requests that ended, those that failed among them.
    package var requests = 0
    package var errors = 0
    package var wallSeconds = 0.0
    /// CPU of the client's process alone.
    package var userSeconds = 0.0
    package var systemSeconds = 0.0
    package var latency = Latency()
    /// Bytes of response bodies.
    package var bytes = 0
    package var connectionsOpened = 0
    /// The most ever seen.
    package var threads = 0
    package var peakResidentKilobytes = 0
    package var statuses: [Int: Int] = [:]
    package var errorsByCode: [String: Int] = [:]
    package var late = 0
    /// Further facts, a sentence each; under the table, not in the JSON.
    package var notes: [String] = []

    package init() {}

    package var requestsPerSecond: Double { wallSeconds > 0 ? Double(requests) / wallSeconds : 0 }

    /// User and system CPU microseconds per request.
    var processorMicroseconds: (user: Double, system: Double) {
        let count = Double(max(requests, 1))
        return (userSeconds * 1e6 / count, systemSeconds * 1e6 / count)
    }

    /// One JSON object, keys as documented.
    package var json: String {
        let latency =
            "{\"p50\":\(latency.p50),\"p90\":\(latency.p90),\"p99\":\(latency.p99),"
            + "\"p999\":\(latency.p999),\"max\":\(latency.max)}"
        let statuses = statuses.sorted { $0.key < $1.key }.map { ("\($0.key)", $0.value) }
        let codes = errorsByCode.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let members = [
            ("requests", "\(requests)"), ("errors", "\(errors)"),
            ("wall_s", decimal(wallSeconds, 6)), ("user_s", decimal(userSeconds, 6)),
            ("sys_s", decimal(systemSeconds, 6)),
            ("requests_per_s", decimal(requestsPerSecond, 1)), ("latency_us", latency),
            ("bytes", "\(bytes)"), ("connections_opened", "\(connectionsOpened)"),
            ("threads", "\(threads)"), ("max_rss_kb", "\(peakResidentKilobytes)"),
            ("statuses", Self.object(statuses)), ("errors_by_code", Self.object(codes)),
            ("late", "\(late)"),
        ]
        return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    /// Keys are status codes and kebab-case words: nothing to escape.
    private static func object(_ members: [(String, Int)]) -> String {
        "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
}

/// A number with so many places, rounded; never in exponent form, so JSON and tables can hold it.
package func decimal(_ value: Double, _ places: Int) -> String {
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    guard value.isFinite, abs(value) < 1e15 / Double(scale) else { return "0" }
    let units = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && units > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(units)" }
    let fraction = String(units % scale)
    let zeros = String(repeating: "0", count: places - fraction.count)
    return "\(sign)\(units / scale).\(zeros)\(fraction)"
}
