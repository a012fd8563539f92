// The race of a name's addresses (RFC 8305, "Happy Eyeballs"): which address is tried next, when,
// and how it ends. A pure value, owned by a dial.
//
// Events say what was learned: addresses of a family, an attempt's outcome, the passing of time.
// After each, `next(now:)` is asked until it says `wait`, and obeyed.
//
// - IPv6 goes first. Addresses of IPv4 alone wait for it for the resolution delay (§3).
// - Families take turns (§4), whatever came when.
// - The next attempt begins when the last one has had the connection attempt delay to itself, or at
//   once when an attempt fails (§5). Nothing that began is given up before somebody has won.
// - Addresses that were listed by hand are tried in that order, without turns.

package import FetchTime

package struct AddressRace: Sendable {
    /// The two delays, in nanoseconds.
    package struct Delays: Equatable, Sendable {
        /// How long IPv4 waits for IPv6's answer. RFC 8305 §8: 50 ms.
        package var resolution: Int64 = 50_000_000
        /// How long an attempt has before the next one begins. RFC 8305 §8: 250 ms.
        package var attempt: Int64 = 250_000_000

        package init() {}
    }

    package enum State: Equatable, Sendable {
        /// Nothing can be tried yet. Can transition to every other state.
        case resolving
        /// There is IPv4, and IPv6 may follow until then. Can transition to `racing` and `ended`.
        case delaying(until: Instant)
        /// Attempts were begun. The next may begin then; at once if that is nil. Can transition to
        /// `ended`.
        case racing(next: Instant?)
        /// Somebody won, or nobody can. Final.
        case ended
    }

    package enum Action: Equatable, Sendable {
        /// Begin attempt `number`; its outcome is told by `connected` or `failed`.
        case connect(number: Int, SocketAddress)
        /// Nothing to do until an event, or until then. Ask again.
        case wait(until: Instant?)
        /// Attempt `number` is the winner; every other one is to be closed now.
        case succeed(number: Int)
        case fail(ConnectError)
    }

    package private(set) var state: State
    private let delays: Delays
    private let port: UInt16
    /// Not yet tried, the next one first.
    private var ipv6: ArraySlice<SocketAddress.Host> = []
    private var ipv4: ArraySlice<SocketAddress.Host> = []
    private var listed: ArraySlice<SocketAddress> = []
    /// Families that may still be told of.
    private var unanswered: Set<AddressFamily>
    /// Nothing more will be found.
    private var isResolved: Bool
    private var lastFamily: AddressFamily?
    /// Every address that was tried, by the attempt's number.
    private var tried: [SocketAddress] = []
    private var pending: Set<Int> = []
    private var failures: [(number: Int, failure: ConnectFailure)] = []
    private var winner: Int?
    private var nameError: NameError?

    /// A race among addresses that are still to be found.
    package init(port: UInt16, delays: Delays) {
        state = .resolving
        self.delays = delays
        self.port = port
        unanswered = [.ipv6, .ipv4]
        isResolved = false
    }

    /// A race among listed addresses, in that order; there must be one.
    package init(_ addresses: [SocketAddress], delays: Delays) {
        precondition(!addresses.isEmpty, "a race needs an address")
        state = .racing(next: nil)
        self.delays = delays
        port = 0
        listed = addresses[...]
        unanswered = []
        isResolved = true
    }

    /// Whether an attempt was begun: from then on time is spent connecting.
    package var hasBegun: Bool { !tried.isEmpty }

    // MARK: Events

    /// The addresses of a family were found; none if it has none.
    package mutating func found(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {
        guard unanswered.remove(family) != nil else { return }
        if family == .ipv6 { ipv6 = hosts[...] } else { ipv4 = hosts[...] }
    }

    /// Nothing more will be found; why, if nothing was. Comes once, also when both families were.
    package mutating func resolutionEnded(_ error: NameError?) {
        unanswered = []
        isResolved = true
        nameError = error
    }

    /// An attempt has connected. Only the first one wins.
    package mutating func connected(_ number: Int) {
        guard pending.remove(number) != nil, winner == nil else { return }
        winner = number
    }

    /// An attempt has failed: whoever is next may begin at once.
    package mutating func failed(_ number: Int, _ failure: ConnectFailure) {
        guard pending.remove(number) != nil else { return }
        failures.append((number, failure))
        if case .racing = state { state = .racing(next: nil) }
    }

    // MARK: Deciding

    /// What to do now.
    package mutating func next(now: Instant) -> Action {
        switch state {
        case .resolving:
            return begin(now: now)
        case .delaying(let until):
            guard now < until, ipv6.isEmpty, unanswered.contains(.ipv6) else { return race(now) }
            return .wait(until: until)
        case .racing:
            return race(now)
        case .ended:
            return .wait(until: nil)
        }
    }

    /// Begins with IPv6, with IPv4 if there is no IPv6, or with the delay if that is not known.
    private mutating func begin(now: Instant) -> Action {
        if !ipv6.isEmpty || (!ipv4.isEmpty && !unanswered.contains(.ipv6)) { return race(now) }
        if !ipv4.isEmpty {
            let until = now.adding(nanoseconds: delays.resolution)
            state = .delaying(until: until)
            return .wait(until: until)
        }
        return isResolved ? fail() : .wait(until: nil)
    }

    private mutating func race(_ now: Instant) -> Action {
        if let winner {
            state = .ended
            return .succeed(number: winner)
        }
        if case .racing(let next?) = state, now < next, !pending.isEmpty {
            return .wait(until: hasUntried ? next : nil)
        }
        guard let address = takeNext() else {
            return pending.isEmpty && isResolved ? fail() : .wait(until: nil)
        }
        let number = tried.count
        tried.append(address)
        pending.insert(number)
        state = .racing(next: now.adding(nanoseconds: delays.attempt))
        return .connect(number: number, address)
    }

    private mutating func fail() -> Action {
        state = .ended
        if failures.isEmpty {
            return .fail(.nameNotResolved(nameError ?? NameError(.noAddresses, of: "")))
        }
        // In the order in which they were tried, which is not always the one in which they failed.
        let sorted = failures.sorted { $0.number < $1.number }
        return .fail(
            .failed(sorted.map { .init(address: tried[$0.number], failure: $0.failure) }))
    }

    // MARK: Whose turn it is

    private var hasUntried: Bool { !ipv6.isEmpty || !ipv4.isEmpty || !listed.isEmpty }

    private mutating func takeNext() -> SocketAddress? {
        if let address = listed.popFirst() { return address }
        let wanted = lastFamily?.other ?? .ipv6
        guard let host = take(wanted) ?? take(wanted.other) else { return nil }
        lastFamily = AddressFamily(host)
        return SocketAddress(host, port: port)
    }

    private mutating func take(_ family: AddressFamily) -> SocketAddress.Host? {
        family == .ipv6 ? ipv6.popFirst() : ipv4.popFirst()
    }
}
