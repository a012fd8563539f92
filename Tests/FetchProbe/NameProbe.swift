// The probe of names: how many threads and descriptors a resolver needs.

import Fetch
import FetchReactor
import FetchTransport
import TestSupport

/// Takes down whether a lookup has found something.
private final class Found: NameHandler {
    private(set) var isOver = false
    private(set) var addresses = 0

    func addressesFound(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {
        addresses += hosts.count
    }

    func lookupEnded(_ error: NameError?) { isOver = true }
}

/// Looks for many names at a name server on the same reactor, each for many who wait.
func probeNames(_ count: Int) throws {
    try Reactor.run {
        guard let reactor = Reactor.current else { fatalError("run has a reactor") }
        let server = try ScriptedNameServer(on: reactor) { question in
            .reply(.addresses(["10.0.0.1", "::1"], to: question))
        }
        var settings = NameSettings()
        settings.hostsPath = nil
        settings.resolvConfPath = nil
        settings.nameServers = [server.address]
        let names = Names(settings, hosts: HostTable(), reactor: reactor)
        let before = descriptors().count
        var most = 0
        let found = (0..<count * 10).map { _ in Found() }
        for (number, handler) in found.enumerated() {
            _ = names.lookUp("n\(number % count).test", isAbsolute: true, for: handler)
        }
        let ended = try await eventually(on: reactor) {
            most = max(most, ProcessFacts.threads)
            return found.allSatisfy { $0.isOver }
        }
        print("all found \(ended && found.allSatisfy { $0.addresses == 2 }), Threads: \(most)")
        print("\(server.questions.count) queries, \(descriptors().count - before) sockets left")
        names.close()
        server.close()
    }
}
