// The reactor: one thread's loop over descriptors, timers and jobs, and the box for what belongs
// to that thread. These are the only two types of the project that are `@unchecked Sendable`.
//
// Why that is sound
//
// A reactor belongs to one thread. Everything it owns falls in one of three kinds:
//
//  1. Constants, set before anybody else can see the reactor: the owner's thread number, the
//     configuration, the descriptors, the inbox (an object with a lock of its own).
//  2. The inbox's content, behind its lock, and `serialFace`, behind a `Mutex`.
//  3. All the rest: slots, timers, jobs, actions, the clock. Every entrance to it asks first
//     whether the caller's thread number is the owner's. The number is a thread-local variable;
//     numbers are given once per process and never again, so that a later thread can't be taken
//     for a dead owner. The question costs one load and one comparison and is asked in release
//     builds too; a wrong answer traps with a sentence. So kind 3 is only ever touched by one
//     thread, and needs no lock.
//
// `startThread` sets the number before the thread runs its first instruction of ours, and
// pthread_create(3) orders everything before it; that is how a reactor changes hands once. An
// embedded reactor changes hands with its host (`adoptThread`): only `turn` and the callback face,
// which is not Sendable, adopt it, and their host serialises them.
//
// What other threads want done goes through the inbox: `post`, jobs of tasks, releases. Its lock
// orders what the sender did before with what the reactor does after.
//
// `ReactorBound` carries a value of any type across threads without looking at it. Its one
// accessor asks the same question. When its last copy dies on another thread, the value's last
// reference is posted to the reactor instead of being released there, so no deinitialiser of the
// inside runs elsewhere. Once the reactor has ended nobody runs on its behalf: such releases then
// happen where they are, one at a time, under the lock that the ending reactor itself holds while
// it lets go of what it has.
//
// fork(2): the child's thread has lost its number, so in the child every reactor of the parent
// belongs to nobody. Calls that can throw throw `SystemError.forked`; `post` returns false;
// the epoll set, which parent and child share, is left alone; other uses trap with a sentence.

public import CFetchLinux  // for `isCurrent`, which is inlinable
public import FetchTime  // for `now`, which is inlinable
internal import Glibc
public import Synchronization  // for the same

/// One thread's loop: waits for descriptors and timers, and runs what is ready.
///
/// There are three ways in. ``run(_:_:)`` owns the calling thread until its body returns,
/// ``startThread(_:name:)`` makes a thread, and ``embedded(_:)`` hands another loop a descriptor to
/// wait for and a ``turn(maxEvents:)`` to call.
///
/// A reactor is a task executor: `Task(executorPreference: reactor) { }` runs on its thread, and
/// so does everything nonisolated that the task calls.
public final class Reactor: TaskExecutor, @unchecked Sendable {
    // Constants: any thread.
    /// The number of the thread that this reactor belongs to.
    ///
    /// Set once, but for an embedded reactor: there the host's thread of the day adopts it.
    @usableFromInline let owner: Atomic<UInt64>
    /// In which generation of forks it was made.
    let forks: UInt64
    let configuration: Configuration
    package let isEmbedded: Bool
    let poller: Poller
    let inbox: Inbox
    /// A timerfd; -1 for those who wait in epoll_wait(2) itself, or on virtual time.
    let timerDescriptor: CInt
    /// See `Executors.swift`.
    let serialFace = Mutex<(face: ReactorSerialExecutor?, mayBeKept: Bool)>((nil, true))
    /// Whether it is inside a turn; an embedded reactor is asked by who would adopt it.
    private let turning = Atomic(false)

    // Everything below is touched by the owner's thread alone.
    @ThreadBound var slots: ContiguousArray<RegistrationSlot> = []
    @ThreadBound var freeSlots: ContiguousArray<Int> = []
    var registrationCount = 0
    @ThreadBound var timers: TimerWheel<Timer>
    /// What the timerfd is armed for; the end of time when it has fired.
    var armedFor = Instant.distantFuture
    @ThreadBound var jobs = JobQueue()
    @ThreadBound var actions: ContiguousArray<() -> Void> = []
    /// Those that were put off.
    @ThreadBound var deferred: ContiguousArray<Deferred> = []
    @ThreadBound var spareActions: ContiguousArray<() -> Void> = []
    @ThreadBound var received: [InboxEntry] = []
    /// Whether the eventfd was seen, or the inbox must be looked at for another reason.
    var inboxHasNews = false
    var closeHooks: [(id: Int, action: () -> Void)] = []
    var closeHooksMade = 0
    /// The clock as it was read last. A constant that holds a pointer, and not a wrapped property:
    /// read in other rooms, a variable of this class would be checked for exclusivity.
    @usableFromInline let clockReading: ThreadBound<ClockReading>
    @usableFromInline let ticksOfALongCall = fetch_ticks_of_a_long_call()
    let virtualClock_: VirtualClock?
    /// The virtual clock as other threads see it.
    let virtualNanoseconds: Atomic<Int64>
    /// See `Sleeping.swift`.
    lazy var delayedJobs = DelayedJobs(self)
    /// See `serveTimers`.
    @ThreadBound var sweep: Sweep?
    var isTurning: Bool {
        get { turning.load(ordering: .acquiring) }
        set { turning.store(newValue, ordering: .releasing) }
    }
    /// The end has begun: nobody may wait any more.
    var isEnding = false
    var isClosed = false
    /// The body of `run` has returned.
    var bodyIsOver = false
    /// An embedding loop said `stop` inside a turn.
    var stopsAfterTurn = false
    /// The name of the reactor's own thread.
    var threadName = ""
    /// The descriptor of Dispatch's main queue while it is drained here, or -1.
    var mainQueueDescriptor: CInt = -1
    var turnsMade: UInt64 = 0
    /// Whether the last poll found anything but the reactor's own descriptors.
    var foundReady = false
    var isGlobalExecutor = false
    /// Whether an embedding loop has been told (by the eventfd) that there is work.
    var isSignalled = false

    init(_ configuration: Configuration, owner: UInt64, isEmbedded: Bool) throws(SystemError) {
        fetch_watch_forks()
        self.owner = Atomic(owner)
        self.configuration = configuration
        self.isEmbedded = isEmbedded
        forks = fetch_fork_count()
        inbox = try Inbox()
        let needsTimerDescriptor = isEmbedded && configuration.virtualTime == nil
        timerDescriptor = needsTimerDescriptor ? try Self.makeTimerDescriptor() : -1
        virtualClock_ = configuration.virtualTime.map { VirtualClock($0) }
        let start =
            configuration.virtualTime?.start.instant
            ?? Instant(nanoseconds: fetch_nanoseconds(CLOCK_MONOTONIC))
        clockReading = ThreadBound(wrappedValue: ClockReading(now: start))
        virtualNanoseconds = Atomic(start.nanoseconds)
        timers = TimerWheel(now: start)
        do throws(SystemError) {
            poller = try Poller(maxEvents: configuration.maxEventsPerTurn)
        } catch {
            if timerDescriptor >= 0 { _ = close(timerDescriptor) }
            throw error
        }
        try poller.add(inbox.eventDescriptor, fetch_EPOLLIN | fetch_EPOLLET, tag: Tag.inbox)
        if timerDescriptor >= 0 {
            try poller.add(timerDescriptor, fetch_EPOLLIN | fetch_EPOLLET, tag: Tag.timer)
        }
    }

    deinit {
        if timerDescriptor >= 0 { _ = Glibc.close(timerDescriptor) }
        poller.close()
        clockReading.deallocate()
        _slots.deallocate()
        _freeSlots.deallocate()
        _timers.deallocate()
        _jobs.deallocate()
        _actions.deallocate()
        _deferred.deallocate()
        _spareActions.deallocate()
        _received.deallocate()
        _sweep.deallocate()
    }

    // MARK: Whose thread is this?

    /// The reactor that is running on the calling thread; nil elsewhere.
    ///
    /// An embedded reactor is current while its `turn` runs.
    public static var current: Reactor? {
        // The pointer is set while a strong reference is held further up this thread's stack.
        guard let pointer = unsafe fetch_current_reactor() else { return nil }
        return unsafe Unmanaged<Reactor>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Whether the caller is on this reactor's thread, turning or not.
    @inlinable package var isCurrent: Bool {
        fetch_thread_number() == owner.load(ordering: .relaxed)
    }

    /// Traps unless the caller is on this reactor's thread.
    @inlinable
    package func checkThread() {
        if !isCurrent { isElsewhere() }
    }

    /// Makes the calling thread an embedded reactor's, unless it is that already.
    ///
    /// A host's loop may move from thread to thread, as a serial queue does. It serialises its
    /// calls, and that is what orders one thread's use before the next one's; a turn that is under
    /// way on another thread is noticed.
    package func adoptThread() {
        if isCurrent { return }
        guard isEmbedded, !isForked, !isTurning else {
            isElsewhere()
        }
        owner.store(Self.adoptThisThread(), ordering: .relaxed)
    }

    @usableFromInline
    func isElsewhere() -> Never {
        if isForked { fatalError("\(SystemError.forked)") }
        fatalError("what belongs to a reactor's thread was used on another thread")
    }

    /// Whether this process is a child of the one that made the reactor.
    package var isForked: Bool { forks != fetch_fork_count() }

    /// Throws `forked` in a child and `closed` after the end; traps on another thread.
    package func checkUsable() throws(SystemError) {
        if isForked { throw .forked }
        checkThread()
        if isClosed { throw .closed }
    }

    // MARK: Time

    /// `now`, for those who are on the thread for certain.
    @inlinable var cachedNow: Instant { clockReading.wrappedValue.now }

    /// The time, as of this batch of callbacks; refreshed after each long one. Reads no clock.
    @inlinable package var now: Instant {
        checkThread()
        return cachedNow
    }

    /// Reads the clock again if `now` may be a millisecond old: for what begins in the middle of a
    /// long callback, or between two turns of an embedding loop.
    @inlinable
    package func refreshNow() {
        checkThread()
        refreshClockAfterLongCall()
    }

    /// Both clocks: `now`, and the wall clock, which is read.
    package var nowWithWall: Now {
        checkThread()
        if let virtualClock_ { return virtualClock_.now }
        let (seconds, rest) = fetch_nanoseconds(CLOCK_REALTIME)
            .quotientAndRemainder(dividingBy: 1_000_000_000)
        return Now(
            instant: cachedNow, wall: Timestamp(seconds: seconds, nanoseconds: Int32(rest)))
    }

    /// The virtual clock, if that is what this reactor keeps.
    package var virtualClock: VirtualClock? {
        checkThread()
        return virtualClock_
    }

    /// Lets other threads go before this reactor's, for good: for work that nobody waits for. A
    /// thread that wakes takes its processor at once, or after a tenth of a millisecond.
    package func giveWay() {
        checkThread()
        _ = fetch_give_way(10, 100_000)
    }

    /// How many turns have begun: what was looked at in this turn need not be looked at again.
    package var turnNumber: UInt64 {
        checkThread()
        return turnsMade
    }

    // MARK: Later, and from elsewhere

    /// Runs the action later in this turn: after ready I/O and timers, before the next poll.
    /// Dropped once the reactor has ended.
    package func enqueue(_ action: @escaping () -> Void) {
        checkThread()
        guard !isClosed else { return }
        actions.append(action)
        signalIfOutsideTurn()
    }

    /// Runs the action in a later turn than this: the first one whose poll finds nothing, or the
    /// next one after `patience` nanoseconds. Once anything else was ready meanwhile, it isn't run
    /// within `gap` nanoseconds either. For work that is done a little at a time, while nobody
    /// waits for anything else. Dropped once the reactor has ended.
    package func enqueueWhenIdle(
        after gap: Int64 = 0, orAfter patience: Int64 = 0, _ action: @escaping () -> Void
    ) {
        checkThread()
        guard !isClosed else { return }
        deferred.append(
            Deferred(
                action: action, turn: turnsMade, earliest: cachedNow.adding(nanoseconds: gap),
                deadline: cachedNow.adding(nanoseconds: patience)))
        signalIfOutsideTurn()
    }

    /// Runs the action on the reactor's thread; first come, first served among those of one thread.
    ///
    /// From any thread. Returns false, and drops the action, once the reactor has ended or in a
    /// forked child; after true it will run.
    @discardableResult
    package func post(_ action: @escaping @Sendable () -> Void) -> Bool {
        if isForked { return false }
        guard isCurrent else { return inbox.put(.action(action)) }
        guard !isClosed else { return false }
        actions.append(action)
        signalIfOutsideTurn()
        return true
    }

    /// Gives up a reference on the reactor's thread; see the essay. It must be the caller's only
    /// one: the reactor may have let go of it before this returns.
    @usableFromInline
    func release(_ reference: Unmanaged<AnyObject>) {
        // The reference's count is kept up by hand from its holder to `serve`.
        if isForked { return unsafe reference.release() }  // on the child's only thread
        if unsafe inbox.put(.release(reference)) { return }
        inbox.lettingGo { unsafe reference.release() }
    }
}

/// What the clock said when it was read, and the processor's counter then.
@usableFromInline
struct ClockReading {
    @usableFromInline var now: Instant
    @usableFromInline var ticks: UInt64 = 0
}

/// Holds what belongs to a reactor's thread, and may itself go anywhere.
@usableFromInline
package struct ReactorBound<Value>: @unchecked Sendable {
    @usableFromInline let keeper: ReactorKeeper<Value>

    init(keeper: ReactorKeeper<Value>) {
        self.keeper = keeper
    }

    /// Binds a value that nobody else holds; on any thread.
    @inlinable
    package init(_ value: sending Value, on reactor: Reactor) {
        keeper = ReactorKeeper(value, on: reactor)
    }

    /// Binds a value that lives on the reactor's thread already; traps on another thread.
    @inlinable
    package init(here value: Value, on reactor: Reactor) {
        reactor.checkThread()
        keeper = ReactorKeeper(value, on: reactor)
    }

    /// The value, on the reactor's thread; traps elsewhere, in every build.
    @inlinable package var value: Value {
        keeper.reactor.checkThread()
        // The keeper, which is alive here, holds a reference.
        return unsafe keeper.holder._withUnsafeGuaranteedRef { $0.value }
    }

    /// The reactor that the value belongs to.
    @inlinable package var reactor: Reactor { keeper.reactor }
}

/// Shared by all copies of a `ReactorBound`; its end is the end of the last copy.
///
/// The unsafe reference is counted by hand: one from `init` to `deinit`, which hands it over. Were
/// it an ordinary property, it would be given up on this thread after the other one was handed
/// over, and whichever thread came last would run the inside's `deinit`.
@safe
@usableFromInline
final class ReactorKeeper<Value> {
    @usableFromInline let reactor: Reactor
    @usableFromInline let holder: Unmanaged<ReactorHolder<Value>>

    @inlinable
    init(_ value: Value, on reactor: Reactor) {
        self.reactor = reactor
        unsafe holder = .passRetained(ReactorHolder(value))
    }

    @inlinable
    deinit {
        if reactor.isCurrent {
            unsafe holder.release()
        } else {
            unsafe reactor.release(.fromOpaque(holder.toOpaque()))
        }
    }
}

/// The value as an object, so that its last reference can be handed over.
@usableFromInline
final class ReactorHolder<Value> {
    @usableFromInline let value: Value

    @inlinable
    init(_ value: Value) {
        self.value = value
    }
}
