// The client's face on the reactor's own thread: callbacks, no task, no continuation. `Fetcher` is
// this behind one hop. Not Sendable on purpose: a Sendable type with a callback would let a closure
// over non-Sendable state cross threads without a diagnostic.

internal import FetchEngine
internal import FetchHTTP1
public import FetchPolicy
package import FetchTransport

/// A call that ``LocalFetcher`` has begun, for cancelling it. Two integers; harmless when stale.
public struct CallHandle: Hashable, Sendable {
    let id: CallID?
}

/// An HTTP client for code on a reactor's thread, without Swift concurrency.
///
/// Made for embedding: a host whose loop waits for ``Reactor/fileDescriptor`` and calls
/// ``Reactor/turn(maxEvents:)`` needs nothing else. Every completion is called exactly once, on the
/// reactor's thread, and never before the method that began the call has returned.
public final class LocalFetcher {
    /// What a completion is told: the response, or ``FetchError``, or `CancellationError`.
    public typealias Completion = (Result<Response, any Error>) -> Void

    private let engine: Engine
    private let reactor: Reactor
    private let planner: CallPlanner
    private let completions = Completions()

    /// A client on this reactor, whose thread must be the calling one.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration` or `forked`.
    public convenience init(
        _ configuration: FetcherConfiguration = FetcherConfiguration(), on reactor: Reactor
    ) throws {
        try self.init(configuration, on: reactor, network: TCPNetwork(reactor: reactor))
    }

    /// A client over a network of the caller's choice.
    package init(
        _ configuration: FetcherConfiguration, on reactor: Reactor, network: any Network
    ) throws {
        if reactor.isEmbedded { reactor.adoptThread() }
        do throws(SystemError) {
            try reactor.checkUsable()
        } catch {
            throw FetchError.made(of: error)
        }
        planner = try CallPlanner(configuration, on: reactor)
        self.reactor = reactor
        engine = Engine(try configuration.engineSettings(), reactor: reactor, network: network)
        engine.receiver = completions
        engine.attach()
    }

    /// Fetches a URL.
    @discardableResult
    public func get(_ url: String, _ completion: @escaping Completion) -> CallHandle {
        reactor.adoptThread()
        do {
            return begin(try planner.plan(url), completion)
        } catch {
            return refuse(error, completion)
        }
    }

    /// Sends a request. A streamed upload needs ``Fetcher``; bytes and files are welcome.
    @discardableResult
    public func execute(_ request: Request, _ completion: @escaping Completion) -> CallHandle {
        reactor.adoptThread()
        do {
            return begin(try planner.plan(request), completion)
        } catch {
            return refuse(error, completion)
        }
    }

    /// Ends a call: its completion is told `CancellationError` and its connection is closed, in
    /// this turn. Does nothing to a call that is over.
    public func cancel(_ call: CallHandle) {
        reactor.adoptThread()
        if let id = call.id { engine.cancel(id) }
    }

    /// Refuses new calls, waits for those in flight as the mode says, then closes every
    /// connection and the cache's file, and tells `whenDone`. Calls that are cut off fail with
    /// `clientClosed`.
    public func shutdown(_ mode: ShutdownMode = .graceful(), whenDone: @escaping () -> Void = {}) {
        reactor.adoptThread()
        engine.shutdown(within: mode.nanoseconds, whenDone)
    }

    /// Reads certificate authorities anew, when their files have changed. Connections that stand go
    /// on; a configuration whose authorities can't be read keeps those it has.
    ///
    /// - Throws: ``TLSFailure``.
    public func reloadTrust() throws {
        reactor.adoptThread()
        try engine.reloadTrust()
    }

    /// Forgets stored responses, in memory at once and behind it as soon as may be; nothing that is
    /// named is found meanwhile.
    ///
    /// - Throws: ``FetchError`` with code `invalidURL`.
    public func purge(_ scope: PurgeScope) throws {
        reactor.adoptThread()
        engine.purge(try scope.purge())
    }

    /// Another limit from now on; see ``Fetcher/setRate(_:for:)``.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`.
    public func setRate(_ limit: RateLimit?, for scope: RateScope) throws {
        reactor.adoptThread()
        try scope.check(limit, insteadOf: planner.rate)
        engine.setRate(limit, for: scope)
    }

    /// Keeps a crawl-delay that a host's site asks for; see ``Fetcher/setCrawlDelay(_:of:)``.
    public func setCrawlDelay(_ delay: Duration, of host: String) {
        reactor.adoptThread()
        engine.setCrawlDelay(delay, host: host)
    }

    /// Counters so far and what is there now.
    public var statistics: FetcherStatistics { FetcherStatistics(engine.statistics) }

    /// The pool in words: `2 active, 1 idle, 0 connecting`.
    public var poolDescription: String { engine.poolDescription }

    private func begin(
        _ plan: consuming CallPlan, _ completion: @escaping Completion
    ) -> CallHandle {
        let id = engine.begin(plan)
        completions.expect(id, completion)
        return CallHandle(id: id)
    }

    private func refuse(_ error: any Error, _ completion: @escaping Completion) -> CallHandle {
        reactor.enqueue { completion(.failure(error)) }
        return CallHandle(id: nil)
    }
}

/// How a client ends.
public enum ShutdownMode: Sendable, Hashable {
    /// Calls in flight may end by themselves for so long.
    case graceful(within: Duration = .seconds(5))
    /// Calls in flight fail at once.
    case immediate

    var nanoseconds: Int64 {
        switch self {
        case .graceful(let duration): Timeouts.nanoseconds(duration)
        case .immediate: 0
        }
    }
}
