// MemoryIndex: what is stored in memory, found by URI and credentials, forgotten least recently
// used first (RFC 9111 section 2). A value, owned by the memory tier; reactor thread.
//
// Every stored response stands in one slot, and a slot in three lists: of its key's bucket, which a
// look-up walks; of its URI's bucket, which an invalidation walks, for that one meets whoever
// asked; and of use, whose oldest goes when a bound is reached. The lists are numbers in the slots,
// so that finding, storing, using and forgetting are O(1) and allocate nothing beyond the slots.

internal import FetchBytes
package import FetchHTTP
package import FetchTime

package struct MemoryIndex: Sendable {
    /// Bounds; none is ever exceeded.
    package struct Limits: Equatable, Sendable {
        /// Of everything stored, counted as the allocator does.
        package var bytes = 100 << 20
        package var entries = 1_024
        /// Stored responses under one key, for different selecting fields.
        package var variants = 16

        package init() {}
    }

    /// A place, apart from the response that stands in it: so that reading it counts no reference.
    struct Slot: Sendable {
        var keyHash: UInt64 = 0
        var targetHash: UInt64 = 0
        var links = Links()
    }

    /// A slot's neighbours; −1 where there is none.
    struct Links: Sendable {
        var newer: Int32 = -1
        var older: Int32 = -1
        var nextOfKey: Int32 = -1
        var previousOfKey: Int32 = -1
        var nextOfTarget: Int32 = -1
        var previousOfTarget: Int32 = -1
    }

    /// What a stored response costs in the index: its slot and its share of two tables that are
    /// half empty at most.
    package static var bytesPerEntry: Int {
        MemoryLayout<Slot>.stride + MemoryLayout<CachedResponse?>.stride + 16
    }

    package private(set) var limits: Limits
    package private(set) var count = 0
    /// What everything stored costs; `recount` finds the same.
    package private(set) var bytes = 0
    /// Stored responses that went because of a bound.
    package private(set) var evictions = 0

    private var slots: ContiguousArray<Slot> = []
    /// What stands in the slots; nil in one that is free.
    private var responses: ContiguousArray<CachedResponse?> = []
    private var free: Int32 = -1
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    /// As many as a power of two: the first slot of each list.
    private var keyBuckets: ContiguousArray<Int32>
    private var targetBuckets: ContiguousArray<Int32>
    private(set) var invalidations = RecentInvalidations()

    package init(_ limits: Limits = Limits()) {
        self.limits = limits
        keyBuckets = ContiguousArray(repeating: -1, count: 16)
        targetBuckets = ContiguousArray(repeating: -1, count: 16)
    }

    // MARK: Looking up

    /// What a look at the index shows at once.
    package enum Glance: Equatable, Sendable {
        /// Fresh, and what the request selects.
        case hit(CachedResponse)
        /// Nothing is stored under the request's key.
        case nothing
        /// `CacheLookup` has to decide.
        case undecided
    }

    /// The short way, which allocates nothing, for a GET in standard mode: what `CacheLookup` would
    /// make of it, where that is plain.
    ///
    /// - Parameters:
    ///   - headers: the caller's fields.
    ///   - defaults: fields that are sent where the caller gives none of that name.
    ///   - kinds: both their `cachingFields`; the defaults' need be found once only.
    package mutating func glance(
        _ target: Target, _ partition: CachePartition, _ headers: borrowing Headers,
        defaults: borrowing Headers, kinds: CachingFields, now: Now
    ) -> Glance {
        guard kinds.isDisjoint(with: .deciding) else { return .undecided }
        let hash = CacheKey.hash(target.resourceHash, partition)
        var isAnyStored = false
        var found: CachedResponse?
        var place: Int32 = -1
        var index = keyBuckets[bucket(hash)]
        while index >= 0 {
            if slots[Int(index)].keyHash == hash, let response = responses[Int(index)],
                response.isStored(for: target, partition)
            {
                isAnyStored = true
                if response.isSelected(by: headers, defaults) {
                    // Of two the more recent one counts, and which that is takes a closer look.
                    if found != nil { return .undecided }
                    found = response
                    place = index
                }
            }
            index = slots[Int(index)].links.nextOfKey
        }
        guard let response = found, response.isUsedUnasked(now) else {
            return isAnyStored ? .undecided : .nothing
        }
        use(place)
        return .hit(response)
    }

    /// Everything that is stored under a key, whatever request fields it was selected by.
    package func stored(under key: CacheKey) -> [CachedResponse] {
        var found: [CachedResponse] = []
        let hash = key.hash
        var index = keyBuckets[bucket(hash)]
        while index >= 0 {
            if slots[Int(index)].keyHash == hash, let response = responses[Int(index)],
                response.isStored(for: key.target, key.partition)
            {
                found.append(response)
            }
            index = slots[Int(index)].links.nextOfKey
        }
        return found
    }

    /// A stored response was used: it is the last to be forgotten.
    package mutating func used(_ response: CachedResponse) {
        let index = index(of: response)
        if index >= 0 { use(index) }
    }

    // MARK: Changing

    /// Carries out what a `CacheLookup` decided.
    package mutating func apply(_ change: CacheChange, now: Now) {
        switch change {
        case .store(let response, let superseded):
            for old in superseded { remove(old) }
            store(response)
        case .replace(let old, let response):
            // What is gone meanwhile was made doubtful, or was superseded by something newer.
            guard remove(old) else { return }
            store(response)
        case .remove(let old):
            remove(old)
        case .invalidate(let target):
            invalidations.add(target.resourceHash, now.instant)
            removeAll(of: target)
        }
    }

    /// Stores a response in the place of what was stored under its key for the same selecting
    /// fields, and forgets others until there is room. False where it can't be stored: it is
    /// larger than everything may be, or was asked for before its URI was invalidated.
    @discardableResult
    package mutating func store(_ response: CachedResponse) -> Bool {
        let facts = response.facts
        guard response.allocatedBytes <= limits.bytes, limits.entries > 0, limits.variants > 0,
            !invalidations.happened(facts.targetHash, since: facts.times.request.instant)
        else { return false }
        removeAlike(response)
        while count >= limits.entries || bytes > limits.bytes - response.allocatedBytes {
            removeSlot(oldest)
            evictions += 1
        }
        insert(response)
        return true
    }

    /// Forgets a stored response; false where it isn't there.
    @discardableResult
    package mutating func remove(_ response: CachedResponse) -> Bool {
        let index = index(of: response)
        guard index >= 0 else { return false }
        removeSlot(index)
        return true
    }

    /// Forgets everything that is stored for a URI, for whomever.
    package mutating func removeAll(of target: Target) {
        let hash = target.resourceHash
        var index = targetBuckets[bucket(hash)]
        while index >= 0 {
            let next = slots[Int(index)].links.nextOfTarget
            if slots[Int(index)].targetHash == hash, let response = responses[Int(index)],
                response.isStored(for: target, response.facts.partition)
            {
                removeSlot(index)
            }
            index = next
        }
    }

    /// Forgets everything whose URI begins like this. O(entries).
    package mutating func removeAll(prefix: String) {
        let prefix = Array(prefix.utf8)
        removeAll { $0.uriBytes.starts(with: prefix) }
    }

    /// Forgets everything that fits. O(entries).
    package mutating func removeAll(where fits: (CachedResponse) -> Bool) {
        var index = newest
        while index >= 0 {
            let next = slots[Int(index)].links.older
            if let response = responses[Int(index)], fits(response) { removeSlot(index) }
            index = next
        }
    }

    /// Forgets everything, and what was asked for until `now`, when it comes.
    package mutating func removeAll(askedUntil now: Now? = nil) {
        let forgotten = MemoryIndex(limits)
        let (evictions, invalidations) = (self.evictions, self.invalidations)
        self = forgotten
        self.evictions = evictions
        self.invalidations = invalidations
        if let now { self.invalidations.addAll(now.instant) }
    }

    /// Sets other bounds, and forgets what is beyond them.
    package mutating func limit(_ limits: Limits) {
        self.limits = limits
        while count > max(limits.entries, 0) || bytes > limits.bytes {
            removeSlot(oldest)
            evictions += 1
        }
    }

    /// Hands out everything stored, last used first.
    package func forEach(_ body: (CachedResponse) -> Void) {
        var index = newest
        while index >= 0 {
            if let response = responses[Int(index)] { body(response) }
            index = slots[Int(index)].links.older
        }
    }

    /// How much there is, by walking: the account is right when it says the same.
    package func recount() -> (count: Int, bytes: Int) {
        var (count, bytes) = (0, 0)
        forEach {
            count += 1
            bytes += $0.allocatedBytes
        }
        return (count, bytes)
    }

    // MARK: Slots

    private func bucket(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (keyBuckets.count &- 1)
    }

    private func index(of response: CachedResponse) -> Int32 {
        let hash = CacheKey.hash(response.facts.targetHash, response.facts.partition)
        var index = keyBuckets[bucket(hash)]
        while index >= 0 {
            if responses[Int(index)] === response { return index }
            index = slots[Int(index)].links.nextOfKey
        }
        return -1
    }

    /// Forgets what the response takes the place of, and the oldest variant of its key where there
    /// are too many.
    private mutating func removeAlike(_ response: CachedResponse) {
        let hash = CacheKey.hash(response.facts.targetHash, response.facts.partition)
        var variants = 0
        var index = keyBuckets[bucket(hash)]
        while index >= 0 {
            let next = slots[Int(index)].links.nextOfKey
            if slots[Int(index)].keyHash == hash, let other = responses[Int(index)],
                other.isUnderSameKey(as: response)
            {
                variants += 1
                // New ones stand in front, so those at the end are the oldest.
                if other.isReplaced(by: response) || variants >= limits.variants {
                    removeSlot(index)
                    variants -= 1
                }
            }
            index = next
        }
    }

    private mutating func insert(_ response: CachedResponse) {
        if count >= keyBuckets.count { grow() }
        var index = free
        if index >= 0 {
            free = slots[Int(index)].links.older
        } else {
            index = Int32(truncatingIfNeeded: slots.count)
            slots.append(Slot())
            responses.append(nil)
        }
        let place = Int(index)
        responses[place] = response
        slots[place].targetHash = response.facts.targetHash
        slots[place].keyHash = CacheKey.hash(
            response.facts.targetHash, response.facts.partition)
        slots[place].links = Links()
        linkInBuckets(index)
        linkNewest(index)
        count += 1
        bytes += response.allocatedBytes
    }

    private mutating func removeSlot(_ index: Int32) {
        let place = Int(index)
        guard let response = responses[place] else { return }
        unlinkFromUse(index)
        unlinkFromBuckets(index)
        count -= 1
        bytes -= response.allocatedBytes
        responses[place] = nil
        slots[place].links.older = free
        free = index
    }

    // MARK: Lists

    private mutating func use(_ index: Int32) {
        guard index != newest else { return }
        unlinkFromUse(index)
        linkNewest(index)
    }

    private mutating func linkNewest(_ index: Int32) {
        slots[Int(index)].links.newer = -1
        slots[Int(index)].links.older = newest
        if newest >= 0 { slots[Int(newest)].links.newer = index } else { oldest = index }
        newest = index
    }

    private mutating func unlinkFromUse(_ index: Int32) {
        let (newer, older) = (slots[Int(index)].links.newer, slots[Int(index)].links.older)
        if newer >= 0 { slots[Int(newer)].links.older = older } else { newest = older }
        if older >= 0 { slots[Int(older)].links.newer = newer } else { oldest = newer }
    }

    private mutating func linkInBuckets(_ index: Int32) {
        let place = Int(index)
        let keyBucket = bucket(slots[place].keyHash)
        let next = keyBuckets[keyBucket]
        slots[place].links.nextOfKey = next
        slots[place].links.previousOfKey = -1
        if next >= 0 { slots[Int(next)].links.previousOfKey = index }
        keyBuckets[keyBucket] = index
        let targetBucket = bucket(slots[place].targetHash)
        let nextOfTarget = targetBuckets[targetBucket]
        slots[place].links.nextOfTarget = nextOfTarget
        slots[place].links.previousOfTarget = -1
        if nextOfTarget >= 0 { slots[Int(nextOfTarget)].links.previousOfTarget = index }
        targetBuckets[targetBucket] = index
    }

    private mutating func unlinkFromBuckets(_ index: Int32) {
        let slot = slots[Int(index)]
        let links = slot.links
        if links.nextOfKey >= 0 {
            slots[Int(links.nextOfKey)].links.previousOfKey = links.previousOfKey
        }
        if links.previousOfKey >= 0 {
            slots[Int(links.previousOfKey)].links.nextOfKey = links.nextOfKey
        } else {
            keyBuckets[bucket(slot.keyHash)] = links.nextOfKey
        }
        if links.nextOfTarget >= 0 {
            slots[Int(links.nextOfTarget)].links.previousOfTarget = links.previousOfTarget
        }
        if links.previousOfTarget >= 0 {
            slots[Int(links.previousOfTarget)].links.nextOfTarget = links.nextOfTarget
        } else {
            targetBuckets[bucket(slot.targetHash)] = links.nextOfTarget
        }
    }

    /// Twice as many buckets. Oldest first, so that the newest of a key stands in front again.
    private mutating func grow() {
        keyBuckets = ContiguousArray(repeating: -1, count: keyBuckets.count * 2)
        targetBuckets = ContiguousArray(repeating: -1, count: keyBuckets.count)
        var index = oldest
        while index >= 0 {
            linkInBuckets(index)
            index = slots[Int(index)].links.newer
        }
    }
}
