// What the public face talks to: calls are opened, started, cancelled and counted here. Owned
// through a `ReactorBound`; reactor thread.

internal import FetchBytes
package import FetchPolicy
package import FetchReactor
internal import FetchTime
package import FetchTLS
package import FetchTransport

package final class Engine {
    package let reactor: Reactor
    let road: Road
    private var closeHook: Int?

    package init(_ settings: EngineSettings, reactor: Reactor, network: any Network) {
        self.reactor = reactor
        road = Road(reactor: reactor, network: network, settings: settings)
    }

    /// Ties the engine to its reactor's end. On the reactor's thread, once, before the first call.
    package func attach() {
        // Strong: a weak reference would make every count of the road's a slow one.
        closeHook = reactor.onClose { [road] in
            road.closeNow()
            road.reactorHasEnded = true
        }
        road.cache = road.settings.cache.map { ClientCache($0, road.settings, on: reactor) }
    }

    package convenience init(_ settings: EngineSettings, reactor: Reactor) {
        self.init(settings, reactor: reactor, network: TCPNetwork(reactor: reactor))
    }

    /// Gives the call its name. `start` must follow.
    package func open() -> CallID { road.calls.open().id }

    /// Sets the call on its way. The completion is told once: a continuation at once or later, a
    /// callback later in this turn or in another, never before this returns.
    ///
    /// - Parameter isMissed: `glance` has told that nothing is stored for it.
    package func start(
        _ id: CallID, _ plan: consuming CallPlan, _ completion: consuming Completion,
        isMissed: Bool = false
    ) {
        guard let call = road.calls[id] else { return }
        call.take(completion)
        road.start(call, plan.target, plan.details, isMissed: isMissed)
    }

    /// Who is told of calls that were begun with `begin`; set before the first of them.
    package var receiver: (any CallReceiver)? {
        get { road.receiver }
        set { road.receiver = newValue }
    }

    /// Opens a call for the engine's receiver and sets it on its way.
    package func begin(_ plan: consuming CallPlan) -> CallID {
        let call = road.calls.open()
        let id = call.id
        call.take(.receiver)
        road.start(call, plan.target, plan.details)
        return id
    }

    /// Ends a call; its completion is told `cancelled`. Nothing happens to one that is over.
    package func cancel(_ id: CallID) { road.cancel(id) }

    /// The reader of a streamed response wants more.
    package func resume(_ id: CallID) { road.resume(id) }

    /// The reader of a streamed response has left.
    package func abandon(_ id: CallID) { road.abandon(id) }

    /// Refuses new calls, lets those in flight end for so long, then fails them. `whenDone` runs
    /// when nothing is in flight, every connection is closed, and so is the cache's file.
    package func shutdown(within nanoseconds: Int64, _ whenDone: @escaping () -> Void) {
        road.isClosed = true
        road.closeIdle()
        if road.calls.live == 0 || nanoseconds <= 0 {
            road.closeNow()
            road.whenFileIsClosed(whenDone)
            return
        }
        let timer = ShutdownTimer { [road] in road.closeNow() }
        let id = reactor.schedule(timer, token: 0, at: reactor.now.after(nanoseconds))
        let before = road.whenQuiet
        road.whenQuiet = { [road, reactor] in
            reactor.cancel(id)
            road.closeNow()
            before?()
            road.whenFileIsClosed(whenDone)
        }
    }

    /// A site asks crawlers for this delay; from now on, for those who wait too.
    package func setCrawlDelay(_ delay: Duration, host: String) {
        road.siteAsks(for: delay, host: host)
    }

    /// Another limit for the whole client from now on, for those who wait too.
    package func limitClient(to limit: RateLimit?) { road.limitClient(to: limit) }

    /// Another limit for each domain from now on, for those who wait too.
    package func limitDomains(to limit: RateLimit?) { road.limitDomains(to: limit) }

    /// Reads the authorities of every TLS configuration in use anew. Connections that stand go on;
    /// what can't be read keeps its old ones.
    package func reloadTrust() throws(TLSFailure) { try road.reloadTrust() }

    package var statistics: EngineStatistics { road.statistics }

    /// `2 active, 1 idle, 0 connecting`
    package var poolDescription: String { road.pool.description }

    deinit {
        // After the reactor's end nothing is left to do, and this may be any thread.
        if road.reactorHasEnded { return }
        // The last holder is gone; nobody can be waiting but callbacks of calls in flight.
        road.closeNow()
        if let closeHook { reactor.removeCloseHook(closeHook) }
    }
}

/// Ends what a graceful shutdown no longer waits for.
private final class ShutdownTimer: TimerHandler {
    private let action: () -> Void

    init(_ action: @escaping () -> Void) {
        self.action = action
    }

    func timerFired(_ token: Int) { action() }
}

/// Says something once: when it is told to, when it is due, or when the reactor ends.
private final class LastWord: TimerHandler {
    private var action: (() -> Void)?

    init(_ action: @escaping () -> Void) {
        self.action = action
    }

    func say() {
        let action = action.take()
        action?()
    }

    func timerFired(_ token: Int) { say() }

    func timerDiscarded(_ token: Int, dueAt deadline: Instant) { say() }
}

extension Road {
    /// Fails every call and closes every connection, now.
    func closeNow() {
        isClosed = true
        for call in calls.liveCalls where call.isLive && call.isStarted {
            withdraw(call, .clientClosed)
        }
        for connection in pool.all { close(connection) }
        closeIdle()
        forgetAllResting()
        cache?.end()
        dialer.names.close()
    }

    /// A thread of the cache's own closes its file in its own time; nobody waits for it longer than
    /// a second, or than the reactor lives.
    fileprivate func whenFileIsClosed(_ action: @escaping () -> Void) {
        guard let cache, cache.isLettingGo else { return action() }
        let last = LastWord(action)
        let timer = reactor.schedule(last, at: reactor.now.after(1_000_000_000))
        cache.whenLetGo { [reactor] in
            reactor.cancel(timer)
            last.say()
        }
    }

    var statistics: EngineStatistics {
        var statistics = EngineStatistics(counters)
        statistics.connecting = pool.state.connecting
        statistics.active = pool.state.active
        statistics.idle = pool.state.idle
        statistics.waiting = lines.waiting
        statistics.onHold = lines.onHold
        statistics.callsInFlight = calls.live - policies.shadows
        statistics.trackedOrigins = origins.count
        statistics.connectionLimit = settings.pool.connections
        statistics.limitedDomains = policies.admission.domains.count
        statistics.politenessSlots = policies.admission.politeness.count
        statistics.admitted = policies.admission.inFlight
        if let cache { statistics.add(cache) }
        return statistics
    }
}
