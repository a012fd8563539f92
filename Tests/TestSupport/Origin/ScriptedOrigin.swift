// The scripted origin: an HTTP/1.1 server that does what a script says, mistakes included, and
// remembers what it saw. It serves byte streams, wherever they come from: a TCPListener or the
// simulated network. Owned by whoever made it; reactor thread. Its log is safe on any thread.

package import FetchReactor
internal import FetchTime
package import FetchTransport

package final class ScriptedOrigin {
    package let reactor: Reactor
    package var script: Script
    package let limits: OriginLimits
    /// Closes each connection after so many requests; 0 means never.
    package var closesAfter: Int
    package let log: OriginLog
    private var connections: [Int: OriginConnection] = [:]
    private var listeners: [TCPListener] = []

    package init(
        on reactor: Reactor, closesAfter: Int = 0, limits: OriginLimits = OriginLimits(),
        log: OriginLog? = nil, _ script: Script
    ) {
        self.reactor = reactor
        self.script = script
        self.limits = limits
        self.closesAfter = closesAfter
        self.log = log ?? OriginLog(limits)
    }

    /// Listens on `address`; port 0 lets the kernel choose. Returns what was bound. From then on
    /// `stop` must come: the listener holds its origin, as connections do.
    @discardableResult
    package func listen(
        on address: SocketAddress = .loopback(port: 0)
    ) throws(SystemError) -> SocketAddress {
        let listener = try TCPListener(on: address, reactor: reactor) { [self] stream in
            serve(stream)
        }
        listeners.append(listener)
        return listener.address
    }

    /// Serves one connection that somebody else accepted.
    package func serve(_ stream: any ByteStream) {
        let connection = OriginConnection(
            index: log.connectionAccepted(), stream: stream, origin: self)
        connections[connection.index] = connection
        stream.handler = connection
    }

    /// Ends every connection in an orderly way, as a server that restarts does.
    package func closeConnections() {
        for index in connections.keys.sorted() {
            connections[index]?.end { $0.close() }
        }
    }

    /// Resets every connection.
    package func resetConnections() {
        for index in connections.keys.sorted() {
            connections[index]?.end { $0.reset() }
        }
    }

    /// Stops listening and resets what is open.
    package func stop() {
        for listener in listeners { listener.close() }
        listeners.removeAll()
        resetConnections()
    }

    package var seen: OriginSnapshot { log.snapshot }

    // MARK: What connections tell

    func connectionEnded(_ index: Int) {
        connections[index] = nil
        log.connectionEnded()
    }

    func requestArrived(on connection: Int) -> Int {
        log.requestArrived(on: connection)
    }

    func remember(_ request: SeenRequest) {
        log.remember(request)
    }

    func complain(_ reason: String) {
        log.complain(reason)
    }
}
