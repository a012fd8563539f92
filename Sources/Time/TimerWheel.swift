// A hierarchical timer wheel: every deadline of a reactor. A pure value, owned by the reactor,
// used on its thread; it reads no clock.
//
// Time is cut into ticks of one millisecond and a tick's number is read as eight digits to base
// 64. An entry is kept at the highest digit in which its tick differs from the current one, in
// the slot named by that digit. Three facts follow, and the whole file rests on them:
//
// - A slot that is in use has a higher digit than the current tick at its level: nothing ever
//   wraps around, and the first slot in use is one count of trailing zeroes in a word.
// - Whatever stands at a level is due before whatever stands at the levels above it, so the
//   earliest deadline is found in the first slot of the first level in use.
// - Two entries of one tick are at the same level at the same time, lists are first in, first out,
//   and a slot that is opened hands its entries down in order: so one tick's entries fire in the
//   order in which they were inserted.
//
// An entry moves down at most once per level, so insert, cancel and pop are O(1) amortised. The
// 2^48 ticks of the wheel hold more than the 2^63 nanoseconds of an `Instant`, so there is no
// list of entries that are too far away.

/// Names an entry of a wheel; stale once the entry has fired or was cancelled.
@usableFromInline
package struct TimerID: Hashable, Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let generation: UInt32

    @inlinable
    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

/// Entries with a deadline, popped in the order in which they are due.
@usableFromInline
package struct TimerWheel<Payload> {
    /// A deadline is rounded up to the next multiple of this many nanoseconds.
    @inlinable package static var tickNanoseconds: Int64 { 1_000_000 }
    /// What an entry takes, in bytes.
    package static var entryBytes: Int { MemoryLayout<Entry>.stride }
    @inlinable static var levelCount: Int { 8 }
    @inlinable static var none: Int32 { -1 }
    /// The list of entries that are due, behind the slots of all levels.
    @inlinable static var dueList: Int { levelCount * 64 }

    @usableFromInline
    struct Entry {
        @usableFromInline var payload: Payload?
        @usableFromInline var tick: Int64
        @usableFromInline var next: Int32
        @usableFromInline var previous: Int32
        @usableFromInline var generation: UInt32
        /// The list that this entry is in: level * 64 + digit, or `dueList`.
        @usableFromInline var list: Int32

        @inlinable
        init(payload: consuming Payload, tick: Int64, list: Int32, previous: Int32) {
            self.payload = payload
            self.tick = tick
            self.list = list
            self.previous = previous
            next = -1
            generation = 0
        }

        /// Takes a free entry into use; the free entry behind it.
        @inlinable
        mutating func fill(
            _ payload: consuming Payload, _ tick: Int64, _ list: Int32, _ previous: Int32
        ) -> (nextFree: Int32, generation: UInt32) {
            defer { next = -1 }
            self.payload = payload
            self.tick = tick
            self.list = list
            self.previous = previous
            return (next, generation)
        }

        /// The generation moves on, so that identifiers of the old entry find nothing.
        @inlinable
        mutating func free(_ nextFree: Int32) -> Payload? {
            generation &+= 1
            next = nextFree
            return payload.take()
        }
    }

    @usableFromInline
    struct List {
        @usableFromInline var first: Int32 = -1
        @usableFromInline var last: Int32 = -1
        /// No entry is due before this tick; exact unless the earliest entry was cancelled.
        @usableFromInline var earliest: Int64 = .max

        @inlinable init() {}

        /// The entry becomes the last one; the one before it.
        @inlinable
        mutating func append(_ index: Int32, _ tick: Int64) -> Int32 {
            defer { last = index }
            if last < 0 { first = index }
            earliest = min(earliest, tick)
            return last
        }

        /// An entry between these two goes; whether the list is empty then.
        @inlinable
        mutating func close(_ previous: Int32, _ next: Int32) -> Bool {
            if previous < 0 { first = next }
            if next < 0 { last = previous }
            guard first < 0 else { return false }
            earliest = .max
            return true
        }
    }

    @usableFromInline var entries: ContiguousArray<Entry> = []
    @usableFromInline var firstFree: Int32 = -1
    @usableFromInline var lists: ContiguousArray<List>
    /// One word per level: which of its slots hold entries.
    @usableFromInline var slotsInUse: InlineArray<8, UInt64> = .init(repeating: 0)
    /// One bit per level: whether it holds entries at all.
    @usableFromInline var levelsInUse: UInt32 = 0
    /// Every entry of this tick or an earlier one has been moved to the due list.
    @usableFromInline var currentTick: Int64

    /// How many entries wait.
    @usableFromInline package private(set) var count = 0

    /// An empty wheel at that time.
    @inlinable
    package init(now: Instant) {
        lists = ContiguousArray(repeating: List(), count: Self.dueList + 1)
        currentTick = Self.tickReached(now)
    }

    /// Whether nothing waits.
    @inlinable package var isEmpty: Bool { count == 0 }

    /// When the earliest entry is due, rounded up to the tick: never later than the truth, and
    /// earlier only if the earliest entry was cancelled.
    @inlinable package var nextDeadline: Instant? {
        if lists[Self.dueList].first >= 0 { return Self.instant(of: currentTick) }
        guard levelsInUse != 0 else { return nil }
        return Self.instant(of: lists[firstListInUse()].earliest)
    }

    /// Adds an entry that is due at `deadline`, or at once if that has passed.
    @inlinable
    package mutating func insert(_ payload: consuming Payload, at deadline: Instant) -> TimerID {
        let tick = max(Self.tick(notBefore: deadline), currentTick)
        let list = list(of: tick)
        count += 1
        let index = firstFree
        guard index >= 0 else { return insertNew(payload, tick, list) }
        let previous = lists[list].append(index, tick)
        if previous >= 0 { entries[Int(previous)].next = index }
        let (nextFree, generation) = entries[Int(index)]
            .fill(payload, tick, Int32(truncatingIfNeeded: list), previous)
        firstFree = nextFree
        return TimerID(slot: UInt32(bitPattern: index), generation: generation)
    }

    @inlinable @inline(never)
    mutating func insertNew(_ payload: consuming Payload, _ tick: Int64, _ list: Int) -> TimerID {
        let index = Int32(truncatingIfNeeded: entries.count)
        let previous = lists[list].append(index, tick)
        if previous >= 0 { entries[Int(previous)].next = index }
        entries.append(
            Entry(payload: payload, tick: tick, list: Int32(list), previous: previous))
        return TimerID(slot: UInt32(bitPattern: index), generation: 0)
    }

    /// Takes an entry out before it is due; nil if it has fired or was cancelled already.
    @inlinable
    package mutating func cancel(_ timer: TimerID) -> Payload? {
        let index = Int(timer.slot)
        // A free entry's generation was never given out.
        guard index < entries.count, entries[index].generation == timer.generation else {
            return nil
        }
        return remove(Int32(truncatingIfNeeded: index))
    }

    /// Takes out the next entry that is due at `now`; nil if there is none.
    @inlinable
    package mutating func popExpired(now: Instant) -> Payload? {
        guard advance(to: now) else { return nil }
        return remove(lists[Self.dueList].first)
    }

    /// Moves the wheel on to `now`, but not past an entry that is due; whether one is.
    @inlinable
    package mutating func advance(to now: Instant) -> Bool {
        if lists[Self.dueList].first >= 0 { return true }
        advance(toTick: Self.tickReached(now))
        return lists[Self.dueList].first >= 0
    }

    /// Takes every entry out, due or not, in no order.
    @inlinable
    package mutating func removeAll() -> [(payload: Payload, deadline: Instant)] {
        var all: [(payload: Payload, deadline: Instant)] = []
        for index in entries.indices where entries[index].payload != nil {
            let deadline = Self.instant(of: entries[index].tick)
            if let payload = remove(Int32(index)) { all.append((payload, deadline)) }
        }
        return all
    }

    /// The size of an entry in memory, held by a test.
    package static var bytesPerEntry: Int { MemoryLayout<Entry>.stride }

    // MARK: Ticks

    /// The first tick that is not before the deadline.
    @inlinable
    static func tick(notBefore deadline: Instant) -> Int64 {
        guard deadline.nanoseconds > 0 else { return 0 }
        return (deadline.nanoseconds - 1) / tickNanoseconds + 1
    }

    /// The last tick that the clock has reached.
    @inlinable
    static func tickReached(_ now: Instant) -> Int64 {
        max(0, now.nanoseconds / tickNanoseconds)
    }

    /// When the tick begins; the end of time, if the tick is after it.
    @inlinable
    static func instant(of tick: Int64) -> Instant {
        let (nanoseconds, overflow) = tick.multipliedReportingOverflow(by: tickNanoseconds)
        return Instant(nanoseconds: overflow ? .max : nanoseconds)
    }

    // MARK: Advancing

    /// Opens slots until something is due or the tick is reached.
    @inlinable
    mutating func advance(toTick tick: Int64) {
        while lists[Self.dueList].first < 0, levelsInUse != 0 {
            let list = firstListInUse()
            let start = firstTick(of: list)
            guard start <= tick else { break }
            currentTick = start
            open(list)
        }
        // Only when nothing is due: the next list in use, if any, begins after `tick`, so no
        // entry's level changes by this step.
        if lists[Self.dueList].first < 0 { currentTick = max(currentTick, tick) }
    }

    /// The current tick has reached the slot: its entries are due, or move to a lower level.
    @inlinable
    mutating func open(_ list: Int) {
        var index = lists[list].first
        clear(list)
        while index >= 0 {
            let next = entries[Int(index)].next
            append(index, entries[Int(index)].tick)
            index = next
        }
    }

    /// The first slot in use of the first level in use; some level must be.
    @inlinable
    func firstListInUse() -> Int {
        let level = levelsInUse.trailingZeroBitCount
        return level << 6 | slotsInUse[level].trailingZeroBitCount
    }

    /// The tick at which the slot must be opened: the current tick's higher digits, the slot's
    /// digit, and zeroes.
    @inlinable
    func firstTick(of list: Int) -> Int64 {
        let shift = Int64((list >> 6) * 6)
        return (currentTick >> (shift + 6)) << (shift + 6) | Int64(list & 63) << shift
    }

    // MARK: Lists

    /// The list where a tick belongs, seen from the current tick; marked as in use.
    @inlinable
    mutating func list(of tick: Int64) -> Int {
        guard tick > currentTick else { return Self.dueList }
        let level = (63 - (tick ^ currentTick).leadingZeroBitCount) / 6
        let digit = Int(truncatingIfNeeded: tick >> Int64(level * 6)) & 63
        slotsInUse[level] |= 1 << UInt64(digit)
        levelsInUse |= 1 << UInt32(level)
        return level << 6 | digit
    }

    /// Appends the entry to the list where its tick belongs now.
    @inlinable
    mutating func append(_ index: Int32, _ tick: Int64) {
        let list = list(of: tick)
        let previous = lists[list].append(index, tick)
        if previous >= 0 { entries[Int(previous)].next = index }
        entries[Int(index)].next = Self.none
        entries[Int(index)].previous = previous
        entries[Int(index)].list = Int32(truncatingIfNeeded: list)
    }

    /// Takes the entry out of its list and frees it.
    @inlinable
    mutating func remove(_ index: Int32) -> Payload? {
        let (next, previous) = (entries[Int(index)].next, entries[Int(index)].previous)
        let list = Int(entries[Int(index)].list)
        if next >= 0 { entries[Int(next)].previous = previous }
        if previous >= 0 { entries[Int(previous)].next = next }
        if lists[list].close(previous, next) { unmark(list) }
        count -= 1
        defer { firstFree = index }
        return entries[Int(index)].free(firstFree)
    }

    /// Empties a list whose entries are being moved.
    @inlinable
    mutating func clear(_ list: Int) {
        lists[list] = List()
        unmark(list)
    }

    /// Marks a list as not in use.
    @inlinable
    mutating func unmark(_ list: Int) {
        guard list < Self.dueList else { return }
        let level = list >> 6
        slotsInUse[level] &= ~(1 << UInt64(list & 63))
        if slotsInUse[level] == 0 { levelsInUse &= ~(1 << UInt32(level)) }
    }
}
