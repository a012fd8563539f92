// Stored responses on the road (RFC 9111): looked for before anything is spent. A hit takes no
// token and no slot, asks no breaker and opens no connection. What may be used is decided by
// `CacheLookup`, a value of the cache's; what becomes of an origin's answer stands in
// `Road+Storing.swift`.
//
// Most calls take the short way, where one look at the memory says all: a hit, or nothing. Where a
// file or a caller's own store stands behind the memory, the call may wait for that, and holds
// nothing meanwhile.

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
    // MARK: Before anything is spent

    /// Whether the call looks for a stored response; notes what else it has to do with the cache.
    ///
    /// - Parameter isMissed: a glance has told already that nothing is stored.
    func looksUp(_ call: Call, _ isMissed: Bool) -> Bool {
        if call.caching != nil { return true }
        let mode = call.details?.policy?.cacheMode ?? .standard
        guard call.mayBeAnsweredFromStore else {
            if !call.method.isSafe { call.cacheUse = .invalidates }
            return mode == .onlyIfCached
        }
        guard isMissed else { return true }
        miss(call)
        return false
    }

    private func miss(_ call: Call) {
        call.cacheUse = .missed
        counters.cacheMisses += 1
    }

    /// Looks for a stored response; false while the call waits for what stands behind the memory.
    @inline(never)
    func lookUp(_ call: Call) -> Bool {
        guard let cache, let target = call.target else {
            call.attempt.cacheMissed()
            return true
        }
        if let caching = call.caching { return begin(call, caching, cache) }
        guard call.mayBeAnsweredFromStore else {
            refuse(call, .onlyIfCached)
            return true
        }
        let now = reactor.nowWithWall
        switch cache.glance(target, call.details, now) {
        case .hit(let response):
            counters.cacheHits += 1
            let answer = CacheAnswer(response, .whole, age: response.ageSeconds(now))
            self.answer(call, answer, now, .hit, nil)
            return true
        case .nothing:
            miss(call)
            call.attempt.cacheMissed()
            return true
        case .undecided:
            let request = cache.request(call.details, target)
            let caching = CallCaching(CacheLookup(request, cache.rules), call.details)
            call.caching = caching
            return begin(call, caching, cache)
        }
    }

    private func begin(_ call: Call, _ caching: CallCaching, _ cache: ClientCache) -> Bool {
        call.cacheUse = .looked
        return obey(caching.lookup.begin(), call, caching, cache)
    }

    /// Does what the lookup says; false while the store is asked.
    private func obey(
        _ action: CacheLookup.Action, _ call: Call, _ caching: CallCaching, _ cache: ClientCache
    ) -> Bool {
        switch action {
        case .askStore:
            guard let found = ask(call, caching, cache) else { return false }
            let next = caching.lookup.storeAnswered(found, now: reactor.nowWithWall)
            return obey(next, call, caching, cache)
        case .answer(let answer, let revalidate):
            counters.cacheHits += 1
            cache.store.used(answer.response)
            let request = caching.lookup.request
            self.answer(call, answer, reactor.nowWithWall, caching)
            if revalidate { validateLater(answer.response, request, call.details?.tls, cache) }
        case .forward(let lines):
            if caching.validates == nil { counters.cacheMisses += 1 }
            send(call, lines, caching)
            call.attempt.cacheMissed()
        case .refuse:
            counters.cacheMisses += 1
            refuse(call, caching.lookup.request.mode)
        }
        return true
    }

    /// What is stored under the call's key; nil where it is told later, and the call waits.
    private func ask(
        _ call: Call, _ caching: CallCaching, _ cache: ClientCache
    ) -> [CachedResponse]? {
        let id = call.id
        let found = cache.store.find(caching.lookup.request) { [weak self] found in
            guard caching.isAsking else {
                caching.found = found
                return
            }
            caching.isAsking = false
            self?.storeAnswered(id, caching, found)
        }
        if let found = found ?? caching.found { return found }
        caching.isAsking = true
        call.hasCourse = true
        call.lastPhase = .queue
        call.timer = reactor.schedule(self, token: Int(call.slot), at: call.totalDeadline)
        return nil
    }

    private func storeAnswered(_ id: CallID, _ caching: CallCaching, _ found: [CachedResponse]) {
        guard let cache, let call = calls[id], call.caching === caching,
            call.attempt.next() == .lookUp
        else { return }
        stopTimer(of: call)
        let action = caching.lookup.storeAnswered(found, now: reactor.nowWithWall)
        if obey(action, call, caching, cache) { follow(call) }
    }

    /// The origin gets the caller's request with fields of the cache's.
    func send(_ call: Call, _ lines: [FieldLine], _ caching: CallCaching) {
        guard !lines.isEmpty || call.details !== caching.asked else { return }
        call.send(
            CallDetails(
                adding: lines, to: caching.asked, clocks: call.clocks, bodyLimit: call.bodyLimit))
    }

    // MARK: Answers

    /// The caller gets a stored response, as the lookup decided.
    func answer(_ call: Call, _ answer: CacheAnswer, _ now: Now, _ caching: CallCaching) {
        let outcome = caching.outcome
        if caching.validates == nil {
            if outcome == .stale { counters.cacheStale += 1 }
            if outcome == .revalidated { counters.cacheRevalidations += 1 }
        }
        self.answer(call, answer, now, outcome, CacheReport(caching.lookup.report))
    }

    /// The caller gets a stored response, whose body is shared.
    private func answer(
        _ call: Call, _ answer: CacheAnswer, _ now: Now, _ outcome: CacheOutcome,
        _ report: CacheReport?
    ) {
        call.head = nil
        call.dropBody()
        call.abandoned = false
        let body = answer.body
        guard call.isStreamed || body.count <= call.bodyLimit else {
            call.lastError = .bodyTooLarge(limit: call.bodyLimit)
            call.attempt.failed()
            return
        }
        guard let target = call.isStreamed ? call.target : call.takeTarget() else { return }
        if call.attempt.dispatches == 0 { call.times.firstByte = reactor.now }
        call.times.ended = reactor.now
        let response = WholeResponse(
            answer.response, answer.form, now: now, body: call.isStreamed ? Bytes() : body,
            target: target, times: call.times,
            sends: call.attempt.dispatches == 0 ? .none : WholeResponse.Sends(call),
            peer: call.attempt.dispatches == 0 ? nil : call.peer, cacheOutcome: outcome,
            report: report)
        call.response = response
        call.attempt.responded()
        guard let receiver = call.streamReceiver else { return }
        receiver.headArrived(response)
        if !body.isEmpty { _ = receiver.bodyArrived(body) }
        receiver.bodyEnded(trailers: nil)
    }

    /// Nothing that is stored can be used, and the origin may not be asked (RFC 9111 section
    /// 5.2.1.7).
    private func refuse(_ call: Call, _ mode: CacheMode) {
        guard mode != .onlyIfCached, let target = call.target else {
            call.lastError = .notCached
            call.attempt.failed()
            return
        }
        let head = ResponseHead(
            status: 504, reason: Bytes("Gateway Timeout"), fields: FieldSection(), bodyCount: 0)
        call.times.firstByte = reactor.now
        call.times.ended = reactor.now
        let response = WholeResponse(
            head: head, body: Bytes(), trailers: nil, target: target, times: call.times,
            sends: .none, peer: nil, cacheOutcome: .miss,
            report: call.caching.map { CacheReport($0.lookup.report) })
        call.response = response
        call.attempt.responded()
        guard let receiver = call.streamReceiver else { return }
        receiver.headArrived(response)
        receiver.bodyEnded(trailers: nil)
    }

    // MARK: In the background

    /// A stale response was used: the origin is asked whether it still holds, later in this turn,
    /// once at a time, for nobody (RFC 5861 section 3).
    private func validateLater(
        _ used: CachedResponse, _ request: CacheRequest, _ tls: TLSChoice?, _ cache: ClientCache
    ) {
        let key = request.key.hash
        guard !isClosed, cache.beginsValidating(key) else { return }
        reactor.enqueue { [self] in
            let lookup = CacheLookup(revalidating: used, for: request, cache.rules)
            let details = CallDetails(
                .get, lookup.request.headers, defaults.clocks, cache.rules.mostBodyBytes, tls,
                CallPolicy(priority: .low))
            let call = calls.open()
            call.hasCourse = true
            call.caching = CallCaching(lookup, details, validates: key)
            start(call, request.target, details)
        }
    }

    /// What a call that ends was to the cache; nothing for most.
    func cachingEnded(_ call: Call, _ failure: CallFailure?) {
        guard let key = call.caching?.validates else { return }
        cache?.validated(key, failure)
    }
}

extension Call {
    /// Whether its method is one that stored responses may answer. Content may change what is
    /// meant, and no key speaks of it.
    var mayBeAnsweredFromStore: Bool { !hasContent && (method == .get || method.isHead) }
}

extension ClientCache {
    /// The short way, for a GET in standard mode; see `MemoryIndex.glance`.
    @inline(__always)
    func glance(_ target: Target, _ details: CallDetails?, _ now: Now) -> MemoryIndex.Glance {
        guard let details else {
            let headers = Headers()
            return store.glance(
                target, openPartition(target), headers, defaults: defaults, kinds: defaultKinds,
                now: now)
        }
        return glance(target, asked: details, now)
    }

    @inline(never)
    private func glance(
        _ target: Target, asked details: CallDetails, _ now: Now
    ) -> MemoryIndex.Glance {
        let mode = details.policy?.cacheMode ?? .standard
        guard mode == .standard, details.length == .none, details.method == .get else {
            return .undecided
        }
        return store.glance(
            target, partition(target, details.headers, details.tls), details.headers,
            defaults: defaults, kinds: details.headers.cachingFields.union(defaultKinds), now: now)
    }

    /// Whose answers may be given to a request without fields.
    @inline(__always)
    private func openPartition(_ target: Target) -> CachePartition {
        target.isSecure ? partition(target, Headers(), nil) : .open
    }

    /// A call as the cache sees it.
    func request(_ details: CallDetails?, _ target: Target) -> CacheRequest {
        let headers = details?.headers ?? Headers()
        return CacheRequest(
            details?.method ?? .get, target, headers, defaults: defaults,
            partition: partition(target, headers, details?.tls),
            isIdentified: isIdentified(target, details?.tls),
            mode: details?.policy?.cacheMode ?? .standard)
    }
}
