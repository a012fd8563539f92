// What all TLS streams of one engine share: the contexts of its configurations and the buffers that
// ciphertext passes through. Owned by the engine; reactor's thread.

internal import FetchBytes
package import FetchReactor
package import FetchTLS

/// Puts TLS over connected streams.
package final class TLSConnector {
    let reactor: Reactor
    /// Ciphertext on its way in and out; empty between two calls.
    let input: ByteBuffer
    let output: ByteBuffer
    /// For streams that have to keep some.
    let buffers: ByteBufferPool

    /// Ciphertext asked of a stream at once: four records.
    package static let bytesPerRead = 64 << 10
    /// Plaintext encrypted at once, before it is offered to the stream.
    package static let bytesPerWrite = 64 << 10
    /// Configurations that are ready for use at the same time.
    package static let contextLimit = 64

    private let environment: TLSEnvironment
    private var contexts: [TLSConfiguration: TLSContext] = [:]
    /// The configurations of `contexts`, the one made ready first in front.
    private var order: [TLSConfiguration] = []

    package init(on reactor: Reactor, environment: TLSEnvironment = .ofProcess) {
        self.reactor = reactor
        self.environment = environment
        let room = TLSConnector.bytesPerWrite + 5 * TLSSession.recordOverhead
        input = ByteBuffer(capacity: TLSConnector.bytesPerRead)
        output = ByteBuffer(capacity: room)
        buffers = ByteBufferPool(capacityEach: room, mostKept: 16)
    }

    /// The configuration made ready: read from its files once, and kept. At the limit the one that
    /// was made ready first is forgotten; its streams keep it.
    package func context(_ configuration: TLSConfiguration) throws(TLSFailure) -> TLSContext {
        if let context = contexts[configuration] { return context }
        let context = try TLSContext(configuration, environment: environment)
        if order.count >= TLSConnector.contextLimit {
            contexts[order.removeFirst()] = nil
        }
        contexts[configuration] = context
        order.append(configuration)
        return context
    }

    /// Reads all authorities anew. Connections that stand go on; after a failure the context that
    /// failed keeps its old ones, and the others are still reloaded.
    package func reloadTrust() throws(TLSFailure) {
        var failure: TLSFailure?
        for configuration in order {
            do throws(TLSFailure) {
                try contexts[configuration]?.reloadTrust()
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Begins a handshake over `stream`, which stands and is the new stream's from now on, failure
    /// included. `handler` hears of the outcome once, never before this returns. The clock is the
    /// caller's: it closes the stream that is returned when time is up.
    package func secure(
        _ stream: any ByteStream, with context: TLSContext, host: String, port: UInt16,
        handler: any HandshakeHandler
    ) -> TLSStream {
        TLSStream(over: stream, by: self, context, host: host, port: port, handler: handler)
    }
}

/// Told once how a handshake ended.
package protocol HandshakeHandler: AnyObject {
    /// Bytes can flow. The stream's `handler` is the listener's to set. What is written before this
    /// returns leaves together with the handshake's last message.
    func handshakeDone(_ stream: TLSStream)
    /// The stream is closed.
    func handshakeFailed(_ failure: HandshakeFailure)
}

/// Why a handshake came to nothing.
package enum HandshakeFailure: Error, Equatable, Sendable {
    /// Client and server did not agree, or one did not trust the other.
    case tls(TLSFailure)
    /// The connection broke underneath.
    case broken(SystemError)
}

extension HandshakeFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tls(let failure): "\(failure)"
        case .broken(let error): "the connection broke during the TLS handshake: \(error)"
        }
    }
}
