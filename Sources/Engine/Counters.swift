// What happened so far, in numbers that only grow, and a snapshot of what is there now.

/// Counters of one client. Reactor thread.
struct Counters: Equatable, Sendable {
    var callsStarted = 0
    var callsSucceeded = 0
    var callsFailed = 0
    var callsCancelled = 0
    var connectionsOpened = 0
    var connectionsFailed = 0
    var tlsHandshakes = 0
    var tlsResumptions = 0
    var exchanges = 0
    var reuses = 0
    var reuseRacesLost = 0
    var retries = 0
    var coalesced = 0
    var refusedByBreaker = 0
    var cacheHits = 0
    var cacheMisses = 0
    var cacheRevalidations = 0
    var cacheStale = 0
    var hedges = 0
    var hedgesWon = 0
    var bytesSent = 0
    var bytesReceived = 0

    /// A call has ended, with a failure or without.
    @inline(__always)
    mutating func callEnded(_ failure: CallFailure?) {
        guard let failure else {
            callsSucceeded += 1
            return
        }
        if failure.isCancellation {
            callsCancelled += 1
        } else {
            callsFailed += 1
        }
    }
}

/// Counters and present state, as one value.
package struct EngineStatistics: Equatable, Sendable {
    package internal(set) var callsStarted = 0
    package internal(set) var callsSucceeded = 0
    package internal(set) var callsFailed = 0
    package internal(set) var callsCancelled = 0
    package internal(set) var connectionsOpened = 0
    package internal(set) var connectionsFailed = 0
    package internal(set) var tlsHandshakes = 0
    package internal(set) var tlsResumptions = 0
    package internal(set) var exchanges = 0
    package internal(set) var reuses = 0
    package internal(set) var reuseRacesLost = 0
    package internal(set) var retries = 0
    package internal(set) var coalesced = 0
    package internal(set) var refusedByBreaker = 0
    package internal(set) var cacheHits = 0
    package internal(set) var cacheMisses = 0
    package internal(set) var cacheRevalidations = 0
    package internal(set) var cacheStale = 0
    package internal(set) var cacheStored = 0
    package internal(set) var cacheEvictions = 0
    package internal(set) var cacheEntries = 0
    package internal(set) var cacheBytes = 0
    package internal(set) var hedges = 0
    package internal(set) var hedgesWon = 0
    package internal(set) var bytesSent = 0
    package internal(set) var bytesReceived = 0
    package internal(set) var connecting = 0
    package internal(set) var active = 0
    package internal(set) var idle = 0
    package internal(set) var waiting = 0
    package internal(set) var onHold = 0
    package internal(set) var callsInFlight = 0
    package internal(set) var trackedOrigins = 0
    package internal(set) var limitedDomains = 0
    package internal(set) var politenessSlots = 0
    package internal(set) var admitted = 0
    package internal(set) var connectionLimit = 0

    package init() {}

    init(_ counters: Counters) {
        callsStarted = counters.callsStarted
        callsSucceeded = counters.callsSucceeded
        callsFailed = counters.callsFailed
        callsCancelled = counters.callsCancelled
        connectionsOpened = counters.connectionsOpened
        connectionsFailed = counters.connectionsFailed
        tlsHandshakes = counters.tlsHandshakes
        tlsResumptions = counters.tlsResumptions
        exchanges = counters.exchanges
        reuses = counters.reuses
        reuseRacesLost = counters.reuseRacesLost
        retries = counters.retries
        coalesced = counters.coalesced
        refusedByBreaker = counters.refusedByBreaker
        cacheHits = counters.cacheHits
        cacheMisses = counters.cacheMisses
        cacheRevalidations = counters.cacheRevalidations
        cacheStale = counters.cacheStale
        hedges = counters.hedges
        hedgesWon = counters.hedgesWon
        bytesSent = counters.bytesSent
        bytesReceived = counters.bytesReceived
    }
}
