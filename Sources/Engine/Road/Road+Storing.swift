// What an origin's answer is to the cache (RFC 9111 sections 3, 4.3 and 4.4): its head is judged
// when it has come, its body is stored when it has ended. An answer that the caller doesn't get, a
// 304 or a failure that a stored response stands in for, is read no further than its connection is
// worth.

internal import FetchBytes
internal import FetchCache
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchPolicy
internal import FetchReactor
internal import FetchRoad
internal import FetchStore
internal import FetchTime

extension Road {
    // MARK: The head

    /// The head of an answer has come that the policies have let pass. True when the caller doesn't
    /// get it, and the rest is of no use.
    @inline(never)
    func isReplaced(_ call: Call, _ head: ResponseHead) -> Bool {
        guard let cache, let target = call.target else { return false }
        switch call.cacheUse {
        case .none:
            return false
        case .invalidates:
            let now = reactor.nowWithWall
            for doubtful in Invalidation.targets(call.method, target, head.status, head.fields) {
                cache.store.apply(.invalidate(doubtful), now: now)
            }
            return false
        case .missed:
            guard CacheLookup.mayBeStored(head.fields, cache.rules) else { return false }
            let request = cache.request(call.details, target)
            let caching = CallCaching(CacheLookup(missed: request, cache.rules), call.details)
            call.caching = caching
            call.cacheUse = .looked
            return isReplaced(call, head, caching, cache)
        case .looked:
            guard let caching = call.caching else { return false }
            return isReplaced(call, head, caching, cache)
        }
    }

    private func isReplaced(
        _ call: Call, _ head: ResponseHead, _ caching: CallCaching, _ cache: ClientCache
    ) -> Bool {
        let now = reactor.nowWithWall
        let (verdict, changes) = caching.lookup.responded(
            head.status, head.fields, reason: head.reasonBytes,
            sent: now.earlier(call.sentAt), now: now, bodyBytes: head.framing.announced)
        cache.store.apply(changes, now: now)
        caching.begin(collecting: nil)
        switch verdict {
        case .pass(let most):
            caching.begin(collecting: most, within: cache.collecting)
            return false
        case .answer(let answer):
            caching.ending = .answer(answer)
            return true
        case .forward(let lines):
            caching.ending = .again(lines)
            return true
        case .fail:
            return false
        }
    }

    // MARK: The end

    /// An exchange has ended whose answer the caller doesn't get, if that is so: he gets what takes
    /// its place.
    @inline(never)
    func isAnsweredOtherwise(_ call: Call) -> Bool {
        guard let caching = call.caching, let ending = caching.ending.take() else { return false }
        attemptAnswered(call)
        switch ending {
        case .answer(let answer):
            self.answer(call, answer, reactor.nowWithWall, caching)
        case .again(let lines):
            call.head = nil
            call.dropBody()
            call.abandoned = false
            send(call, lines, caching)
            call.attempt.answeredNothing()
        }
        follow(call)
        return true
    }

    /// The body has ended, whole: it is stored, if its head let it.
    @inline(never)
    func store(_ call: Call, _ body: Bytes) {
        guard let cache, let caching = call.caching, !call.abandoned else { return }
        let changes: [CacheChange]
        if caching.collects != nil {
            caching.collects = nil
            let whole = call.isStreamed && body.isEmpty ? caching.takeBody() : body
            changes = caching.lookup.bodyEnded(whole)
        } else {
            changes = caching.lookup.bodyOutgrown()
        }
        cache.store.apply(changes, now: reactor.nowWithWall)
    }

    /// No answer came: a stale response may stand in for the failure (RFC 5861 section 4).
    func standsIn(for error: CallError, _ call: Call) -> Bool {
        // The failure of an exchange that nobody waits for is nobody's.
        guard !call.isShadow, let caching = call.caching, error.isGatewayError,
            call.attempt.next() != .answer
        else { return false }
        let now = reactor.nowWithWall
        guard case .answer(let answer) = caching.lookup.failed(now: now) else { return false }
        self.answer(call, answer, now, caching)
        return true
    }

    // MARK: Facts

    /// What the cache had to do with an answer of the origin's.
    @inline(never)
    func outcome(of call: Call) -> CacheOutcome {
        switch call.cacheUse {
        case .none, .invalidates: .bypass
        case .missed: .miss
        case .looked: call.caching?.outcome ?? .miss
        }
    }

    /// The same in full; nil where there is no more to say.
    @inline(never)
    func report(of call: Call) -> CacheReport? {
        call.caching.map { CacheReport($0.lookup.report) }
    }
}

extension CallError {
    /// Whether a gateway in this place would answer 500, 502, 503 or 504 (RFC 5861 section 4): the
    /// origin, or the way there, failed, took too long, or couldn't be asked in time.
    fileprivate var isGatewayError: Bool {
        switch self {
        case .timedOut, .circuitOpen, .rateLimited, .waitingLineFull, .tooManyOrigins: true
        default: cause != nil
        }
    }
}

extension Now {
    /// An earlier moment, by both clocks.
    fileprivate func earlier(_ then: Instant) -> Now {
        Now(instant: then, wall: wall.adding(nanoseconds: then.nanoseconds(since: instant)))
    }
}

extension Framing {
    /// The bytes of content, where they are known.
    var announced: Int? {
        switch self {
        case .none: 0
        case .length(let count): count
        case .chunked, .closeDelimited: nil
        }
    }
}
