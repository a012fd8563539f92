// A dial over the simulated network: addresses in order, and what is told when.

import FetchReactor
import FetchTime
import FetchTransport
import TestSupport
import Testing

private final class Caller: DialHandler {
    var stream: (any ByteStream)?
    var error: ConnectError?
    var count = 0

    func dialConnected(_ stream: any ByteStream) {
        self.stream = stream
        count += 1
    }

    func dialFailed(_ error: ConnectError) {
        self.error = error
        count += 1
    }
}

private let first = SocketAddress.loopback(port: 1)
private let second = SocketAddress.loopbackV6(port: 1)
private let third = SocketAddress.loopback(port: 3)

private struct Told: Sendable {
    var count = 0
    var peer: SocketAddress?
    var error: ConnectError?
    var connects = 0
    var open = 0
}

/// Dials `addresses` where only those of `listening` answer.
private func dial(
    _ addresses: [SocketAddress], listening: [SocketAddress], cancel: Bool = false
) async throws -> Told {
    try await simulate { reactor in
        let network = SimulatedNetwork(on: reactor, seed: 1)
        for address in listening {
            // The server's end stays open as long as the network keeps it.
            network.listen(at: address) { _ in }
        }
        let caller = Caller()
        let dial = Dial(addresses, over: network, handler: caller)
        #expect(caller.count == 0)
        if cancel { dial.cancel() }
        return (network, caller, dial)
    } until: { _ in
        false
    } then: { scene in
        let (network, caller, _) = scene
        defer { network.stop() }
        let told = Told(
            count: caller.count, peer: caller.stream?.peer, error: caller.error,
            connects: network.connectCount, open: network.openInAll)
        caller.stream?.close()
        return told
    }
}

@Suite struct DialTests {
    @Test func `the first address that answers is taken`() async throws {
        let told = try await dial([first, second], listening: [first, second])
        #expect(told.count == 1)
        #expect(told.peer == first)
        #expect(told.connects == 1)
    }

    @Test func `a refusal moves on to the next address`() async throws {
        let told = try await dial([first, second, third], listening: [third])
        #expect(told.count == 1)
        #expect(told.peer == third)
        #expect(told.connects == 3)
        #expect(told.open == 1)
    }

    @Test func `when no address answers, each one's failure is told in order`() async throws {
        let told = try await dial([first, second], listening: [])
        #expect(told.count == 1)
        guard case .failed(let failures) = told.error else {
            Issue.record("\(String(describing: told.error))")
            return
        }
        #expect(failures.map { $0.address } == [first, second])
        #expect(failures.allSatisfy { $0.failure == .refused })
        #expect(told.open == 0)
    }

    @Test func `a cancelled dial tells nothing and holds nothing`() async throws {
        let told = try await dial([first, second], listening: [first], cancel: true)
        #expect(told.count == 0)
        #expect(told.open == 0)
    }
}
