// What a load run counts, in flat memory: latencies go into a histogram and nowhere else. A pure
// value, owned by one load run.

import Histogram

/// Counters of one load run.
struct Tally {
    /// Requests that ended, well or not.
    private(set) var requests = 0
    private(set) var errors = 0
    /// Bytes of response bodies.
    private(set) var bytes = 0
    /// Requests that began more than a millisecond after they were due.
    private(set) var late = 0
    private(set) var errorsByCode: [String: Int] = [:]
    /// Microseconds; three significant digits up to an hour.
    private(set) var latency = Histogram<UInt64>(
        highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)
    private var responsesByStatus = [Int](repeating: 0, count: 1_000)

    /// Responses by status code.
    var statuses: [Int: Int] {
        var answer: [Int: Int] = [:]
        for (status, count) in responsesByStatus.enumerated() where count > 0 {
            answer[status] = count
        }
        return answer
    }

    /// A response arrived whole.
    mutating func succeeded(status: Int, bytes: Int, nanoseconds: UInt64) {
        requests += 1
        self.bytes += bytes
        responsesByStatus[min(max(status, 0), 999)] += 1
        latency.record(nanoseconds / 1_000)
    }

    /// A request failed; its time counts too, or failing fast would look like speed.
    mutating func failed(code: String, nanoseconds: UInt64) {
        requests += 1
        errors += 1
        errorsByCode[code, default: 0] += 1
        latency.record(nanoseconds / 1_000)
    }

    /// A request began late.
    mutating func startedLate() {
        late += 1
    }

    /// Adds what another caller counted.
    mutating func add(_ other: Tally) {
        requests += other.requests
        errors += other.errors
        bytes += other.bytes
        late += other.late
        errorsByCode.merge(other.errorsByCode, uniquingKeysWith: +)
        for (status, count) in other.responsesByStatus.enumerated() {
            responsesByStatus[status] += count
        }
        latency.add(other.latency)
    }
}

extension Report {
    /// The figures of a tally.
    init(_ tally: Tally, wall: Double, used: ProcessorTime) {
        self.init()
        requests = tally.requests
        errors = tally.errors
        wallSeconds = wall
        userSeconds = used.user
        systemSeconds = used.system
        bytes = tally.bytes
        statuses = tally.statuses
        errorsByCode = tally.errorsByCode
        late = tally.late
        guard tally.requests > 0 else { return }
        latency.p50 = tally.latency.valueAtPercentile(50)
        latency.p90 = tally.latency.valueAtPercentile(90)
        latency.p99 = tally.latency.valueAtPercentile(99)
        latency.p999 = tally.latency.valueAtPercentile(99.9)
        latency.max = tally.latency.max
    }
}
