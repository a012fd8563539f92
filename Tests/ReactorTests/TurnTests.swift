// The order of a turn, and its bounds.

import FetchReactor
import FetchTime
import Testing

@Suite struct TurnTests {
    @Test func `ready I/O is served before timers, however overdue they are`() throws {
        let reactor = try steppedReactor { $0.maxEventsPerTurn = 2 }
        var log: [String] = []
        let timer = Ear()
        timer.onTimer = { _ in log.append("timer") }
        let bells = (0..<9).map { _ in Bell(raised: true) }
        for bell in bells {
            let ear = Ear { _ in
                log.append("ready")
                bell.lower()
            }
            _ = try reactor.register(bell.descriptor, .readable, ear)
        }
        _ = reactor.schedule(timer, at: reactor.now)
        reactor.advance(by: .seconds(3_600))
        #expect(log == Array(repeating: "ready", count: 9) + ["timer"])
        reactor.stop()
    }

    @Test func `data that arrived during a long callback is read before its timeout fires`() throws
    {
        let reactor = try Reactor.embedded()
        var log: [String] = []
        let (slow, late) = (Bell(raised: true), Bell())
        _ = try reactor.register(
            slow.descriptor, .readable,
            Ear { _ in
                slow.lower()
                spin(.milliseconds(20))
                late.raise()
                log.append("slow")
            })
        _ = try reactor.register(
            late.descriptor, .readable,
            Ear { _ in
                late.lower()
                log.append("data")
            })
        let timeout = Ear()
        timeout.onTimer = { _ in log.append("timeout") }
        _ = reactor.schedule(timeout, at: reactor.now + .milliseconds(5))
        while log.count < 3 { reactor.turn() }
        #expect(log == ["slow", "data", "timeout"])
        reactor.stop()
    }

    @Test func `the clock is read again after a long callback`() throws {
        let reactor = try Reactor.embedded()
        let bell = Bell(raised: true)
        var seen: [Instant] = []
        for _ in 0..<1 {
            _ = try reactor.register(
                bell.descriptor, .readable,
                Ear { _ in
                    bell.lower()
                    seen.append(reactor.now)
                    spin(.milliseconds(30))
                    reactor.enqueue { seen.append(reactor.now) }
                })
        }
        reactor.turn()
        #expect(seen.count == 2)
        #expect(seen[1] - seen[0] >= .milliseconds(30))
        reactor.stop()
    }

    @Test func `a busy descriptor cannot starve the others`() throws {
        let reactor = try steppedReactor()
        let ears = (0..<5).map { _ in Ear() }
        let bells = ears.map { _ in Bell(raised: true) }
        for (bell, ear) in zip(bells, ears) {
            _ = try reactor.register(bell.descriptor, .readable, ear)
        }
        for _ in 0..<50 { #expect(reactor.turn(maxEvents: 1) == 1) }
        #expect(ears.map(\.heard) == [10, 10, 10, 10, 10])
        reactor.stop()
    }

    @Test func `an action that adds itself for ever starves neither sockets nor timers`() throws {
        let reactor = try steppedReactor { $0.maxJobsPerTurn = 16 }
        var rounds = 0
        func again() {
            rounds += 1
            reactor.enqueue(again)
        }
        again()
        let (bell, ear, timer) = (Bell(raised: true), Ear(), Ear())
        _ = try reactor.register(bell.descriptor, .readable, ear)
        _ = reactor.schedule(timer, at: reactor.now)
        reactor.turn()
        reactor.turn()
        #expect(ear.heard >= 2)
        #expect(timer.heard == 1)
        #expect((17...40).contains(rounds))
        reactor.stop()
    }

    @Test func `what is put off runs once a turn, while nothing is ready or time is up`() throws {
        let reactor = try steppedReactor()
        var log: [String] = []
        func again() {
            log.append("later")
            reactor.enqueueWhenIdle(orAfter: 5_000_000, again)
        }
        again()
        let bell = Bell(raised: true)
        let ear = Ear { _ in log.append("ready") }
        _ = try reactor.register(bell.descriptor, .readable, ear)
        for _ in 0..<3 { reactor.turn() }
        #expect(log == ["later", "ready", "ready", "ready"])
        log = []
        bell.lower()
        for _ in 0..<3 { reactor.turn() }
        #expect(log == ["later", "later", "later"])
        // Without patience, whatever is ready.
        log = []
        bell.raise()
        reactor.enqueueWhenIdle { log.append("now") }
        for _ in 0..<2 { reactor.turn() }
        #expect(log == ["ready", "now", "ready"])
        reactor.stop()
    }

    @Test func `what is put off keeps its distance while anything else is ready at times`() throws {
        let reactor = try steppedReactor()
        var log: [String] = []
        func putOff(_ name: String) {
            reactor.enqueueWhenIdle(after: 5_000_000, orAfter: 9_000_000) { log.append(name) }
        }
        putOff("at once")
        reactor.turn()
        reactor.turn()
        #expect(log == ["at once"])
        // Something else is ready, and then nothing any more.
        log = []
        let bell = Bell(raised: true)
        let ear = Ear { _ in if log.last != "ready" { log.append("ready") } }
        _ = try reactor.register(bell.descriptor, .readable, ear)
        putOff("at a distance")
        reactor.turn()
        bell.lower()
        reactor.advance(by: .milliseconds(4))
        #expect(log == ["ready"])
        reactor.advance(by: .milliseconds(1))
        #expect(log == ["ready", "at a distance"])
        // However busy the loop is, it has waited long enough in the end.
        log = []
        bell.raise()
        putOff("busy")
        for _ in 0..<9 {
            reactor.turn()
            #expect(log == ["ready"])
            reactor.virtualClock?.move(to: reactor.now + .milliseconds(1))
        }
        for _ in 0..<2 { reactor.turn() }
        #expect(log == ["ready", "busy", "ready"])
        reactor.stop()
    }

    @Test func `a task that yields for ever starves nobody`() async throws {
        let reactor = try Reactor.startThread(name: "test")
        let busy = Task(executorPreference: reactor) {
            while !Task.isCancelled { await Task.yield() }
        }
        try await Task(executorPreference: reactor) {
            try await reactor.clock.sleep(for: .milliseconds(2))
        }.value
        busy.cancel()
        await busy.value
        reactor.stop()
    }

    @Test func `timers scheduled for now in a timer fire, but never in an endless turn`() throws {
        let reactor = try steppedReactor { $0.maxTimersPerTurn = 8 }
        let ear = Ear()
        ear.onTimer = { _ in _ = reactor.schedule(ear, at: reactor.now) }
        _ = reactor.schedule(ear, at: reactor.now)
        reactor.turn()
        #expect(ear.heard == 8)
        reactor.stop()
        ear.onTimer = { _ in }  // it holds itself
    }

    @Test func `a cancelled timer does not fire and lets its handler go`() throws {
        let reactor = try steppedReactor()
        weak var watched: Ear?
        let timer: TimerID
        do {
            let ear = Ear()
            watched = ear
            timer = reactor.schedule(ear, at: reactor.now + .seconds(1))
        }
        #expect(watched != nil)
        reactor.cancel(timer)
        #expect(watched == nil)
        reactor.advance(by: .seconds(2))
    }

    @Test func `time that is advanced by hand stops at every deadline`() throws {
        let reactor = try steppedReactor()
        let start = reactor.now
        var fired: [Duration] = []
        let ear = Ear()
        ear.onTimer = { _ in fired.append(reactor.now - start) }
        for seconds in [30, 1, 7] {
            _ = reactor.schedule(ear, token: seconds, at: start + .seconds(seconds))
        }
        reactor.advance(by: .seconds(20))
        #expect(fired == [.seconds(1), .seconds(7)])
        #expect(reactor.now - start == .seconds(20))
        #expect(reactor.nowWithWall.wall == Timestamp(seconds: 1_000_000_020))
        reactor.advance(by: .seconds(10))
        #expect(fired.last == .seconds(30))
    }
}
