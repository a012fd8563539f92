// The client for asynchronous code, from any thread. A call on the reactor's own thread goes
// straight in; from elsewhere it posts itself. Either way it costs one continuation and one
// cancellation handler, and the handler holds two integers and a reference, never the call.

internal import FetchEngine
internal import FetchHTTP1
internal import FetchTLS
package import FetchTransport
internal import Synchronization

/// An HTTP client.
///
/// Made on a reactor's thread (inside ``Reactor/run(_:_:)``, say), it belongs to that reactor and
/// makes no thread; made elsewhere, it owns one background thread, which ends with it.
///
/// Every call throws ``FetchError``, or `CancellationError` when its task was cancelled. A status
/// of 400 or 500 is a response, not an error; see ``Response/validate()``.
public final class Fetcher: Sendable {
    let engine: ReactorBound<Engine>
    let planner: CallPlanner
    /// Keeps the thread of a client that owns one; ends it when the client goes.
    private let thread: OwnedThread?

    /// A client with this configuration.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`, or `system` if a thread was
    ///   needed and could not be had.
    public convenience init(
        _ configuration: FetcherConfiguration = FetcherConfiguration()
    ) throws {
        if let reactor = Reactor.current {
            try self.init(configuration, on: reactor, thread: nil)
        } else {
            try configuration.validate()
            let thread = try OwnedThread()
            try self.init(configuration, on: thread.reactor, thread: thread)
        }
    }

    /// A client on this reactor, from any thread.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`.
    public convenience init(
        _ configuration: FetcherConfiguration = FetcherConfiguration(), on reactor: Reactor
    ) throws {
        try self.init(configuration, on: reactor, thread: nil)
    }

    private init(
        _ configuration: FetcherConfiguration, on reactor: Reactor, thread: OwnedThread?
    ) throws {
        self.thread = thread
        planner = try CallPlanner(configuration, on: reactor)
        let engine = Engine(try configuration.engineSettings(), reactor: reactor)
        self.engine = ReactorBound(engine, on: reactor)
        if reactor.isCurrent {
            // A call may come in before anything else runs.
            self.engine.value.attach()
        } else {
            reactor.post { [engine = self.engine] in engine.value.attach() }
        }
    }

    /// A client over a network of the caller's choice; on the reactor's thread.
    package init(
        _ configuration: FetcherConfiguration, on reactor: Reactor, network: sending any Network
    ) throws {
        thread = nil
        planner = try CallPlanner(configuration, on: reactor)
        let engine = Engine(
            try configuration.engineSettings(), reactor: reactor, network: network)
        self.engine = ReactorBound(engine, on: reactor)
        self.engine.value.attach()
    }

    /// Sends a request and waits for all of the response.
    public func execute(_ request: Request) async throws -> Response {
        if case .stream(let upload) = request.body {
            return try await uploading(upload) { [self] pipe in
                try await perform(planner.plan(request, pipe: pipe))
            }
        }
        return try await perform(planner.plan(request))
    }

    /// Sends a request of swift-http-types and waits for all of the response.
    public func execute(
        _ request: HTTPRequest, body: RequestBody? = nil
    ) async throws -> Response {
        try await execute(Request(request, body: body))
    }

    /// Refuses new calls, waits for those in flight as the mode says, then closes every
    /// connection and the cache's file. Calls that are cut off fail with `clientClosed`. May be
    /// called again.
    public func shutdown(_ mode: ShutdownMode = .graceful()) async {
        let nanoseconds = mode.nanoseconds
        await onReactor { engine, done in
            engine.shutdown(within: nanoseconds) { done(()) }
        } orElse: {
            // The reactor has ended, and with it everything that could be closed.
            ()
        }
    }

    /// Reads certificate authorities anew, when their files have changed. Connections that stand go
    /// on; a configuration whose authorities can't be read keeps those it has.
    ///
    /// - Throws: ``TLSFailure``; ``FetchError`` with code `clientClosed` when the reactor has
    ///   ended.
    public func reloadTrust() async throws {
        let outcome: Result<Void, any Error>? = await onReactor { engine, done in
            do throws(TLSFailure) {
                try engine.reloadTrust()
                done(.success(()))
            } catch {
                done(.failure(error))
            }
        } orElse: {
            nil
        }
        guard let outcome else { throw Fetcher.closed(engine.reactor) }
        try outcome.get()
    }

    /// Counters so far and what is there now.
    public var statistics: FetcherStatistics {
        get async throws {
            let statistics: EngineStatistics? = await onReactor { engine, done in
                done(engine.statistics)
            } orElse: {
                nil
            }
            guard let statistics else { throw Fetcher.closed(engine.reactor) }
            return FetcherStatistics(statistics)
        }
    }

    /// The pool in words: `2 active, 1 idle, 0 connecting`.
    public var poolDescription: String {
        get async {
            await onReactor { engine, done in
                done(engine.poolDescription)
            } orElse: {
                "closed"
            }
        }
    }

    // MARK: The way in

    /// Executes a plan, from whatever thread.
    @inline(__always)
    func perform(_ plan: CallPlan) async throws -> Response {
        do {
            if engine.reactor.isCurrent {
                var isMissed = false
                // A call that can be answered at once makes no continuation, job or handler.
                if planner.usesCache, !Task.isCancelled {
                    switch engine.value.glance(plan) {
                    case .hit(let whole): return Response(whole: whole)
                    case .missed: isMissed = true
                    case .unknown: break
                    }
                }
                return Response(whole: try await performHere(plan, isMissed))
            }
            return Response(whole: try await performElsewhere(plan))
        } catch let failure as CallFailure {
            throw FetchError.made(of: failure)
        }
    }

    @inline(__always)
    private func performHere(_ plan: CallPlan, _ isMissed: Bool) async throws -> WholeResponse {
        let bound = engine
        let engine = bound.value
        let id = engine.open()
        #if compiler(>=6.3) && compiler(<6.4)
            // The listener is as it was given.
            let handler = unsafe CancellationHandler(bound, id.number) { listener, number in
                unsafe Fetcher.cancel(CallID(number: number), ReactorBound(listener: listener))
            }
            defer { withExtendedLifetime(bound) { handler.remove() } }
            // The engine resumes it exactly once: a call ends once, and its table forgets it.
            return try await unsafe _unsafeInheritExecutor_withUnsafeThrowingContinuation {
                unsafe engine.start(id, plan, .continuation($0), isMissed: isMissed)
            }
        #else
            return try await withTaskCancellationHandler {
                // As above.
                try await unsafe withUnsafeThrowingContinuation { continuation in
                    unsafe engine.start(
                        id, plan, .continuation(continuation), isMissed: isMissed)
                }
            } onCancel: {
                Fetcher.cancel(id, bound)
            }
        #endif
    }

    @inline(never)
    private func performElsewhere(_ plan: CallPlan) async throws -> WholeResponse {
        let bound = engine
        let usesCache = planner.usesCache
        let ticket = CallTicket()
        return try await withTaskCancellationHandler {
            // As above; when the post is refused, nobody else has the continuation.
            try await unsafe withUnsafeThrowingContinuation { continuation in
                let isPosted = bound.reactor.post {
                    let engine = bound.value
                    if usesCache, case .hit(let whole) = engine.glance(plan) {
                        // No call is opened that could resume it.
                        unsafe continuation.resume(returning: whole)
                        return
                    }
                    let id = engine.open()
                    if !ticket.began(id) { engine.cancel(id) }
                    unsafe engine.start(id, plan, .continuation(continuation))
                }
                if !isPosted {
                    unsafe continuation.resume(throwing: Fetcher.closed(bound.reactor))
                }
            }
        } onCancel: {
            if let id = ticket.cancelled() { Fetcher.cancel(id, bound) }
        }
    }

    static func cancel(_ id: CallID, _ engine: ReactorBound<Engine>) {
        if engine.reactor.isCurrent {
            engine.value.cancel(id)
        } else {
            engine.reactor.post { engine.value.cancel(id) }
        }
    }

    /// Runs `action` on the reactor's thread and waits until it calls back.
    func onReactor<R: Sendable>(
        _ action: @escaping @Sendable (Engine, _ done: @escaping (sending R) -> Void) -> Void,
        orElse: () -> R
    ) async -> R {
        let bound = engine
        // `action` calls back once; a refused post leaves the continuation to us.
        let answer: R? = await unsafe withUnsafeContinuation { continuation in
            let isPosted = bound.reactor.post {
                action(bound.value) { unsafe continuation.resume(returning: $0) }
            }
            if !isPosted { unsafe continuation.resume(returning: nil) }
        }
        return answer ?? orElse()
    }

    /// Why a reactor takes no call any more.
    static func closed(_ reactor: Reactor) -> FetchError {
        FetchError.made(of: reactor.isForked ? SystemError.forked : .closed)
    }
}

/// What a cancellation and a submission from another thread have in common.
final class CallTicket: Sendable {
    private enum State {
        case sent
        case begun(CallID)
        case cancelled
    }

    private let state = Mutex(State.sent)

    /// On the reactor's thread: the call has its name. False if it was cancelled on the way.
    func began(_ id: CallID) -> Bool {
        state.withLock { state in
            if case .cancelled = state { return false }
            state = .begun(id)
            return true
        }
    }

    /// The name of the call to cancel; nil if it has none yet and will be told when it begins.
    func cancelled() -> CallID? {
        state.withLock { state in
            if case .begun(let id) = state { return id }
            state = .cancelled
            return nil
        }
    }
}

/// A background thread with a reactor, for as long as its client lives.
final class OwnedThread: Sendable {
    let reactor: Reactor

    init() throws {
        do {
            reactor = try Reactor.startThread(name: "fetch")
        } catch let error as SystemError {
            throw FetchError.made(of: error)
        }
    }

    deinit {
        reactor.stop()
    }
}
