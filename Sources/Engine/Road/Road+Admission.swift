// What an attempt needs beside a connection, and gives back: the breaker's leave, and the tokens
// and slots of joint admission, taken in one step with the connection or not at all. A call without
// all of it stands in its origin's line and holds nothing.

internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime
internal import FetchTransport

/// Whether a call may take the connection that is there for it.
enum Passage {
    case free
    /// Not now; it waits.
    case notYet
    /// Never: its attempt has ended.
    case ended
}

extension Road {
    // MARK: Origins

    /// Gives the record what the policies keep of an origin.
    func equip(_ record: OriginRecord) {
        var address: String?
        if policies.needAddress, case .addresses(let known) = destination(of: record) {
            address = known.first?.hostText
        }
        // The record ends before the road does, and takes its timer with it.
        record.policies = policies.origin(record.target, address: address, now: reactor.now) {
            [unowned self, unowned record] _ in capacityFreed(record)
        }
    }

    /// The address of an origin is known: limits may be keyed by it.
    func addressKnown(_ connection: Connection) {
        let record = connection.record
        guard let origin = record.policies, let peer = connection.peer else { return }
        policies.addressKnown(origin, record.target, peer.hostText, now: reactor.now)
    }

    /// Takes away what the policies keep of an origin that is forgotten.
    func strip(_ record: OriginRecord) {
        guard let origin = record.policies else { return }
        origin.stopWaking(on: reactor)
        leaveSlots(record)
        policies.leave(origin, now: reactor.now)
        record.policies = nil
    }

    /// The host's politeness slot keeps another delay from now on. A host that nobody asks has a
    /// slot for as long as an unused one is remembered.
    func siteAsks(for delay: Duration, host: String) {
        guard let rules = policies.settings.politeness else { return }
        reactor.refreshNow()
        guard rules.key == .address else {
            let key = policies.politenessKey(rules.key, host: host, address: nil)
            guard let slot = policies.admission.politeness.enter(key, now: reactor.now) else {
                return
            }
            policies.admission.politeness.siteAsks(for: delay, slot)
            policies.admission.politeness.leave(slot, now: reactor.now)
            return
        }
        for record in origins.records where record.target.host == host {
            guard let slot = record.policies?.keys.politeness else { continue }
            policies.admission.politeness.siteAsks(for: delay, slot)
        }
    }

    // MARK: The breaker

    /// Asks the origin's breaker for leave to begin an attempt; where there are several endpoints,
    /// that of the one whose turn it is.
    @inline(__always)
    func askBreaker(_ call: Call) {
        if !policies.spread, let origin = call.course.origin,
            let permit = origin.with({ $0.breaker.permitWhileClosed() })
        {
            call.course.permit = permit
            call.attempt.breakerAdmitted()
        } else {
            askAnyBreaker(call)
        }
    }

    @inline(never)
    private func askAnyBreaker(_ call: Call) {
        if policies.spread {
            guard chooseEndpoint(call) else { return }
            guard call.record?.policies?.hasBreaker ?? false else {
                call.attempt.breakerAdmitted()
                return
            }
        }
        if let origin = seat(of: call) { askBreaker(call, origin.object) }
    }

    private func askBreaker(_ call: Call, _ origin: OriginPolicies) {
        guard let record = call.record else { return }
        var transition: CircuitBreaker.Transition?
        let answer = origin.breaker.requestArrived(now: reactor.now, transition: &transition)
        if let transition { tell(transition, of: record) }
        switch answer {
        case .admitted(let permit):
            call.course.permit = permit
            call.attempt.breakerAdmitted()
        case .refused(let until):
            refuse(call, until)
        }
    }

    func refuse(_ call: Call, _ until: Instant) {
        counters.refusedByBreaker += 1
        call.lastPhase = .queue
        let error = CallError.circuitOpen(for: until.nanoseconds(since: reactor.now))
        call.lastError = error
        if call.cacheUse != .looked || !standsIn(for: error, call) { call.attempt.failed() }
    }

    /// Tells the breaker, once, how the attempt ended; nil where that says nothing of the origin.
    func report(_ call: Call, _ outcome: AttemptOutcome?) {
        guard let permit = call.course.permit, let record = call.record,
            let origin = record.policies
        else { return }
        call.course.permit = nil
        let transition = origin.breaker.ended(permit, verdict(outcome), now: reactor.now)
        if let transition { tell(transition, of: record) }
    }

    /// Whether all that the breaker heard is that its origin is as well as before.
    @inline(__always)
    private func hasSucceeded(_ call: Call, _ status: Int16, _ origin: OriginPolicies) -> Bool {
        guard status < 500, policies.classifier == nil, let permit = call.course.permit,
            origin.breaker.succeededWhileClosed(permit)
        else { return false }
        call.course.permit = nil
        return true
    }

    private func verdict(_ outcome: AttemptOutcome?) -> BreakerVerdict {
        guard let outcome else { return .ignored }
        return policies.classifier?(outcome) ?? BreakerRules.standardVerdict(outcome)
    }

    /// Observers are the user's code: they run when the event is over.
    private func tell(_ transition: CircuitBreaker.Transition, of record: OriginRecord) {
        guard let observer = policies.settings.breakerObserver else { return }
        let origin = record.target.originText
        reactor.enqueue { observer(origin, transition) }
    }

    // MARK: Tokens and slots

    /// Takes what the call needs beside the connection that is there for it.
    @inline(never)
    func passage(of call: Call, _ record: OriginRecord) -> Passage {
        guard let origin = seat(of: call) else {
            // Only others have policies of their own here.
            record.policies?.budget.requestStarted(now: reactor.now)
            return .free
        }
        if call.course.isAdmitted { return .free }
        return origin.with { passage(of: call, record, $0) }
    }

    @inline(__always)
    private func passage(
        of call: Call, _ record: OriginRecord, _ origin: OriginPolicies
    ) -> Passage {
        if let permit = call.course.permit, !origin.breaker.stillHolds(permit) {
            return stopped(call, origin)
        }
        guard policies.limits else {
            admitted(call, origin)
            return .free
        }
        // Room that came free is theirs who wait for it.
        if !policies.outOfSlots.isEmpty, policies.served !== record {
            joinSlots(record, origin)
            return .notYet
        }
        if origin.due == nil,
            policies.admission.admitAtOnce(
                origin.keys, &origin.gate, cost: call.cost, now: reactor.now,
                random: policies.random())
        {
            admitted(call, origin)
            return .free
        }
        return laterPassage(of: call, record, origin)
    }

    @inline(never)
    private func laterPassage(
        of call: Call, _ record: OriginRecord, _ origin: OriginPolicies
    ) -> Passage {
        switch admit(call, origin) {
        case .admitted:
            admitted(call, origin)
            return .free
        case .notBefore(.distantFuture):
            return ended(call, .rateLimited(for: .max))
        case .notBefore(let instant):
            origin.wake(at: instant, on: reactor)
            return .notYet
        case .wants(.client):
            joinSlots(record, origin)
            return .notYet
        case .wants(.politeness):
            if let slot = origin.keys.politeness, !origin.isImpolite {
                origin.isImpolite = true
                policies.impolite[slot, default: []].append(record)
            }
            return .notYet
        case .wants(.origin), .wants(.connection):
            return .notYet
        case .skipped:
            return ended(call, .impolite)
        }
    }

    /// Asks all limits at once. A time that has come already, within the tick of the wheel that
    /// brought us here, is asked about again at that time.
    private func admit(_ call: Call, _ origin: OriginPolicies) -> ClientAdmission.Verdict {
        var due = origin.due
        while true {
            let verdict = policies.admission.admit(
                origin.keys, &origin.gate, cost: call.cost, hasConnection: true, due: due,
                now: reactor.now, random: policies.random())
            guard case .notBefore(let instant) = verdict, instant <= reactor.now,
                due.map({ $0 < instant }) ?? true
            else { return verdict }
            due = instant
        }
    }

    @inline(__always)
    private func admitted(_ call: Call, _ origin: OriginPolicies) {
        let course = call.lentCourse
        course.wrappedValue.isAdmitted = true
        course.wrappedValue.keys = origin.keys
        course.wrappedValue.admittedAt = reactor.now
        guard call.attempt.count == 1 else { return }
        if policies.spread {
            home(of: call)?.budget.requestStarted(now: reactor.now)
        } else {
            origin.budget.requestStarted(now: reactor.now)
        }
    }

    /// The breaker has opened while the call waited.
    private func stopped(_ call: Call, _ origin: OriginPolicies) -> Passage {
        report(call, nil)
        if policies.spread, goesElsewhere(call) { return .ended }
        counters.refusedByBreaker += 1
        var wait: Int64 = 0
        if case .open(let until) = origin.breaker.state {
            wait = until.nanoseconds(since: reactor.now)
        }
        return ended(call, .circuitOpen(for: wait))
    }

    private func ended(_ call: Call, _ error: CallError) -> Passage {
        leaveLine(call)
        call.lastPhase = .queue
        fail(call, error)
        return .ended
    }

    /// The call was let go and is not sent after all: everything goes back.
    func undoAdmission(of call: Call) {
        guard call.course.isAdmitted, let record = call.record, let origin = record.policies
        else { return }
        call.course.isAdmitted = false
        guard policies.limits else { return }
        policies.admission.undo(
            call.course.keys, &origin.gate, cost: call.cost, now: reactor.now)
        slotsFreed(record)
    }

    /// An attempt has ended, however: the breaker hears of it and its slots are free.
    ///
    /// - Parameter outcome: nil where it says nothing of the origin.
    func attemptEnded(_ call: Call, _ outcome: AttemptOutcome?) {
        guard let origin = seat(of: call) else { return }
        if call.course.permit != nil { report(call, outcome) }
        var status: Int16?
        if case .responded(let code, _) = outcome { status = Int16(truncatingIfNeeded: code) }
        origin.with { giveBack(call, status, $0) }
    }

    /// The same where the answer is whole whose head was looked at when it came.
    func attemptAnswered(_ call: Call) {
        guard let origin = seat(of: call) else { return }
        let status = call.course.status
        origin.with { origin in
            if call.course.permit != nil, !hasSucceeded(call, status ?? .max, origin) {
                report(call, status.map { .responded(status: Int($0), retryAfter: nil) })
            }
            giveBack(call, status, origin)
        }
    }

    /// The slots of the attempt that has ended.
    @inline(__always)
    private func giveBack(_ call: Call, _ status: Int16?, _ origin: OriginPolicies) {
        if policies.spread { leaveEndpoint(call) }
        let course = call.lentCourse
        guard course.wrappedValue.isAdmitted else { return }
        course.wrappedValue.isAdmitted = false
        if call.details != nil, !call.method.isSafe { home(of: call)?.unsafeEnded += 1 }
        guard policies.limits else { return }
        let took = reactor.now.nanoseconds(since: course.wrappedValue.admittedAt)
        policies.admission.release(
            course.wrappedValue.keys, &origin.gate, latency: status == nil ? nil : took,
            succeeded: status ?? .max < 400, now: reactor.now)
        // Nobody waits, most of the time.
        if call.record?.waiters == 0, lines.areSettled, policies.impolite.isEmpty,
            policies.outOfSlots.isEmpty
        {
            return
        }
        call.record.map { slotsFreed($0) }
    }

    /// When the call could go at the earliest, behind those who wait; nil where nothing paces it.
    func earliestTurn(of call: Call, _ record: OriginRecord) -> Instant? {
        guard let origin = record.policies, policies.limits else { return nil }
        return policies.admission.earliest(
            origin.keys, cost: call.cost, behind: record.waiting.count, now: reactor.now)
    }

    // MARK: Who waits for them

    private func joinSlots(_ record: OriginRecord, _ origin: OriginPolicies) {
        if origin.slotTicket == nil { origin.slotTicket = policies.outOfSlots.join(record) }
    }

    /// Slots came free that calls of this origin or of another may want.
    private func slotsFreed(_ record: OriginRecord) {
        if !policies.impolite.isEmpty, let slot = record.policies?.keys.politeness,
            let others = policies.impolite.removeValue(forKey: slot)
        {
            for other in others {
                other.policies?.isImpolite = false
                capacityFreed(other)
            }
        }
        capacityFreed(record)
        guard !policies.outOfSlots.isEmpty, !policies.servingIsDue else { return }
        policies.servingIsDue = true
        reactor.enqueue { [self] in serveOutOfSlots() }
    }

    /// One call for each origin in turn, as long as the client has slots. An origin whose next call
    /// wants something else stands there no more: that wakes it.
    private func serveOutOfSlots() {
        policies.servingIsDue = false
        while policies.admission.inFlight < policies.admission.concurrency,
            let record = policies.outOfSlots.first, let origin = record.policies
        {
            leaveSlots(record)
            policies.served = record
            let isServed = serve(record, atMost: 1)
            policies.served = nil
            if isServed, !record.waiting.isEmpty { joinSlots(record, origin) }
        }
    }

    private func leaveSlots(_ record: OriginRecord) {
        guard let origin = record.policies, let ticket = origin.slotTicket else { return }
        policies.outOfSlots.leave(ticket)
        origin.slotTicket = nil
    }
}

extension Target {
    /// Scheme, host and port: `https://example.com:443`.
    var originText: String { "\(isSecure ? "https" : "http")://\(host):\(port)" }
}

extension Call {
    /// Tokens that an attempt takes.
    var cost: Int { details?.policy?.cost ?? 1 }

    var priority: RequestPriority { details?.policy?.priority ?? .normal }
}
