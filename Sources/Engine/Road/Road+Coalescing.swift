// Callers who ask the same while it is being asked: one exchange, and each of them gets a response
// of its own that shares the body's bytes. Which requests are the same, and who may share what, is
// decided in Policy; here calls are told.

internal import FetchBytes
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchTime

extension Road {
    /// Whether the call may be answered by another's exchange, and others by its own: whole GET and
    /// HEAD without content.
    func mayJoin(_ call: Call) -> Bool {
        guard policies.coalesce, !call.isStreamed, !call.hasContent else { return false }
        guard let details = call.details else { return true }
        // What validates for nobody would change places with a caller who leaves.
        if call.caching != nil { return false }
        // Who has a rule of his own for retries would have it for those who follow, too.
        if let policy = details.policy, !policy.mayBeShared || policy.retries != nil {
            return false
        }
        return details.method == .get || details.method.isHead
    }

    /// Looks for somebody who asks the same. The first to ask leads.
    @inline(never)
    func join(_ call: Call) {
        guard let origin = call.course.origin else {
            call.attempt.asksItself()
            return
        }
        origin.with { join(call, $0) }
    }

    @inline(__always)
    private func join(_ call: Call, _ origin: OriginPolicies) {
        let digest = digest(of: call)
        if origin.coalescer.isAsked(digest) { return joinOthers(call, digest, origin) }
        switch origin.soloists.ask(digest, call: call.number) {
        case .alone(let mark): asksAlone(call, mark)
        case .asked(let number): joinSoloist(number, call, digest, origin)
        case .crowded: joinOthers(call, digest, origin)
        }
    }

    @inline(__always)
    private func asksAlone(_ call: Call, _ mark: UInt16) {
        call.course.isSoloist = true
        call.course.mark = mark
        call.attempt.asksItself()
    }

    /// Somebody asks what has the same digest.
    @inline(never)
    private func joinSoloist(
        _ number: UInt64, _ call: Call, _ digest: Digest, _ origin: OriginPolicies
    ) {
        guard let leader = self.call(number), isSame(leader, call) else {
            return joinOthers(call, digest, origin)
        }
        let ended = UInt32(truncatingIfNeeded: origin.unsafeEnded)
        let sent = leader.course.unsafeEndedWhenSent
        guard !leader.course.hasAnswer, sent ?? ended == ended,
            let flight = origin.coalescer.begin(digest, leader: number)
        else {
            asksAlone(call, origin.soloists.replace(digest, number, call: call.number))
            return
        }
        soloEnded(leader)
        leader.course.flight = flight
        if sent != nil { origin.coalescer.sent(flight, unsafeEnded: origin.unsafeEnded) }
        joinOthers(call, digest, origin)
    }

    /// A soloist's call has ended, or leads a flight from now on.
    func soloEnded(_ call: Call) {
        let course = call.lentCourse
        course.wrappedValue.isSoloist = false
        course.wrappedValue.origin?.with {
            $0.soloists.leave(course.wrappedValue.mark, call: call.number)
        }
    }

    private func joinOthers(_ call: Call, _ digest: Digest, _ origin: OriginPolicies) {
        let joining = origin.coalescer.join(
            digest, call: call.number, unsafeEnded: origin.unsafeEnded)
        switch joining {
        case .lead(let flight):
            call.course.flight = flight
            call.attempt.asksItself()
        case .follow(let flight, let ticket) where leader(of: flight, origin).hasAnswer:
            // Its answer began before anybody asked this.
            _ = origin.coalescer.followerLeft(flight, ticket)
            _ = origin.coalescer.headArrived(flight, mayShare: true)
            joinOthers(call, digest, origin)
        case .follow(let flight, let ticket) where asksTheSame(call, flight, origin):
            call.course.flight = flight
            call.course.following = ticket
            call.lastPhase = .queue
            if isOverloaded {
                // The loop that brought us here ends it.
                call.lastError = .waitingLineFull(limit: settings.waitingCalls)
                call.attempt.failed()
                return
            }
            counters.coalesced += 1
            call.attempt.follows()
            hold(call, until: call.totalDeadline)
        case .follow(let flight, let ticket):
            _ = origin.coalescer.followerLeft(flight, ticket)
            call.attempt.asksItself()
        case .alone:
            call.attempt.asksItself()
        }
    }

    @inline(__always)
    private func digest(of call: Call) -> Digest {
        guard let target = call.lentTarget else { return Digest(low: 0, high: 0) }
        if call.details == nil {
            return target.with { CoalescingRules.plainDigest($0) }
        }
        return digest(of: call, target.object)
    }

    @inline(never)
    private func digest(of call: Call, _ target: Target) -> Digest {
        guard let details = call.details, let rules = policies.settings.coalescing else {
            return CoalescingRules.plainDigest(target)
        }
        return rules.digest(details.method, target, details.headers, key: policies.digestKey)
    }

    /// Digests are short: whoever is to get another's answer has asked for the very same path.
    private func asksTheSame(_ call: Call, _ flight: FlightID, _ origin: OriginPolicies) -> Bool {
        guard let leader = leader(of: flight, origin).call, isSame(leader, call) else {
            return false
        }
        leader.course.isFollowed = true
        return true
    }

    /// As far as a digest leaves open; see there.
    private func isSame(_ one: Call, _ other: Call) -> Bool {
        guard let first = one.target, let second = other.target else { return false }
        return one.method.isHead == other.method.isHead
            && one.asksForCache == other.asksForCache && first.hasSamePathAndQuery(as: second)
    }

    private func leader(
        of flight: FlightID, _ origin: OriginPolicies
    ) -> (call: Call?, hasAnswer: Bool) {
        let leader = origin.coalescer.leader(of: flight).flatMap { call($0) }
        return (leader, leader?.course.hasAnswer ?? false)
    }

    /// The leader's request leaves.
    func flightSent(_ call: Call) {
        guard let origin = call.course.origin else { return }
        if call.course.isSoloist {
            call.course.unsafeEndedWhenSent = UInt32(
                truncatingIfNeeded: origin.with { $0.unsafeEnded })
        } else if let flight = call.course.flight {
            origin.with { $0.coalescer.sent(flight, unsafeEnded: $0.unsafeEnded) }
        }
    }

    // MARK: The leader's answer

    /// The head of the answer that the leader gets has come: nobody joins any more, and where it
    /// may not be shared everybody asks for himself.
    func shareHead(of call: Call, _ head: ResponseHead) {
        guard let flight = call.course.flight, let origin = home(of: call) else { return }
        var mayShare = true
        if origin.coalescer.hasFollowers(flight), let rules = policies.settings.coalescing {
            var length: Int64?
            if case .length(let bytes) = head.framing { length = Int64(bytes) }
            mayShare = rules.mayShare(head.fields, contentLength: length)
        }
        release(origin.coalescer.headArrived(flight, mayShare: mayShare))
    }

    /// Some more of the leader's body has come.
    func shareLength(of call: Call, _ bytes: Int) {
        guard bytes > policies.mostSharedBytes, policies.coalesce,
            let flight = call.course.flight, let origin = home(of: call)
        else { return }
        release(origin.coalescer.bodyOutgrew(flight))
    }

    /// These ask for themselves, later in the turn: an event of the leader's is under way.
    private func release(_ followers: [UInt64]) {
        guard !followers.isEmpty else { return }
        reactor.enqueue { [self] in
            for number in followers {
                guard let call = call(number), call.course.following != nil else { continue }
                asksItself(call)
            }
        }
    }

    private func asksItself(_ call: Call) {
        stopTimer(of: call)
        call.course.following = nil
        call.course.flight = nil
        call.attempt.asksItself()
        follow(call)
    }

    // MARK: The flight's end

    /// The leader's call has ended: so have those of its followers, or one of them leads on.
    func flightEnded(_ call: Call, _ failure: CallFailure?) {
        guard let flight = call.course.flight, let kept = call.course.origin else { return }
        if !call.course.isFollowed, call.course.following == nil,
            kept.with({ $0.coalescer.endedAlone(flight) })
        {
            call.course.flight = nil
            return
        }
        flightEnded(call, flight, kept.object, failure)
    }

    @inline(never)
    private func flightEnded(
        _ call: Call, _ flight: FlightID, _ origin: OriginPolicies, _ failure: CallFailure?
    ) {
        if call.course.following != nil {
            stopFollowing(call, flight, origin)
            return
        }
        call.course.flight = nil
        if let failure, !failure.error.meetsEverybody, !isClosed {
            handOn(flight, origin)
            return
        }
        if failure == nil, !mayShareStored(call) {
            release(origin.coalescer.ended(flight))
            return
        }
        var others: [UInt64] = []
        for number in origin.coalescer.ended(flight) {
            guard let follower = self.call(number) else { continue }
            if let failure, isOwnClock(failure.error, of: call, not: follower), !isClosed {
                others.append(number)
            } else {
                answer(follower, like: call, failure)
            }
        }
        release(others)
    }

    /// Whether followers may have what took the place of an answer: its own head was never looked
    /// at with them in mind.
    private func mayShareStored(_ call: Call) -> Bool {
        guard let response = call.response, response.receivedHead == nil,
            let rules = policies.settings.coalescing
        else { return true }
        return rules.mayShare(response.fields, contentLength: Int64(response.body.count))
    }

    /// Whether a clock ran out that the other call does not have.
    private func isOwnClock(_ error: CallError, of call: Call, not other: Call) -> Bool {
        if case .timedOut = error { call.clocks !== other.clocks } else { false }
    }

    /// Who follows leaves; where it was to lead from now on, the next one does.
    private func stopFollowing(_ call: Call, _ flight: FlightID, _ origin: OriginPolicies) {
        guard let ticket = call.course.following else { return }
        call.course.following = nil
        call.course.flight = nil
        if !origin.coalescer.followerLeft(flight, ticket),
            origin.coalescer.leader(of: flight) == call.number
        {
            handOn(flight, origin)
        }
    }

    /// The first who follows leads from now on, and asks: later in the turn, or a line of followers
    /// who fail at once would be as deep a recursion.
    private func handOn(_ flight: FlightID, _ origin: OriginPolicies) {
        guard case .handOver(let number) = origin.coalescer.leaderLeft(flight) else { return }
        reactor.enqueue { [self] in
            guard let heir = call(number), heir.course.flight == flight else { return }
            stopTimer(of: heir)
            heir.course.following = nil
            heir.course.isFollowed = true
            heir.attempt.asksItself()
            follow(heir)
        }
    }

    private func answer(_ follower: Call, like leader: Call, _ failure: CallFailure?) {
        stopTimer(of: follower)
        follower.course.following = nil
        follower.course.flight = nil
        if let response = leader.response, failure == nil {
            share(response, with: follower)
            return
        }
        follower.lost = leader.lost
        follower.lostCount = leader.lostCount
        follower.lastPhase = leader.lastPhase
        follower.course.refusal = leader.course.refusal
        fail(follower, leader.lastError ?? .cancelled)
    }

    private func share(_ response: WholeResponse, with follower: Call) {
        guard response.body.count <= follower.bodyLimit, let target = follower.takeTarget() else {
            fail(follower, .bodyTooLarge(limit: follower.bodyLimit))
            return
        }
        follower.times.firstByte = response.times.firstByte
        follower.times.ended = reactor.now
        follower.response = WholeResponse(
            sharing: response, target: target, times: follower.times)
        follower.attempt.responded()
        follow(follower)
    }

    // MARK: Who leaves

    /// The caller of a call that leads or follows gives up. A leader's exchange goes on for the
    /// next, who changes places with it.
    ///
    /// - Returns: the call that ends, and how far the exchange that goes on without it has come.
    func leaveFlight(_ call: Call) -> (Call, CallPhase?) {
        guard call.hasCourse, let flight = call.course.flight, let origin = home(of: call)
        else { return (call, nil) }
        let phase = phase(ofFlight: flight, origin)
        if call.course.following != nil {
            stopFollowing(call, flight, origin)
            return (call, phase)
        }
        guard origin.coalescer.hasFollowers(flight),
            case .handOver(let number) = origin.coalescer.leaderLeft(flight),
            let heir = self.call(number)
        else { return (call, nil) }
        heir.course.following = nil
        heir.course.flight = nil
        stopTimer(of: heir)
        calls.exchangeCallers(call, heir)
        restartTimer(of: call)
        return (heir, phase)
    }

    /// How far the exchange of those who ask the same has come.
    private func phase(ofFlight flight: FlightID, _ origin: OriginPolicies) -> CallPhase {
        guard let leader = origin.coalescer.leader(of: flight).flatMap({ call($0) }) else {
            return .queue
        }
        guard let connection = connection(of: leader) else { return leader.lastPhase }
        return connection.isCarrying(leader) ? connection.exchangePhase : connection.dialPhase
    }

    /// The call by the number that the coalescer knows it by.
    private func call(_ number: UInt64) -> Call? {
        calls[CallID(number: number)]
    }
}

extension Call {
    /// Whether fields of the cache's own are sent: whoever writes the same conditions himself wants
    /// the 304 that they may bring, and this call doesn't.
    var asksForCache: Bool { caching.map { details !== $0.asked } ?? false }

    /// The call's name in one number.
    var number: UInt64 { id.number }
}
