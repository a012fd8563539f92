// A turn of the loop, in the order in which things happen: poll, what came from other threads,
// ready I/O, due timers, jobs and actions. Reactor thread.
//
// Ready I/O is served before due timers, however overdue they are: a timer fires only after the
// kernel was asked, once the timer was known to be due, what is ready, and all of that was served.
// So data that has arrived never times out, be it that the process was stopped for a minute or
// that a callback took as long.
//
// Everything in a turn is bounded (`Configuration`); what is left makes the next poll not wait.

public import CFetchLinux  // for an inlinable look at the tick counter
internal import FetchTime
internal import Glibc
internal import Synchronization

/// Tags of the reactor's own descriptors: beyond any slot's number.
enum Tag {
    static let inbox: UInt64 = 0xffff_ffff
    static let timer: UInt64 = 0xffff_fffe
    static let mainQueue: UInt64 = 0xffff_fffd
}

/// Serving all that is ready before timers that are due: as of when they were, and how many events
/// have been served since. epoll hands ready descriptors out in turn, so after as many events as
/// there are registrations none has been left out.
struct Sweep {
    let dueAt: Instant
    var eventsServed = 0
}

/// An action that was put off in a turn, until the loop is idle or a moment has come.
struct Deferred {
    let action: () -> Void
    let turn: UInt64
    /// Not before this, once something else was ready meanwhile.
    let earliest: Instant
    let deadline: Instant
    var isOvertaken = false
}

extension Reactor {
    /// Serves what is ready and returns without waiting; how many events, timers, jobs and actions
    /// were served. For an embedding loop, on the thread that made the reactor.
    ///
    /// What is left over after the bounds leaves `fileDescriptor` readable. After `stop` it does
    /// nothing.
    @discardableResult
    public func turn(maxEvents: Int = .max) -> Int {
        guard isEmbedded else {
            fatalError("Reactor.turn is for embedded reactors; this one turns by itself")
        }
        adoptThread()
        guard !isTurning else { fatalError("Reactor.turn was called inside a turn") }
        guard !isClosed else { return 0 }
        return whileCurrent {
            let served = turn(waiting: false, maxEvents: maxEvents)
            settle()
            if stopsAfterTurn { end() }
            return served
        }
    }

    /// One turn.
    func turn(waiting: Bool, maxEvents: Int) -> Int {
        isTurning = true
        turnsMade &+= 1
        let limit = max(1, min(maxEvents, configuration.maxEventsPerTurn))
        var served = serveReady(milliseconds: waiting ? pollTimeout() : 0, limit)
        if !deferred.isEmpty { takeDeferred() }
        if served == 0 { jumpIfIdle() }
        served += serveInbox()
        served += serveTimers(limit)
        served += runJobs()
        isTurning = false
        return served
    }

    // MARK: Ready I/O

    /// Polls once and calls the handlers of what is ready. The clock is read between.
    private func serveReady(milliseconds: CInt, _ limit: Int) -> Int {
        let count = poller.wait(milliseconds: milliseconds, atMost: limit)
        refreshClock()
        foundReady = false
        for index in 0..<count {
            let event = poller.event(index)
            let slot = Int(truncatingIfNeeded: event.tag & 0xffff_ffff)
            guard slot < slots.count else {
                serveOwnDescriptor(event.tag)
                continue
            }
            // A stale event: its registration ended, perhaps in a callback of this very batch.
            guard slots[slot].generation == UInt32(truncatingIfNeeded: event.tag >> 32),
                let handler = slots[slot].handler
            else { continue }
            foundReady = true
            handler.descriptorReady(Readiness(rawValue: event.mask))
            runJobsOfEvent()
            refreshClockAfterLongCall()
        }
        sweep?.eventsServed += count
        return count
    }

    /// Runs the jobs that an event brought about right behind it, a few of them, while what it left
    /// is in the caches: a task that is resumed takes its response and lets go of it before the
    /// next one is made. The others wait for the turn's end.
    @inline(__always)
    private func runJobsOfEvent() {
        guard !jobs.isEmpty else { return }
        var left = Self.jobsPerEvent
        while left > 0, let job = jobs.next() {
            run(job)
            left -= 1
        }
        jobs.compact()
    }

    private static var jobsPerEvent: Int { 4 }

    private func serveOwnDescriptor(_ tag: UInt64) {
        switch tag {
        case Tag.inbox: (inboxHasNews, isSignalled) = (true, false)
        case Tag.timer: armedFor = .distantFuture
        default: drainMainQueue()
        }
    }

    // MARK: From other threads

    /// Runs what other threads handed over; the eventfd told that there is something.
    private func serveInbox() -> Int {
        guard inboxHasNews else { return 0 }
        inboxHasNews = false
        inbox.takeAll(into: &received)
        let count = received.count
        for entry in received { serve(entry) }
        received.removeAll(keepingCapacity: count <= 1_024)
        return count
    }

    func serve(_ entry: InboxEntry) {
        switch entry {
        case .job(let job): jobs.append(job)
        case .action(let action): actions.append(action)
        // The other half of `release(_:)`.
        case .release(let reference): unsafe reference.release()
        }
    }

    // MARK: Timers

    /// Fires what is due, after everything that was ready when it became due.
    private func serveTimers(_ limit: Int) -> Int {
        guard sweep != nil || timers.advance(to: cachedNow) else { return 0 }
        var sweeping = sweep ?? Sweep(dueAt: cachedNow)
        sweep = sweeping
        var served = serveReady(milliseconds: 0, limit)
        sweeping = sweep ?? sweeping
        if served >= limit, sweeping.eventsServed < registrationCount { return served }
        sweep = nil
        let bound = max(1, configuration.maxTimersPerTurn)
        var left = bound
        while left > 0, let timer = timers.popExpired(now: sweeping.dueAt) {
            timer.handler.timerFired(timer.token)
            refreshClockAfterLongCall()
            left -= 1
        }
        served += bound - left
        return served
    }

    // MARK: Jobs and actions

    /// Runs jobs and actions, and those that they bring about, within the turn's bound.
    private func runJobs() -> Int {
        let bound = max(1, configuration.maxJobsPerTurn)
        var left = bound
        while left > 0 {
            let before = left
            while left > 0, let job = jobs.next() {
                run(job)
                refreshClockAfterLongCall()
                left -= 1
            }
            if !actions.isEmpty { left -= runActions() }
            if left == before { break }
        }
        jobs.compact()
        return bound - left
    }

    /// Runs the actions that are there now. Those that they add wait for the next round.
    private func runActions() -> Int {
        swap(&actions, &spareActions)
        var batch = ContiguousArray<() -> Void>()
        swap(&batch, &spareActions)
        for action in batch {
            action()
            refreshClockAfterLongCall()
        }
        let count = batch.count
        batch.removeAll(keepingCapacity: count <= 1_024)
        swap(&batch, &spareActions)
        return count
    }

    /// What was put off until now.
    @inline(never)
    private func takeDeferred() {
        let (now, turn, isIdle) = (cachedNow, turnsMade, !foundReady)
        let isTaken = { (it: Deferred) in
            it.turn != turn
                && (isIdle && (!it.isOvertaken || it.earliest <= now) || it.deadline <= now)
        }
        for it in deferred where isTaken(it) { actions.append(it.action) }
        deferred.removeAll(where: isTaken)
        guard !isIdle else { return }
        for index in deferred.indices { deferred[index].isOvertaken = true }
    }

    /// When the loop has to see whether it is idle, for the sake of what was put off.
    private var nextDeferred: Instant? {
        deferred.lazy.map { $0.isOvertaken ? $0.earliest : Instant(nanoseconds: .min) }.min()
    }

    /// Whether something waits that no descriptor will tell of.
    var hasLocalWork: Bool {
        if !jobs.isEmpty || !actions.isEmpty { return true }
        return !deferred.isEmpty && nextDeferred.map { $0 <= cachedNow } ?? false
    }

    // MARK: Waiting

    /// When there is work again, whatever becomes ready.
    var nextDeadline: Instant? {
        guard !deferred.isEmpty, let next = nextDeferred else { return timers.nextDeadline }
        return timers.nextDeadline.map { min($0, next) } ?? next
    }

    /// Milliseconds to wait in the poll: rounded up, so that nothing is early.
    private func pollTimeout() -> CInt {
        if hasLocalWork || sweep != nil || inboxHasNews { return 0 }
        guard let deadline = nextDeadline else { return -1 }
        if let virtualClock_ { return virtualClock_.jumps ? 0 : -1 }
        refreshClockAfterLongCall()
        let nanoseconds = deadline.nanoseconds(since: cachedNow)
        guard nanoseconds > 0 else { return 0 }
        return CInt(clamping: (nanoseconds - 1) / 1_000_000 + 1)
    }

    /// Virtual time passes when nothing else happens.
    private func jumpIfIdle() {
        guard let virtualClock_, virtualClock_.jumps, !isEnding, !hasLocalWork,
            let deadline = nextDeadline
        else { return }
        virtualClock_.move(to: deadline)
        refreshClock()
    }

    // MARK: The clock

    @usableFromInline
    func refreshClock() {
        if let virtualClock_ {
            clockReading.wrappedValue.now = virtualClock_.now.instant
            virtualNanoseconds.store(cachedNow.nanoseconds, ordering: .relaxed)
            return
        }
        clockReading.wrappedValue = ClockReading(
            now: Instant(nanoseconds: fetch_nanoseconds(CLOCK_MONOTONIC)), ticks: fetch_ticks())
    }

    /// The time as another thread sees it: read, or as of the last turn if it is virtual.
    func nowElsewhere() -> Instant {
        guard configuration.virtualTime == nil else {
            return Instant(nanoseconds: virtualNanoseconds.load(ordering: .relaxed))
        }
        return Instant(nanoseconds: fetch_nanoseconds(CLOCK_MONOTONIC))
    }

    /// Reads the clock again if about a millisecond may have passed since it was read.
    @inlinable
    func refreshClockAfterLongCall() {
        if fetch_ticks() &- clockReading.wrappedValue.ticks > ticksOfALongCall { refreshClock() }
    }

    // MARK: For an embedding loop

    /// Makes the descriptor tell the truth after a turn: readable if work is left, and in time for
    /// the next timer.
    private func settle() {
        if hasLocalWork || sweep != nil { signalOwnLoop() }
        armTimerDescriptor()
    }

    /// Work was added between two turns: the embedding loop must hear of it.
    @inline(__always)
    func signalIfOutsideTurn() {
        if isEmbedded, !isTurning { signalOwnLoop() }
    }

    private func signalOwnLoop() {
        guard !isSignalled, !isForked else { return }
        isSignalled = true
        inbox.signal()
    }
}
