// Limiters outside a request (RATE-05, RATE-06, RATE-08, C7), on virtual time.

import Fetch
import TestSupport
import Testing

struct RateGateTests {
    @Test func `RATE-03 the burst goes at once, then one each hundred milliseconds`() async throws {
        let (waited, elapsed) = try await onReactor(virtual: true) { reactor in
            let gate = try RateGate(.tokenBucket(.perSecond(10), burst: 20), on: reactor)
            let start = reactor.clock.now
            var waited: [Duration] = []
            for _ in 0..<40 { waited.append(try await gate.acquire()) }
            return (waited, start.duration(to: reactor.clock.now))
        }
        #expect(waited.prefix(20).allSatisfy { $0 == .zero })
        // What is returned is what was waited, to the wheel's millisecond.
        #expect(waited.dropFirst(20).allSatisfy { $0 >= .milliseconds(99) })
        #expect(waited.dropFirst(20).allSatisfy { $0 <= .milliseconds(101) })
        #expect(waited.reduce(.zero, +) == elapsed)
        #expect(elapsed >= .seconds(2) && elapsed <= .milliseconds(2_001))
    }

    @Test func `first come, first served, and a place that is left goes to the next`() async throws
    {
        let order = try await onReactor(virtual: true) { reactor in
            let gate = try RateGate(.tokenBucket(.perSecond(1), burst: 1), on: reactor)
            try await gate.acquire()
            let start = reactor.clock.now
            return await withTaskGroup(of: (Int, Int64?).self) { group in
                for number in 0..<3 {
                    group.addTask {
                        let work = { @Sendable () async throws -> Int64 in
                            _ = try await gate.acquire()
                            return start.duration(to: reactor.clock.now).components.seconds
                        }
                        // The second in line gives up after a while.
                        if number != 1 { return (number, try? await work()) }
                        return await withTaskGroup(of: Int64?.self) { inner in
                            inner.addTask { try? await work() }
                            try? await reactor.clock.sleep(for: .milliseconds(1_500))
                            inner.cancelAll()
                            return (number, await inner.next() ?? nil)
                        }
                    }
                    while gate.waiting <= number { await Task.yield() }
                }
                var seconds: [Int64?] = [nil, nil, nil]
                for await (number, second) in group { seconds[number] = second }
                return seconds
            }
        }
        #expect(order == [1, nil, 2])
    }

    @Test func `RATE-08 who can't be let through in time is refused at once`() async throws {
        try await onReactor(virtual: true) { reactor in
            let gate = try RateGate(
                .tokenBucket(.perSecond(1), burst: 1), mostWaiting: 2, on: reactor)
            try await gate.acquire()
            let start = reactor.clock.now
            let late = await #expect(throws: FetchError.self) {
                try await gate.acquire(within: .milliseconds(500))
            }
            #expect(late?.code == .rateLimited)
            #expect(late?.retryAfter == .seconds(1))
            let never = await #expect(throws: FetchError.self) { try await gate.acquire(2) }
            #expect(never?.code == .rateLimited)
            #expect(never?.retryAfter == .seconds(Int64.max))
            #expect(try gate.reserve() == .seconds(1))
            #expect(try gate.reserve(within: .seconds(2)) == .seconds(2))
            #expect(#expect(throws: FetchError.self) { try gate.reserve() }?.code == .overloaded)
            let full = await #expect(throws: FetchError.self) { try await gate.acquire() }
            #expect(full?.code == .overloaded)
            #expect(reactor.clock.now == start)
        }
    }

    @Test func `a reservation keeps its place before those who come later`() async throws {
        let waited = try await onReactor(virtual: true) { reactor in
            let gate = try RateGate(.leakyBucket(.perSecond(10), shaping: .strict), on: reactor)
            #expect(try gate.reserve() == .zero)
            // A strict one makes a millisecond of lateness good.
            let reserved = try gate.reserve()
            #expect(reserved >= .milliseconds(99) && reserved <= .milliseconds(100))
            return try await gate.acquire(within: .seconds(1))
        }
        #expect(waited >= .milliseconds(198) && waited <= .milliseconds(201))
    }

    @Test func `a limit may change while others wait, and cost may be given back`() async throws {
        let waited = try await onReactor(virtual: true) { reactor in
            let gate = try RateGate(.tokenBucket(Rate(1, per: .seconds(3_600))), on: reactor)
            try await gate.acquire()
            async let long = gate.acquire()
            while gate.waiting == 0 { await Task.yield() }
            try gate.adjust(.tokenBucket(.perSecond(1)))
            let first = try await long
            async let second = gate.acquire()
            while gate.waiting == 0 { await Task.yield() }
            gate.giveBack()
            return (first, try await second)
        }
        #expect(waited.0 <= .milliseconds(1_001))
        #expect(waited.1 == .zero)
    }

    @Test func `a storm of cancelled waiters leaves nobody in line`() async throws {
        try await onReactor(virtual: true) { reactor in
            let gate = try RateGate(.slidingWindow(Rate(1, per: .seconds(60))), on: reactor)
            try await gate.acquire()
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        do {
                            let within: Duration? = number % 2 == 0 ? nil : .seconds(86_400 * 7)
                            try await gate.acquire(within: within)
                            return false
                        } catch {
                            return error is CancellationError
                        }
                    }
                    if number % 100 == 99 { await Task.yield() }
                }
                group.cancelAll()
                for await wasCancelled in group { #expect(wasCancelled) }
            }
            #expect(gate.waiting == 0)
            // The place is free for whoever comes next.
            let waited = try await gate.acquire()
            #expect(waited <= .milliseconds(60_001))
        }
    }

    @Test func `from other threads, nobody is let through too early or twice`() async throws {
        let fetcher = try Fetcher()
        let gate = try fetcher.gate(.slidingWindow(Rate(50, per: .milliseconds(20))))
        let times = try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await gate.acquire()
                    return ContinuousClock.now
                }
            }
            var times: [ContinuousClock.Instant] = []
            for try await time in group { times.append(time) }
            return times.sorted()
        }
        #expect(times[0].duration(to: times[199]) >= .milliseconds(40))
        await fetcher.shutdown()
    }

    @Test func `a setting that makes no sense is named`() throws {
        let reactor = try Reactor.embedded()
        let error = #expect(throws: FetchError.self) {
            try RateGate(.tokenBucket(.perSecond(0)), on: reactor)
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.reason.hasPrefix("count: ") == true)
        reactor.stop()
    }

    @Test func `waiters of a reactor that ends are told`() async throws {
        let (gate, waiting) = try await onReactor { reactor in
            let gate = try RateGate(.tokenBucket(Rate(1, per: .seconds(3_600))), on: reactor)
            try await gate.acquire()
            let waiting = Task {
                await #expect(throws: FetchError.self) { try await gate.acquire() }
            }
            while gate.waiting == 0 { await Task.yield() }
            return (gate, waiting)
        }
        let error = await waiting.value
        #expect(error?.code == .clientClosed)
        #expect(gate.waiting == 0)
        await #expect(throws: FetchError.self) { try await gate.acquire() }
    }
}
