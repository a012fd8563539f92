// Loops for callgrind: the cost of an operation is the difference of two counts, divided.

import CFetchLinux
import FetchReactor
import FetchTime
import Glibc

enum Costs {
    /// What a turn costs without work.
    static func nothing(_ count: Int) throws {
        let reactor = try Reactor.embedded()
        for _ in 0..<count { reactor.turn() }
    }

    /// One event from the poll to its handler: 64 descriptors that are always ready.
    static func dispatch(_ count: Int) throws {
        let reactor = try Reactor.embedded()
        let ear = Counter()
        for _ in 0..<64 { _ = try reactor.register(eventfd(1, 0), .readable, ear) }
        while ear.heard < count { reactor.turn() }
        print(ear.heard)
    }

    /// One task's job: enqueued, run, and the task's own part.
    static func jobs(_ count: Int) throws {
        try Reactor.run {
            for _ in 0..<count { await Task.yield() }
        }
    }

    static func serialJobs(_ count: Int) throws {
        try Reactor.run {
            guard let reactor = Reactor.current else { return }
            let actor = Tenant(reactor.serialExecutor)
            for _ in 0..<count { await actor.step() }
        }
    }

    static func timers(_ count: Int) throws {
        let reactor = try Reactor.embedded()
        let ear = Counter()
        let later = reactor.now + .seconds(30)
        _ = reactor.schedule(ear, token: 0, at: reactor.now + .seconds(10))
        for _ in 0..<count { reactor.cancel(reactor.schedule(ear, token: 1, at: later)) }
    }

    static func actions(_ count: Int) throws {
        let reactor = try Reactor.embedded()
        let ear = Counter()
        for _ in 0..<count / 64 {
            for _ in 0..<64 { reactor.enqueue { ear.heard += 1 } }
            reactor.turn()
        }
    }
}

private final class Counter: ReadinessHandler, TimerHandler {
    var heard = 0
    func descriptorReady(_ readiness: Readiness) { heard += 1 }
    func timerFired(_ token: Int) { heard += 1 }
}

private actor Tenant {
    let executor: ReactorSerialExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // The executor is kept by the actor.
        unsafe executor.asUnownedSerialExecutor()
    }
    var steps = 0

    init(_ executor: ReactorSerialExecutor) { self.executor = executor }

    func step() { steps += 1 }
}
