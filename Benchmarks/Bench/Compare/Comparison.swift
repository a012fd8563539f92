// `bench compare`: this client beside other people's and beside the kernel's floor, in one run,
// each a process of its own on one core, five alternating runs, medians. The ratio is what counts:
// microseconds are of one day and one machine. Main thread.

/// Five alternating runs of every contender.
struct Comparison {
    /// One run of one contender.
    struct Sample: Equatable {
        var requestsPerSecond = 0.0
        /// CPU microseconds per request.
        var user = 0.0
        var system = 0.0
        var peakResidentKilobytes = 0
        var errors = 0

        var processor: Double { user + system }
    }

    let contenders: [Contender]
    private(set) var samples: [[Sample]]
    /// What went wrong, by contender.
    private(set) var failures: [String?]

    init(_ contenders: [Contender]) {
        self.contenders = contenders
        samples = Array(repeating: [], count: contenders.count)
        failures = Array(repeating: nil, count: contenders.count)
    }

    /// Runs everybody once; the caller alternates by calling it again.
    mutating func runOnce(progress: Progress, label: String) throws {
        for (index, contender) in contenders.enumerated() where failures[index] == nil {
            if Interruption.isRequested { return }
            progress.update("\(label): \(contender.name)")
            let started = monotonicNanoseconds()
            let child = try ChildProcess(contender.program, contender.arguments, quiet: true)
            let outcome = try child.finish()
            if Interruption.isRequested { return }
            let seconds = Double(monotonicNanoseconds() - started) / 1e9
            guard outcome.exitCode == 0, let counted = contender.count(outcome.output),
                counted.requests > 0
            else {
                failures[index] = "\(contender.name) failed with exit code \(outcome.exitCode)"
                continue
            }
            let count = Double(counted.requests)
            samples[index].append(
                Sample(
                    requestsPerSecond: count / seconds,
                    user: outcome.processor.user * 1e6 / count,
                    system: outcome.processor.system * 1e6 / count,
                    peakResidentKilobytes: outcome.peakResidentKilobytes, errors: counted.errors))
        }
    }

    /// Medians, column by column.
    func median(of index: Int) -> Sample? {
        let all = samples[index]
        guard !all.isEmpty else { return nil }
        func middle<T: Comparable>(_ path: KeyPath<Sample, T>) -> T {
            all.map { $0[keyPath: path] }.sorted()[all.count / 2]
        }
        return Sample(
            requestsPerSecond: middle(\.requestsPerSecond), user: middle(\.user),
            system: middle(\.system), peakResidentKilobytes: middle(\.peakResidentKilobytes),
            errors: all.map(\.errors).reduce(0, +))
    }

    /// The median of all CPU time per request; sums of medians are no medians.
    func processor(of index: Int) -> Double? {
        let all = samples[index].map(\.processor).sorted()
        return all.isEmpty ? nil : all[all.count / 2]
    }

    /// CPU per request beside the floor's, the first contender's.
    func ratio(of index: Int) -> Double? {
        guard let own = processor(of: index), let floor = processor(of: 0), floor > 0 else {
            return nil
        }
        return own / floor
    }

    var table: Table {
        var table = Table([
            "client", "CPU µs/request", "× floor", "user µs", "sys µs", "requests/s", "RSS MB",
            "errors", "lowest–highest µs",
        ])
        for (index, contender) in contenders.enumerated() {
            guard let median = median(of: index), let processor = processor(of: index) else {
                continue
            }
            let all = samples[index].map(\.processor)
            let range = "\(decimal(all.min() ?? 0, 2))–\(decimal(all.max() ?? 0, 2))"
            table.append([
                contender.name, decimal(processor, 2), decimal(ratio(of: index) ?? 0, 2),
                decimal(median.user, 2), decimal(median.system, 2),
                grouped(Int(median.requestsPerSecond.rounded())),
                decimal(Double(median.peakResidentKilobytes) / 1_024, 1),
                grouped(median.errors), range,
            ])
        }
        return table
    }

    /// One JSON object: a member per contender.
    var json: String {
        let members = contenders.indices.compactMap { index -> String? in
            guard let median = median(of: index), let processor = processor(of: index) else {
                return nil
            }
            return "\"\(contenders[index].name)\":{\"cpu_us\":\(decimal(processor, 3)),"
                + "\"ratio_to_floor\":\(decimal(ratio(of: index) ?? 0, 3)),"
                + "\"user_us\":\(decimal(median.user, 3)),\"sys_us\":\(decimal(median.system, 3)),"
                + "\"requests_per_s\":\(decimal(median.requestsPerSecond, 1)),"
                + "\"max_rss_kb\":\(median.peakResidentKilobytes),\"errors\":\(median.errors),"
                + "\"runs\":\(samples[index].count)}"
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}
