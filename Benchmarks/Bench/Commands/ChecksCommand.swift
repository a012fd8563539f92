// `bench checks`: the program whose user-space instructions are counted for one question to a
// policy, from the origin's record on, and for the one look-up of that record. Two runs of
// different lengths give the cost of one. Main thread.

import ArgumentParser
import Fetch
import FetchEngine
import FetchHTTP
import FetchPolicy

/// The measured program of the policies' budgets.
struct ChecksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "checks", shouldDisplay: false)

    /// What is asked.
    enum Check: String, ExpressibleByArgument {
        /// Joint admission where the domain's rate is limited: its token and the slots, as the road
        /// asks for them first.
        case limiter
        /// The same where the client's rate is limited as well.
        case bothLimiters = "both-limiters"
        /// Whether the breaker lets an attempt pass.
        case breaker
        /// The record, among those of a thousand origins.
        case record
    }

    @Option var check: Check
    @Option var requests: Int

    func run() throws {
        let passed =
            switch check {
            case .limiter: LimiterCheck(clientToo: false).passed(requests)
            case .bothLimiters: LimiterCheck(clientToo: true).passed(requests)
            case .breaker: breakerPassed()
            case .record: try recordsFound()
            }
        if passed != requests { throw ExitCode(1) }
    }

    private func breakerPassed() -> Int {
        var breaker = CircuitBreaker(BreakerRules(failureRate: FailureRate()))
        var passed = 0
        for number in 0..<requests {
            var transition: CircuitBreaker.Transition?
            let now = Instant(nanoseconds: Int64(number) * 1_000)
            let answer = breaker.requestArrived(now: now, transition: &transition)
            if case .admitted(let permit) = answer, breaker.isCurrent(permit) { passed += 1 }
        }
        return passed
    }

    private func recordsFound() throws -> Int {
        let targets = try (0..<1_000).map { try Target("http://host-\($0).example:8080/path") }
        var table = OriginTable()
        for target in targets { table.insert(OriginRecord(target)) }
        var found = 0
        // Neighbours in the table are no neighbours in this order.
        for number in 0..<requests where table.record(for: targets[number * 7 % 1_000]) != nil {
            found += 1
        }
        return found
    }
}

/// Admission as an origin's record asks for it.
private struct LimiterCheck {
    private var admission: ClientAdmission
    private let keys: AdmissionKeys

    init(clientToo: Bool) {
        let limit = RateLimit.tokenBucket(.perSecond(1_000_000), burst: 1_000)
        admission = ClientAdmission(
            concurrency: 1 << 40, limit: clientToo ? limit : nil,
            domains: LimiterTable(limit: limit))
        let domain = admission.domains.enter("host.example:80", now: Instant(nanoseconds: 0))
        keys = AdmissionKeys(domain: domain)
    }

    /// Asks at the very rate of the limit.
    mutating func ask(_ requests: Int) -> Int {
        var gate = OriginGate(concurrency: 1 << 40)
        var passed = 0
        for number in 0..<requests {
            let now = Instant(nanoseconds: Int64(number) * 1_000)
            let goes = admission.admitAtOnce(keys, &gate, cost: 1, now: now, random: 0)
            if goes { passed += 1 }
        }
        return passed
    }

    func passed(_ requests: Int) -> Int {
        var asked = self
        return asked.ask(requests)
    }
}
