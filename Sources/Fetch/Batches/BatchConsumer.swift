// One pass through a batch, on the consumer's side: it pulls an item only when one may start, so
// that neither the source's length nor a consumer who is slow costs memory. Belongs to the task
// that iterates; when it goes, what still runs is cancelled.

internal import FetchEngine
internal import FetchHTTP
internal import FetchPolicy
internal import FetchReactor
internal import FetchTime

/// What a source has for a batch.
enum BatchPull<Item> {
    case item(Item)
    /// Nothing yet; the batch is waked when that changes.
    case nothing
    case ended
}

/// Where a batch's items come from, and what is asked for each.
struct BatchItems<Item> {
    /// The source from its start on. Throws what the source throws.
    let makePull: () -> (BatchRun) throws -> BatchPull<Item>
    let plan: (Item) throws -> CallPlan
    /// How many they are; nil where that is not known.
    let total: Int?
    let concurrency: Int
    let progress: ((BatchProgress) -> Void)?
    let report: ((BatchReport) -> Void)?
}

final class BatchConsumer<Item> {
    private struct Seat {
        let index: Int
        let item: Item
    }

    private let fetcher: Fetcher
    private let items: BatchItems<Item>
    private let pull: (BatchRun) throws -> BatchPull<Item>
    private let run: BatchRun
    private var window: BatchWindow
    private var counts: BatchCounts
    private var seats: [Seat?] = []
    private var freeSeats: [Int] = []
    /// What has ended, first come first; those before `taken` were handed on.
    private var ended: [BatchArrival] = []
    private var taken = 0
    /// The source's own failure, thrown behind the results of what it gave before.
    private var sourceFailure: (any Error)?
    private var isOver = false
    /// Results handed on since the task let others run.
    private var inOneGo = 0
    /// As many results that are there already don't keep a thread from others: the reactor's, say.
    private static var mostInOneGo: Int { 128 }
    /// More are handed to another thread in pieces: the first need not wait for the last.
    private static var mostAtOnce: Int { 64 }

    init(_ items: BatchItems<Item>, by fetcher: Fetcher) {
        self.fetcher = fetcher
        self.items = items
        pull = items.makePull()
        run = BatchRun(fetcher.engine)
        window = BatchWindow(concurrency: items.concurrency)
        counts = BatchCounts(total: items.total, now: fetcher.engine.reactor.clock.now)
    }

    deinit {
        if window.inFlight > 0 { run.stop() }
    }

    /// The next item that has ended; nil behind the last.
    func next() async throws -> BatchResult<Item>? {
        while !isOver {
            guard !Task.isCancelled else {
                stop()
                throw CancellationError()
            }
            collect()
            fill()
            if let result = takeNext() {
                inOneGo += 1
                if inOneGo > Self.mostInOneGo {
                    inOneGo = 0
                    await Task.yield()
                }
                return result
            }
            if window.isDone {
                stop()
                items.report?(report)
                if let sourceFailure { throw sourceFailure }
                return nil
            }
            inOneGo = 0
            await run.wait()
        }
        return nil
    }

    /// Nothing more starts, and what runs is cancelled.
    func stop() {
        isOver = true
        window.close()
        if window.inFlight > 0 { run.stop() }
    }

    /// Behind `stop`: what is still to come, most of it cancelled; nil when nothing runs any more.
    func nextLeft() async -> BatchResult<Item>? {
        while true {
            collect()
            if let result = takeNext() { return result }
            if window.isDone { return nil }
            await run.waitForArrivals()
        }
    }

    var report: BatchReport { counts.report(now: fetcher.engine.reactor.clock.now) }

    // MARK: Starting

    private func fill() {
        var departures: [BatchDeparture] = []
        pulling: while window.mayStart {
            do {
                switch try pull(run) {
                case .item(let item):
                    if let departure = start(item) { departures.append(departure) }
                case .nothing:
                    break pulling
                case .ended:
                    window.close()
                }
            } catch {
                sourceFailure = error
                window.close()
            }
            if departures.count == Self.mostAtOnce {
                run.begin(departures)
                departures = []
            }
        }
        if !departures.isEmpty { run.begin(departures) }
    }

    /// Nil for an item whose request makes no sense: it has ended before it could begin.
    private func start(_ item: Item) -> BatchDeparture? {
        guard let index = window.startNext() else { return nil }
        let seat = freeSeats.popLast() ?? seats.count
        if seat == seats.count { seats.append(nil) }
        seats[seat] = Seat(index: index, item: item)
        do {
            return BatchDeparture(seat: seat, plan: try items.plan(item))
        } catch {
            arrived(BatchArrival(seat: seat, result: .failure(error)))
            return nil
        }
    }

    // MARK: Ending

    private func collect() {
        for arrival in run.takeArrivals() { arrived(arrival) }
    }

    private func arrived(_ arrival: BatchArrival) {
        window.finished()
        ended.append(arrival)
    }

    private func takeNext() -> BatchResult<Item>? {
        guard taken < ended.count else { return nil }
        let arrival = ended[taken]
        taken += 1
        if taken * 2 >= ended.count {
            // Also where it never runs empty: half of it at a time.
            ended.removeFirst(taken)
            taken = 0
        }
        guard let seat = seats[arrival.seat].take() else { return nil }
        freeSeats.append(arrival.seat)
        window.tookOne()
        count(arrival.result)
        return BatchResult(index: seat.index, item: seat.item, result: arrival.result)
    }

    private func count(_ result: Result<Response, any Error>) {
        switch result {
        case .success(let response): counts.count(response)
        case .failure: counts.itemFailed()
        }
        guard let progress = items.progress else { return }
        progress(
            counts.progress(inFlight: window.inFlight, now: fetcher.engine.reactor.clock.now))
    }
}

extension BatchCounts {
    /// What a response's times tell. Only a connection that was opened for it asked for a name, and
    /// one that was used before took no time to open.
    mutating func count(_ response: Response) {
        let times = response.whole.times
        itemSucceeded(nanoseconds: times.ended.nanoseconds - times.started.nanoseconds)
        guard !response.whole.isShared else { return }
        let isReused = times.connectNanoseconds == 0
        requestSent(reused: isReused)
        guard !isReused, response.whole.target.hostKind == .name else { return }
        nameAsked(wasKnown: times.dnsNanoseconds == 0)
    }
}
