// How far a batch has come: which item is the next to start, and how many may be under way, so that
// a million items need the memory of as many as are under way. A value of the batch's.

/// What a batch does when an item fails.
public enum BatchFailure: Sendable, Hashable {
    /// The first failure ends the batch: the others are cancelled, and it is thrown.
    case throwFirst
    /// The batch goes on; at its end the failures are thrown together, with what succeeded.
    case collect
    /// The batch never fails: each item has a result of its own.
    case results
}

/// Items started in order, finished in any, handed on as they finish.
///
/// An item that has finished and was not yet taken counts like one under way: a consumer who is
/// slow slows the batch down, and what is held is never more than the concurrency.
package struct BatchWindow: Equatable, Sendable {
    /// Items under way and finished but not taken, together, at most.
    package let concurrency: Int
    package private(set) var started = 0
    package private(set) var inFlight = 0
    package private(set) var waitingToBeTaken = 0
    package private(set) var taken = 0
    /// Nothing more starts: the items have run out, or the batch was stopped.
    package private(set) var isClosed = false

    package init(concurrency: Int) {
        self.concurrency = max(1, concurrency)
    }

    /// Whether the next item may start.
    package var mayStart: Bool { !isClosed && inFlight + waitingToBeTaken < concurrency }

    /// Everything has been started, has finished and was taken.
    package var isDone: Bool { isClosed && inFlight == 0 && waitingToBeTaken == 0 }

    /// Starts the next item: its number, from 0; nil when none may start now.
    package mutating func startNext() -> Int? {
        guard mayStart else { return nil }
        inFlight += 1
        started += 1
        return started - 1
    }

    /// There was no next item, or none is wanted any more. The one that was started last is taken
    /// back if `unstarted` says that it did not exist.
    package mutating func close(unstarted: Bool = false) {
        isClosed = true
        guard unstarted else { return }
        precondition(inFlight > 0, "an item is taken back before it finishes")
        inFlight -= 1
        started -= 1
    }

    /// An item has finished, however.
    package mutating func finished() {
        precondition(inFlight > 0, "an item finishes once")
        inFlight -= 1
        waitingToBeTaken += 1
    }

    /// A finished item was handed on.
    package mutating func tookOne() {
        precondition(waitingToBeTaken > 0, "what is taken has finished")
        waitingToBeTaken -= 1
        taken += 1
    }
}

/// The results of a batch in the order of its items, whatever the order in which they come.
package struct OrderedResults<Value> {
    private var values: [Value?]
    private var missing: Int

    package init(count: Int) {
        values = Array(repeating: nil, count: count)
        missing = count
    }

    /// The result of an item; false when it has one already or there is no such item.
    package mutating func put(_ value: Value, at index: Int) -> Bool {
        guard values.indices.contains(index), values[index] == nil else { return false }
        values[index] = value
        missing -= 1
        return true
    }

    package var isComplete: Bool { missing == 0 }

    /// All of them, in order; nil while one is missing.
    package consuming func inOrder() -> [Value]? {
        missing == 0 ? values.compactMap { $0 } : nil
    }
}

extension OrderedResults: Sendable where Value: Sendable {}
