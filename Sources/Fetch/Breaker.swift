// A circuit breaker around any asynchronous work: the policy's value behind a lock, with the
// reactor's clock. It waits for nothing, so it needs no timer.

internal import FetchPolicy
internal import FetchReactor
internal import FetchTime
internal import Synchronization

/// Calls work that may fail repeatedly, and refuses at once while it does.
///
/// For work that is not one of a client's requests. Any thread.
public final class Breaker: Sendable {
    private let reactor: Reactor
    private let rules: BreakerRules
    private let onTransition: (@Sendable (CircuitBreaker.Transition) -> Void)?
    private let breaker: Mutex<CircuitBreaker>

    /// A closed breaker.
    ///
    /// - Parameters:
    ///   - rules: when it opens and closes. The classifier is asked about responses and about
    ///     ``FetchError``s; other errors are failures.
    ///   - reactor: whose clock tells the time.
    ///   - onTransition: told of each change of state, in order, by the caller that brought it
    ///     about, before its call goes on. It must be quick, and must not call the breaker.
    /// - Throws: ``FetchError`` with code `invalidConfiguration`, which names the setting.
    public init(
        _ rules: BreakerRules = BreakerRules(), on reactor: Reactor,
        onTransition: (@Sendable (CircuitBreaker.Transition) -> Void)? = nil
    ) throws {
        if let invalid = rules.invalidSetting {
            throw FetchError(.invalidConfiguration, reason: "\(invalid.key): \(invalid.reason)")
        }
        self.reactor = reactor
        self.rules = rules
        self.onTransition = onTransition
        breaker = Mutex(CircuitBreaker(rules))
    }

    /// What it does now.
    public var state: CircuitBreaker.State { breaker.withLock { $0.state } }

    /// Calls `body` unless the breaker is open. What it returns is a success and what it throws a
    /// failure; but a ``Response`` counts as the rules say of its status, a ``FetchError`` as they
    /// say of its cause, and an error of this side, `CancellationError` among them, not at all.
    ///
    /// - Throws: what `body` throws, or ``FetchError`` with code `circuitOpen`: nothing was called,
    ///   and before ``FetchError/retryAfter`` it is in vain to ask again.
    public func call<R>(_ body: () async throws -> R) async throws -> R {
        try await call(verdict: { [rules] in Breaker.verdict($0, rules) }, body)
    }

    /// Calls `body` unless the breaker is open; `verdict` says what its result means.
    ///
    /// - Throws: what `body` throws, or ``FetchError`` with code `circuitOpen`: nothing was called,
    ///   and before ``FetchError/retryAfter`` it is in vain to ask again.
    public func call<R>(
        verdict: (Result<R, any Error>) -> BreakerVerdict, _ body: () async throws -> R
    ) async throws -> R {
        let permit = try admit()
        let result: Result<R, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        ended(permit, verdict(result))
        return try result.get()
    }

    private func admit() throws -> CircuitBreaker.Permit {
        let now = reactor.clock.now
        let answer = breaker.withLock { breaker in
            var transition: CircuitBreaker.Transition?
            let answer = breaker.requestArrived(now: now, transition: &transition)
            if let transition { onTransition?(transition) }
            return answer
        }
        switch answer {
        case .admitted(let permit): return permit
        case .refused(let until):
            throw FetchError(
                .circuitOpen, reason: "it has failed repeatedly and is left alone",
                retryAfter: max(.zero, now.duration(to: until)))
        }
    }

    private func ended(_ permit: CircuitBreaker.Permit, _ verdict: BreakerVerdict) {
        let now = reactor.clock.now
        breaker.withLock { breaker in
            // Told under the lock: otherwise two threads could tell in the wrong order.
            if let transition = breaker.ended(permit, verdict, now: now) {
                onTransition?(transition)
            }
        }
    }

    private static func verdict<R>(
        _ result: Result<R, any Error>, _ rules: BreakerRules
    ) -> BreakerVerdict {
        switch result {
        case .success(let value):
            guard let response = value as? Response else { return .success }
            return rules.verdict(.responded(status: response.statusCode, retryAfter: nil))
        case .failure(let error as FetchError):
            if let status = error.response?.statusCode {
                return rules.verdict(.responded(status: status, retryAfter: nil))
            }
            return error.failureCause.map { rules.verdict(.failed($0)) } ?? .ignored
        case .failure(is CancellationError):
            return .ignored
        case .failure:
            return .failure
        }
    }
}

extension FetchError {
    /// What it says of the peer; nil where the reason lies on this side.
    fileprivate var failureCause: FailureCause? {
        switch phase {
        case .none, .queue: return nil
        case .dns:
            if code == .addressRefused { return nil }
            return code == .nameNotResolved ? .noAddress : .dns
        case .connect, .tls, .write, .firstByte, .body: break
        }
        if code == .clientClosed || code == .outOfResources { return nil }
        if code.rawValue.hasSuffix("-timeout") { return .timeout }
        switch code {
        case .truncatedBody: return .truncated
        case .malformedResponse, .headTooLarge, .bodyTooLarge: return .malformed
        default: break
        }
        switch phase {
        case .connect: return .connect
        case .tls: return .tls
        default: return .reset
        }
    }
}

extension Fetcher {
    /// A breaker on this client's clock, for what is not one of its requests; see ``Breaker``.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`.
    public func breaker(
        _ rules: BreakerRules = BreakerRules(),
        onTransition: (@Sendable (CircuitBreaker.Transition) -> Void)? = nil
    ) throws -> Breaker {
        try Breaker(rules, on: engine.reactor, onTransition: onTransition)
    }
}
