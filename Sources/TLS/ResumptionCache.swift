// Sessions that can be taken up again (RFC 8446 §2.2, RFC 5077), by whom they were made with. A
// value, owned by one context and so by one configuration; the reactor's thread. Reads no clock.

/// With whom a session was made: what two connections must share to share one.
package struct ResumptionKey: Hashable, Sendable {
    /// The host as the caller calls it, lower case.
    package let host: String
    package let port: UInt16
    /// The name that was sent and verified.
    package let serverName: String

    package init(host: String, port: UInt16, serverName: String) {
        self.host = host
        self.port = port
        self.serverName = serverName
    }
}

/// Bounded by `limit` sessions in all; at the bound the origin that was used least recently loses
/// its oldest. Every operation takes constant time on average.
package struct ResumptionCache<Session> {
    package struct Entry {
        let session: Session
        /// TLS 1.3: a second use would let an observer tell that both are the same client.
        let isSingleUse: Bool
        /// In seconds since 1970; of no use from then on.
        let expires: Int64

        package init(session: Session, isSingleUse: Bool, expires: Int64) {
            self.session = session
            self.isSingleUse = isSingleUse
            self.expires = expires
        }
    }

    /// An origin's sessions, oldest first, and its neighbours in the order of use.
    private struct Origin {
        let key: ResumptionKey
        var entries: [Entry] = []
        var newer: ResumptionKey?
        var older: ResumptionKey?
    }

    package let limit: Int
    /// Sessions kept now.
    package private(set) var count = 0
    private var origins: [ResumptionKey: Origin] = [:]
    private var newest: ResumptionKey?
    private var oldest: ResumptionKey?

    package init(limit: Int) {
        self.limit = limit
    }

    /// Origins with a session.
    package var originCount: Int { origins.count }

    /// Keeps a session. One that may be used again takes the place of what was there: the newest
    /// serves all.
    package mutating func store(_ entry: Entry, for key: ResumptionKey) {
        guard limit > 0 else { return }
        var origin = unlink(key) ?? Origin(key: key)
        if !entry.isSingleUse {
            count -= origin.entries.count
            origin.entries = []
        }
        origin.entries.append(entry)
        count += 1
        link(origin)
        while count > limit { evict() }
    }

    /// The newest session for this peer that has not expired; gone from here if it is for one use.
    package mutating func take(_ key: ResumptionKey, now seconds: Int64) -> Session? {
        guard var origin = unlink(key) else { return nil }
        while let entry = origin.entries.last {
            if entry.expires > seconds, !entry.isSingleUse {
                link(origin)
                return entry.session
            }
            origin.entries.removeLast()
            count -= 1
            if entry.expires > seconds {
                if !origin.entries.isEmpty { link(origin) }
                return entry.session
            }
        }
        return nil
    }

    /// Forgets all.
    package mutating func removeAll() {
        self = ResumptionCache(limit: limit)
    }

    private mutating func evict() {
        guard let key = oldest, var origin = unlink(key) else { return }
        origin.entries.removeFirst()
        count -= 1
        if !origin.entries.isEmpty { linkAsOldest(origin) }
    }

    // MARK: The order of use

    private mutating func unlink(_ key: ResumptionKey) -> Origin? {
        guard let origin = origins.removeValue(forKey: key) else { return nil }
        if let newer = origin.newer {
            origins[newer]?.older = origin.older
        } else {
            newest = origin.older
        }
        if let older = origin.older {
            origins[older]?.newer = origin.newer
        } else {
            oldest = origin.newer
        }
        return origin
    }

    private mutating func link(_ origin: Origin) {
        var origin = origin
        origin.newer = nil
        origin.older = newest
        if let newest { origins[newest]?.newer = origin.key }
        newest = origin.key
        if oldest == nil { oldest = origin.key }
        origins[origin.key] = origin
    }

    private mutating func linkAsOldest(_ origin: Origin) {
        var origin = origin
        origin.older = nil
        origin.newer = oldest
        if let oldest { origins[oldest]?.older = origin.key }
        oldest = origin.key
        if newest == nil { newest = origin.key }
        origins[origin.key] = origin
    }
}
