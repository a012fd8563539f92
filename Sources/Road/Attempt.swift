// The life of one request as a value: what to do next, decided from what has happened.
//
// Owned by a call, obeyed by the road (Engine). Reads no clock and touches nothing. The stages come
// in one order, and a call passes those that its `Stages` name:
//
//     look-up → joining → [ breaker → waiting for token, slot, connection → exchange → back-off ]
//
// What stands in brackets is an attempt, and is passed again after a back-off: each attempt asks
// the breaker and takes a token and a slot anew. A reuse race that was lost (RFC 9112 §9.3.1) is no
// new attempt: the same one goes on, on a fresh connection.

public import FetchTime

/// What is known of an exchange that ended without a whole response.
package struct Loss: Equatable, Sendable {
    /// The connection had answered an earlier request, so the peer may have meant to close it.
    package var onReusedConnection: Bool
    /// Not one byte of the request was taken by the kernel.
    package var nothingWritten: Bool
    /// Not one byte of a response came.
    package var nothingReceived: Bool

    package init(onReusedConnection: Bool, nothingWritten: Bool, nothingReceived: Bool) {
        self.onReusedConnection = onReusedConnection
        self.nothingWritten = nothingWritten
        self.nothingReceived = nothingReceived
    }
}

/// The stages that a call passes beside waiting for a connection and the exchange on it.
@usableFromInline
package struct Stages: OptionSet, Equatable, Sendable {
    @usableFromInline package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Somebody may have stored the answer.
    @inlinable package static var lookUp: Stages { Stages(rawValue: 1) }
    /// Somebody may be asking the same.
    @inlinable package static var joining: Stages { Stages(rawValue: 2) }
    /// The origin has a circuit breaker.
    @inlinable package static var breaker: Stages { Stages(rawValue: 4) }
}

@usableFromInline
package struct Attempt: Equatable, Sendable {
    @usableFromInline
    package enum State: Equatable, Sendable {
        /// A stored answer is looked for. Can transition to `joining`, `asking`, `waiting` and
        /// `ended`.
        case lookingUp
        /// Somebody who asks the same is looked for. Can transition to `following`, `asking`,
        /// `waiting` and `ended`.
        case joining
        /// Somebody else asks the same. Can transition to `asking`, `waiting` and `ended`.
        case following
        /// The breaker is to be asked; nothing is held. Can transition to `waiting` and `ended`.
        case asking
        /// A connection is wanted, with all that goes with it. Can transition to `dispatched`,
        /// `backingOff` and `ended`.
        case waiting(fresh: Bool)
        /// On a connection. Can transition to `waiting` (the reuse race was lost), `asking` (what
        /// came was no answer, and the origin is asked again), `backingOff` and `ended`.
        case dispatched
        /// Between two attempts; nothing is held. Can transition to `asking`, `waiting` and
        /// `ended`.
        case backingOff
        /// Decided. Final.
        case ended(Ending)
    }

    @usableFromInline
    package enum Ending: Equatable, Sendable {
        case answered
        case failed
    }

    /// What the road does next.
    @usableFromInline
    package enum Action: Equatable, Sendable {
        /// Look for a stored answer.
        case lookUp
        /// Look for somebody who asks the same.
        case join
        /// Ask the origin's breaker.
        case askBreaker
        /// Take what the request needs, or stand in the origin's line until it is all there; a
        /// fresh connection if it says so.
        case wait(fresh: Bool)
        /// Nothing until `nextBegins`.
        case backOff
        /// The exchange is under way, here or somebody else's: nothing to do until it reports.
        case proceed
        /// Hand the response to the caller.
        case answer
        /// Hand the failure that was reported last to the caller.
        case fail
    }

    @usableFromInline package internal(set) var state: State
    /// Dispatches so far, the lost reuse race included.
    @usableFromInline package internal(set) var dispatches = 0
    /// Attempts begun, the first one included.
    @usableFromInline package internal(set) var count = 1
    /// While it backs off: when the next attempt begins. Not in the state, which every call reads.
    @usableFromInline package internal(set) var nextBegins = Instant(nanoseconds: 0)
    /// Whether the one free retry on a fresh connection was used, in this attempt.
    @usableFromInline package internal(set) var reuseRaceLost = false
    /// Free retries on fresh connections, in all attempts.
    package private(set) var reconnects: UInt8 = 0
    @usableFromInline let isIdempotent: Bool
    @usableFromInline let isReplayable: Bool
    @usableFromInline let retriesReuseRace: Bool
    @usableFromInline let stages: Stages

    /// - Parameters:
    ///   - isIdempotent: the method's, by RFC 9110 §9.2.2.
    ///   - isReplayable: the body can be sent again from its start.
    ///   - retriesReuseRace: the configuration's switch for behaviour 1.
    ///   - stages: those that the call passes.
    @inlinable
    package init(
        isIdempotent: Bool, isReplayable: Bool, retriesReuseRace: Bool, stages: Stages = []
    ) {
        self.isIdempotent = isIdempotent
        self.isReplayable = isReplayable
        self.retriesReuseRace = retriesReuseRace
        self.stages = stages
        state = .waiting(fresh: false)
        if !stages.isEmpty { state = Self.first(of: stages) }
    }

    @inlinable
    package func next() -> Action {
        switch state {
        case .waiting(let fresh): .wait(fresh: fresh)
        case .dispatched, .following: .proceed
        case .ended(.answered): .answer
        case .ended(.failed): .fail
        case .lookingUp: .lookUp
        case .joining: .join
        case .asking: .askBreaker
        case .backingOff: .backOff
        }
    }

    // MARK: Before the first attempt

    /// Nothing that is stored answers the call.
    package mutating func cacheMissed() {
        switch state {
        case .lookingUp: state = stages.contains(.joining) ? .joining : attemptBegins
        case .joining, .following, .asking, .waiting, .dispatched, .backingOff, .ended:
            preconditionFailure("the store answers who asked it")
        }
    }

    /// Somebody else's exchange answers the call, or tells it to ask for itself.
    package mutating func follows() {
        switch state {
        case .joining: state = .following
        case .lookingUp, .following, .asking, .waiting, .dispatched, .backingOff, .ended:
            preconditionFailure("who joins follows")
        }
    }

    /// The call asks for itself: first, alone, or in place of the one that it followed.
    package mutating func asksItself() {
        switch state {
        case .joining, .following: state = attemptBegins
        case .ended: break
        case .lookingUp, .asking, .waiting, .dispatched, .backingOff:
            preconditionFailure("who asks already needs no word to do so")
        }
    }

    /// The attempt of a second exchange beside this one's: it counts as one more, and begins where
    /// attempts begin.
    package func twin() -> Attempt {
        var twin = Attempt(
            isIdempotent: isIdempotent, isReplayable: isReplayable,
            retriesReuseRace: retriesReuseRace, stages: stages.intersection(.breaker))
        twin.count = count + 1
        return twin
    }

    // MARK: An attempt

    /// The breaker lets the attempt pass.
    package mutating func breakerAdmitted() {
        switch state {
        case .asking: state = .waiting(fresh: false)
        case .lookingUp, .joining, .following, .waiting, .dispatched, .backingOff, .ended:
            preconditionFailure("the breaker answers who asked it")
        }
    }

    /// Nothing was sent, and the breaker has opened while the attempt waited: it asks once more, as
    /// there may be another endpoint.
    package mutating func asksAgain() {
        switch state {
        case .waiting: state = attemptBegins
        case .lookingUp, .joining, .following, .asking, .dispatched, .backingOff, .ended:
            preconditionFailure("only who waits to be sent asks again")
        }
    }

    /// A connection was given to the request.
    @inlinable
    package mutating func dispatched() {
        switch state {
        case .waiting:
            dispatches += 1
            state = .dispatched
        case .lookingUp, .joining, .following, .asking, .dispatched, .backingOff, .ended:
            preconditionFailure("a request is dispatched from the line only")
        }
    }

    /// The response is there: whole, or its head for a caller who reads on; from whomever.
    @inlinable
    package mutating func responded() {
        state = .ended(.answered)
    }

    /// What came answers nothing, and the origin is asked once more at once, as for the first time:
    /// a 304 that speaks of nothing that is stored.
    package mutating func answeredNothing() {
        switch state {
        case .dispatched:
            reuseRaceLost = false
            state = attemptBegins
        case .lookingUp, .joining, .following, .asking, .waiting, .backingOff, .ended:
            preconditionFailure("only what was sent is answered")
        }
    }

    /// The connection went away under the exchange. True when it goes on with a fresh connection;
    /// false when the attempt has failed, and what comes of that is to be told.
    package mutating func lost(_ loss: Loss) -> Bool {
        guard state == .dispatched, mayRetry(after: loss) else { return false }
        reuseRaceLost = true
        if reconnects < .max { reconnects += 1 }
        state = .waiting(fresh: true)
        return true
    }

    /// The attempt has failed, and another one is made after this time.
    package mutating func backsOff(until instant: Instant) {
        switch state {
        case .waiting, .dispatched:
            state = .backingOff
            nextBegins = instant
        case .lookingUp, .joining, .following, .asking, .backingOff, .ended:
            preconditionFailure("only an attempt that was made can fail")
        }
    }

    /// The time has come for the next attempt.
    package mutating func backOffEnded() {
        switch state {
        case .backingOff:
            count += 1
            reuseRaceLost = false
            state = attemptBegins
        case .lookingUp, .joining, .following, .asking, .waiting, .dispatched, .ended:
            preconditionFailure("only a back-off ends")
        }
    }

    /// Something failed that no retry mends, or none is made.
    package mutating func failed() {
        state = .ended(.failed)
    }

    // MARK: Parts

    private var attemptBegins: State {
        stages.contains(.breaker) ? .asking : .waiting(fresh: false)
    }

    @usableFromInline
    static func first(of stages: Stages) -> State {
        if stages.contains(.lookUp) { return .lookingUp }
        if stages.contains(.joining) { return .joining }
        return stages.contains(.breaker) ? .asking : .waiting(fresh: false)
    }

    /// Once, on a fresh connection, if the peer cannot have acted on the request or acting twice
    /// is harmless. A response byte ends the matter: the server was there.
    private func mayRetry(after loss: Loss) -> Bool {
        guard retriesReuseRace, loss.onReusedConnection, loss.nothingReceived, !reuseRaceLost
        else { return false }
        return loss.nothingWritten || (isIdempotent && isReplayable)
    }
}
