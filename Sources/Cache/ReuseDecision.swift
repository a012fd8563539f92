// ReuseDecision: whether a stored response may answer a request that selects it (RFC 9111 sections
// 4.2.4 and 5.2.1; RFC 5861; the cache modes of the Fetch standard). Pure; any thread.
//
// RFC 8246's `immutable` changes nothing here: it tells a user agent not to validate a fresh
// response when its user reloads a page, and this cache never validates one unless the caller asks.

package import FetchHTTP
package import FetchTime

/// What a stored response is good for.
package enum ReuseDecision: Equatable, Sendable {
    case fresh
    /// Stale, and the caller said that it may be.
    case stale
    /// Stale, and the origin said that it may be used while it is validated.
    case staleWhileRevalidate
    /// Only after a successful validation, because it is stale, or because the request has it so.
    case validate(CacheStatus.Forward)

    package init(_ stored: CachedResponse, _ request: CacheRequest, now: Now) {
        let isFresh = stored.isFresh(now)
        switch request.mode {
        case .forceCache, .onlyIfCached:
            self = isFresh ? .fresh : .stale
        case .noCache, .noStore, .reload:
            self = .validate(.request)
        case .standard:
            self = Self.standard(stored, request.control, isFresh: isFresh, now)
        }
    }

    private static func standard(
        _ stored: CachedResponse, _ control: RequestCacheControl, isFresh: Bool, _ now: Now
    ) -> ReuseDecision {
        let age = stored.age(now)
        let left = stored.timeToLive(now)
        if control.noCache { return .validate(.request) }
        if stored.facts.control.alwaysValidate { return .validate(.stale) }
        // By how much it is older than the request's own limit.
        let beyond = control.maxAge.map { $0 == 0 ? max(1, age) : age - Nanoseconds.of($0) } ?? 0
        let isTooOld = beyond > 0
        let staysTooShort = control.minFresh.map { left < Nanoseconds.of($0) } ?? false
        if isFresh, !isTooOld, !staysTooShort { return .fresh }
        if isFresh, !isTooOld || control.maxStale == nil { return .validate(.request) }
        if stored.facts.control.neverStale, !isFresh { return .validate(.stale) }
        if allows(control.maxStale, max(beyond, -left)), !staysTooShort { return .stale }
        let window = Nanoseconds.of(stored.facts.control.staleWhileRevalidate)
        if !isFresh, !isTooOld, control.minFresh == nil, -left < window {
            return .staleWhileRevalidate
        }
        return .validate(isFresh ? .request : .stale)
    }

    /// Whether max-stale covers a response that is `nanoseconds` older than it should be.
    private static func allows(
        _ maxStale: RequestCacheControl.MaxStale?, _ nanoseconds: Int64
    ) -> Bool {
        switch maxStale {
        case nil: false
        case .any: true
        case .within(let seconds): nanoseconds <= Nanoseconds.of(seconds)
        }
    }

    /// Whether a stored response may stand in for an error (RFC 5861 section 4): a failure to reach
    /// the origin, or 500, 502, 503, 504.
    package static func standsIn(
        _ stored: CachedResponse, _ request: CacheRequest, now: Now
    ) -> Bool {
        let control = stored.facts.control
        guard !control.alwaysValidate, request.mode != .reload else { return false }
        let staleness = max(0, -stored.timeToLive(now))
        if control.neverStale, staleness > 0 { return false }
        if let seconds = request.control.staleIfError {
            return staleness <= Nanoseconds.of(max(seconds, control.staleIfError))
        }
        // A caller who insists on validation gets the error, not what he didn't want.
        guard request.mode == .standard, !request.control.noCache else { return false }
        if let limit = request.control.maxAge, stored.age(now) > Nanoseconds.of(limit) {
            return false
        }
        guard request.control.minFresh == nil, control.staleIfError > 0 else { return false }
        return staleness <= Nanoseconds.of(control.staleIfError)
    }
}
