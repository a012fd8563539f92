// One attempt to reach an origin: its name, then the race of its addresses (`AddressRace`), until a
// stream stands. Owned by the connection that wants the stream; runs on the reactor's thread.
//
// Every address is held against the client's policy at the moment it is to be connected to, and
// that very address is what the kernel is given: nothing is looked up in between.
//
// The clocks over both phases are the owner's, so that a name with many dead addresses can't
// stretch them: `dialResolved` tells where one phase ends and the other begins.

internal import FetchReactor
internal import FetchTime

/// How long a dial's phases took, in nanoseconds.
package struct DialTimes: Equatable, Sendable {
    /// Until the first attempt began: the name and, where it applied, the resolution delay.
    package var dns: Int64 = 0
    /// From the first attempt to the end.
    package var connect: Int64 = 0

    package init() {}
}

/// Told how a dial goes.
package protocol DialHandler: AnyObject {
    /// The first attempt begins. Not told where addresses were known from the start, or were none.
    func dialResolved()
    /// Told once, and then nothing more.
    func dialConnected(_ stream: any ByteStream, _ times: DialTimes)
    /// Told once, and then nothing more.
    func dialFailed(_ error: ConnectError, _ times: DialTimes)
}

package final class Dial: NameHandler, TimerHandler {
    fileprivate let dialer: Dialer
    private var race: AddressRace
    /// Empty where the addresses were listed: those are tried in their order, and nothing is
    /// learned.
    private let name: String
    private let port: UInt16
    /// By number; nil for those that have failed or were refused.
    private var attempts: [DialAttempt?] = []
    private var ticket: LookupTicket?
    private var timer: TimerID?
    /// A cycle with the connection, until the outcome is told or the dial cancelled.
    private var handler: (any DialHandler)?
    private let begunAt: Instant
    private var resolvedAt: Instant?
    /// Inside `obey`, or not yet begun: what is told now is looked at later.
    private var isObeying = true

    /// Whether no attempt has begun yet.
    package var isResolving: Bool { !race.hasBegun }

    init(_ destination: Destination, by dialer: Dialer, handler: any DialHandler) {
        self.dialer = dialer
        self.handler = handler
        begunAt = dialer.reactor.now
        switch destination {
        case .addresses(let addresses):
            (name, port) = ("", 0)
            race = AddressRace(addresses, delays: dialer.delays)
            resolvedAt = begunAt
        case .name(let name, let isAbsolute, let port):
            (self.name, self.port) = (name, port)
            race = AddressRace(port: port, delays: dialer.delays)
            lookUp(isAbsolute)
        }
        isObeying = false
        begin()
    }

    /// Gives up; the handler hears nothing.
    package func cancel() {
        end()
    }

    // MARK: The name

    private func lookUp(_ isAbsolute: Bool) {
        switch dialer.names.lookUp(name, isAbsolute: isAbsolute, for: self) {
        case .known(let ipv6, let ipv4) where ipv6.count + ipv4.count == 1:
            // The only one goes first, whatever speaks against it.
            race.found(.ipv6, ipv6)
            race.found(.ipv4, ipv4)
            race.resolutionEnded(nil)
        case .known(let ipv6, let ipv4):
            found(.ipv6, ipv6)
            found(.ipv4, ipv4)
            race.resolutionEnded(NameError(.noAddresses, of: name))
        case .failed(let error):
            race.resolutionEnded(error)
        case .asked(let ticket, let known):
            self.ticket = ticket
            if let known { found(known.family, known.hosts) }
        }
    }

    private func found(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {
        race.found(family, dialer.ordered(hosts, port: port))
    }

    package func addressesFound(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {
        found(family, hosts)
        // The last family's addresses come with the end, which is told next.
        obey()
    }

    package func lookupEnded(_ error: NameError?) {
        ticket = nil
        race.resolutionEnded(error)
        obey()
    }

    // MARK: The race

    /// The first step, inside the call that made the dial: attempts begin at once, and anything
    /// else is told later.
    private func begin() {
        isObeying = true
        defer { isObeying = false }
        while true {
            let action = race.next(now: dialer.reactor.now)
            switch action {
            case .connect(let number, let address): connect(number, address)
            case .wait(let until): return sleep(until)
            case .succeed, .fail:
                dialer.reactor.enqueue { [self] in tell(action) }
                return
            }
        }
    }

    /// Does what the race says, until it waits.
    private func obey() {
        guard !isObeying, handler != nil else { return }
        isObeying = true
        defer { isObeying = false }
        while handler != nil {
            let action = race.next(now: dialer.reactor.now)
            switch action {
            case .connect(let number, let address):
                if resolvedAt == nil {
                    resolvedAt = dialer.reactor.now
                    handler?.dialResolved()
                }
                connect(number, address)
            case .wait(let until): return sleep(until)
            case .succeed, .fail: return tell(action)
            }
        }
    }

    /// Attempts never fail before `connect` returns, but the policy does.
    private func connect(_ number: Int, _ address: SocketAddress) {
        if resolvedAt == nil { resolvedAt = dialer.reactor.now }
        while attempts.count <= number { attempts.append(nil) }
        guard dialer.policy.permits(address) else {
            race.failed(number, .refusedByPolicy)
            return
        }
        attempts[number] = DialAttempt(number, to: address, self, over: dialer.network)
    }

    fileprivate func attemptConnected(_ number: Int) {
        race.connected(number)
        obey()
    }

    fileprivate func attemptFailed(_ number: Int, _ failure: ConnectFailure) {
        if let attempt = attempts[number], !name.isEmpty, failure.isOfAddress {
            dialer.learn(attempt.address, answered: false)
        }
        attempts[number]?.close()
        attempts[number] = nil
        race.failed(number, failure)
        obey()
    }

    private func sleep(_ until: Instant?) {
        if let timer { dialer.reactor.cancel(timer) }
        timer = until.map { dialer.reactor.schedule(self, at: $0) }
    }

    package func timerFired(_ token: Int) {
        timer = nil
        obey()
    }

    // MARK: The end

    private func tell(_ action: AddressRace.Action) {
        guard let handler else { return }
        let now = dialer.reactor.now
        var times = DialTimes()
        let resolved = resolvedAt ?? now
        times.dns = resolved.nanoseconds(since: begunAt)
        times.connect = now.nanoseconds(since: resolved)
        switch action {
        case .succeed(let number):
            if let attempt = attempts[number], !name.isEmpty {
                dialer.learn(attempt.address, answered: true)
            }
            let stream = attempts[number]?.handOver()
            attempts[number] = nil
            end()
            if let stream { handler.dialConnected(stream, times) }
        case .fail(let error):
            end()
            handler.dialFailed(error, times)
        case .connect, .wait:
            break
        }
    }

    /// Losers are closed in the same turn, and nobody is told anything any more.
    private func end() {
        handler = nil
        if let ticket { dialer.names.leave(ticket) }
        ticket = nil
        sleep(nil)
        for attempt in attempts.compactMap({ $0 }) {
            // It had its time and was not heard of.
            let waited = dialer.reactor.now.nanoseconds(since: attempt.begunAt)
            if !name.isEmpty, waited >= dialer.delays.attempt {
                dialer.learn(attempt.address, answered: false)
            }
            attempt.close()
        }
        attempts = []
    }
}

/// One address that is being connected to.
private final class DialAttempt: ByteStreamHandler {
    let address: SocketAddress
    let begunAt: Instant
    private let number: Int
    /// A cycle with the dial, until the attempt is over.
    private var dial: Dial?
    private var stream: (any ByteStream)?

    init(_ number: Int, to address: SocketAddress, _ dial: Dial, over network: any Network) {
        self.address = address
        self.number = number
        self.dial = dial
        begunAt = dial.dialer.reactor.now
        stream = network.connect(to: address, handler: self)
    }

    func streamConnected() { dial?.attemptConnected(number) }

    func streamFailed(_ failure: ConnectFailure) { dial?.attemptFailed(number, failure) }

    /// Readiness before the connection stands is one of the two above.
    func streamReady(_ readiness: Readiness) {}

    /// The connected stream, which has no handler now.
    func handOver() -> (any ByteStream)? {
        defer { (dial, stream) = (nil, nil) }
        stream?.handler = nil
        return stream
    }

    func close() {
        stream?.close()
        (dial, stream) = (nil, nil)
    }
}
