// A caller's own resolver, and the cache in front of it, on virtual time.

import FetchReactor
import FetchTime
import FetchTransport
import Synchronization
import TestSupport
import Testing

/// Answers as a test says, and counts what it is asked.
private final class Scripted: Resolver {
    private let script: @Sendable (String, ResolverAnswer) -> Void
    private let asked = Mutex<[String]>([])

    init(_ script: @escaping @Sendable (String, ResolverAnswer) -> Void) {
        self.script = script
    }

    /// Gives every name these, for so many seconds.
    convenience init(_ ipv4: [UInt32], seconds: UInt32) {
        self.init { _, answer in
            answer.addresses(.ipv4, ipv4.map { .ipv4($0) }, seconds: seconds)
            answer.finish()
        }
    }

    func resolve(_ name: String, isAbsolute: Bool, _ answer: ResolverAnswer) {
        asked.withLock { $0.append(isAbsolute ? name + "." : name) }
        script(name, answer)
    }

    var count: Int { asked.withLock { $0.count } }
    var names: [String] { asked.withLock { $0 } }
}

/// Names with a resolver of their own on a clock that the test moves.
private final class VirtualScene {
    let reactor: Reactor
    let names: Names
    let resolver: Scripted

    init(_ resolver: Scripted, _ change: (inout NameSettings) -> Void = { _ in }) throws {
        var configuration = Reactor.Configuration()
        configuration.virtualTime = VirtualTime(jumps: false)
        reactor = try Reactor.embedded(configuration)
        self.resolver = resolver
        var settings = NameSettings()
        settings.resolver = resolver
        change(&settings)
        names = Names(settings, hosts: HostTable(), reactor: reactor)
    }

    deinit {
        names.close()
        reactor.stop()
    }

    func find(_ name: String, isAbsolute: Bool = false) -> Finder {
        let finder = Finder()
        _ = finder.take(names.lookUp(name, isAbsolute: isAbsolute, for: finder))
        reactor.runUntilIdle()
        return finder
    }

    func pass(_ duration: Duration) { reactor.advance(by: duration) }
}

@Suite struct ResolverTests {
    @Test(arguments: [(5, 5), (1, 1), (299, 299), (300, 300), (301, 300), (2_147_483_647, 300)])
    func `a record is believed for its lifetime, 300 s at most`(
        seconds: UInt32, kept: Int
    ) throws {
        let scene = try VirtualScene(Scripted([1], seconds: seconds))
        for _ in 0..<1_000 { #expect(scene.find("a.test").all == ["0.0.0.1"]) }
        #expect(scene.resolver.count == 1)
        scene.pass(.seconds(kept) - .nanoseconds(1))
        _ = scene.find("a.test")
        #expect(scene.resolver.count == 1)
        scene.pass(.nanoseconds(1))
        _ = scene.find("a.test")
        #expect(scene.resolver.count == 2)
    }

    @Test func `a lifetime of zero is for those alone who wait`() throws {
        let scene = try VirtualScene(Scripted([1], seconds: 0))
        let finders = (0..<10).map { _ in Finder() }
        for finder in finders {
            _ = finder.take(scene.names.lookUp("a.test", isAbsolute: true, for: finder))
        }
        scene.reactor.runUntilIdle()
        #expect(finders.allSatisfy { $0.all == ["0.0.0.1"] })
        #expect(scene.resolver.count == 1)
        _ = scene.find("a.test", isAbsolute: true)
        #expect(scene.resolver.count == 2)
        #expect(scene.names.cachedNames == 0)
    }

    @Test func `that there is nothing is believed for 5 s`() throws {
        let scene = try VirtualScene(Scripted { _, answer in answer.finish() })
        for _ in 0..<10 { #expect(scene.find("a.test").error?.fact == .noSuchName) }
        scene.pass(.seconds(5) - .nanoseconds(1))
        #expect(scene.find("a.test").error?.fact == .noSuchName)
        #expect(scene.resolver.count == 1)
        scene.pass(.nanoseconds(1))
        _ = scene.find("a.test")
        #expect(scene.resolver.count == 2)
    }

    @Test func `and for less if the answer says so`() throws {
        let scene = try VirtualScene(
            Scripted { _, answer in
                answer.addresses(.ipv4, [], seconds: 2)
                answer.addresses(.ipv6, [], seconds: 3)
            })
        #expect(scene.find("a.test").error?.fact == .noAddresses)
        scene.pass(.seconds(2) - .nanoseconds(1))
        _ = scene.find("a.test")
        #expect(scene.resolver.count == 1)
        scene.pass(.nanoseconds(1))
        _ = scene.find("a.test")
        #expect(scene.resolver.count == 2)
    }

    @Test func `a name with one family is believed as long as that family holds`() throws {
        let scene = try VirtualScene(
            Scripted { _, answer in
                answer.addresses(.ipv6, [], seconds: 1)
                answer.addresses(.ipv4, [.ipv4(1)], seconds: 100)
            })
        _ = scene.find("a.test")
        scene.pass(.seconds(99))
        #expect(scene.find("a.test").all == ["0.0.0.1"])
        #expect(scene.resolver.count == 1)
    }

    @Test func `one family whose sister failed is believed for 5 s`() throws {
        let scene = try VirtualScene(
            Scripted { _, answer in
                answer.addresses(.ipv4, [.ipv4(1)], seconds: 100)
                answer.fail("IPv6 is broken")
            })
        #expect(scene.find("a.test").all == ["0.0.0.1"])
        #expect(scene.find("a.test").error == nil)
        #expect(scene.resolver.count == 1)
        scene.pass(.seconds(5))
        _ = scene.find("a.test")
        #expect(scene.resolver.count == 2)
    }

    @Test func `a failure is told in the resolver's words and not remembered`() throws {
        let scene = try VirtualScene(Scripted { _, answer in answer.fail("out of order") })
        for _ in 0..<2 {
            let error = scene.find("a.test").error
            #expect(error?.fact == .resolverFailed("out of order"))
            #expect(error?.description == "the resolver failed for a.test: out of order")
        }
        #expect(scene.resolver.count == 2)
    }

    @Test func `a resolver that lets go of the question has failed`() throws {
        let scene = try VirtualScene(Scripted { _, _ in })
        #expect(scene.find("a.test").error?.fact == .resolverFailed("it let go of the question"))
    }

    @Test func `one that never answers does not keep the next call from asking again`() throws {
        let held = Mutex<[ResolverAnswer]>([])
        let scene = try VirtualScene(
            Scripted { _, answer in held.withLock { $0.append(answer) } })
        for count in 1...3 {
            let finder = Finder()
            let ticket = finder.take(
                scene.names.lookUp("a.test", isAbsolute: true, for: finder))
            #expect(scene.resolver.count == count)
            if let ticket { scene.names.leave(ticket) }
            #expect(scene.names.openLookups == 0)
        }
        // Answers to questions that are closed are nobody's.
        held.withLock { for answer in $0 { answer.fail("late") } }
        scene.reactor.runUntilIdle()
        #expect(scene.names.cachedNames == 0)
    }

    @Test func `what is told after the end is ignored, and twice is once`() throws {
        let scene = try VirtualScene(
            Scripted { _, answer in
                answer.addresses(.ipv4, [.ipv4(1)], seconds: 9)
                answer.addresses(.ipv4, [.ipv4(2)], seconds: 9)
                answer.finish()
                answer.addresses(.ipv6, [.ipv6(high: 0, low: 9, scope: 0)], seconds: 9)
                answer.fail("no")
            })
        let finder = scene.find("a.test")
        #expect(finder.all == ["0.0.0.1"])
        #expect(finder.timesEnded == 1 && finder.order.count == 2)
    }

    @Test func `no more addresses are used of an answer than there is room for`() throws {
        let scene = try VirtualScene(
            Scripted(Array(1...1_000), seconds: 9), { $0.addressesPerFamily = 7 })
        #expect(scene.find("a.test").all.count == 7)
    }

    @Test func `no more names are kept than there is room for`() throws {
        let scene = try VirtualScene(
            Scripted([1], seconds: 9), { $0.cachedNames = 100 })
        for number in 0..<1_000 { _ = scene.find("n\(number).test") }
        #expect(scene.names.cachedNames == 100)
        _ = scene.find("n999.test")
        #expect(scene.resolver.count == 1_000)
        _ = scene.find("n0.test")
        #expect(scene.resolver.count == 1_001)
    }

    @Test func `it hears whether a name is absolute, and those are two names`() throws {
        let scene = try VirtualScene(Scripted([1], seconds: 9))
        _ = scene.find("a", isAbsolute: false)
        _ = scene.find("a", isAbsolute: true)
        #expect(scene.resolver.names == ["a", "a."])
    }

    @Test func `it may answer from any thread`() async throws {
        try await onThreadOfItsOwn {
            let reactor = try Reactor.embedded()
            let elsewhere = try Reactor.startThread(name: "resolver")
            defer {
                elsewhere.stop()
                reactor.stop()
            }
            var settings = NameSettings()
            settings.resolver = Scripted { _, answer in
                elsewhere.post {
                    answer.addresses(.ipv4, [.ipv4(7)], seconds: 1)
                    answer.finish()
                }
            }
            let names = Names(settings, hosts: HostTable(), reactor: reactor)
            defer { names.close() }
            let finder = Finder()
            _ = finder.take(names.lookUp("a.test", isAbsolute: true, for: finder))
            let happened = drive(reactor) { finder.isOver }
            #expect(happened)
            #expect(finder.all == ["0.0.0.7"])
        }
    }
}
