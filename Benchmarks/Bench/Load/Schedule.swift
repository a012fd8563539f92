// When the next request starts: at once (closed loop) or at its due time (open loop, `--rate`). A pure
// value; `now` is handed in, in nanoseconds of the monotonic clock. Owned by one load run.
//
// Open loop means that request i is due at start + i / rate whatever the server does. One that finds no
// free caller waits in line (a number here: the due times are known), and its latency still counts from
// when it was due, so that a stall of the server is seen by every request it delayed.

/// Where a load run ends.
enum Amount: Equatable, Sendable {
    case requests(Int)
    case nanoseconds(UInt64)
}

/// The line of requests to come.
struct Schedule: Equatable {
    /// What a free caller is to do.
    enum Step: Equatable {
        /// Start one now; its latency counts from `intended`.
        case start(intended: UInt64, isLate: Bool)
        /// None is due before that instant.
        case wait(until: UInt64)
        /// No more will come.
        case finished
    }

    /// A start within this time of its due time is not late: a timer's own slack.
    static let slack: UInt64 = 1_000_000

    let amount: Amount
    let startedAt: UInt64
    /// Requests per second, or nil in a closed loop.
    let rate: Double?
    private(set) var started = 0
    private(set) var isStopped = false

    init(_ amount: Amount, rate: Double? = nil, startingAt now: UInt64) {
        self.amount = amount
        self.rate = rate
        startedAt = now
    }

    /// Takes the next request, or says why not.
    mutating func next(now: UInt64) -> Step {
        guard let rate else {
            if isStopped || isOver(at: now) { return .finished }
            started += 1
            return .start(intended: now, isLate: false)
        }
        let due = startedAt + UInt64(Double(started) * 1e9 / rate)
        if isStopped || isOver(at: due) { return .finished }
        if due > now { return .wait(until: due) }
        started += 1
        return .start(intended: due, isLate: now - due > Self.slack)
    }

    /// No request starts any more.
    mutating func stop() {
        isStopped = true
    }

    private func isOver(at instant: UInt64) -> Bool {
        switch amount {
        case .requests(let count): return started >= count
        case .nanoseconds(let length): return instant - startedAt >= length
        }
    }
}
