// The seam between protocol and network: a byte stream to one peer, and the network that makes
// them. Everything above reads and writes through these protocols; TCP stands behind them in
// programs, the simulated network in tests. All of it runs on the reactor's thread.

package import FetchBytes
package import FetchReactor
package import FetchTLS

/// What one read found.
package enum ReadOutcome: Equatable {
    /// So many bytes were appended.
    case bytes(Int)
    /// Nothing there now.
    case wouldBlock
    /// The peer has closed its side.
    case end
    case failed(SystemError)
}

/// What one write left.
package enum WriteOutcome: Equatable {
    /// So many bytes were taken by the kernel; fewer than offered means: wait for writability.
    case taken(Int)
    case failed(SystemError)
}

/// A connecting or connected, non-blocking stream of bytes to one peer.
package protocol ByteStream: AnyObject {
    var peer: SocketAddress { get }
    /// Told of every event. Held weakly by nobody: its owner clears it by `close()`.
    var handler: (any ByteStreamHandler)? { get set }
    /// What TLS says of this stream; nil where there is none.
    var tls: TLSSession? { get }
    /// Appends what has arrived to `buffer`, `atMost` bytes of it.
    func read(into buffer: ByteBuffer, atMost: Int) -> ReadOutcome
    /// Takes what has arrived, `atMost` bytes of it, into `piece`: storage of its own, so that
    /// large bodies are copied once less. `piece` is empty unless the outcome is `bytes`.
    func read(_ piece: inout Bytes, atMost: Int) -> ReadOutcome
    /// Whether nothing can be read now: no byte, no end, no error. Takes nothing.
    func isQuiet() -> Bool
    /// Offers all of `buffer`; what was taken is consumed from it.
    func write(_ buffer: ByteBuffer) -> WriteOutcome
    /// Offers `bytes` from `offset` on, without copying them.
    func write(_ bytes: Bytes, from offset: Int) -> WriteOutcome
    /// Whether readability is reported. On from the start.
    func setReading(_ on: Bool)
    /// Whether writability is reported. Off once connected.
    func setWriting(_ on: Bool)
    /// Ends the stream at once; the handler hears nothing more. Idempotent.
    func close()
    /// As `close`, with a reset instead of an orderly end.
    func reset()
}

extension ByteStream {
    package var tls: TLSSession? { nil }

    /// By way of a buffer: for streams whose speed matters to nobody.
    package func read(_ piece: inout Bytes, atMost: Int) -> ReadOutcome {
        let buffer = ByteBuffer(capacity: atMost)
        let outcome = read(into: buffer, atMost: atMost)
        piece = buffer.takeBytes(buffer.readableCount)
        return outcome
    }
}

/// What a stream tells its owner.
package protocol ByteStreamHandler: AnyObject {
    func streamConnected()
    func streamFailed(_ error: ConnectFailure)
    func streamReady(_ readiness: Readiness)
}

/// Makes streams: the kernel's TCP, or a simulated network.
package protocol Network: AnyObject {
    /// Begins to connect; the outcome is told to `handler`, never before this returns.
    func connect(to address: SocketAddress, handler: any ByteStreamHandler) -> any ByteStream
    /// What a connection to `host` would be sent from. Sends nothing.
    func source(towards host: SocketAddress.Host) -> SourceAddress
}

extension Network {
    /// Every address is as good as another.
    package func source(towards host: SocketAddress.Host) -> SourceAddress { .unknown }
}
