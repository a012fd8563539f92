// The calls of one batch, between the consumer's task and the reactor's thread.
//
// A batch makes no task: its consumer pulls the next item, plans it and hands it over, and the
// engine's receiver tells here how the call ended. What has ended waits in a mailbox; the consumer
// takes all of it at once, and waits only when it is empty. One continuation per wait, one post per
// handful of calls, and both only where a thread is crossed or nothing is there.

internal import FetchEngine
internal import FetchReactor
internal import Synchronization

/// A call that is to begin. A seat is the place that it has in its batch until it is over.
struct BatchDeparture: Sendable {
    let seat: Int
    let plan: CallPlan
}

/// A call that is over.
struct BatchArrival: Sendable {
    let seat: Int
    let result: Result<Response, any Error>
}

/// Any thread, but where a method says otherwise.
final class BatchRun: Sendable {
    @safe
    private struct Mailbox {
        var arrivals: [BatchArrival] = []
        /// Something else has happened that the consumer must look at.
        var isWoken = false
        var consumer: UnsafeContinuation<Void, Never>?
    }

    private let engine: ReactorBound<Engine>
    private let seats: ReactorBound<BatchSeats>
    private let mailbox = Mutex(Mailbox())
    private let stopped = Atomic(false)

    init(_ engine: ReactorBound<Engine>) {
        self.engine = engine
        seats = ReactorBound(BatchSeats(), on: engine.reactor)
    }

    // MARK: The consumer's side

    /// Begins these calls; each arrives once.
    func begin(_ departures: [BatchDeparture]) {
        if engine.reactor.isCurrent { return beginHere(departures) }
        if engine.reactor.post({ self.beginHere(departures) }) { return }
        refuse(departures, Fetcher.closed(engine.reactor))
    }

    /// What has arrived since it was asked last.
    func takeArrivals() -> [BatchArrival] {
        mailbox.withLock { mailbox in
            mailbox.isWoken = false
            guard !mailbox.arrivals.isEmpty else { return [] }
            var taken: [BatchArrival] = []
            swap(&taken, &mailbox.arrivals)
            return taken
        }
    }

    /// Waits until something arrives, or is to be looked at. A cancelled task stops the batch.
    func wait() async {
        await withTaskCancellationHandler {
            await waitForArrivals()
        } onCancel: {
            stop()
        }
    }

    /// The same, whatever becomes of the task.
    func waitForArrivals() async {
        // Whoever takes the continuation out resumes it.
        await unsafe withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isThere = mailbox.withLock { mailbox in
                guard mailbox.arrivals.isEmpty, !mailbox.isWoken else { return true }
                unsafe mailbox.consumer = continuation
                return false
            }
            if isThere { unsafe continuation.resume() }
        }
    }

    /// Lets the consumer look again.
    func wake() {
        // Taken out, so that nobody else resumes it.
        let consumer = unsafe mailbox.withLock { mailbox in
            mailbox.isWoken = true
            return unsafe mailbox.consumer.take()
        }
        unsafe consumer?.resume()
    }

    /// Cancels every call of the batch; each still arrives. Nothing begins any more.
    func stop() {
        guard !stopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        wake()
        if engine.reactor.isCurrent {
            seats.value.cancel(in: engine.value)
        } else {
            engine.reactor.post { [engine, seats] in seats.value.cancel(in: engine.value) }
        }
    }

    // MARK: The reactor's side

    private func beginHere(_ departures: [BatchDeparture]) {
        do {
            // Nobody tells of a call that begins after the reactor's end.
            try engine.reactor.checkUsable()
        } catch {
            return refuse(departures, FetchError.made(of: error))
        }
        if stopped.load(ordering: .acquiring) { return refuse(departures, CancellationError()) }
        let engine = engine.value
        let calls = BatchCalls.receiver(of: engine)
        let seats = seats.value
        for departure in departures {
            let id = engine.begin(departure.plan)
            calls.expect(id, self, seat: departure.seat)
            seats.took(departure.seat, id)
        }
    }

    private func refuse(_ departures: [BatchDeparture], _ error: any Error) {
        for departure in departures {
            put(BatchArrival(seat: departure.seat, result: .failure(error)))
        }
    }

    /// A call is over; on the reactor's thread.
    func arrived(_ seat: Int, _ result: Result<Response, any Error>) {
        seats.value.left(seat)
        put(BatchArrival(seat: seat, result: result))
    }

    private func put(_ arrival: BatchArrival) {
        // Taken out, so that nobody else resumes it.
        let consumer = unsafe mailbox.withLock { mailbox in
            mailbox.arrivals.append(arrival)
            return unsafe mailbox.consumer.take()
        }
        unsafe consumer?.resume()
    }
}

/// The names of a batch's calls, by seat: for cancelling them. Reactor thread.
final class BatchSeats {
    private var calls: [CallID?] = []

    func took(_ seat: Int, _ id: CallID) {
        while seat >= calls.count { calls.append(nil) }
        calls[seat] = id
    }

    func left(_ seat: Int) {
        calls[seat] = nil
    }

    func cancel(in engine: Engine) {
        for case let id? in calls { engine.cancel(id) }
    }
}

/// Who is told of the calls of a `Fetcher`'s batches, all of them: the engine knows one receiver,
/// and only batches begin calls for it. By slots, as in `Completions`. Reactor thread.
final class BatchCalls: CallReceiver {
    private struct Member {
        let run: BatchRun
        let seat: Int
    }

    @ThreadBound private var members: [Member?] = []

    deinit {
        _members.deallocate()
    }

    /// The engine's, made when its first batch begins.
    static func receiver(of engine: Engine) -> BatchCalls {
        if let calls = engine.receiver as? BatchCalls { return calls }
        let calls = BatchCalls()
        engine.receiver = calls
        return calls
    }

    /// Whose call this is. Before that nothing of it is told.
    func expect(_ id: CallID, _ run: BatchRun, seat: Int) {
        let slot = Int(id.slot)
        while slot >= members.count { members.append(nil) }
        members[slot] = Member(run: run, seat: seat)
    }

    func callEnded(_ id: CallID, _ response: WholeResponse) {
        let member = members[Int(id.slot)].take()
        member?.run.arrived(member?.seat ?? 0, .success(Response(whole: response)))
    }

    func callFailed(_ id: CallID, _ failure: CallFailure) {
        let member = members[Int(id.slot)].take()
        member?.run.arrived(member?.seat ?? 0, .failure(FetchError.made(of: failure)))
    }
}
