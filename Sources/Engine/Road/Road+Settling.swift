// Who waits, and who is served when something comes free. A connection that rests, a slot that a
// closed one gave back: either marks its origin, and once in the turn, after the events, `settle`
// serves the marked origins and those that the client's cap had kept out.
//
// An origin's line has two parts, oldest first: those for whom a connection is being opened
// already, and behind them those who wait for room. A connection that comes free goes to the first
// of all; the one that was being opened for them goes to the next.

internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTLS
internal import FetchTime
internal import FetchTransport

/// The client's part of the waiting: the origins' own lines are in their records.
struct Lines {
    /// Origins with a free connection or slot and somebody waiting.
    fileprivate var unsettled: [OriginRecord] = []
    /// Origins that the client's cap keeps out, first come first served.
    fileprivate var starved = WaitingLine<OriginRecord>()
    fileprivate var settleIsDue = false
    fileprivate var sweepTimer: TimerID?
    fileprivate var sweepAt = Instant.farFuture
    /// Calls that wait for room, in all origins.
    fileprivate(set) var waiting = 0
    /// Calls that follow another or back off: they stand in no line and hold nothing.
    fileprivate(set) var onHold = 0
    /// Records that nobody uses and that still know something, longest unused first.
    var resting = WaitingLine<OriginRecord>()
    var restTimer: TimerID?

    /// Nobody is to be served.
    @inline(__always) var areSettled: Bool { unsettled.isEmpty && starved.isEmpty }

    mutating func starve(_ record: OriginRecord) {
        if record.starvedTicket == nil { record.starvedTicket = starved.join(record) }
    }

    mutating func unstarve(_ record: OriginRecord) {
        if let ticket = record.starvedTicket { starved.leave(ticket) }
        record.starvedTicket = nil
    }
}

extension Road {
    // MARK: Standing in line

    /// Stands behind all others of the origin until there is room.
    @inline(never)
    func wait(_ call: Call, _ record: OriginRecord) {
        if call.hasCourse { undoAdmission(of: call) }
        if isOverloaded { return failOverloaded(call) }
        let end = lineDeadline(of: call)
        if let turn = earliestTurn(of: call, record), turn > end || turn == .distantFuture {
            call.lastPhase = .queue
            fail(call, .rateLimited(for: turn.nanoseconds(since: reactor.now)))
            return
        }
        call.lineEnd = end
        stand(call, record, dialing: false)
    }

    /// Until when the call may wait for its turn. Where pacing is what was asked for, waiting is no
    /// failure, and only the total clock runs.
    private func lineDeadline(of call: Call) -> Instant {
        if policies.pace { return call.totalDeadline }
        return min(call.totalDeadline, reactor.now.after(call.clocks.clocks.queue))
    }

    func stand(_ call: Call, _ record: OriginRecord, dialing: Bool) {
        if dialing {
            call.dialingPlace = record.dialing.join(call)
        } else {
            call.waitingPlace = record.waiting.join(call, call.priority, now: reactor.now)
            lines.waiting += 1
        }
        runLineTimer(of: call)
    }

    private func runLineTimer(of call: Call) {
        // A place that changes hands keeps its clock.
        let end = call.dialingPlace != nil ? .farFuture : call.lineEnd
        let deadline = min(end, call.totalDeadline)
        call.timer = reactor.schedule(self, token: Int(call.slot), at: deadline)
    }

    /// Leaves the line, if it stands in one.
    func leaveLine(_ call: Call) {
        if let place = call.dialingPlace {
            call.dialingPlace = nil
            call.record?.dialing.leave(place)
        } else if let place = call.waitingPlace, let record = call.record {
            call.waitingPlace = nil
            record.waiting.leave(place)
            lines.waiting -= 1
            if record.waiting.isEmpty { lines.unstarve(record) }
        } else {
            return
        }
        stopTimer(of: call)
    }

    /// Follows another or backs off until then at most: an entry on the wheel, and no more.
    func hold(_ call: Call, until instant: Instant) {
        call.isOnHold = true
        lines.onHold += 1
        call.timer = reactor.schedule(self, token: Int(call.slot), at: instant)
    }

    /// As many calls as may wait already, wherever.
    var isOverloaded: Bool { lines.waiting + lines.onHold >= settings.waitingCalls }

    func failOverloaded(_ call: Call) {
        call.lastPhase = .queue
        fail(call, .waitingLineFull(limit: settings.waitingCalls))
    }

    func stopTimer(of call: Call) {
        if let timer = call.timer { reactor.cancel(timer) }
        call.timer = nil
        guard call.isOnHold else { return }
        call.isOnHold = false
        lines.onHold -= 1
    }

    /// The call has another name and other clocks than when its timer was set.
    func restartTimer(of call: Call) {
        stopTimer(of: call)
        if call.dialingPlace != nil || call.waitingPlace != nil {
            runLineTimer(of: call)
        } else if call.attempt.next() == .backOff {
            hold(call, until: min(call.attempt.nextBegins, call.totalDeadline))
        } else if let connection = connection(of: call), connection.isCarrying(call) {
            connection.goOn(for: call)
        }
    }

    // MARK: Coming free

    /// A connection has done its exchange and may serve another.
    func rest(_ connection: Connection, hint: Int?) {
        guard let expiry = idleExpiry(hint: hint) else {
            close(connection)
            return
        }
        pool.rest(connection, until: min(expiry, connection.endOfLife), now: reactor.now)
        capacityFreed(connection.record)
        // Another idle connection makes a sweep due that was not, and none that was any earlier.
        if lines.sweepTimer == nil, pool.idle > settings.pool.idleConnections { sweepLater() }
    }

    /// When an idle connection is closed; nil if it must not be kept. A server's hint is obeyed,
    /// less a margin for the journey of its FIN and up to our own cap.
    private func idleExpiry(hint: Int?) -> Instant? {
        let limits = settings.pool
        guard let hint else { return reactor.now.after(limits.idleTimeout) }
        // A hint is at most 2³¹ s: no overflow.
        let kept = Int64(hint) * Clocks.second - limits.idleHintMargin
        guard kept > 0 else { return nil }
        return reactor.now.after(min(kept, limits.idleTimeoutMost))
    }

    /// Ends a connection; its slot is free.
    func close(_ connection: Connection) {
        pool.close(connection)
        capacityFreed(connection.record)
        forgetIfUnused(connection.record)
    }

    /// Somebody who waits may now be served.
    @inline(__always)
    func capacityFreed(_ record: OriginRecord) {
        if !record.isUnsettled, record.waiters > 0 {
            record.isUnsettled = true
            lines.unsettled.append(record)
        }
        settleLater()
    }

    func settleLater() {
        guard !lines.settleIsDue, !lines.areSettled else { return }
        lines.settleIsDue = true
        reactor.enqueue { [self] in settle() }
    }

    // MARK: Serving

    private func settle() {
        lines.settleIsDue = false
        var records: [OriginRecord] = []
        swap(&records, &lines.unsettled)
        // Where a limit may be shared by origins, each has one call served in turn.
        let most = policies.limits ? 1 : Int.max
        var next = 0
        while next < records.count {
            let record = records[next]
            next += 1
            record.isUnsettled = false
            let isServed = serve(record, atMost: most)
            record.policies?.wasServed()
            if isServed, policies.limits, !record.waiting.isEmpty {
                record.isUnsettled = true
                records.append(record)
            }
        }
        serveStarved()
    }

    /// Idle connections go to the first in line, then room does.
    ///
    /// - Parameter most: calls that are served.
    /// - Returns: whether any was.
    @discardableResult
    func serve(_ record: OriginRecord, atMost most: Int = .max) -> Bool {
        var served = 0
        while served < most, record.pool.idle > 0, let call = record.firstForAnyConnection {
            guard case .reuse(let id) = pool.capacity(for: record, fresh: false, now: reactor.now)
            else { break }
            guard let connection = quiet(id) else { continue }
            switch passage(of: call, record) {
            case .free:
                pool.reuse(connection)
                give(connection, to: call)
                served += 1
            case .notYet: return served > 0
            case .ended: continue
            }
        }
        while served < most, let call = record.waiting.first {
            guard makeRoom(for: call, record) else { break }
            served += 1
        }
        return served > 0
    }

    /// Opens a connection for the first who waits; false if there is no room.
    private func makeRoom(for call: Call, _ record: OriginRecord) -> Bool {
        switch pool.capacity(for: record, fresh: true, now: reactor.now) {
        case .open:
            break
        case .evictThenOpen(let id):
            // Its own idle ones are only in the way of a call that wants a fresh one.
            guard let idle = pool[id], idle.record !== record || call.wantsFresh else {
                return false
            }
            guard let goes = mayGo(call, record) else {
                // It wants more than room, and is woken when that is there.
                lines.unstarve(record)
                return false
            }
            guard goes else { return true }
            pool.close(idle)
            forgetIfUnused(idle.record)
        case .originFull:
            lines.unstarve(record)
            return false
        case .clientFull, .reuse:
            lines.starve(record)
            return false
        }
        guard let goes = mayGo(call, record) else {
            lines.unstarve(record)
            return false
        }
        guard goes else { return true }
        leaveLine(call)
        dial(call, record)
        return true
    }

    /// Whether the call goes; false for one that has ended, nil for one that waits on.
    private func mayGo(_ call: Call, _ record: OriginRecord) -> Bool? {
        switch passage(of: call, record) {
        case .free: true
        case .ended: false
        case .notYet: nil
        }
    }

    private func give(_ connection: Connection, to call: Call) {
        let opening = self.connection(of: call)
        call.connection = nil
        leaveLine(call)
        if let opening { _ = passOn(opening) ?? opening.forget(call) }
        dispatch(call, on: connection)
    }

    /// A connection that is being opened goes to the next who waits; nil if nobody does.
    func passOn(_ opening: Connection) -> Void? {
        let record = opening.record
        guard let next = record.waiting.first, mayGo(next, record) ?? false else { return nil }
        leaveLine(next)
        stand(next, record, dialing: true)
        next.connection = opening.id
        next.lastPhase = opening.dialPhase
        opening.intended = next
        // Nobody's clock but its own: the time that the connection took before was another's.
        opening.restartClock(next.clocks)
        return ()
    }

    /// One connection for each origin in turn, as long as there is room. One that is kept out still
    /// keeps its place; another behind it may be better off, because it has no connection at all.
    private func serveStarved() {
        var keptOut: [OriginRecord] = []
        while pool.state.mayHaveRoom,
            let record = lines.starved.first(where: { !$0.isKeptOut })
        {
            if let call = record.waiting.first, makeRoom(for: call, record) {
                lines.unstarve(record)
                if !record.waiting.isEmpty { lines.starve(record) }
            } else if record.starvedTicket != nil, !record.waiting.isEmpty {
                record.isKeptOut = true
                keptOut.append(record)
            } else {
                lines.unstarve(record)
            }
        }
        for record in keptOut { record.isKeptOut = false }
        if !lines.starved.isEmpty, pool.state.idle > 0 { sweepLater() }
    }

    // MARK: Idle connections

    /// Looks at the idle connections when it may be time to close one.
    private func sweepLater() {
        guard var due = sweepDue else { return }
        due = max(due, reactor.now.after(1_000_000))
        if let timer = lines.sweepTimer {
            guard due < lines.sweepAt else { return }
            reactor.cancel(timer)
        }
        lines.sweepAt = due
        lines.sweepTimer = reactor.schedule(self, token: Self.sweepToken, at: due)
    }

    /// An origin that the client's cap keeps out may have the place of the one that has been idle
    /// longest, when it has been for the grace; the cap on idle ones is counted then, too.
    private var sweepDue: Instant? {
        if !lines.starved.isEmpty, let since = pool.state.idleLongestSince {
            return since.after(settings.pool.idleGrace)
        }
        return pool.state.overIdleCapDue
    }

    func sweep() {
        lines.sweepTimer = nil
        for connection in pool.overIdleCap(now: reactor.now) { idleEnded(connection) }
        settleLater()
        sweepLater()
    }

    /// Ends every idle connection, as a client does that closes.
    func closeIdle() {
        for connection in pool.all where connection.state == .idle { idleEnded(connection) }
        if let timer = lines.sweepTimer { reactor.cancel(timer) }
        lines.sweepTimer = nil
        if let timer = lines.restTimer { reactor.cancel(timer) }
        lines.restTimer = nil
    }

    static var sweepToken: Int { -1 }
    static var restToken: Int { -2 }

    /// A timer that is no call's.
    func clientTimerFired(_ token: Int) {
        if token == Self.restToken { lookAtResting() } else { sweep() }
    }
}
