// The cache from outside: an answer at once, where one is there, and forgetting. Reactor thread.

internal import FetchBytes
internal import FetchCache
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
package import FetchStore
internal import FetchTime

/// What a glance at the memory shows.
package enum CacheGlance {
    /// The call is answered and counted, and none need be opened.
    case hit(WholeResponse)
    /// Nothing is stored for it: told to `start`, it isn't looked for again.
    case missed
    /// `start` finds out.
    case unknown
}

extension Engine {
    /// Who asks again and again and is answered at once keeps the loop from turning: after so many
    /// answers a call goes the long way, and others have their turn.
    package static var hitsInARow: Int { 1_000 }

    /// Whether a call can be answered at once: no call is opened for it, nobody is told later, and
    /// nothing is copied.
    @inline(never)
    package func glance(_ plan: borrowing CallPlan) -> CacheGlance {
        // Not counted while it is looked at: the road keeps it.
        guard let cache = road.lentCache, !road.isClosed else { return .unknown }
        return cache.with { glance(plan, $0) }
    }

    @inline(__always)
    private func glance(_ plan: borrowing CallPlan, _ cache: ClientCache) -> CacheGlance {
        // The caller may have computed for long.
        reactor.refreshNow()
        let now = reactor.nowWithWall
        switch cache.glance(plan.target, plan.details, now) {
        case .nothing: return .missed
        case .undecided: return .unknown
        case .hit(let response):
            // Before the response is handed over, or it would be counted once more.
            let body = response.body
            let most = plan.details?.bodyLimit ?? cache.bodyLimit
            guard body.count <= most else { return .unknown }
            guard road.mayAnswerAtOnce(cache) else { return .unknown }
            var times = CallTimes()
            times.started = now.instant
            times.firstByte = now.instant
            times.ended = now.instant
            return .hit(
                WholeResponse(
                    response, .whole, now: now, body: body, target: plan.target, times: times))
        }
    }

    /// Forgets what is named.
    package func purge(_ purge: CachePurge) {
        road.cache?.store.purge(purge, now: reactor.nowWithWall)
    }
}

extension Road {
    /// Counts a call that is answered at once; false where others are to have their turn.
    fileprivate func mayAnswerAtOnce(_ cache: ClientCache) -> Bool {
        cache.hitsInARow &+= 1
        if cache.hitsInARow > Engine.hitsInARow {
            cache.hitsInARow = 0
            return false
        }
        cache.answeredAtOnce &+= 1
        return true
    }
}

extension EngineStatistics {
    /// What is validated in the background is nobody's call, and one that was answered at once was
    /// counted by the cache alone.
    mutating func add(_ cache: ClientCache) {
        let nobodys = cache.background
        callsStarted -= nobodys.callsStarted
        callsSucceeded -= nobodys.callsSucceeded
        callsFailed -= nobodys.callsFailed
        callsCancelled -= nobodys.callsCancelled
        callsInFlight -= cache.validating.count
        callsStarted += cache.answeredAtOnce
        callsSucceeded += cache.answeredAtOnce
        cacheHits += cache.answeredAtOnce
        cacheStored = cache.store.counters.stored
        cacheEvictions = cache.store.evictions
        cacheEntries = cache.store.count
        cacheBytes = cache.store.bytes
    }
}
