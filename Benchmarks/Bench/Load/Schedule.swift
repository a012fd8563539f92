// When the next request starts: at once (closed loop) or at its due time (open loop, `--rate`). A
// pure value; `now` is handed in, in nanoseconds of the monotonic clock. Owned by one load run.
//
// Open loop means that request i is due at start + i / rate whatever the server does. One that
// finds no free caller waits in line (a number here: the due times are known), and its latency
// still counts from when it was due, so that a stall of the server is seen by every request it
// delayed.

/// Where a load run ends: at whichever comes first.
package struct Amount: Equatable, Sendable {
    package var requests: Int?
    /// No request starts later than this.
    package var nanoseconds: UInt64?

    package init(requests: Int? = nil, nanoseconds: UInt64? = nil) {
        self.requests = requests
        self.nanoseconds = nanoseconds
    }
}

/// A request that starts now.
package struct Start: Equatable, Sendable {
    /// Counts from 0.
    package let number: Int
    /// Its latency counts from here.
    package let intended: UInt64
    package let isLate: Bool
}

/// The line of requests to come.
package struct Schedule: Equatable {
    /// What a free caller is to do.
    package enum Step: Equatable {
        case start(Start)
        /// None is due before that instant.
        case wait(until: UInt64)
        /// No more will come.
        case finished
    }

    /// A start within this time of its due time is not late: a timer's own slack.
    package static let slack: UInt64 = 1_000_000

    let amount: Amount
    let startedAt: UInt64
    /// Requests per second, or nil in a closed loop.
    let rate: Double?
    private(set) var started = 0
    private(set) var isStopped = false

    package init(_ amount: Amount, rate: Double? = nil, startingAt now: UInt64) {
        self.amount = amount
        self.rate = rate
        startedAt = now
    }

    /// Takes the next request, or says why not.
    package mutating func next(now: UInt64) -> Step {
        let intended = rate.map { startedAt + UInt64(Double(started) * 1e9 / $0) } ?? now
        if isStopped || isOver(at: intended) { return .finished }
        if intended > now { return .wait(until: intended) }
        defer { started += 1 }
        return .start(
            Start(number: started, intended: intended, isLate: now - intended > Self.slack))
    }

    /// No request starts any more.
    package mutating func stop() {
        isStopped = true
    }

    private func isOver(at instant: UInt64) -> Bool {
        if let requests = amount.requests, started >= requests { return true }
        if let length = amount.nanoseconds, instant - startedAt >= length { return true }
        return false
    }
}
