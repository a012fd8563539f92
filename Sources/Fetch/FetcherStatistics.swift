// A client's counters and present state, for users.

internal import FetchEngine

/// What a client has done and holds, at one moment.
public struct FetcherStatistics: Sendable, Hashable {
    /// Calls begun.
    public let callsStarted: Int
    /// Calls that ended with a response.
    public let callsSucceeded: Int
    /// Calls that ended with an error.
    public let callsFailed: Int
    /// Calls that were cancelled.
    public let callsCancelled: Int
    /// Calls begun and not ended.
    public let callsInFlight: Int
    /// Calls that wait for a connection slot.
    public let callsWaiting: Int
    /// Calls that wait for the answer that another call asks for, or for their next attempt.
    public let callsOnHold: Int
    /// Connections that were begun.
    public let connectionsOpened: Int
    /// Connections that did not come about.
    public let connectionsFailed: Int
    /// TLS handshakes that succeeded.
    public let tlsHandshakes: Int
    /// Those of them that took an earlier session up.
    public let tlsResumptions: Int
    /// Requests sent, further attempts and hedges included.
    public let exchanges: Int
    /// Requests sent on a connection that had been used before.
    public let reuses: Int
    /// Requests sent again because a reused connection died before any response byte.
    public let reuseRacesLost: Int
    /// Further attempts made after a failure or an unwanted status.
    public let retries: Int
    /// Calls that another caller's request answered, or was to answer.
    public let callsCoalesced: Int
    /// Attempts that an open circuit breaker refused.
    public let refusedByBreaker: Int
    /// Calls that a stored response answered without the origin: with ``cacheMisses`` all calls
    /// that asked the cache.
    public let cacheHits: Int
    /// Calls that asked the cache and went on to the origin, or failed for want of a stored
    /// response.
    public let cacheMisses: Int
    /// Misses whose stored response the origin found to hold still (304).
    public let cacheRevalidations: Int
    /// Calls that a stale response answered, of hits and of misses.
    public let cacheStale: Int
    /// Responses that were stored.
    public let cacheStored: Int
    /// Stored responses that went from memory because of its bounds.
    public let cacheEvictions: Int
    /// Stored responses in memory now.
    public let cacheEntries: Int
    /// What they cost, in bytes as the allocator counts them.
    public let cacheBytes: Int
    /// Requests that were asked a second time because their answer took long.
    public let hedges: Int
    /// Those of them whose second exchange gave the answer.
    public let hedgesWon: Int
    /// Bytes sent, heads included.
    public let bytesSent: Int
    /// Bytes received, heads included.
    public let bytesReceived: Int
    /// Connections being opened now.
    public let connecting: Int
    /// Connections that carry a request now.
    public let active: Int
    /// Connections at rest now.
    public let idle: Int
    /// Origins with a connection or a call now, or with an open breaker or retries to remember.
    public let trackedOrigins: Int
    /// Domains of which a limit or its server's wish to be left alone is remembered.
    public let limitedDomains: Int
    /// Politeness slots that are remembered.
    public let politenessSlots: Int
    /// Requests that hold a slot now, where concurrency, rates or politeness are limited.
    public let admitted: Int
    /// Connections that there may be in all; see ``FetcherConfiguration/Pool/connections``.
    public let connectionLimit: Int

    /// The part of the requests that found a connection, 0 to 1; 0 before the first.
    public var reuseRatio: Double {
        exchanges == 0 ? 0 : Double(reuses) / Double(exchanges)
    }

    init(_ statistics: EngineStatistics) {
        callsStarted = statistics.callsStarted
        callsSucceeded = statistics.callsSucceeded
        callsFailed = statistics.callsFailed
        callsCancelled = statistics.callsCancelled
        callsInFlight = statistics.callsInFlight
        callsWaiting = statistics.waiting
        callsOnHold = statistics.onHold
        connectionsOpened = statistics.connectionsOpened
        connectionsFailed = statistics.connectionsFailed
        tlsHandshakes = statistics.tlsHandshakes
        tlsResumptions = statistics.tlsResumptions
        exchanges = statistics.exchanges
        reuses = statistics.reuses
        reuseRacesLost = statistics.reuseRacesLost
        retries = statistics.retries
        callsCoalesced = statistics.coalesced
        refusedByBreaker = statistics.refusedByBreaker
        cacheHits = statistics.cacheHits
        cacheMisses = statistics.cacheMisses
        cacheRevalidations = statistics.cacheRevalidations
        cacheStale = statistics.cacheStale
        cacheStored = statistics.cacheStored
        cacheEvictions = statistics.cacheEvictions
        cacheEntries = statistics.cacheEntries
        cacheBytes = statistics.cacheBytes
        hedges = statistics.hedges
        hedgesWon = statistics.hedgesWon
        bytesSent = statistics.bytesSent
        bytesReceived = statistics.bytesReceived
        connecting = statistics.connecting
        active = statistics.active
        idle = statistics.idle
        trackedOrigins = statistics.trackedOrigins
        limitedDomains = statistics.limitedDomains
        politenessSlots = statistics.politenessSlots
        admitted = statistics.admitted
        connectionLimit = statistics.connectionLimit
    }
}
