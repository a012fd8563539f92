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
        guard details.policy?.mayBeShared ?? true else { return false }
        return details.method == .get || details.method.isHead
    }

    /// Looks for somebody who asks the same. The first to ask leads.
    @inline(never)
    func join(_ call: Call) {
        guard let rules = policies.settings.coalescing, let target = call.target,
            let origin = call.record?.policies
        else {
            call.attempt.asksItself()
            return
        }
        call.hasCourse = true
        let digest = rules.digest(
            call.method, target, call.details?.headers ?? Headers(), key: policies.digestKey)
        let joining = origin.coalescer.join(
            digest, call: call.number, unsafeEnded: origin.unsafeEnded)
        switch joining {
        case .lead(let flight):
            call.course.flight = flight
            call.attempt.asksItself()
        case .follow(let flight, let ticket):
            counters.coalesced += 1
            call.course.flight = flight
            call.course.following = ticket
            call.lastPhase = .queue
            call.attempt.follows()
            call.timer = reactor.schedule(self, token: Int(call.slot), at: call.totalDeadline)
        case .alone:
            call.attempt.asksItself()
        }
    }

    /// The leader's request leaves.
    func flightSent(_ call: Call) {
        guard let flight = call.course.flight, let origin = call.record?.policies else { return }
        origin.coalescer.sent(flight, unsafeEnded: origin.unsafeEnded)
    }

    // MARK: The leader's answer

    /// The head of the answer that the leader gets has come: nobody joins any more, and where it
    /// may not be shared everybody asks for himself.
    func shareHead(of call: Call, _ head: ResponseHead) {
        guard let rules = policies.settings.coalescing, let flight = call.course.flight,
            let origin = call.record?.policies
        else { return }
        var mayShare = true
        if origin.coalescer.hasFollowers(flight) {
            var length: Int64?
            if case .length(let bytes) = head.framing { length = Int64(bytes) }
            mayShare = rules.mayShare(head.fields, contentLength: length)
        }
        release(origin.coalescer.headArrived(flight, mayShare: mayShare))
    }

    /// Some more of the leader's body has come.
    func shareLength(of call: Call, _ bytes: Int) {
        guard let rules = policies.settings.coalescing, bytes > rules.mostSharedBytes,
            let flight = call.course.flight, let origin = call.record?.policies
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
        guard let flight = call.course.flight, let origin = call.record?.policies else { return }
        call.course.flight = nil
        if let failure, !failure.error.meetsEverybody, !isClosed {
            guard case .handOver(let heir) = origin.coalescer.leaderLeft(flight) else { return }
            if let heir = self.call(heir) { takeOver(heir) }
            return
        }
        for number in origin.coalescer.ended(flight) {
            guard let follower = self.call(number) else { continue }
            answer(follower, like: call, failure)
        }
    }

    /// A follower leads from now on, and asks.
    private func takeOver(_ call: Call) {
        stopTimer(of: call)
        call.course.following = nil
        call.attempt.asksItself()
        follow(call)
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
            head: response.head, body: response.body, trailers: response.trailers, target: target,
            times: follower.times, attempts: response.attempts, peer: response.peer,
            isShared: true)
        follower.attempt.responded()
        follow(follower)
    }

    // MARK: Who leaves

    /// The caller of a call that leads or follows gives up. A leader's exchange goes on for the
    /// next, who changes places with it. Returns the call that ends.
    func leaveFlight(_ call: Call) -> Call {
        guard call.hasCourse, let flight = call.course.flight, let origin = call.record?.policies
        else { return call }
        if let ticket = call.course.following {
            _ = origin.coalescer.followerLeft(flight, ticket)
            call.course.following = nil
            call.course.flight = nil
            return call
        }
        guard origin.coalescer.hasFollowers(flight),
            case .handOver(let number) = origin.coalescer.leaderLeft(flight),
            let heir = self.call(number)
        else { return call }
        heir.course.following = nil
        heir.course.flight = nil
        stopTimer(of: heir)
        calls.exchangeCallers(call, heir)
        restartTimer(of: call)
        return heir
    }

    /// The call by the number that the coalescer knows it by.
    private func call(_ number: UInt64) -> Call? {
        calls[
            CallID(
                slot: UInt32(truncatingIfNeeded: number),
                generation: UInt32(truncatingIfNeeded: number &>> 32))]
    }
}

extension Call {
    /// The call's name in one number.
    var number: UInt64 { UInt64(slot) | UInt64(generation) &<< 32 }
}
