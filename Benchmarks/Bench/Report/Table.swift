// Columns of text: the first flush left, the others flush right. Pure.

/// A table that widens its columns to what they hold.
package struct Table {
    private var rows: [[String]]

    package init(_ header: [String]) {
        rows = [header]
    }

    package mutating func append(_ row: [String]) {
        rows.append(row)
    }

    /// The table with a rule under its header.
    package var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        var lines = rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }.joined(separator: "  ")
        }
        lines.insert(
            widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
        return lines.joined(separator: "\n")
    }
}

extension Table {
    /// The scenario list's table: one row a report.
    static func of(_ reports: [(name: String, report: Report)]) -> Table {
        var table = Table([
            "scenario", "requests", "errors", "requests/s", "p50 µs", "p90 µs", "p99 µs",
            "p99.9 µs",
            "user µs", "sys µs", "RSS MB", "threads",
        ])
        for (name, report) in reports {
            let cpu = report.processorMicroseconds
            table.append([
                name, grouped(report.requests), grouped(report.errors),
                grouped(Int(report.requestsPerSecond.rounded())), grouped(Int(report.latency.p50)),
                grouped(Int(report.latency.p90)), grouped(Int(report.latency.p99)),
                grouped(Int(report.latency.p999)), decimal(cpu.user, 2), decimal(cpu.system, 2),
                decimal(Double(report.peakResidentKilobytes) / 1_024, 1), "\(report.threads)",
            ])
        }
        return table
    }
}

/// 1234567 as 1,234,567.
package func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return number < 0 ? "-" + text : text
}
