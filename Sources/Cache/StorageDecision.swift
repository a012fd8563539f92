// StorageDecision: whether a response may be stored, and where (RFC 9111 section 3). Pure; any
// thread.

internal import FetchHTTP

/// What becomes of a response.
package enum StorageDecision: Equatable, Sendable {
    /// It may be stored; in memory alone where `onlyInMemory` says so.
    case store(onlyInMemory: Bool)
    case refuse(Refusal)

    /// Why a response isn't stored.
    package enum Refusal: String, Equatable, Sendable {
        /// Only responses to GET are.
        case method
        /// The status is not final, or one whose caching is not understood.
        case status
        case requestNoStore = "request-no-store"
        case noStore = "no-store"
        /// For one user, and this cache is for many.
        case isPrivate = "private"
        /// Section 3.5: to a request with Authorization, and nothing allows a shared cache.
        case authorization
        /// It sets a cookie, and nothing allows a shared cache.
        case setCookie = "set-cookie"
        /// The owner keeps what is sensitive out.
        case sensitive
        /// Nothing in it says that it may be, and its status isn't cacheable by itself.
        case notCacheable = "not-cacheable"
        /// `Vary: *`: no request would ever find it.
        case varyAll = "vary"
        /// Stale at once, and nothing to validate it by.
        case useless
        /// A part of something whose length isn't known, or that nobody asked for.
        case unusablePart = "partial"
        case tooLarge = "too-large"
    }

    /// Decides from a response's head. `bodyBytes` is the body's length where it is known.
    package init(
        _ request: CacheRequest, _ response: ResponseFacts, _ freshness: Freshness,
        bodyBytes: Int?, _ rules: CacheRules
    ) {
        if let refusal = Self.refusal(request, response, rules) {
            self = .refuse(refusal)
        } else if let bytes = bodyBytes, bytes > rules.mostBodyBytes {
            self = .refuse(.tooLarge)
        } else if !Self.isOfUse(response, freshness, rules) {
            self = .refuse(.useless)
        } else {
            let isSensitive = Self.isSensitive(request, response)
            self = .store(onlyInMemory: isSensitive && rules.sensitive == .inMemory)
        }
    }

    private static func refusal(
        _ request: CacheRequest, _ response: ResponseFacts, _ rules: CacheRules
    ) -> Refusal? {
        let control = response.control
        guard request.isGet else { return .method }
        // The latter two speak of this request's Range and conditions, of which no key knows.
        guard response.status >= 200, ![304, 412, 416].contains(response.status) else {
            return .status
        }
        if request.control.noStore { return .requestNoStore }
        if control.has(.mustUnderstand) {
            // The status must be understood; then no-store is for caches that don't.
            guard response.isUnderstood else { return .status }
        } else if control.has(.noStore) {
            return .noStore
        }
        if rules.isShared, let refusal = sharedRefusal(request, response) { return refusal }
        if rules.sensitive == .skip, isSensitive(request, response) { return .sensitive }
        guard isCacheable(response, rules) else { return .notCacheable }
        if response.vary == .everything { return .varyAll }
        if response.status == 206, !PartialContent.mayKeep(request, response) {
            return .unusablePart
        }
        return nil
    }

    /// What only a cache for many users has to mind.
    private static func sharedRefusal(
        _ request: CacheRequest, _ response: ResponseFacts
    ) -> Refusal? {
        let control = response.control
        if control.has(.isPrivate) { return .isPrivate }
        let allowsSharing = control.has(.isPublic) || control.sMaxAge != nil
        if request.hasAuthorization, !allowsSharing, !control.has(.mustRevalidate) {
            return .authorization
        }
        if response.setsCookie, !allowsSharing { return .setCookie }
        return nil
    }

    /// The last condition of section 3: something says that it may be stored.
    private static func isCacheable(_ response: ResponseFacts, _ rules: CacheRules) -> Bool {
        let control = response.control
        return control.has(.isPublic) || response.expires != .absent || control.maxAge != nil
            || (!rules.isShared && (control.has(.isPrivate) || control.has(.privateFields)))
            || (rules.isShared && control.sMaxAge != nil)
            || response.isHeuristicallyCacheable
    }

    /// Whether any later request could be answered with it.
    private static func isOfUse(
        _ response: ResponseFacts, _ freshness: Freshness, _ rules: CacheRules
    ) -> Bool {
        if response.hasValidator, [200, 203, 206].contains(response.status) { return true }
        if freshness.source == .forced { return freshness.lifetime > 0 }
        if response.control.has(.noCache) { return false }
        return freshness.lifetime > 0 || response.control.staleWhileRevalidate ?? 0 > 0
            || response.control.staleIfError ?? rules.staleIfError > 0
    }

    static func isSensitive(_ request: CacheRequest, _ response: ResponseFacts) -> Bool {
        request.showsCredentials || response.setsCookie
    }
}
