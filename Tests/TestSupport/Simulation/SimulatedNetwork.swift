// A network that is all chance and no wire: connections between the client and whoever listens, on
// one reactor, its virtual clock and one seed. Reactor thread.
//
// How a seed replays. Everything that happens here is an event on the reactor's timer wheel, and
// every choice is drawn from one generator in the order of events. Nothing iterates over a
// dictionary. `trace` sums up what happened; two runs of one seed must have the same.
//
// What it keeps of TCP (RFC 9293): a direction's bytes arrive in order; an end comes after the
// bytes; bytes to a closed end are answered by a reset; closing with unread bytes is a reset; what
// came before a reset can still be read, as Linux lets it. What it adds: it splits, merges, delays,
// and tells of readiness in any order across connections.

package import FetchReactor
internal import FetchTime
package import FetchTransport
internal import Glibc

package final class SimulatedNetwork: Network, TimerHandler {
    enum Event {
        case connectEnded(Int)
        /// The next item in flight towards a stream arrives.
        case arrival(Int)
        case readinessTold
        case misfortune(Misfortune, client: Int)
    }

    enum Misfortune: Int {
        case reset
        case end
        case loss
    }

    private struct Listener {
        let weather: Weather
        let accepted: (any ByteStream) -> Void
    }

    package let reactor: Reactor
    package let weather: Weather
    var dice: Dice
    package private(set) var trace = Trace()
    /// Connections that clients hold, opened or opening: now and at most, by address and in all.
    package private(set) var open: [SocketAddress: Int] = [:]
    package private(set) var mostOpen: [SocketAddress: Int] = [:]
    package private(set) var openInAll = 0
    package private(set) var mostOpenInAll = 0
    /// Connections clients asked for.
    package private(set) var connectCount = 0
    private var listeners: [SocketAddress: Listener] = [:]
    private var streams: [Int: SimulatedStream] = [:]
    private var nextStream = 0
    private var events: [Int: (event: Event, timer: TimerID)] = [:]
    private var nextEvent = 0
    private var ready: [SimulatedStream] = []
    private var isTellingScheduled = false

    package init(on reactor: Reactor, seed: UInt64, weather: Weather = Weather()) {
        self.reactor = reactor
        self.weather = weather
        dice = Dice(seed: seed)
    }

    // MARK: Both sides' doors

    /// Hands every connection to `address` to `accepted`, the server's end of it.
    package func listen(
        at address: SocketAddress, weather: Weather? = nil,
        _ accepted: @escaping (any ByteStream) -> Void
    ) {
        listeners[address] = Listener(weather: weather ?? self.weather, accepted: accepted)
    }

    /// Lets `origin` serve `address`.
    package func listen(
        at address: SocketAddress, weather: Weather? = nil, _ origin: ScriptedOrigin
    ) {
        listen(at: address, weather: weather) { origin.serve($0) }
    }

    /// Connections to `address` are refused from now on; those that stand go on.
    package func stopListening(at address: SocketAddress) {
        listeners[address] = nil
    }

    package func connect(
        to address: SocketAddress, handler: any ByteStreamHandler
    ) -> any ByteStream {
        let weather = listeners[address]?.weather ?? self.weather
        let stream = SimulatedStream(
            id: newStream(), peer: address, network: self, isClient: true, weather: weather)
        stream.handler = handler
        streams[stream.id] = stream
        connectCount += 1
        openInAll += 1
        mostOpenInAll = max(mostOpenInAll, openInAll)
        open[address, default: 0] += 1
        mostOpen[address] = max(mostOpen[address] ?? 0, open[address] ?? 0)
        note(1, stream.id, 0)
        if !dice.chance(weather.blackHole) {
            schedule(.connectEnded(stream.id), after: dice.pick(weather.connectDelay))
        }
        return stream
    }

    /// Drops everything that has not happened yet.
    package func stop() {
        for (_, pending) in events { reactor.cancel(pending.timer) }
        events.removeAll()
        ready.removeAll()
        listeners.removeAll()
        for (_, stream) in streams { stream.forget() }
        streams.removeAll()
    }

    private func newStream() -> Int {
        nextStream += 1
        return nextStream
    }

    // MARK: Events

    func schedule(_ event: Event, after delay: Duration) {
        schedule(event, at: reactor.now + delay)
    }

    func schedule(_ event: Event, at instant: Instant) {
        let token = nextEvent
        nextEvent += 1
        events[token] = (event, reactor.schedule(self, token: token, at: instant))
    }

    package func timerFired(_ token: Int) {
        guard let event = events.removeValue(forKey: token)?.event else { return }
        switch event {
        case .connectEnded(let id):
            connectEnded(id)
        case .arrival(let id):
            streams[id]?.nextItemArrived()
        case .readinessTold:
            tellReadiness()
        case .misfortune(let misfortune, let id):
            strike(misfortune, id)
        }
    }

    private func connectEnded(_ id: Int) {
        guard let client = streams[id], client.state == .connecting else { return }
        guard let listener = listeners[client.peer], !dice.chance(listener.weather.refusal) else {
            note(2, id, 0)
            client.handler?.streamFailed(.refused)
            return
        }
        note(3, id, 0)
        let server = SimulatedStream(
            id: newStream(), peer: .loopback(port: UInt16(20_000 + id % 40_000)), network: self,
            isClient: false, weather: listener.weather)
        streams[server.id] = server
        client.connected(to: server)
        server.connected(to: client)
        drawMisfortune(of: client, listener.weather)
        listener.accepted(server)
        client.handler?.streamConnected()
    }

    private func drawMisfortune(of client: SimulatedStream, _ weather: Weather) {
        let odds = [
            (Misfortune.reset, weather.reset), (.end, weather.orderlyEnd), (.loss, weather.loss),
        ]
        for (misfortune, probability) in odds where dice.chance(probability) {
            schedule(
                .misfortune(misfortune, client: client.id), after: dice.pick(weather.misfortune))
            return
        }
    }

    private func strike(_ misfortune: Misfortune, _ id: Int) {
        guard let client = streams[id], let server = client.other else { return }
        note(4 + misfortune.rawValue, id, 0)
        for stream in [client, server] {
            switch misfortune {
            case .reset: stream.struck(by: .reset)
            case .end: stream.struck(by: .end)
            case .loss: stream.isLost = true
            }
        }
    }

    // MARK: Readiness

    /// Remembers that `stream` may have something to tell.
    func becameReady(_ stream: SimulatedStream) {
        guard !stream.isQueued, stream.state == .open else { return }
        stream.isQueued = true
        ready.append(stream)
        guard !isTellingScheduled else { return }
        isTellingScheduled = true
        schedule(.readinessTold, after: dice.pick(weather.readiness))
    }

    /// Tells everything that is ready, in an order that is drawn. As with epoll, what is still
    /// ready afterwards is told again.
    private func tellReadiness() {
        isTellingScheduled = false
        var batch = ready
        ready.removeAll()
        batch.shuffle(using: &dice)
        for stream in batch {
            stream.isQueued = false
            let readiness = stream.readiness
            guard !readiness.isEmpty else { continue }
            note(7, stream.id, Int(readiness.rawValue))
            stream.handler?.streamReady(readiness)
            if !stream.readiness.isEmpty { becameReady(stream) }
        }
    }

    // MARK: What streams tell

    func note(_ kind: Int, _ id: Int, _ count: Int) {
        trace.add(reactor.now, kind, id, count)
    }

    func closed(_ stream: SimulatedStream) {
        note(8, stream.id, 0)
        if stream.isClient {
            openInAll -= 1
            open[stream.peer, default: 0] -= 1
        }
        guard let other = stream.other else {
            streams[stream.id] = nil
            return
        }
        guard other.state == .closed else { return }
        for end in [stream, other] {
            streams[end.id] = nil
            end.forget()
        }
    }
}
