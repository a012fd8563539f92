// The one descriptor of an embedded reactor: readable exactly while there is work.

import CFetchLinux
import FetchReactor
import FetchTime
import Glibc
import TestSupport
import Testing

@Suite struct EmbeddingTests {
    @Test func `an idle reactor is not readable`() throws {
        let reactor = try Reactor.embedded()
        #expect(!isReadable(reactor.fileDescriptor))
        #expect(reactor.turn() == 0)
        #expect(!isReadable(reactor.fileDescriptor))
    }

    @Test func `a ready descriptor makes it readable until it is served`() throws {
        let reactor = try Reactor.embedded()
        let bell = Bell()
        let registration = try reactor.register(
            bell.descriptor, .readable, Ear { _ in bell.lower() })
        #expect(!isReadable(reactor.fileDescriptor))
        bell.raise()
        #expect(isReadable(reactor.fileDescriptor))
        #expect(reactor.turn() == 1)
        #expect(!isReadable(reactor.fileDescriptor))
        reactor.deregister(registration)
    }

    @Test func `a due timer makes it readable, and not before`() throws {
        let reactor = try Reactor.embedded()
        let ear = Ear()
        let began = ContinuousClock.now
        _ = reactor.schedule(ear, at: reactor.now + .milliseconds(30))
        let isEarly = isReadable(reactor.fileDescriptor)
        #expect(!isEarly || ContinuousClock.now - began > .milliseconds(29))
        #expect(isReadable(reactor.fileDescriptor, within: 60_000))
        reactor.turn()
        #expect(ear.heard == 1)
        #expect(!isReadable(reactor.fileDescriptor))
    }

    @Test func `a nearer timer re-arms it, a later one is armed when the nearer has fired`() throws
    {
        let reactor = try Reactor.embedded()
        let ear = Ear()
        _ = reactor.schedule(ear, token: 3, at: reactor.now + .milliseconds(40))
        _ = reactor.schedule(ear, token: 2, at: reactor.now + .milliseconds(20))
        reactor.cancel(reactor.schedule(ear, token: 1, at: reactor.now + .milliseconds(1)))
        var order: [Int] = []
        ear.onTimer = { order.append($0) }
        while order.count < 2, isReadable(reactor.fileDescriptor, within: 60_000) { reactor.turn() }
        #expect(order == [2, 3])
    }

    @Test func `a timer that became due during a turn leaves it readable`() throws {
        let reactor = try Reactor.embedded()
        let ear = Ear()
        reactor.enqueue {
            _ = reactor.schedule(ear, at: reactor.now + .milliseconds(1))
            spin(.milliseconds(5))
        }
        reactor.turn()
        #expect(ear.heard == 0)
        #expect(isReadable(reactor.fileDescriptor))
        reactor.turn()
        #expect(ear.heard == 1)
    }

    @Test func `an action added between two turns makes it readable`() throws {
        let reactor = try Reactor.embedded()
        var ran = 0
        reactor.enqueue { ran += 1 }
        #expect(isReadable(reactor.fileDescriptor))
        reactor.post {}
        reactor.turn()
        #expect(ran == 1)
        #expect(!isReadable(reactor.fileDescriptor))
    }

    @Test func `a job of a task makes it readable, from this thread and from others`() async throws
    {
        // The task lives on other threads; the turns are made where the reactor was made.
        try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            let bell = Bell()
            let descriptor = bell.descriptor
            Task(executorPreference: reactor) { _ = eventfd_write(descriptor, 1) }
            #expect(isReadable(reactor.fileDescriptor))
            reactor.turn()
            #expect(isReadable(descriptor))
            #expect(!isReadable(reactor.fileDescriptor))
            bell.lower()
            try startThread {
                _ = Task(executorPreference: reactor) { _ = eventfd_write(descriptor, 1) }
            }
            while !isReadable(descriptor) {
                #expect(isReadable(reactor.fileDescriptor, within: 60_000))
                reactor.turn()
            }
        }
    }

    @Test func `a post from another thread makes it readable`() async throws {
        try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            let bell = Bell()
            let descriptor = bell.descriptor
            try startThread { reactor.post { _ = eventfd_write(descriptor, 1) } }
            #expect(isReadable(reactor.fileDescriptor, within: 60_000))
            reactor.turn()
            #expect(isReadable(descriptor))
            #expect(!isReadable(reactor.fileDescriptor))
        }
    }

    @Test func `a turn is bounded and leaves the descriptor readable when work is left`() throws {
        var configuration = Reactor.Configuration()
        configuration.maxJobsPerTurn = 2
        let reactor = try Reactor.embedded(configuration)
        let ear = Ear()
        let bells = (0..<3).map { _ in Bell(raised: true) }
        for bell in bells { _ = try reactor.register(bell.descriptor, .readable, ear) }
        #expect(reactor.turn(maxEvents: 1) == 1)
        #expect(isReadable(reactor.fileDescriptor))
        for bell in bells { bell.lower() }
        func again() { reactor.enqueue(again) }
        again()
        for _ in 0..<5 {
            reactor.turn()
            #expect(isReadable(reactor.fileDescriptor))
        }
        reactor.stop()
    }

    @Test func `the reactor is current inside a turn and the thread is its own between turns`()
        throws
    {
        let reactor = try Reactor.embedded()
        #expect(Reactor.current == nil)
        #expect(reactor.isCurrent)
        var current: Reactor?
        reactor.enqueue { current = Reactor.current }
        reactor.turn()
        #expect(current === reactor)
        #expect(Reactor.current == nil)
    }

    @Test func `nothing happens after stop`() throws {
        let reactor = try Reactor.embedded()
        let (bell, ear) = (Bell(raised: true), Ear())
        _ = try reactor.register(bell.descriptor, .readable, ear)
        _ = reactor.schedule(ear, at: reactor.now)
        var closed = 0
        reactor.onClose { closed += 1 }
        let forgotten = reactor.onClose { closed += 100 }
        reactor.removeCloseHook(forgotten)
        reactor.stop()
        let heard = ear.heard
        reactor.stop()
        #expect(closed == 1)
        #expect(reactor.turn() == 0)
        #expect(!reactor.post {})
        _ = reactor.schedule(ear, at: reactor.now)
        reactor.turn()
        #expect(ear.heard == heard)
        #expect(throws: SystemError.closed) {
            try reactor.register(bell.descriptor, .readable, ear)
        }
    }

    @Test func `stop inside a turn ends it after the turn`() throws {
        let reactor = try Reactor.embedded()
        var log: [String] = []
        reactor.onClose { log.append("closed") }
        reactor.enqueue {
            reactor.stop()
            log.append("still running")
        }
        reactor.turn()
        #expect(log == ["still running", "closed"])
    }
}
