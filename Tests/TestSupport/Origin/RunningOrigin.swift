// A scripted origin on a thread of its own, for tests and programs that run elsewhere. Any thread;
// the origin itself never leaves its reactor.

internal import Dispatch
internal import FetchReactor
package import FetchTransport
internal import Synchronization

package final class RunningOrigin: Sendable {
    package let address: SocketAddress
    private let reactor: Reactor
    private let origin: ReactorBound<ScriptedOrigin>
    private let log: OriginLog
    private let isStopped = Mutex(false)

    fileprivate init(
        _ reactor: Reactor, _ origin: ReactorBound<ScriptedOrigin>, _ address: SocketAddress,
        _ log: OriginLog
    ) {
        self.reactor = reactor
        self.origin = origin
        self.address = address
        self.log = log
    }

    package var port: UInt16 { address.port }

    /// `http://127.0.0.1:PORT` and then `path`.
    package func url(_ path: String = "/") -> String {
        "http://\(address)\(path)"
    }

    /// What it saw up to now.
    package var seen: OriginSnapshot { log.snapshot }

    /// Replaces what it does from the next request on.
    package func setScript(_ script: Script) {
        onReactor { $0.script = script }
    }

    /// Ends every connection in an orderly way, on the origin's own time.
    package func closeConnections() {
        onReactor { $0.closeConnections() }
    }

    /// Resets every connection, on the origin's own time.
    package func resetConnections() {
        onReactor { $0.resetConnections() }
    }

    private func onReactor(_ action: @escaping @Sendable (ScriptedOrigin) -> Void) {
        let origin = self.origin
        _ = reactor.post { action(origin.value) }
    }

    /// Stops listening, resets what is open, ends the thread. Idempotent.
    package func stop() { stop {} }

    /// The same, and returns when nobody listens any more. Blocks the calling thread until then.
    package func stopAndWait() {
        let done = DispatchSemaphore(value: 0)
        if stop({ done.signal() }) { done.wait() }
    }

    /// False where it was stopped before, and then nobody is told.
    @discardableResult
    private func stop(_ stopped: @escaping @Sendable () -> Void) -> Bool {
        let first = isStopped.withLock { stopped in
            defer { stopped = true }
            return !stopped
        }
        guard first else { return false }
        onReactor {
            $0.stop()
            stopped()
        }
        reactor.stop()
        return true
    }

    deinit {
        stop()
    }
}

extension ScriptedOrigin {
    /// Starts an origin on a background reactor, listening when this returns. Blocks the calling
    /// thread until then.
    package static func start(
        on address: SocketAddress = .loopback(port: 0), closesAfter: Int = 0,
        limits: OriginLimits = OriginLimits(), _ script: Script
    ) throws -> RunningOrigin {
        let reactor = try Reactor.startThread(name: "origin")
        let log = OriginLog(limits)
        let done = DispatchSemaphore(value: 0)
        let started = StartedOrigin()
        _ = reactor.post {
            let origin = ScriptedOrigin(
                on: reactor, closesAfter: closesAfter, limits: limits, log: log, script)
            do {
                let bound = try origin.listen(on: address)
                started.finish(.success((ReactorBound(origin, on: reactor), bound)))
            } catch {
                started.finish(.failure(error))
            }
            done.signal()
        }
        done.wait()
        do {
            let (origin, bound) = try started.outcome()
            return RunningOrigin(reactor, origin, bound, log)
        } catch {
            reactor.stop()
            throw error
        }
    }
}

/// Carries the outcome of a start from the origin's thread.
private final class StartedOrigin: Sendable {
    private typealias Outcome = Result<(ReactorBound<ScriptedOrigin>, SocketAddress), any Error>
    private let state = Mutex<Outcome?>(nil)

    func finish(_ outcome: Result<(ReactorBound<ScriptedOrigin>, SocketAddress), any Error>) {
        state.withLock { $0 = outcome }
    }

    func outcome() throws -> (ReactorBound<ScriptedOrigin>, SocketAddress) {
        guard let outcome = state.withLock({ $0 }) else {
            throw OriginDidNotStart()
        }
        return try outcome.get()
    }
}

package struct OriginDidNotStart: Error, CustomStringConvertible {
    package var description: String { "the origin's reactor ended before it listened" }
}
