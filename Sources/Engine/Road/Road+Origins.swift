// The records of origins: found or made for a call, kept while anybody uses them or while
// forgetting them would give somebody more than is allowed, and bounded in number.

internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchTLS
internal import FetchTime
internal import FetchTransport

extension Road {
    /// The origin's record, made when it is new; nil if as many as allowed are in use.
    func record(for target: Target, tls: TLSChoice?) -> OriginRecord? {
        if let record = origins.record(for: target, tls: tls) {
            record.calls += 1
            if record.restingTicket != nil { leaveResting(record) }
            return record
        }
        forgetResting()
        if origins.count >= settings.trackedOrigins, !forgetLongestIdle() { return nil }
        let limits = settings.connectionsOfHosts
        let record = OriginRecord(
            target, tls: tls, connections: limits.isEmpty ? nil : limits[target.host],
            ageing: policies.settings.ageing)
        record.calls = 1
        origins.insert(record)
        return record
    }

    /// Lets an unused record go, unless somebody could get more than is allowed by that: then it
    /// rests until it knows nothing any more, or its place is wanted.
    func forgetIfUnused(_ record: OriginRecord) {
        guard record.isUnused, record.isTracked else { return }
        if let origin = record.policies, !origin.isAtRest(now: reactor.now), !isClosed {
            if record.restingTicket == nil { record.restingTicket = lines.resting.join(record) }
            if lines.restTimer == nil { lookAtRestingLater() }
            return
        }
        forget(record)
    }

    private func lookAtRestingLater() {
        let due = reactor.now.after(RetryBudget.windowNanoseconds)
        lines.restTimer = reactor.schedule(self, token: Self.restToken, at: due)
    }

    /// Looks at the records that have rested longest; those that still know something rest on.
    func lookAtResting() {
        lines.restTimer = nil
        for _ in 0..<min(lines.resting.count, 256) {
            guard let record = lines.resting.takeFirst() else { break }
            record.restingTicket = nil
            forgetIfUnused(record)
        }
        if lines.restTimer == nil, !lines.resting.isEmpty { lookAtRestingLater() }
    }

    private func leaveResting(_ record: OriginRecord) {
        guard let ticket = record.restingTicket else { return }
        record.restingTicket = nil
        lines.resting.leave(ticket)
    }

    private func forget(_ record: OriginRecord) {
        record.isTracked = false
        leaveResting(record)
        lines.unstarve(record)
        strip(record)
        origins.remove(record)
    }

    /// A new origin looks at two records that rest; where the table is full, one has to go.
    private func forgetResting() {
        for _ in 0..<2 {
            guard let record = lines.resting.first, let origin = record.policies,
                origin.isAtRest(now: reactor.now)
            else { break }
            forget(record)
        }
        if origins.count >= settings.trackedOrigins, let record = lines.resting.first {
            forget(record)
        }
    }

    /// Closes what an origin keeps that nobody uses, the longest idle first.
    private func forgetLongestIdle() -> Bool {
        let oldest = pool.state.firstIdle { [pool] id in pool[id]?.record.isIdle ?? false }
        guard let oldest, let record = pool[oldest]?.record else { return false }
        while case .reuse(let id) = pool.capacity(for: record, fresh: false, now: reactor.now),
            let connection = pool[id]
        {
            pool.close(connection)
        }
        forgetIfUnused(record)
        // Whatever it still knows: its place is wanted.
        if record.restingTicket != nil { forget(record) }
        // Others may have waited for the room that this made.
        settleLater()
        return true
    }

    /// Lets go of every record that nobody uses.
    func forgetAllResting() {
        while let record = lines.resting.first { forget(record) }
    }

    /// How the origin's connections are secured.
    func tlsContext(of record: OriginRecord) throws(TLSFailure) -> TLSContext {
        if let known = record.tlsContext { return known }
        let configuration =
            record.tls?.configuration ?? settings.tlsOfHosts[record.target.host] ?? settings.tls
        let context = try connector.context(configuration)
        record.tlsContext = context
        return context
    }

    func reloadTrust() throws(TLSFailure) {
        // A context that the connector has forgotten would keep its old authorities.
        for record in origins.records { record.tlsContext = nil }
        try connector.reloadTrust()
    }

    /// Where the origin's host is, or the name to ask for.
    func destination(of record: OriginRecord) -> Destination {
        if let known = record.destination { return known }
        let target = record.target
        let found = dialer.destination(
            of: target.host + (target.zone.map { "%" + $0 } ?? ""),
            isAbsolute: target.isAbsoluteName, port: target.port)
        record.destination = found
        return found
    }
}
