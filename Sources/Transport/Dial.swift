// One attempt to reach an origin: its addresses in order, until one connects. Owned by the
// connection that wants the stream; runs on the reactor's thread.
//
// Addresses are tried one after the other; a refusal moves on at once. The clock over the whole
// dial is its owner's, so that a name with many dead addresses cannot stretch it.

package import FetchReactor

/// Told once how a dial ended.
package protocol DialHandler: AnyObject {
    func dialConnected(_ stream: any ByteStream)
    func dialFailed(_ error: ConnectError)
}

package final class Dial: ByteStreamHandler {
    private let network: any Network
    private let addresses: [SocketAddress]
    private var next = 0
    private var failures: [ConnectError.AddressFailure] = []
    private var stream: (any ByteStream)?
    /// A cycle with the connection, until the outcome is told or the dial cancelled.
    private var handler: (any DialHandler)?

    /// Starts at once. `handler` hears of the outcome later, never before this returns.
    package init(_ addresses: [SocketAddress], over network: any Network, handler: any DialHandler)
    {
        precondition(!addresses.isEmpty, "a dial needs an address")
        self.network = network
        self.addresses = addresses
        self.handler = handler
        tryNextAddress()
    }

    /// Gives up; the handler hears nothing.
    package func cancel() {
        handler = nil
        stream?.close()
        stream = nil
    }

    private func tryNextAddress() {
        let address = addresses[next]
        next += 1
        stream = network.connect(to: address, handler: self)
    }

    package func streamConnected() {
        guard let stream, let handler else { return }
        self.stream = nil
        self.handler = nil
        stream.handler = nil
        handler.dialConnected(stream)
    }

    package func streamFailed(_ failure: ConnectFailure) {
        failures.append(.init(address: addresses[next - 1], failure: failure))
        stream?.close()
        stream = nil
        if next < addresses.count {
            tryNextAddress()
        } else {
            let handler = self.handler
            self.handler = nil
            handler?.dialFailed(.failed(failures))
        }
    }

    /// Readiness before the connection stands is `streamConnected` or `streamFailed`.
    package func streamReady(_ readiness: Readiness) {}
}
