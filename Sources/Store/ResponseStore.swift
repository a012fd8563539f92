// ResponseStore: a client's stored responses: the memory, and one tier behind it at most. Owned by
// the engine; reactor thread. It decides nothing about HTTP: what may be used, stored or forgotten
// is said by `CacheLookup`.
//
// How a request goes through it:
//
//     GET, standard mode   `glance`
//                            .hit        answer: CacheAnswer(response, .whole, age:)
//                            .nothing    to the origin; at the head, `CacheLookup.mayBeStored`
//                                        tells whether a `CacheLookup(missed:)` is worth making
//                            .undecided  the long way
//     the long way         `CacheLookup.begin()`
//                            .askStore   `find`; what it gives goes to `storeAnswered`
//                            .answer     a stored response, once `used` is told; where
//                                        `revalidate` says so, a second lookup
//                                        (`CacheLookup(revalidating:)`) goes to the origin alone,
//                                        one at a time per key
//                            .forward    to the origin with the lines that it names
//                            .refuse     504, or an error
//     head of an answer    `responded`: its changes go to `apply` at once, its verdict to the road
//     end of the body      where the verdict was `.pass(collect: n)` and the body has ended, whole,
//                          within n bytes: `bodyEnded`, whose changes go to `apply`
//     no answer            `failed`: a stale response may stand in
//     unsafe method        the same `responded`; one of its changes is `.invalidate`
//     purge                `purge`, by URL, prefix, or all
//
// Cache-Status is `lookup.report.text`, complete when the caller is answered, but for `stored`,
// which a streamed body decides later. For a hit at a glance it is made of the response alone:
// `CacheStatus(hit:now:)`.
//
// What is looked up behind the memory takes turns, and what was asked for may be made doubtful
// meanwhile: whatever was asked before an invalidation or a purge is then answered from memory.

internal import FetchBytes
package import FetchCache
package import FetchHTTP
internal import FetchReactor
package import FetchTime

package final class ResponseStore {
    package let rules: CacheRules
    package var counters: StoreCounters { counted }
    /// Warnings, for a log.
    package var onEvent: (StoreEvent) -> Void = { _ in }

    // Without the runtime's exclusivity checks, which would cost a hit 150 instructions: nothing
    // foreign is called while either is changed.
    @ThreadBound private var index: MemoryIndex
    @ThreadBound private var counted = StoreCounters()
    private let behind: (any SecondTier)?
    /// Invalidations and purges so far.
    private var epoch = 0

    package init(
        _ limits: MemoryIndex.Limits, _ rules: CacheRules, behind: (any SecondTier)? = nil
    ) {
        self.rules = rules
        self.behind = behind
        _index = ThreadBound(wrappedValue: MemoryIndex(limits))
        behind?.onEvent = { [weak self] event in self?.onEvent(event) }
    }

    deinit {
        _index.deallocate()
        _counted.deallocate()
    }

    // MARK: Looking up

    /// The short way; see `MemoryIndex.glance`. Says `nothing` only where nothing can be behind the
    /// memory.
    package func glance(
        _ target: Target, _ partition: CachePartition, _ headers: borrowing Headers,
        defaults: borrowing Headers, kinds: CachingFields, now: Now
    ) -> MemoryIndex.Glance {
        let glance = index.glance(
            target, partition, headers, defaults: defaults, kinds: kinds, now: now)
        switch glance {
        case .hit: counted.glanced &+= 1
        case .nothing:
            if let behind, behind.mayHold(target) { return .undecided }
            counted.missed &+= 1
        case .undecided: break
        }
        return glance
    }

    /// Everything that is stored under a request's key, for `CacheLookup.storeAnswered`: returned
    /// where the memory is enough, else told to `answer`, later, and nil is returned.
    ///
    /// The memory is enough where it has what the request selects, or where nothing can be behind
    /// it.
    package func find(
        _ request: CacheRequest, _ answer: @escaping ([CachedResponse]) -> Void
    ) -> [CachedResponse]? {
        let key = request.key
        let inMemory = index.stored(under: key)
        guard let behind, !inMemory.contains(where: { $0.isSelected(by: request) }),
            behind.mayHold(key.target)
        else {
            count(inMemory, fromBehind: 0)
            return inMemory
        }
        let epoch = epoch
        behind.find(key) { [weak self] found in
            guard let self else { return answer([]) }
            answer(self.joined(key, self.epoch == epoch ? found : []))
        }
        return nil
    }

    /// What the memory has by now, and what it doesn't have of what was found behind it; that is
    /// taken into memory.
    private func joined(_ key: CacheKey, _ found: [CachedResponse]) -> [CachedResponse] {
        var all = index.stored(under: key)
        let others = found.filter { other in
            !index.isInvalidated(other)
                && !all.contains { $0.takesPlace(of: other) || other.takesPlace(of: $0) }
        }
        for other in others { index.store(other) }
        all += others
        count(all, fromBehind: others.count)
        return all
    }

    private func count(_ found: [CachedResponse], fromBehind: Int) {
        if found.isEmpty {
            counted.missed += 1
        } else if fromBehind > 0 {
            counted.foundBehind += 1
        } else {
            counted.foundInMemory += 1
        }
    }

    /// A stored response has answered a request, the long way.
    package func used(_ response: CachedResponse) {
        index.used(response)
    }

    // MARK: Changing

    /// Carries out what a `CacheLookup` decided.
    package func apply(_ changes: [CacheChange], now: Now) {
        for change in changes { apply(change, now: now) }
    }

    package func apply(_ change: CacheChange, now: Now) {
        // Asked first: it says whether the origin's answer may be older than an invalidation.
        let isTooLate = change.response.map(index.isInvalidated) ?? false
        index.apply(change, now: now)
        switch change {
        case .store(let response, let superseded):
            for old in superseded where !response.takesPlace(of: old) { behind?.remove(old) }
            guard !isTooLate else { return }
            counted.stored += 1
            // What may not stand there any more must not be found there either.
            if response.facts.onlyInMemory {
                behind?.remove(response)
            } else {
                behind?.store(response)
            }
        case .replace(let old, let response):
            if isTooLate || old.facts.onlyInMemory || response.facts.onlyInMemory {
                behind?.remove(old)
            } else {
                behind?.replace(old, with: response)
            }
        case .remove(let old):
            epoch += 1
            behind?.remove(old)
        case .invalidate(let target):
            epoch += 1
            counted.invalidated += 1
            behind?.purge(.resource(target))
        }
    }

    /// Forgets what the owner names. What is under way meanwhile isn't stored where it is named by
    /// its URL, or everything is; an answer that comes later under a prefix is the origin's newest
    /// word.
    package func purge(_ purge: CachePurge, now: Now) {
        epoch += 1
        counted.purged += 1
        switch purge {
        case .resource(let target): index.apply(.invalidate(target), now: now)
        case .prefix(let prefix): index.removeAll(prefix: prefix)
        case .everything: index.removeAll(askedUntil: now)
        }
        behind?.purge(purge)
    }

    /// Sets other bounds of the memory, and forgets what is beyond them.
    package func limit(_ limits: MemoryIndex.Limits) {
        index.limit(limits)
    }

    /// Nothing is stored or found any more. `whenDone`: see `SecondTier`.
    package func end(_ whenDone: @escaping () -> Void = {}) {
        index.removeAll()
        if let behind { behind.end(whenDone) } else { whenDone() }
    }

    // MARK: Watching

    /// Responses in memory, what they cost in bytes, and how many went because of a bound.
    package var count: Int { index.count }
    package var bytes: Int { index.bytes }
    package var evictions: Int { index.evictions }

    /// Count and bytes, by walking: the account is right when it says the same.
    package func recount() -> (count: Int, bytes: Int) { index.recount() }
}

extension CacheChange {
    /// What is to be stored.
    fileprivate var response: CachedResponse? {
        switch self {
        case .store(let response, _), .replace(_, let response): response
        case .remove, .invalidate: nil
        }
    }
}

extension CachedResponse {
    /// Whether both answer the same requests, so that only the newer one is of use.
    fileprivate func takesPlace(of other: CachedResponse) -> Bool {
        selectingBytes == other.selectingBytes && facts.content == other.facts.content
            && facts.partition == other.facts.partition && uriBytes == other.uriBytes
    }
}
