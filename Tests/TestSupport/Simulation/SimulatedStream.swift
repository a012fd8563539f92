// One end of a simulated connection. The network keeps it while the connection stands; its owner
// closes it. Reactor thread.

package import FetchBytes
internal import FetchReactor
internal import FetchTime
package import FetchTransport
internal import Glibc

package final class SimulatedStream: ByteStream {
    enum State: Equatable {
        /// Can transition to `open` and `closed`.
        case connecting
        /// Can transition to `closed`.
        case open
        case closed
    }

    enum Item {
        case bytes(Bytes)
        case end
        case reset
    }

    package let peer: SocketAddress
    package var handler: (any ByteStreamHandler)?
    let id: Int
    let isClient: Bool
    private let network: SimulatedNetwork
    private let weather: Weather
    private(set) var state = State.connecting
    /// The two hold each other until both are closed or the network stops.
    private(set) var other: SimulatedStream?
    var isQueued = false
    /// Nothing reaches this end any more.
    var isLost = false

    private var wantsReading = true
    private var wantsWriting = false
    /// Arrived and unread.
    private let received = ByteBuffer(capacity: 4_096)
    private var hasEnded = false
    private var wasReset = false
    /// On the way to this end, in order, and when the last of it arrives.
    private var flight: [Item] = []
    private var lastArrival = Instant(nanoseconds: 0)

    /// Written here and not yet read over there.
    private var outstanding = 0
    private let window: Int
    /// The way from here.
    private let delay: Duration
    private let bytesPerMillisecond: Int
    private var wayIsFree = Instant(nanoseconds: 0)

    init(id: Int, peer: SocketAddress, network: SimulatedNetwork, isClient: Bool, weather: Weather)
    {
        self.id = id
        self.peer = peer
        self.network = network
        self.isClient = isClient
        self.weather = weather
        window = network.dice.pick(weather.window)
        delay = network.dice.pick(weather.delay)
        bytesPerMillisecond = network.dice.pick(weather.bytesPerMillisecond)
    }

    func connected(to other: SimulatedStream) {
        self.other = other
        state = .open
    }

    /// Nothing will come to this end or leave it any more.
    func forget() {
        handler = nil
        other = nil
    }

    // MARK: The owner's side

    package func read(into buffer: ByteBuffer, atMost: Int) -> ReadOutcome {
        guard state == .open else { return .end }
        guard !received.isEmpty else {
            if wasReset { return .failed(.failed(.receive, errno: ECONNRESET)) }
            return hasEnded ? .end : .wouldBlock
        }
        let count = min(atMost, received.readableCount, network.dice.pick(weather.read))
        buffer.append(received.takeBytes(count))
        network.note(9, id, count)
        other?.wasRead(count)
        return .bytes(count)
    }

    package func isQuiet() -> Bool {
        state == .open && received.isEmpty && !wasReset && !hasEnded
    }

    package func write(_ buffer: ByteBuffer) -> WriteOutcome {
        let outcome = room(for: buffer.readableCount)
        if case .taken(let count) = outcome, count > 0 { send(buffer.takeBytes(count)) }
        return outcome
    }

    package func write(_ bytes: Bytes, from offset: Int) -> WriteOutcome {
        let outcome = room(for: bytes.count - offset)
        if case .taken(let count) = outcome, count > 0 {
            send(bytes.slice(offset..<(offset + count)))
        }
        return outcome
    }

    package func setReading(_ on: Bool) {
        wantsReading = on
        if !readiness.isEmpty { network.becameReady(self) }
    }

    package func setWriting(_ on: Bool) {
        wantsWriting = on
        if !readiness.isEmpty { network.becameReady(self) }
    }

    package func close() {
        leave(received.isEmpty ? .end : .reset)
    }

    package func reset() {
        leave(.reset)
    }

    private func leave(_ goodbye: Item) {
        guard state != .closed else { return }
        if state == .open, !wasReset { dispatch(goodbye, size: 0) }
        state = .closed
        handler = nil
        received.removeAll()
        network.closed(self)
    }

    /// What epoll would say.
    var readiness: Readiness {
        guard state == .open else { return [] }
        var readiness: Readiness = []
        if wasReset { readiness.formUnion([.error, .hangup]) }
        if wantsReading, !received.isEmpty || hasEnded || wasReset {
            readiness.insert(.readable)
        }
        if wantsReading, hasEnded || wasReset { readiness.insert(.readClosed) }
        if wantsWriting, outstanding < window || wasReset { readiness.insert(.writable) }
        return readiness
    }

    // MARK: Sending

    private func room(for offered: Int) -> WriteOutcome {
        guard state == .open else { return .failed(SystemError.failed(.send, errno: ENOTCONN)) }
        if wasReset { return .failed(.failed(.send, errno: ECONNRESET)) }
        var count = min(offered, window - outstanding)
        if count > 1, network.dice.chance(weather.partialWrite) {
            count = network.dice.pick(1...count)
        }
        return .taken(max(0, count))
    }

    private func send(_ bytes: Bytes) {
        network.note(10, id, bytes.count)
        outstanding += bytes.count
        let least = (bytes.count + 15) / 16
        var start = 0
        while start < bytes.count {
            let size = min(
                bytes.count - start, max(least, network.dice.pick(weather.segment)))
            dispatch(.bytes(bytes.slice(start..<(start + size))), size: size)
            start += size
        }
    }

    /// Puts an item on its way to the other end.
    private func dispatch(_ item: Item, size: Int) {
        guard let other, !other.isLost else { return }
        let now = network.reactor.now
        let sending = Duration.microseconds(size * 1_000 / bytesPerMillisecond)
        wayIsFree = max(wayIsFree, now) + sending
        let arrival = max(
            other.lastArrival, wayIsFree + delay + network.dice.pick(weather.jitter))
        other.lastArrival = arrival
        other.flight.append(item)
        network.schedule(.arrival(other.id), at: arrival)
    }

    /// The other end has made room.
    private func wasRead(_ count: Int) {
        outstanding -= count
        if wantsWriting { network.becameReady(self) }
    }

    // MARK: Receiving

    func nextItemArrived() {
        guard !flight.isEmpty else { return }
        let item = flight.removeFirst()
        if isLost { return }
        guard state == .open else {
            // RFC 9293 §3.5.2: bytes to an end that is gone are answered by a reset.
            if case .bytes = item { dispatch(.reset, size: 0) }
            return
        }
        arrived(item)
    }

    /// A middlebox spoke: nothing that is still in flight arrives.
    func struck(by item: Item) {
        flight.removeAll()
        isLost = true
        if state == .open { arrived(item) }
    }

    private func arrived(_ item: Item) {
        switch item {
        case .bytes(let bytes):
            guard !wasReset, !hasEnded else { return }
            network.note(11, id, bytes.count)
            received.append(bytes)
        case .end:
            network.note(12, id, 0)
            hasEnded = true
        case .reset:
            network.note(13, id, 0)
            wasReset = true
        }
        network.becameReady(self)
    }
}
