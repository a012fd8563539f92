// A `Clock` on the reactor's wheel: sleeping costs no system call and no thread.
//
// A sleeper is bound to the reactor. Starting and cancelling come from any thread, in any order;
// both are carried to the reactor's thread, where the continuation is resumed exactly once.

public import FetchTime

extension Reactor {
    /// A clock whose sleeps are entries of this reactor's timer wheel.
    public var clock: ReactorClock { ReactorClock(reactor: self) }
}

/// A reactor's clock: monotonic, with a resolution of one millisecond, virtual if the reactor's is.
public struct ReactorClock: Clock {
    let reactor: Reactor

    /// The time: the reactor's own on its thread, read from the system on others.
    public var now: Instant {
        guard reactor.isCurrent else { return reactor.nowElsewhere() }
        reactor.refreshNow()
        return reactor.now
    }

    /// One millisecond.
    public var minimumResolution: Duration { .milliseconds(1) }

    /// Sleeps until then, or up to a millisecond longer. Any thread.
    ///
    /// Throws `CancellationError` in the turn of the cancellation, or when the reactor ends.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let sleeper = ReactorBound(Sleeper(), on: reactor)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                sleeper.carry(
                    { $0.start(until: deadline, on: $1, continuation) },
                    orElse: { continuation.resume(throwing: CancellationError()) })
            }
        } onCancel: {
            sleeper.carry({ $0.cancel(on: $1) }, orElse: {})
        }
    }

    /// Sleeps that long, or up to a millisecond longer; see `sleep(until:)`.
    public func sleep(for duration: Duration) async throws {
        try await sleep(until: now + duration)
    }
}

extension ReactorBound where Value == Sleeper {
    /// Does it at once on the reactor's thread, in its next turn elsewhere, or not at all.
    fileprivate func carry(
        _ action: @escaping @Sendable (Sleeper, Reactor) -> Void, orElse: () -> Void
    ) {
        if reactor.isCurrent {
            action(value, reactor)
        } else if !reactor.post({ action(value, reactor) }) {
            orElse()
        }
    }
}

/// One sleep. Reactor thread.
final class Sleeper: TimerHandler {
    private enum State {
        /// Can become any other.
        case fresh
        /// Can become `over`.
        case asleep(TimerID, CheckedContinuation<Void, any Error>)
        /// Cancelled, perhaps before it began, or woken.
        case over
    }

    private var state = State.fresh

    func start(
        until deadline: Instant, on reactor: Reactor,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        guard case .fresh = state, !reactor.isEnding else {
            continuation.resume(throwing: CancellationError())
            return
        }
        state = .asleep(reactor.schedule(self, at: deadline), continuation)
    }

    func cancel(on reactor: Reactor) {
        if case .asleep(let timer, _) = state { reactor.cancel(timer) }
        finish(.failure(CancellationError()))
    }

    func timerFired(_ token: Int) {
        finish(.success(()))
    }

    func timerDiscarded(_ token: Int, dueAt deadline: Instant) {
        finish(.failure(CancellationError()))
    }

    private func finish(_ result: Result<Void, any Error>) {
        let before = state
        state = .over
        if case .asleep(_, let continuation) = before { continuation.resume(with: result) }
    }
}
