// A report as lines of `key value`, between a bench process and its parent. Both are the same
// executable, so the form may change freely. Pure.

extension Report {
    /// The lines a parent reads.
    package var lines: String {
        var lines = [
            "requests \(requests)", "errors \(errors)", "wall \(wallSeconds)",
            "user \(userSeconds)",
            "system \(systemSeconds)", "p50 \(latency.p50)", "p90 \(latency.p90)",
            "p99 \(latency.p99)", "p999 \(latency.p999)", "max \(latency.max)", "bytes \(bytes)",
            "connections \(connectionsOpened)", "threads \(threads)",
            "rss \(peakResidentKilobytes)", "late \(late)",
        ]
        lines += statuses.map { "status-\($0.key) \($0.value)" }
        lines += errorsByCode.map { "error-\($0.key) \($0.value)" }
        lines += notes.map { "note \($0)" }
        return lines.joined(separator: "\n")
    }

    /// Reads the lines back; nil unless at least the number of requests is there.
    package init?(lines text: String) {
        self.init()
        var isReport = false
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { continue }
            take(String(parts[0]), String(parts[1]))
            if parts[0] == "requests" { isReport = true }
        }
        guard isReport else { return nil }
    }

    private mutating func take(_ key: String, _ value: String) {
        let number = Int(value) ?? 0
        switch key {
        case "requests": requests = number
        case "errors": errors = number
        case "wall": wallSeconds = Double(value) ?? 0
        case "user": userSeconds = Double(value) ?? 0
        case "system": systemSeconds = Double(value) ?? 0
        case "p50": latency.p50 = UInt64(value) ?? 0
        case "p90": latency.p90 = UInt64(value) ?? 0
        case "p99": latency.p99 = UInt64(value) ?? 0
        case "p999": latency.p999 = UInt64(value) ?? 0
        case "max": latency.max = UInt64(value) ?? 0
        case "bytes": bytes = number
        case "connections": connectionsOpened = number
        case "threads": threads = number
        case "rss": peakResidentKilobytes = number
        case "late": late = number
        case "note": notes.append(value)
        default:
            if key.hasPrefix("status-"), let status = Int(key.dropFirst(7)) {
                statuses[status] = number
            } else if key.hasPrefix("error-") {
                errorsByCode[String(key.dropFirst(6))] = number
            }
        }
    }
}
