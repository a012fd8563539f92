// The options about retries and rates, and what they make of a configuration. Decides; runs
// nothing.

internal import ArgumentParser
internal import Fetch

struct PolicyArguments: ParsableArguments {
    @Option(
        help: """
            Retries of a request after a failure of the network or the statuses 408, 429, 500, \
            502, 503, 504: after 200 ms, doubled each time up to 60 s, ±10 %. The last response is the \
            result. Only idempotent methods, and what carries an Idempotency-Key.
            """)
    var retries = 0

    @Flag(help: "With --retries: retry every method, POST and PATCH included.")
    var retryAll = false

    @Option(
        help: ArgumentHelp(
            "Most requests in all: 10/s, 600/m, or a number for so many a second.",
            valueName: "rate"))
    var rate: RateArgument?

    @Option(
        help: ArgumentHelp("The same for each host and port.", valueName: "rate"))
    var perHostRate: RateArgument?

    mutating func validate() throws {
        guard (0...RetryContext.mostAttempts - 1).contains(retries) else {
            throw ValidationError("--retries takes 0 to \(RetryContext.mostAttempts - 1).")
        }
        if retryAll, retries == 0 { throw ValidationError("--retry-all needs --retries.") }
    }

    func apply(to configuration: inout FetcherConfiguration) {
        if retries > 0 {
            configuration.retry = RetryPolicy(maxRetries: retries)
            if retryAll { configuration.retry.methods = .all }
            configuration.spentRetries = .returnLast
        }
        configuration.rate.client = rate.map { .tokenBucket($0.rate) }
        configuration.rate.perDomain = perHostRate.map { .tokenBucket($0.rate) }
    }
}

/// So many per time, as it is written on a command line.
struct RateArgument: ExpressibleByArgument {
    let rate: Rate

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let count = Int(parts[0]),
            (1...Rate.mostCount).contains(count)
        else { return nil }
        guard let unit = parts.count == 2 ? Self.units[String(parts[1])] : .seconds(1) else {
            return nil
        }
        rate = Rate(count, per: unit)
    }

    private static let units: [String: Duration] = [
        "s": .seconds(1), "m": .seconds(60), "h": .seconds(3_600),
    ]
}
