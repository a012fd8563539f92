// What became of each attempt of a call, for its error. A value; bounded, because a call may be
// tried a thousand times.

/// One attempt that ended.
package struct AttemptRecord: Hashable, Sendable {
    /// From 1.
    package let number: Int
    package let outcome: AttemptOutcome
    /// From the call's start to the attempt's, in nanoseconds: what it had waited.
    package let startedAfter: Int64
    /// From the call's start to the attempt's end, in nanoseconds.
    package let endedAfter: Int64
    /// What was decided then.
    package let decision: RetryDecision

    package init(
        number: Int, outcome: AttemptOutcome, startedAfter: Int64, endedAfter: Int64,
        decision: RetryDecision
    ) {
        self.number = number
        self.outcome = outcome
        self.startedAfter = startedAfter
        self.endedAfter = endedAfter
        self.decision = decision
    }
}

/// The attempts of a call: the first ones, which tell how it began, and the last ones.
package struct AttemptHistory: Equatable, Sendable {
    /// Of a long history the first and the last eight are kept.
    package static var mostFirst: Int { 8 }
    package static var mostLast: Int { 8 }

    private var firstOnes: [AttemptRecord] = []
    private var lastOnes: [AttemptRecord] = []
    /// How many were made.
    package private(set) var count = 0

    package init() {}

    package mutating func append(_ record: AttemptRecord) {
        count += 1
        if firstOnes.count < Self.mostFirst {
            firstOnes.append(record)
        } else {
            if lastOnes.count == Self.mostLast { lastOnes.removeFirst() }
            lastOnes.append(record)
        }
    }

    /// In order; `count` tells how many there were.
    package var records: [AttemptRecord] { firstOnes + lastOnes }

    /// Why the call was not tried again, once that is decided.
    package var refusal: RetryRefusal? {
        guard let last = lastOnes.last ?? firstOnes.last, case .giveUp(let reason) = last.decision
        else { return nil }
        return reason
    }
}
