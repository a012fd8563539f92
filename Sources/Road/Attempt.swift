// The life of one request as a value: what to do next, decided from what has happened.
//
// Owned by a call, obeyed by the road (Engine). Reads no clock and touches nothing. Today it knows
// admission, dispatch and the reuse race (RFC 9112 §9.3.1); further policies join as further cases
// of `Action` and further events.

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

@usableFromInline
package struct Attempt: Equatable, Sendable {
    @usableFromInline
    package enum State: Equatable, Sendable {
        /// A connection is wanted. Can transition to `dispatched` and `ended`.
        case waiting(fresh: Bool)
        /// On a connection. Can transition to `waiting` (the reuse race was lost) and `ended`.
        case dispatched
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
        /// Stand in the origin's line until a connection is there; a fresh one if it says so.
        case wait(fresh: Bool)
        /// The exchange is under way: nothing to do until it reports.
        case proceed
        /// Hand the response to the caller.
        case answer
        /// Hand the failure that was reported last to the caller.
        case fail
    }

    @usableFromInline package internal(set) var state: State = .waiting(fresh: false)
    /// Dispatches so far, the lost reuse race included.
    @usableFromInline package internal(set) var dispatches = 0
    /// Whether the one free retry on a fresh connection was used.
    @usableFromInline package internal(set) var reuseRaceLost = false
    @usableFromInline let isIdempotent: Bool
    @usableFromInline let isReplayable: Bool
    @usableFromInline let retriesReuseRace: Bool

    /// - Parameters:
    ///   - isIdempotent: the method's, by RFC 9110 §9.2.2.
    ///   - isReplayable: the body can be sent again from its start.
    ///   - retriesReuseRace: the configuration's switch for behaviour 1.
    @inlinable
    package init(isIdempotent: Bool, isReplayable: Bool, retriesReuseRace: Bool) {
        self.isIdempotent = isIdempotent
        self.isReplayable = isReplayable
        self.retriesReuseRace = retriesReuseRace
    }

    @inlinable
    package func next() -> Action {
        switch state {
        case .waiting(let fresh): .wait(fresh: fresh)
        case .dispatched: .proceed
        case .ended(.answered): .answer
        case .ended(.failed): .fail
        }
    }

    /// A connection was given to the request.
    @inlinable
    package mutating func dispatched() {
        switch state {
        case .waiting:
            dispatches += 1
            state = .dispatched
        case .dispatched, .ended:
            preconditionFailure("a request is dispatched from the line only")
        }
    }

    /// The response is there: whole, or its head for a caller who reads on.
    @inlinable
    package mutating func responded() {
        state = .ended(.answered)
    }

    /// The connection went away under the exchange.
    package mutating func lost(_ loss: Loss) {
        switch state {
        case .dispatched where mayRetry(after: loss):
            reuseRaceLost = true
            state = .waiting(fresh: true)
        case .waiting, .dispatched, .ended:
            state = .ended(.failed)
        }
    }

    /// Something failed that no retry mends: a time-out, a refusal, a malformed response.
    package mutating func failed() {
        state = .ended(.failed)
    }

    /// Once, on a fresh connection, if the peer cannot have acted on the request or acting twice
    /// is harmless. A response byte ends the matter: the server was there.
    private func mayRetry(after loss: Loss) -> Bool {
        guard retriesReuseRace, loss.onReusedConnection, loss.nothingReceived, !reuseRaceLost
        else { return false }
        return loss.nothingWritten || (isIdempotent && isReplayable)
    }
}
