// The whole way over the kernel's sockets: a name server, the resolver, the race, a listener.

import FetchReactor
import FetchTransport
import TestSupport
import Testing

private final class Taker: DialHandler {
    var stream: (any ByteStream)?
    var error: ConnectError?
    var isOver: Bool { stream != nil || error != nil }

    func dialResolved() {}
    func dialConnected(_ stream: any ByteStream, _ times: DialTimes) { self.stream = stream }
    func dialFailed(_ error: ConnectError, _ times: DialTimes) { self.error = error }
}

@Suite struct DialOverTCPTests {
    /// Dials `a.test` at the port of a listener on 127.0.0.1, or at one where nobody listens.
    private func dial(
        _ literals: [String], _ policy: AddressPolicy = .any, listens: Bool = true
    ) async throws -> (peer: SocketAddress?, error: ConnectError?) {
        try await onThreadOfItsOwn {
            let scene = try NameScene(script: { .reply(.addresses(literals, to: $0)) })
            defer { scene.end() }
            let listener = try TCPListener(on: .loopback(port: 0), reactor: scene.reactor) {
                $0.close()
            }
            if !listens { listener.close() }
            defer { listener.close() }
            let dialer = Dialer(
                reactor: scene.reactor, network: TCPNetwork(reactor: scene.reactor),
                names: scene.names, policy: policy)
            let taker = Taker()
            let dial = dialer.dial(
                .name("a.test", isAbsolute: true, port: listener.address.port), handler: taker)
            scene.wait { taker.isOver }
            dial.cancel()
            taker.stream?.close()
            return (taker.stream?.peer, taker.error)
        }
    }

    @Test func `a name leads to its listener, past an address where nobody listens`() async throws {
        let told = try await dial(["127.0.0.2", "::1", "127.0.0.1"])
        #expect(told.peer?.hostText == "127.0.0.1")
    }

    @Test func `when nobody listens each address is told with its errno`() async throws {
        let told = try await dial(["127.0.0.1", "::1"], listens: false)
        guard case .failed(let failures) = told.error else {
            Issue.record("\(String(describing: told.error))")
            return
        }
        #expect(failures.map(\.address.hostText) == ["::1", "127.0.0.1"])
        #expect(failures.last?.failure == .refused)
    }

    @Test func `a name that is rebound to this machine is refused`() async throws {
        let told = try await dial(["127.0.0.1", "::1", "::ffff:127.0.0.1"], .publicInternetOnly)
        guard case .failed(let failures) = told.error else {
            Issue.record("\(String(describing: told.error))")
            return
        }
        #expect(failures.count == 3)
        #expect(failures.allSatisfy { $0.failure == .refusedByPolicy })
    }
}
