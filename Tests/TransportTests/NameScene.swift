// A client's names, a scripted name server and one embedded reactor on real time: what the tests of
// the resolver stand on.

import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

/// Takes down what a lookup tells.
final class Finder: NameHandler {
    private(set) var ipv6: [String]?
    private(set) var ipv4: [String]?
    private(set) var error: NameError?
    private(set) var isOver = false
    private(set) var timesEnded = 0
    /// Families in the order in which they were told.
    private(set) var order: [AddressFamily] = []

    func addressesFound(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {
        order.append(family)
        let literals = hosts.map { SocketAddress($0, port: 0).hostText }
        if family == .ipv6 { ipv6 = literals } else { ipv4 = literals }
    }

    func lookupEnded(_ error: NameError?) {
        self.error = error
        isOver = true
        timesEnded += 1
    }

    func take(_ start: LookupStart) -> LookupTicket? {
        switch start {
        case .known(let ipv6, let ipv4):
            addressesFound(.ipv6, ipv6)
            addressesFound(.ipv4, ipv4)
            lookupEnded(nil)
        case .failed(let error):
            lookupEnded(error)
        case .asked(let ticket, let known):
            if let known { addressesFound(known.family, known.hosts) }
            return ticket
        }
        return nil
    }

    /// IPv6, then IPv4.
    var all: [String] { (ipv6 ?? []) + (ipv4 ?? []) }
}

/// Lives on the thread that made it.
final class NameScene {
    let reactor: Reactor
    let server: ScriptedNameServer
    let names: Names

    /// `servers` are asked; the scripted one if there are none.
    init(
        servers: [SocketAddress]? = nil,
        _ change: (inout NameSettings) -> Void = { _ in },
        script: @escaping (DNSQuestion) -> ScriptedNameServer.Answer = { _ in .silence }
    ) throws {
        reactor = try Reactor.embedded()
        server = try ScriptedNameServer(on: reactor, script)
        var settings = NameSettings()
        settings.hostsPath = nil
        settings.resolvConfPath = nil
        settings.searchDomains = []
        settings.nameServers = servers ?? [server.address]
        // Queries are counted: on a busy machine none may be sent again.
        settings.queryTimeout = 60_000_000_000
        change(&settings)
        names = Names(settings, hosts: HostTable(), reactor: reactor)
    }

    func end() {
        names.close()
        server.close()
        reactor.stop()
    }

    /// Begins to look for a name.
    func begin(_ name: String, isAbsolute: Bool = true) -> Finder {
        let finder = Finder()
        _ = finder.take(names.lookUp(name, isAbsolute: isAbsolute, for: finder))
        return finder
    }

    /// Looks for a name and waits until it is known.
    func find(_ name: String, isAbsolute: Bool = true) -> Finder {
        let finder = begin(name, isAbsolute: isAbsolute)
        wait { finder.isOver }
        return finder
    }

    /// Turns until that is so; ten seconds without anything happening are an issue.
    func wait(_ location: SourceLocation = #_sourceLocation, until isDone: () -> Bool) {
        let happened = drive(reactor, until: isDone)
        #expect(happened, sourceLocation: location)
    }

}

/// A scene on a thread of its own.
func withNames<R: Sendable>(
    _ change: @escaping @Sendable (inout NameSettings) -> Void = { _ in },
    script: @escaping @Sendable (DNSQuestion) -> ScriptedNameServer.Answer,
    _ body: @escaping @Sendable (NameScene) throws -> R
) async throws -> R {
    try await onThreadOfItsOwn {
        let scene = try NameScene(change, script: script)
        defer { scene.end() }
        return try body(scene)
    }
}
