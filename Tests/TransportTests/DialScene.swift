// A dialer over a network in memory and a resolver that answers when it is told to, on virtual
// time.

import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// Whoever wants a connection, and what it was told.
final class Caller: DialHandler {
    var stream: (any ByteStream)?
    var error: ConnectError?
    var times: DialTimes?
    var resolvedAt: Instant?
    var count = 0
    let reactor: Reactor

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    func dialResolved() { resolvedAt = reactor.now }

    func dialConnected(_ stream: any ByteStream, _ times: DialTimes) {
        self.stream = stream
        self.times = times
        count += 1
    }

    func dialFailed(_ error: ConnectError, _ times: DialTimes) {
        self.error = error
        self.times = times
        count += 1
    }
}

/// Everything that a dial needs.
final class DialScene {
    let reactor: Reactor
    let network: MemoryNetwork
    let resolver = HeldResolver()
    let names: Names
    let dialer: Dialer
    private let start: Instant

    init(_ policy: AddressPolicy = .any) throws {
        var configuration = Reactor.Configuration()
        configuration.virtualTime = VirtualTime(jumps: false)
        reactor = try Reactor.embedded(configuration)
        network = MemoryNetwork(on: reactor) { _ in .hangs }
        var settings = NameSettings()
        settings.resolver = resolver
        names = Names(settings, hosts: HostTable(), reactor: reactor)
        dialer = Dialer(reactor: reactor, network: network, names: names, policy: policy)
        start = reactor.now
    }

    deinit {
        names.close()
        reactor.stop()
    }

    var milliseconds: Int64 { reactor.now.nanoseconds(since: start) / 1_000_000 }

    /// Peers in the order in which they were connected to; `-` before those that are closed.
    var tried: [String] {
        network.streams.map { ($0.isClosed ? "-" : "") + $0.peer.hostText }
    }

    func dial(_ host: String = "a.test") -> (Dial, Caller) {
        let caller = Caller(reactor)
        let destination = dialer.destination(of: host, isAbsolute: false, port: 80)
        let dial = dialer.dial(destination, handler: caller)
        #expect(caller.count == 0)
        reactor.runUntilIdle()
        return (dial, caller)
    }

    func answer(_ literals: String...) {
        resolver.answer(literals)
        reactor.runUntilIdle()
    }

    func pass(_ milliseconds: Int) { reactor.advance(by: .milliseconds(milliseconds)) }
}
