// What a client remembers of single addresses between dials, each for a short while: where it would
// send from to reach them, and which of them did not answer. Owned by the dialer; a pure value, but
// for the network that is asked.

package import FetchTime

/// How much is remembered, and for how long. Durations are in nanoseconds.
package struct AddressMemorySettings: Equatable, Sendable {
    /// Addresses of either kind; at the bound the oldest half is forgotten.
    package var addresses = 1_000
    /// How long an address that did not answer goes behind the others; 0 to forget at once.
    package var failureLifetime: Int64 = 30_000_000_000
    /// How long the way to an address is believed to stay.
    package var sourceLifetime: Int64 = 10_000_000_000

    package init() {}
}

package struct AddressMemory: Sendable {
    private let settings: AddressMemorySettings
    private var sources: ExpiringTable<SocketAddress.Host, SourceAddress>
    private var failures: ExpiringTable<SocketAddress, Bool>

    package init(_ settings: AddressMemorySettings) {
        self.settings = settings
        sources = ExpiringTable(most: settings.addresses)
        failures = ExpiringTable(most: settings.addresses)
    }

    /// Addresses that did not answer, expired ones included.
    package var failedAddresses: Int { failures.count }
    /// Addresses whose source is known, expired ones included.
    package var knownSources: Int { sources.count }

    /// `address` did not answer.
    package mutating func failed(_ address: SocketAddress, now: Instant) {
        guard settings.failureLifetime > 0 else { return }
        failures.set(address, true, until: now.adding(nanoseconds: settings.failureLifetime))
    }

    /// `address` has answered.
    package mutating func answered(_ address: SocketAddress) {
        if failures.count > 0 { failures.remove(address) }
    }

    /// The hosts in the order in which they are to be tried at `port`. `source` is asked for what
    /// is not remembered.
    package mutating func ordered(
        _ hosts: [SocketAddress.Host], port: UInt16, now: Instant,
        source: (SocketAddress.Host) -> SourceAddress
    ) -> [RankedHost] {
        var ranked: [RankedHost] = []
        for host in hosts {
            let from = remembered(host, now: now, source)
            let rank = DestinationRank(of: host, from: from)
            let hasFailed =
                failures.count > 0
                && failures.find(SocketAddress(host, port: port), now: now) != nil
            ranked.append(RankedHost(host, hasFailed ? rank.afterFailure : rank))
        }
        return RankedHost.sorted(ranked)
    }

    private mutating func remembered(
        _ host: SocketAddress.Host, now: Instant, _ source: (SocketAddress.Host) -> SourceAddress
    ) -> SourceAddress {
        if let known = sources.find(host, now: now) { return known }
        let found = source(host)
        let until = now.adding(nanoseconds: settings.sourceLifetime)
        if found != .unknown { sources.set(host, found, until: until) }
        return found
    }
}

/// A bounded table whose entries end by themselves.
private struct ExpiringTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var entries: [Key: (value: Value, until: Instant)] = [:]
    private let most: Int

    init(most: Int) {
        self.most = most
    }

    var count: Int { entries.count }

    mutating func find(_ key: Key, now: Instant) -> Value? {
        guard let entry = entries[key] else { return nil }
        if now < entry.until { return entry.value }
        entries[key] = nil
        return nil
    }

    mutating func set(_ key: Key, _ value: Value, until: Instant) {
        if entries.count >= most, entries[key] == nil { forgetHalf() }
        if most > 0 { entries[key] = (value, until) }
    }

    mutating func remove(_ key: Key) { entries[key] = nil }

    /// The half that ends first. Seldom enough to sort.
    private mutating func forgetHalf() {
        let kept = entries.sorted { $0.value.until > $1.value.until }.prefix(most / 2)
        entries = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
