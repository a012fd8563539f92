// A load run while it runs: the schedule, the tally and the callers that wait for a request to fall
// due. Lives on one reactor's thread; callers reach it through `ReactorBound`.

import CBench
import Fetch
import FetchReactor
import FetchTime
import Glibc

/// State of one load run.
final class LoadRun {
    private var schedule: Schedule
    private(set) var tally = Tally()
    /// When the last request ended, or the run began.
    private(set) var lastEndedAt: UInt64
    /// Callers without a request, in an open loop.
    private var idle: [(Start?) -> Void] = []
    private var pacer: Pacer?
    /// Chains of callbacks that still go on, and who waits for their end.
    private var callers = 0
    private var whenCallersEnded: CheckedContinuation<Void, Never>?

    /// Asks the client.
    var statistics: (() async -> FetcherStatistics?)?
    /// Ends the requests in flight, where cancelling the callers' tasks doesn't.
    var cancelCalls: (() -> Void)?

    let startedAt: UInt64

    init(_ plan: LoadPlan, on reactor: Reactor) throws {
        startedAt = monotonicNanoseconds()
        lastEndedAt = startedAt
        schedule = Schedule(plan.amount, rate: plan.rate, startingAt: startedAt)
        if plan.rate != nil { pacer = try Pacer(on: reactor) }
        pacer?.run = self
    }

    /// The next request for a caller that is free; the caller parks when there is none yet.
    func take() -> Schedule.Step {
        let step = schedule.next(now: monotonicNanoseconds())
        if case .start(let start) = step, start.isLate { tally.startedLate() }
        return step
    }

    /// Keeps a caller until a request is due; nil tells it that no more will come.
    func park(until due: UInt64, _ caller: @escaping (Start?) -> Void) {
        idle.append(caller)
        pacer?.wake(at: due)
    }

    func succeeded(_ start: Start, status: Int, bytes: Int) {
        lastEndedAt = monotonicNanoseconds()
        tally.succeeded(status: status, bytes: bytes, nanoseconds: lastEndedAt - start.intended)
    }

    func failed(_ start: Start, code: String) {
        lastEndedAt = monotonicNanoseconds()
        tally.failed(code: code, nanoseconds: lastEndedAt - start.intended)
    }

    /// No request starts any more; those in flight may end. In an open loop those that are due
    /// already still start: left out, they would take their long waits with them.
    func timeIsOver() {
        if schedule.rate == nil || Interruption.isRequested { schedule.stop() }
        releaseDue()
    }

    /// Counts what was due and never started; the grace is over.
    func abandonDue() {
        while !Interruption.isRequested, case .start(let start) = take() {
            failed(start, code: "not-started")
        }
        schedule.stop()
        releaseDue()
    }

    /// A request was cut off at the end of the grace; after Ctrl-C nobody wants to know.
    func cutOff(_ start: Start) {
        if !Interruption.isRequested { failed(start, code: "unfinished") }
    }

    var wallSeconds: Double { Double(lastEndedAt - startedAt) / 1e9 }

    func callersBegan(_ count: Int) {
        callers += count
    }

    /// Whether a chain still goes on.
    var hasCallers: Bool { callers > 0 }

    func callerEnded() {
        callers -= 1
        if callers == 0 {
            whenCallersEnded?.resume()
            whenCallersEnded = nil
        }
    }

    /// Returns when every chain has ended.
    func callersEnded() async {
        if callers == 0 { return }
        await withCheckedContinuation { whenCallersEnded = $0 }
    }

    /// Takes the timer away; the figures stay.
    func end() {
        pacer?.end()
        pacer = nil
        cancelCalls = nil
    }

    fileprivate func releaseDue() {
        while !idle.isEmpty {
            switch take() {
            case .start(let start): idle.removeLast()(start)
            case .wait(let due): return pacer?.wake(at: due) ?? ()
            case .finished: idle.removeLast()(nil)
            }
        }
    }
}

/// A timerfd on the reactor: an open loop needs its requests on time, and the reactor's own timers
/// tick once a millisecond.
private final class Pacer: ReadinessHandler {
    private let reactor: Reactor
    private let timer: CInt
    private var registration: Registration?
    /// What the timer is set to. Every caller that parks waits for the same request.
    private var due: UInt64?
    weak var run: LoadRun?

    init(on reactor: Reactor) throws {
        self.reactor = reactor
        timer = try check(bench_timer(), "timerfd_create")
        registration = try reactor.register(timer, .readable, self)
    }

    func wake(at due: UInt64) {
        guard due != self.due else { return }
        self.due = due
        bench_timer_set(timer, due)
    }

    func descriptorReady(_ readiness: Readiness) {
        var expirations: UInt64 = 0
        // Eight bytes, which make the descriptor quiet again.
        _ = unsafe read(timer, &expirations, 8)
        due = nil
        run?.releaseDue()
    }

    func end() {
        registration.map { reactor.deregister($0) }
        registration = nil
        close(timer)
    }
}
