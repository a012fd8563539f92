// A rate limiter for use outside a request: whoever comes waits in line until it may go. The line
// and the limiter are one value behind a lock; the waiting is entries of the reactor's wheel, so
// no waiter costs a task, a thread or a system call.

internal import FetchPolicy
internal import FetchReactor
internal import FetchTime
internal import Synchronization

/// Lets callers through at a rate, first come first served.
///
/// Any thread. On the reactor's own, whoever may go at once does not wait even for a turn.
public final class RateGate: Sendable {
    private struct State {
        var queue: LimiterQueue
        var lastNumber: UInt64 = 0
        /// Of those in the line.
        var waiters: [UInt64: Waiter] = [:]
        /// The wheel will ask at this time.
        var armedFor = Instant.distantFuture
    }

    /// Told once: whoever takes it out of the table tells it.
    @safe
    private struct Waiter {
        let number: UInt64
        let ticket: WaitingTicket
        let continuation: UnsafeContinuation<Duration, any Error>
        let since: Instant
        let hasDeadline: Bool

        func tell(_ result: Result<Duration, any Error>) {
            // See above.
            unsafe continuation.resume(with: result)
        }
    }

    private let reactor: Reactor
    private let timers: ReactorBound<GateTimers>
    private let state: Mutex<State>

    /// - Parameters:
    ///   - limit: the limiter: one of those at hand, or one of the caller's own making.
    ///   - mostWaiting: callers in line, at most.
    ///   - reactor: whose wheel and clock keep the time. When it ends, waiters fail with
    ///     `clientClosed`.
    /// - Throws: ``FetchError`` with code `invalidConfiguration`, which names the setting.
    public init(_ limit: RateLimit, mostWaiting: Int = 10_000, on reactor: Reactor) throws {
        try RateGate.check(limit)
        guard mostWaiting >= 0 else {
            throw FetchError(.invalidConfiguration, reason: "mostWaiting: must not be negative")
        }
        self.reactor = reactor
        timers = ReactorBound(GateTimers(on: reactor), on: reactor)
        state = Mutex(State(queue: LimiterQueue(Limiter(limit), most: mostWaiting)))
    }

    /// Waits until `cost` may be had, and takes it.
    ///
    /// - Parameters:
    ///   - cost: how much of the rate is taken.
    ///   - within: how long it may wait; when that can't be enough, it is refused at once.
    /// - Returns: the time waited; zero when it could go at once.
    /// - Throws: `CancellationError`, and then the place in line is given back; or ``FetchError``
    ///   with code `rateLimited` when it would have to wait longer than it may, and then
    ///   ``FetchError/retryAfter`` says how long at least (`Duration.seconds(Int64.max)` for a cost
    ///   that is never granted); `overloaded` when as many wait as may; or `clientClosed`.
    @discardableResult
    public func acquire(_ cost: Int = 1, within: Duration? = nil) async throws -> Duration {
        let now = reactor.clock.now
        let deadline = within.map { now + $0 } ?? .distantFuture
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return try await withTaskCancellationHandler {
            // Told once: whoever takes the waiter out of the table resumes it.
            try await unsafe withUnsafeThrowingContinuation { continuation in
                unsafe join(number, cost, deadline, now, continuation)
            }
        } onCancel: {
            leave(number, CancellationError())
        }
    }

    /// Takes `cost` for the time at which it may be had, behind all who wait, and returns how long
    /// that is from now. The caller waits by its own means, or does something else until then.
    ///
    /// - Throws: ``FetchError`` with code `rateLimited` or `overloaded`, as ``acquire(_:within:)``.
    public func reserve(_ cost: Int = 1, within: Duration? = nil) throws -> Duration {
        let now = reactor.clock.now
        let latest = within.map { now + $0 } ?? .distantFuture
        let answer = state.withLock { $0.queue.reserve(cost, latest: latest, now: now) }
        switch answer {
        case .at(let time):
            pump()
            return max(.zero, now.duration(to: time))
        case .refused(let refusal): throw RateGate.refusal(refusal, now)
        }
    }

    /// Puts back what was let through and not used, soon after it was taken.
    public func giveBack(_ cost: Int = 1) {
        let now = reactor.clock.now
        state.withLock { $0.queue.giveBack(cost, now: now) }
        pump()
    }

    /// Another limit from now on, for those who wait too.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`, which names the setting.
    public func adjust(_ limit: RateLimit) throws {
        try RateGate.check(limit)
        let now = reactor.clock.now
        state.withLock { state in
            state.queue.adjust(limit, now: now)
            state.armedFor = .distantFuture
        }
        pump()
    }

    /// Whether it limits anything at all.
    public var isConfigured: Bool { state.withLock { $0.queue.limiter.isConfigured } }

    /// How many stand in line, reservations included.
    public var waiting: Int { state.withLock { $0.queue.count } }

    // MARK: The line

    private func join(
        _ number: UInt64, _ cost: Int, _ deadline: Instant, _ now: Instant,
        _ continuation: UnsafeContinuation<Duration, any Error>
    ) {
        let answer = state.withLock { state -> LimiterQueue.Joining? in
            // Asked in here: the cancellation handler finds nobody before the table has the waiter.
            if Task.isCancelled { return nil }
            let answer = state.queue.join(number, cost: cost, deadline: deadline, now: now)
            if case .waiting(let ticket) = answer {
                // Resumed once, see there.
                state.waiters[number] = unsafe Waiter(
                    number: number, ticket: ticket, continuation: continuation, since: now,
                    hasDeadline: deadline < .distantFuture)
            }
            return answer
        }
        switch answer {
        case nil: unsafe continuation.resume(throwing: CancellationError())
        case .admitted: unsafe continuation.resume(returning: .zero)
        case .refused(let refusal):
            unsafe continuation.resume(throwing: RateGate.refusal(refusal, now))
        case .waiting:
            if deadline < .distantFuture { arm(at: deadline, for: number) }
            pump()
        }
    }

    /// Leaves the line, if it stands there; those behind move up.
    private func leave(_ number: UInt64, _ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard let waiter = state.waiters.removeValue(forKey: number) else { return nil }
            _ = state.queue.leave(waiter.ticket)
            return waiter
        }
        guard let waiter else { return }
        tell(waiter, .failure(error))
        pump()
    }

    /// Lets everybody through whose time has come, and asks again when the next one's will.
    private func pump() {
        let now = reactor.clock.now
        let (released, wakeAt) = state.withLock { state -> ([Waiter], Instant?) in
            var released: [Waiter] = []
            while let number = state.queue.popReady(now: now) {
                if let waiter = state.waiters.removeValue(forKey: number) {
                    released.append(waiter)
                }
            }
            guard let next = state.queue.nextTime, next < state.armedFor else {
                return (released, nil)
            }
            state.armedFor = next
            return (released, next)
        }
        for waiter in released { tell(waiter, .success(waiter.since.duration(to: now))) }
        if let wakeAt { arm(at: wakeAt, for: 0) }
    }

    private func tell(_ waiter: Waiter, _ result: Result<Duration, any Error>) {
        waiter.tell(result)
        guard waiter.hasDeadline else { return }
        reactor.post { [timers] in timers.value.cancel(waiter.number) }
    }

    private func arm(at time: Instant, for number: UInt64) {
        let isPosted = reactor.post { [self] in timers.value.arm(at: time, for: number, of: self) }
        if !isPosted { close() }
    }

    fileprivate func timeCame(_ number: UInt64) {
        if number > 0 {
            timers.value.cancel(number)
            return leave(number, RateGate.tooLate(after: .zero))
        }
        state.withLock { $0.armedFor = .distantFuture }
        pump()
    }

    /// Nobody will be waked any more.
    fileprivate func close() {
        let numbers = state.withLock { state in
            state.armedFor = .distantFuture
            return Array(state.waiters.keys)
        }
        for number in numbers { leave(number, Fetcher.closed(reactor)) }
    }

    private static func refusal(_ refusal: LimiterQueue.Refusal, _ now: Instant) -> FetchError {
        switch refusal {
        case .full(let limit): FetchError(.overloaded, reason: "\(limit) wait already")
        case .tooLate(.distantFuture): tooLate(after: .seconds(Int64.max))
        case .tooLate(let time): tooLate(after: now.duration(to: time))
        }
    }

    private static func tooLate(after wait: Duration) -> FetchError {
        FetchError(.rateLimited, reason: "its turn would come too late", retryAfter: wait)
    }

    private static func check(_ limit: RateLimit) throws {
        guard let invalid = limit.invalidSetting else { return }
        throw FetchError(.invalidConfiguration, reason: "\(invalid.key): \(invalid.reason)")
    }
}

/// A gate's entries of the wheel: number 0 asks for whoever is first, another ends that one's wait.
/// Reactor thread.
private final class GateTimers {
    private final class Entry: TimerHandler {
        let gate: RateGate

        init(_ gate: RateGate) {
            self.gate = gate
        }

        func timerFired(_ token: Int) { gate.timeCame(UInt64(token)) }

        func timerDiscarded(_ token: Int, dueAt deadline: Instant) { gate.close() }
    }

    private let reactor: Reactor
    private var deadlines: [UInt64: TimerID] = [:]

    init(on reactor: Reactor) {
        self.reactor = reactor
    }

    func arm(at time: Instant, for number: UInt64, of gate: RateGate) {
        let timer = reactor.schedule(Entry(gate), token: Int(number), at: time)
        if number > 0 { deadlines[number] = timer }
    }

    func cancel(_ number: UInt64) {
        if let timer = deadlines.removeValue(forKey: number) { reactor.cancel(timer) }
    }
}

extension Fetcher {
    /// A gate on this client's reactor, for what is not one of its requests; see ``RateGate``.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`.
    public func gate(_ limit: RateLimit, mostWaiting: Int = 10_000) throws -> RateGate {
        try RateGate(limit, mostWaiting: mostWaiting, on: engine.reactor)
    }
}
