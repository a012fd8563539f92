// What may change while a client runs. From any thread; holds from then on, for requests that wait
// too.

internal import FetchEngine
public import FetchPolicy

/// Which of a client's limits is meant.
public enum RateScope: Sendable, Hashable {
    /// The whole client's: ``FetcherConfiguration/RateLimits/client``.
    case client
    /// Each domain's: ``FetcherConfiguration/RateLimits/perDomain``. Hosts that were configured
    /// with one of their own keep it.
    case perDomain

    /// Checks that this client has such a limit, and that the other one makes sense.
    func check(_ limit: RateLimit?, insteadOf configured: FetcherConfiguration.RateLimits) throws {
        let (key, former) =
            switch self {
            case .client: ("rate.client", configured.client)
            case .perDomain: ("rate.perDomain", configured.perDomain)
            }
        let reason =
            if former == nil {
                "\(key): this client was made without one"
            } else {
                limit?.invalidSetting.map { "\(key).\($0.key): \($0.reason)" }
            }
        if let reason { throw FetchError(.invalidConfiguration, reason: reason) }
    }
}

extension Engine {
    func setRate(_ limit: RateLimit?, for scope: RateScope) {
        switch scope {
        case .client: limitClient(to: limit)
        case .perDomain: limitDomains(to: limit)
        }
    }
}

extension Fetcher {
    /// Another limit in place of the one that the client was made with, from now on and for
    /// requests that wait, too; nil lifts it.
    ///
    /// A limiter of the same kind goes on with what it has granted lately, so that no change lets
    /// more go than one of the two limits would; one of another kind begins anew. The queue clock
    /// rests on, also while a limit is lifted.
    ///
    /// - Throws: ``FetchError`` with code `invalidConfiguration`, naming the setting: it makes no
    ///   sense, or the client was made without a limit of that scope.
    public func setRate(_ limit: RateLimit?, for scope: RateScope) throws {
        try scope.check(limit, insteadOf: planner.rate)
        onThread { $0.setRate(limit, for: scope) }
    }

    /// Keeps a crawl-delay that a host's site asks for, in place of one that it asked for before:
    /// between the starts of any two requests of its politeness slot, as ``PolitenessRules`` says
    /// in ``CrawlDelayRule``. Holds for requests that wait, too. Zero takes it back.
    ///
    /// The delay goes with the slot, which is forgotten when nobody has used it for
    /// ``PolitenessRules/idleTime``. Where slots are kept for addresses, a host is known while a
    /// request to it is under way or its connection is kept. Does nothing without
    /// ``FetcherConfiguration/politeness``.
    ///
    /// - Parameters:
    ///   - delay: what the site asks for, jitter not counted.
    ///   - host: as in a URL, in lower case.
    public func setCrawlDelay(_ delay: Duration, of host: String) {
        onThread { $0.setCrawlDelay(delay, host: host) }
    }

    /// On the reactor's thread at once, so that it holds for the call that comes next.
    private func onThread(_ action: @escaping @Sendable (Engine) -> Void) {
        if engine.reactor.isCurrent {
            action(engine.value)
        } else {
            engine.reactor.post { [engine] in action(engine.value) }
        }
    }
}
