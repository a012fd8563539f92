// A network whose every event is a test's own doing: when a connection stands, what arrives, how
// much a write takes. No chance and no delay; see `Simulation` for those. Reactor thread.

package import FetchBytes
package import FetchReactor
package import FetchTransport
internal import Glibc

/// Streams in the order in which they were asked for, and what becomes of the next ones.
package final class MemoryNetwork: Network {
    /// What becomes of a connection that is asked for.
    package enum Fate {
        /// It stands later in the same turn.
        case connects
        /// It hangs until the test says `accept` or `refuse`.
        case hangs
        /// It fails later in the same turn.
        case fails(ConnectFailure)
    }

    package let reactor: Reactor
    /// Of connections that are asked for from now on.
    package var fate: (SocketAddress) -> Fate
    /// What a connection to a host would be sent from.
    package var sourceTowards: (SocketAddress.Host) -> SourceAddress = { _ in .unknown }
    /// Every stream there ever was, but for those that were forgotten.
    package private(set) var streams: [MemoryStream] = []
    private var asked = 0

    package init(on reactor: Reactor, fate: @escaping (SocketAddress) -> Fate = { _ in .connects })
    {
        self.reactor = reactor
        self.fate = fate
    }

    /// Those that are not closed, connecting ones included.
    package var open: [MemoryStream] { streams.filter { !$0.isClosed } }

    /// Forgets the closed ones: for tests that ask for very many.
    package func forgetClosed() { streams.removeAll { $0.isClosed } }

    package func source(towards host: SocketAddress.Host) -> SourceAddress { sourceTowards(host) }

    package func connect(
        to address: SocketAddress, handler: any ByteStreamHandler
    ) -> any ByteStream {
        let stream = MemoryStream(to: address, on: reactor, number: asked)
        asked += 1
        stream.handler = handler
        streams.append(stream)
        switch fate(address) {
        case .hangs: break
        case .connects: reactor.enqueue { stream.accept() }
        case .fails(let failure): reactor.enqueue { stream.refuse(failure) }
        }
        return stream
    }
}

/// The client's end of a connection; its other end is the test.
package final class MemoryStream: ByteStream {
    package let peer: SocketAddress
    package var handler: (any ByteStreamHandler)?
    /// Its place among the network's streams.
    package let number: Int
    private let reactor: Reactor

    package private(set) var isConnected = false
    package private(set) var isClosed = false
    package private(set) var wasReset = false
    package private(set) var isReading = true
    package private(set) var isWriting = false
    /// How many more bytes writes will take.
    package var room = Int.max
    /// What a write fails with, if it is to fail.
    package var writeFailure: SystemError?
    /// What was written since the test last took it.
    package private(set) var written: [UInt8] = []
    /// How many writes took something.
    package private(set) var writes = 0
    /// How much was written in all.
    package private(set) var writtenCount = 0

    private var arrived: [UInt8] = []
    private var hasEnded = false
    private var failure: SystemError?
    private var isTellingDue = false
    private var toldInVain = 0

    package init(to peer: SocketAddress, on reactor: Reactor, number: Int) {
        self.peer = peer
        self.reactor = reactor
        self.number = number
    }

    // MARK: The test's side

    /// The connection stands.
    package func accept() {
        guard !isConnected, !isClosed else { return }
        isConnected = true
        handler?.streamConnected()
    }

    /// The connection does not come about.
    package func refuse(_ failure: ConnectFailure = .refused) {
        guard !isConnected, !isClosed else { return }
        handler?.streamFailed(failure)
    }

    /// Bytes arrive.
    package func send(_ text: String) { send([UInt8](text.utf8)) }

    /// Bytes arrive.
    package func send(_ bytes: [UInt8]) {
        arrived += bytes
        tellLater()
    }

    /// The peer's orderly end arrives.
    package func end() {
        hasEnded = true
        tellLater()
    }

    /// The peer's reset arrives: reads and writes fail.
    package func fail(_ error: SystemError = .failed(.receive, errno: ECONNRESET)) {
        failure = error
        writeFailure = .failed(.send, errno: EPIPE)
        tellLater()
    }

    /// Writes take so many more bytes.
    package func grant(_ bytes: Int) {
        room = room.addingReportingOverflow(bytes).overflow ? .max : room + bytes
        tellLater()
    }

    /// What was written, as text; it is forgotten.
    package func takeWritten() -> String {
        let text = String(decoding: written, as: UTF8.self)
        written = []
        return text
    }

    /// What was written; it is forgotten.
    package func takeWrittenBytes() -> [UInt8] {
        defer { written = [] }
        return written
    }

    /// As epoll would say it.
    private var readiness: Readiness {
        guard isConnected, !isClosed else { return [] }
        var readiness: Readiness = []
        if isReading, !arrived.isEmpty || hasEnded || failure != nil { readiness = .readable }
        if isReading, hasEnded || failure != nil { readiness.insert(.readClosed) }
        if isWriting, room > 0 || writeFailure != nil { readiness.insert(.writable) }
        return readiness
    }

    private func tellLater() {
        guard !isTellingDue, !readiness.isEmpty else { return }
        isTellingDue = true
        reactor.enqueue { [self] in tell() }
    }

    /// Readiness is a level: what is still ready afterwards is told again.
    private func tell() {
        isTellingDue = false
        let before = readiness
        guard !before.isEmpty else { return }
        let (unread, unwritten) = (arrived.count, room)
        handler?.streamReady(before)
        let didNothing = arrived.count == unread && room == unwritten && readiness == before
        toldInVain = didNothing ? toldInVain + 1 : 0
        precondition(toldInVain < 100, "a ready stream is neither read, written nor silenced")
        tellLater()
    }

    // MARK: The client's side

    package func read(into buffer: ByteBuffer, atMost: Int) -> ReadOutcome {
        guard isConnected, !isClosed else { return .end }
        guard !arrived.isEmpty else {
            if let failure { return .failed(failure) }
            return hasEnded ? .end : .wouldBlock
        }
        let count = min(atMost, arrived.count)
        buffer.append(Bytes(arrived[..<count]))
        arrived.removeFirst(count)
        return .bytes(count)
    }

    package func isQuiet() -> Bool {
        isConnected && !isClosed && arrived.isEmpty && failure == nil && !hasEnded
    }

    package func write(_ buffer: ByteBuffer) -> WriteOutcome {
        let outcome = taking(buffer.readableCount)
        if case .taken(let count) = outcome { keep(buffer.takeBytes(count)) }
        return outcome
    }

    package func write(_ bytes: Bytes, from offset: Int) -> WriteOutcome {
        let outcome = taking(bytes.count - offset)
        if case .taken(let count) = outcome { keep(bytes.slice(offset..<offset + count)) }
        return outcome
    }

    private func taking(_ offered: Int) -> WriteOutcome {
        guard isConnected, !isClosed else { return .failed(.failed(.send, errno: ENOTCONN)) }
        if let writeFailure { return .failed(writeFailure) }
        let count = min(offered, room)
        if room != .max { room -= count }
        return .taken(count)
    }

    private func keep(_ bytes: Bytes) {
        written += bytes
        writtenCount += bytes.count
        if !bytes.isEmpty { writes += 1 }
    }

    package func setReading(_ on: Bool) {
        isReading = on
        tellLater()
    }

    package func setWriting(_ on: Bool) {
        isWriting = on
        tellLater()
    }

    package func close() {
        isClosed = true
        handler = nil
    }

    package func reset() {
        wasReset = wasReset || !isClosed
        close()
    }
}
