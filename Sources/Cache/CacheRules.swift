// CacheRules: what a client's owner decides about caching. A value; any thread.

package import FetchTime

/// How one request uses the cache: the modes of the Fetch standard.
package enum CacheMode: Equatable, Sendable {
    /// What RFC 9111 says.
    case standard
    /// As if there were no cache.
    case noStore
    /// Nothing stored is looked at; the answer is stored.
    case reload
    /// Whatever is stored is validated first.
    case noCache
    /// Whatever is stored is used, however old; only without it is the origin asked.
    case forceCache
    /// Whatever is stored is used, however old; without it the request fails.
    case onlyIfCached
}

/// What is done with responses that carry somebody's secrets: to a request with Authorization or
/// Cookie, or with Set-Cookie.
package enum SensitiveResponses: Equatable, Sendable {
    /// Kept in memory; never written to a file or another store, where others might read them.
    case inMemory
    /// Not stored at all.
    case skip
    /// Stored like any other.
    case store
}

/// The rules of a cache.
package struct CacheRules: Equatable, Sendable {
    /// Where a response says nothing about its freshness (RFC 9111 section 4.2.2).
    package struct Heuristics: Equatable, Sendable {
        /// The part of the time since Last-Modified for which it is fresh; RFC 9111 suggests 0.1.
        package var fraction: Double
        /// No response is fresh for longer, in seconds.
        package var most: Int64

        package init(fraction: Double = 0.1, most: Int64 = 86_400) {
            self.fraction = min(max(fraction, 0), 1)
            self.most = max(most, 0)
        }
    }

    /// Whether responses are kept for many users: `private` and Authorization are then obeyed as
    /// RFC 9111 asks of a shared cache, and s-maxage counts.
    package var isShared = false
    /// Nil: a response that says nothing is stale at once.
    package var heuristics: Heuristics?
    /// In place of what responses say: every response that may be stored is fresh for so many
    /// seconds from its arrival, whatever max-age, Expires, no-cache and must-revalidate say. Only
    /// `no-store`, `private` in a shared cache, and Vary are obeyed.
    package var forcedLifetime: Int64?
    /// Whether users share what is stored, whoever asked for it.
    package var sharesCredentials = false
    package var sensitive = SensitiveResponses.inMemory
    /// Seconds for which a stale response stands in for an error where nothing says otherwise.
    package var staleIfError: Int64 = 0
    /// The largest response stored, in bytes of body.
    package var mostBodyBytes = 5 << 20

    package init() {}
}

/// When a response was asked for and when its head came.
package struct ResponseTimes: Equatable, Sendable {
    package var request: Now
    package var response: Now

    package init(request: Now, response: Now) {
        self.request = request
        self.response = response
    }
}
