// `bench compare` and its kin: this client beside other people's, and beside the kernel's floor
// where there is one, in one run, each a process of its own on one core, five alternating runs,
// medians. The ratio is what counts: microseconds are of one day and one machine. It is the median
// of the rounds' ratios, because a machine that others share changes its speed for seconds at a
// time: the runs of one round stand side by side, and the medians of the columns may come from
// different rounds. Main thread.

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

    /// What a contender's count counts, and beside whom it is put.
    struct Yardstick {
        /// A request, a connection, a download.
        var noun = "request"
        /// The contender that is 1.00, and its name in the table.
        var reference = 0
        var referenceName = "floor"
        /// CPU seconds in the table, not microseconds: for what takes long.
        var isInSeconds = false
    }

    let contenders: [Contender]
    let yardstick: Yardstick
    private(set) var samples: [[Sample]]
    /// What went wrong, by contender.
    private(set) var failures: [String?]

    init(_ contenders: [Contender], _ yardstick: Yardstick = Yardstick()) {
        self.contenders = contenders
        self.yardstick = yardstick
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

    /// How often the one who ran most often ran.
    var rounds: Int { samples.map(\.count).max() ?? 0 }

    /// Medians, column by column.
    func median(of index: Int) -> Sample? {
        let all = samples[index]
        guard let rate = all.map(\.requestsPerSecond).median, let user = all.map(\.user).median,
            let system = all.map(\.system).median,
            let resident = all.map(\.peakResidentKilobytes).median
        else { return nil }
        return Sample(
            requestsPerSecond: rate, user: user, system: system, peakResidentKilobytes: resident,
            errors: all.map(\.errors).reduce(0, +))
    }

    /// The median of all CPU time per request; sums of medians are no medians.
    func processor(of index: Int) -> Double? {
        samples[index].map(\.processor).median
    }

    /// CPU per request beside the reference's of the same round: the median of all rounds.
    func ratio(of index: Int) -> Double? { ratio(of: index, to: yardstick.reference) }

    /// CPU per request beside another contender's of the same round: the median of all rounds.
    func ratio(of index: Int, to other: Int) -> Double? {
        Rounds.ratios(
            of: samples[index].map(\.processor), to: samples[other].map(\.processor)
        ).median
    }

    /// How the figures were come by, for the table's heading.
    static func method(runs: Int) -> String {
        "medians of \(runs) alternating runs, ratios of one round"
    }

    var table: Table {
        let (unit, scale) = yardstick.isInSeconds ? ("s", 1e-6) : ("µs", 1.0)
        var table = Table([
            "client", "CPU \(unit)/\(yardstick.noun)", "× \(yardstick.referenceName)",
            "user \(unit)", "sys \(unit)", "\(yardstick.noun)s/s", "RSS MB", "errors",
            "lowest–highest \(unit)",
        ])
        func cpu(_ microseconds: Double) -> String {
            decimal(microseconds * scale, yardstick.isInSeconds ? 3 : 2)
        }
        for (index, contender) in contenders.enumerated() {
            guard let median = median(of: index), let processor = processor(of: index) else {
                continue
            }
            let all = samples[index].map(\.processor)
            let range = "\(cpu(all.min() ?? 0))–\(cpu(all.max() ?? 0))"
            let rate = median.requestsPerSecond
            table.append([
                contender.name, cpu(processor), decimal(ratio(of: index) ?? 0, 2),
                cpu(median.user), cpu(median.system),
                rate < 10 ? decimal(rate, 2) : grouped(Int(rate.rounded())),
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
                + "\"ratio_to_\(yardstick.referenceName)\":\(decimal(ratio(of: index) ?? 0, 3)),"
                + "\"user_us\":\(decimal(median.user, 3)),\"sys_us\":\(decimal(median.system, 3)),"
                + "\"requests_per_s\":\(decimal(median.requestsPerSecond, 1)),"
                + "\"max_rss_kb\":\(median.peakResidentKilobytes),\"errors\":\(median.errors),"
                + "\"runs\":\(samples[index].count)}"
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}
