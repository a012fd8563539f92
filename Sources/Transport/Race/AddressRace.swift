// The race of a name's addresses (RFC 8305, "Happy Eyeballs"): which address is tried next, when,
// and how it ends. A pure value, owned by a dial.
//
// Events say what was learned: addresses of a family, an attempt's outcome, the passing of time.
// After each, `next(now:)` is asked until it says `wait`, and obeyed.
//
// - The family of the address that ranks first goes first (§4, RFC 6724); of equals, IPv6.
// - Families take turns (§4), whatever came when.
// - Addresses that are not expected to answer come behind all those that are.
// - What is there waits for the other family's answer for the resolution delay (§3), unless it is
//   an IPv6 address that is expected to answer.
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
        /// There is something, and something better may follow until then. Can transition to
        /// `racing` and `ended`.
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
    private var ipv6: ArraySlice<RankedHost> = []
    private var ipv4: ArraySlice<RankedHost> = []
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

    /// The addresses of a family were found; none if it has none. Nothing speaks against any.
    package mutating func found(_ family: AddressFamily, _ hosts: [SocketAddress.Host]) {
        found(family, hosts.map { RankedHost($0) })
    }

    /// The addresses of a family were found, sorted by rank; none if it has none.
    package mutating func found(_ family: AddressFamily, _ hosts: [RankedHost]) {
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
            return now < until && mayImprove ? .wait(until: until) : race(now)
        case .racing:
            return race(now)
        case .ended:
            return .wait(until: nil)
        }
    }

    /// Whether what is there is worth waiting for the family that is not known yet.
    private var mayImprove: Bool {
        guard let best = ipv6.first else { return unanswered.contains(.ipv6) }
        return best.rank.standing != .usable && unanswered.contains(.ipv4)
    }

    /// Begins with what is there, or with the delay if something better may follow.
    private mutating func begin(now: Instant) -> Action {
        if !ipv6.isEmpty || !ipv4.isEmpty {
            guard mayImprove else { return race(now) }
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
        let family = familyOfNext
        guard let next = family == .ipv6 ? ipv6.popFirst() : ipv4.popFirst() else { return nil }
        lastFamily = family
        return SocketAddress(next.host, port: port)
    }

    /// The family that has any; of two, the one whose next address is more likely to answer; of
    /// equals, the other one than last time.
    private var familyOfNext: AddressFamily {
        guard let six = ipv6.first?.rank else { return .ipv4 }
        guard let four = ipv4.first?.rank else { return .ipv6 }
        if six.standing != four.standing { return six.standing < four.standing ? .ipv6 : .ipv4 }
        return lastFamily?.other ?? (four < six ? .ipv4 : .ipv6)
    }
}
