// What the kernel says of this process (proc(5)), and an origin beside the client.

import Fetch
import FetchTransport
import Glibc
import TestSupport

/// The descriptors that are open now.
func descriptors() -> [CInt] {
    (0..<4_096).filter { fcntl($0, F_GETFD) >= 0 }
}

/// Runs the body with an origin on the same reactor.
func withOrigin<R: Sendable>(
    on address: SocketAddress = .loopback(port: 0), _ script: Script, log: OriginLog? = nil,
    _ configuration: Reactor.Configuration = Reactor.Configuration(),
    _ body: @escaping @Sendable (_ reactor: Reactor, _ port: UInt16) async throws -> R
) throws -> R {
    try Reactor.run(configuration) {
        guard let reactor = Reactor.current else { fatalError("run has a reactor") }
        let limits = OriginLimits.nothing
        let origin = ScriptedOrigin(on: reactor, limits: limits, log: log, script)
        let port = try origin.listen(on: address).port
        let bound = ReactorBound(here: origin, on: reactor)
        let result = try await body(reactor, port)
        bound.value.stop()
        return result
    }
}
