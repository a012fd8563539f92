// Sleeping on a reactor's wheel.

import FetchReactor
import FetchTime
import TestSupport
import Testing

@Suite struct ReactorClockTests {
    @Test func `a virtual minute is exactly a minute`() async throws {
        let slept = try await onReactor(virtual: true) { reactor in
            let start = reactor.now
            try await reactor.clock.sleep(for: .seconds(60))
            return reactor.now - start
        }
        #expect(slept == .seconds(60))
    }

    @Test func `a thousand virtual sleepers wake in the order of their deadlines`() async throws {
        let order = try await onReactor(virtual: true) { reactor in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<1_000 {
                    let seconds = (number * 7_919) % 1_000
                    group.addTask {
                        try await reactor.clock.sleep(for: .seconds(seconds))
                        return seconds
                    }
                }
                var order: [Int] = []
                for try await seconds in group { order.append(seconds) }
                return order
            }
        }
        #expect(order == Array(0..<1_000))
    }

    @Test func `Task.sleep of a task on the reactor is on its wheel, virtual time included`()
        async throws
    {
        let slept = try await onReactor(virtual: true) { reactor in
            let start = reactor.now
            try await Task.sleep(for: .seconds(3_600))
            return reactor.now - start
        }
        // Measured against the system's clock, which went on a little.
        #expect(slept > .seconds(3_590))
        #expect(slept <= .seconds(3_601))
    }

    @Test func `cancelling a sleep ends it within a turn, with CancellationError`() async throws {
        let (turns, isCancellation) = try await onReactor { reactor in
            let sleeper = Task(executorPreference: reactor) {
                try await reactor.clock.sleep(for: .seconds(3_600))
            }
            await Task.yield()
            let turn = reactor.turnNumber
            sleeper.cancel()
            guard case .failure(let error) = await sleeper.result else {
                return (UInt64.max, false)
            }
            return (reactor.turnNumber - turn, error is CancellationError)
        }
        #expect(turns <= 1)
        #expect(isCancellation)
    }

    @Test func `a sleep that is cancelled before it begins does not begin`() async throws {
        try await onReactor { reactor in
            let sleeper = Task(executorPreference: reactor) {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }  // this task, while it runs
                try await reactor.clock.sleep(for: .seconds(3_600))
            }
            await #expect(throws: CancellationError.self) { try await sleeper.value }
        }
    }

    @Test func `tasks on other threads sleep on the wheel and are cancelled there`() async throws {
        try await onReactor { reactor in
            let short = Task.detached { try await reactor.clock.sleep(for: .milliseconds(1)) }
            try await short.value
            let long = Task.detached { try await reactor.clock.sleep(for: .seconds(3_600)) }
            long.cancel()
            await #expect(throws: CancellationError.self) { try await long.value }
        }
    }

    @Test func `sleepers of a reactor that ends are told`() async throws {
        let reactor = try Reactor.startThread(name: "test")
        let here = Task(executorPreference: reactor) {
            try await reactor.clock.sleep(for: .seconds(3_600))
        }
        let elsewhere = Task.detached { try await reactor.clock.sleep(for: .seconds(3_600)) }
        await Task(executorPreference: reactor) { await Task.yield() }.value
        reactor.stop()
        await #expect(throws: CancellationError.self) { try await here.value }
        await #expect(throws: CancellationError.self) { try await elsewhere.value }
        await #expect(throws: CancellationError.self) {
            try await reactor.clock.sleep(for: .seconds(1))
        }
    }
}
