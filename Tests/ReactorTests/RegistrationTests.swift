// Who hears of a descriptor, and who doesn't any more.

import FetchReactor
import FetchTime
import Glibc
import Testing

@Suite struct RegistrationTests {
    @Test func `a ready descriptor is reported to its handler, level-triggered`() throws {
        let reactor = try steppedReactor()
        let (bell, ear) = (Bell(raised: true), Ear())
        let registration = try reactor.register(bell.descriptor, .readable, ear)
        reactor.turn()
        reactor.turn()
        #expect(ear.heard == 2)
        bell.lower()
        reactor.turn()
        #expect(ear.heard == 2)
        reactor.deregister(registration)
    }

    @Test func `a stale event never reaches the new owner of its descriptor`() throws {
        let reactor = try steppedReactor()
        let pair = (Bell(raised: true), Bell(raised: true))
        let newOwner = Ear()
        var registrations: [CInt: Registration] = [:]
        // Whichever is heard first replaces the other one, whose event is in the same batch.
        func replace(_ victim: Bell) {
            guard let old = registrations[victim.descriptor] else { return }
            reactor.deregister(old)
            let silent = Bell()
            #expect(dup2(silent.descriptor, victim.descriptor) == victim.descriptor)
            registrations[victim.descriptor] = try? reactor.register(
                victim.descriptor, .readable, newOwner)
        }
        let first = Ear { _ in replace(pair.1) }
        let second = Ear { _ in replace(pair.0) }
        registrations[pair.0.descriptor] = try reactor.register(
            pair.0.descriptor, .readable, first)
        registrations[pair.1.descriptor] = try reactor.register(
            pair.1.descriptor, .readable, second)
        reactor.turn()
        #expect(first.heard + second.heard == 1)
        #expect(newOwner.heard == 0)
        reactor.stop()
    }

    @Test func `a stale registration changes nothing of the one that took its slot`() throws {
        let reactor = try steppedReactor()
        let (bell, ear) = (Bell(raised: true), Ear())
        let old = try reactor.register(bell.descriptor, .readable, ear)
        reactor.deregister(old)
        let new = try reactor.register(bell.descriptor, .readable, ear)
        reactor.deregister(old)
        reactor.setInterest([], old)
        reactor.turn()
        #expect(ear.heard == 1)
        reactor.deregister(new)
        reactor.turn()
        #expect(ear.heard == 1)
    }

    @Test func `interest is the kernel's when setInterest returns`() throws {
        let reactor = try steppedReactor()
        let (bell, ear) = (Bell(raised: true), Ear())
        let registration = try reactor.register(bell.descriptor, [], ear)
        #expect(!isReadable(reactor.fileDescriptor))
        reactor.setInterest(.readable, registration)
        #expect(isReadable(reactor.fileDescriptor))
        reactor.setInterest([], registration)
        reactor.turn()
        #expect(ear.heard == 0)
        reactor.stop()
    }

    @Test func `without interest a hang-up is told once and does not spin`() throws {
        let reactor = try steppedReactor()
        var ends: [CInt] = [-1, -1]
        // The array holds the two descriptors that the call writes.
        #expect(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        var last: Readiness = []
        let ear = Ear { last = $0 }
        let registration = try reactor.register(ends[0], [], ear)
        close(ends[1])
        reactor.turn()
        reactor.turn()
        #expect(ear.heard == 1)
        #expect(last.contains(.hangup))
        reactor.setInterest(.readable, registration)
        reactor.turn()
        #expect(ear.heard == 2)
        #expect(last.isSuperset(of: [.readable, .readClosed]))
        reactor.deregister(registration)
    }

    @Test func `a regular file is not pollable, and says so`() throws {
        let reactor = try steppedReactor()
        // open reads the path during the call only.
        let file = unsafe open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        #expect(throws: SystemError.notPollable) {
            try reactor.register(file, .readable, Ear())
        }
        #expect(throws: SystemError.failed(.epollControl, errno: EBADF)) {
            try reactor.register(-1, .readable, Ear())
        }
        let bell = Bell(raised: true)
        let ear = Ear()
        let registration = try reactor.register(bell.descriptor, .readable, ear)
        reactor.turn()
        #expect(ear.heard == 1)
        reactor.deregister(registration)
    }

    @Test func `a handler is let go with its registration`() throws {
        let reactor = try steppedReactor()
        let bell = Bell()
        weak var watched: Ear?
        let registration: Registration
        do {
            let ear = Ear()
            watched = ear
            registration = try reactor.register(bell.descriptor, .readable, ear)
        }
        #expect(watched != nil)
        reactor.deregister(registration)
        #expect(watched == nil)
    }

    @Test func `an error says the call and what to do`() {
        let error = SystemError.failed(.socket, errno: EMFILE)
        #expect(
            error.description
                == "socket: this process has no descriptor left; raise RLIMIT_NOFILE (ulimit -n) "
                + "(errno 24)")
        #expect(error.errorNumber == EMFILE)
        #expect(SystemError.failed(.read, errno: EXDEV).description.contains("errno 18"))
    }
}
