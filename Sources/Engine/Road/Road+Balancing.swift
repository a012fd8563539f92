// Several endpoints behind one origin. The call stands on the record of the endpoint that its
// attempt goes to, with that one's pool, line, breaker and limits; what belongs to the origin (who
// asks the same, the budget of retries, latencies) stays with the record that the URL names.
//
// An endpoint whose breaker refuses is ejected, and comes back with the breaker's probe. Where all
// are ejected the call fails as one to a single origin does: nothing is sent while a breaker is
// open. Who is parked by its own Retry-After is passed over while another may be asked.

internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTLS
internal import FetchTime

extension Road {
    /// The policies of the origin that the call's URL names.
    @inline(__always)
    func home(of call: Call) -> OriginPolicies? {
        policies.spread ? homeOfSpread(call) : call.record?.policies
    }

    @inline(never)
    private func homeOfSpread(_ call: Call) -> OriginPolicies? {
        call.course.spread?.name?.policies ?? call.record?.policies
    }

    /// The policies of the record that the call's attempt stands on: of its endpoint, where there
    /// are several.
    @inline(__always)
    func seat(of call: Call) -> Uncounted<OriginPolicies>? {
        policies.spread ? seatOfSpread(call) : call.course.origin
    }

    @inline(never)
    private func seatOfSpread(_ call: Call) -> Uncounted<OriginPolicies>? {
        guard call.course.origin != nil else { return nil }
        return call.record?.policies.map { Uncounted($0) }
    }

    /// Chooses the endpoint of the attempt that begins, and moves the call there; false when the
    /// call has failed. True where there is nothing to choose.
    @inline(never)
    func chooseEndpoint(_ call: Call) -> Bool {
        guard let name = call.course.spread?.name ?? call.record, let origin = name.policies,
            let balance = origin.balance
        else { return true }
        let spread = call.spread
        if spread.name == nil {
            // The name's record has counted the call already.
            spread.name = name
            call.record = nil
        }
        let (ejected, parked, soonest) = awayNow(balance, name)
        let tried = spread.tried
        let random = policies.random()
        let shared = balance.shared
        // Nobody is left whom the limits let go now: then whoever is left, in its turn.
        let evading = ejected.union(parked)
        let chosen =
            shared.balancer.pick(tried: tried, ejected: evading, random: random)
            ?? shared.balancer.pick(tried: tried, ejected: ejected, random: random)
        guard let chosen else {
            refuse(call, soonest)
            return false
        }
        guard let record = endpointRecord(chosen, balance, name) else {
            fail(onRoad: call, .tooManyOrigins(limit: settings.trackedOrigins))
            return false
        }
        leaveRecord(call)
        call.record = record
        if record.policies == nil { equip(record) }
        shared.balancer.started(chosen)
        spread.endpoint = chosen
        spread.target = ownTarget(of: call, shared.origin, chosen)
        return true
    }

    /// Those whose breakers refuse, those that are parked, and when the first of the former is
    /// asked again.
    private func awayNow(
        _ balance: OriginBalance, _ name: OriginRecord
    ) -> (ejected: EndpointSet, parked: EndpointSet, soonest: Instant) {
        var (ejected, parked) = (EndpointSet(), EndpointSet())
        var soonest = Instant.distantFuture
        for index in balance.records.indices {
            guard let record = knownRecord(index, balance, name), let origin = record.policies
            else { continue }
            if origin.hasBreaker, let until = origin.breaker.refusal(now: reactor.now) {
                ejected.insert(EndpointSet(index))
                soonest = min(soonest, until)
            } else if policies.limits, policies.admission.isParked(origin.keys, now: reactor.now) {
                parked.insert(EndpointSet(index))
            }
        }
        return (ejected, parked, soonest)
    }

    /// The endpoint's record, if there is one.
    private func knownRecord(
        _ index: Int, _ balance: OriginBalance, _ name: OriginRecord
    ) -> OriginRecord? {
        if let record = balance.records[index], record.isTracked { return record }
        let origin = balance.shared.origin
        let record = origins.record(
            for: origin.targets[index], tls: tls(ofEndpoint: index, balance, name))
        balance.records[index] = record
        return record
    }

    /// The endpoint's record, counted for one call more.
    private func endpointRecord(
        _ index: Int, _ balance: OriginBalance, _ name: OriginRecord
    ) -> OriginRecord? {
        let record = record(
            for: balance.shared.origin.targets[index], tls: tls(ofEndpoint: index, balance, name))
        balance.records[index] = record
        return record
    }

    /// An endpoint that keeps the origin's name proves with its certificate that it is that.
    private func tls(
        ofEndpoint index: Int, _ balance: OriginBalance, _ name: OriginRecord
    ) -> TLSChoice? {
        guard name.target.isSecure else { return nil }
        guard balance.shared.origin.endpoints[index].keepsAuthority else { return name.tls }
        if let known = balance.tls { return known }
        var configuration =
            name.tls?.configuration ?? settings.tlsOfHosts[name.target.host] ?? settings.tls
        configuration.serverName = configuration.serverName ?? name.target.host
        let choice = TLSChoice(configuration)
        balance.tls = choice
        return choice
    }

    private func ownTarget(of call: Call, _ origin: BalancedOrigin, _ index: Int) -> Target? {
        guard !origin.endpoints[index].keepsAuthority, let target = call.target else { return nil }
        return try? Target(target.pathAndQuery, base: origin.targets[index])
    }

    /// The breaker of its endpoint has opened while the call waited there: another may take it.
    /// False where there is only one origin.
    func goesElsewhere(_ call: Call) -> Bool {
        guard call.course.spread?.endpoint != nil else { return false }
        leaveEndpoint(call)
        leaveLine(call)
        call.attempt.asksAgain()
        follow(call)
        return true
    }

    /// The attempt at an endpoint is over: the next one goes to another where there is one.
    func leaveEndpoint(_ call: Call) {
        guard let spread = call.course.spread else { return }
        leaveHedge(spread)
        guard let endpoint = spread.endpoint, let balance = spread.name?.policies?.balance else {
            return
        }
        spread.endpoint = nil
        balance.shared.balancer.ended(endpoint)
        spread.tried.insert(EndpointSet(endpoint))
        // Once all were tried, all but the last are as good as new.
        if spread.tried == balance.shared.balancer.all { spread.tried = EndpointSet(endpoint) }
    }

    /// What an error is to the rules that decide on another attempt. A name without address ends a
    /// call, but another endpoint has a name of its own.
    func cause(of error: CallError, _ call: Call) -> FailureCause? {
        guard policies.spread, error.cause == .noAddress, let spread = call.course.spread,
            spread.endpoint != nil, let balance = spread.name?.policies?.balance,
            balance.shared.origin.endpoints.count > 1
        else { return error.cause }
        return .dns
    }

    private func leaveRecord(_ call: Call) {
        guard let record = call.record.take() else { return }
        record.calls -= 1
        forgetIfUnused(record)
    }

    /// The call is over, and the record that its URL names may go.
    func leaveName(_ call: Call) {
        guard let name = call.course.spread?.name.take() else { return }
        name.calls -= 1
        forgetIfUnused(name)
    }

    /// The attempt fails inside `follow`, which sees to the rest.
    private func fail(onRoad call: Call, _ error: CallError) {
        call.lastPhase = .queue
        call.lastError = error
        call.attempt.failed()
    }
}
