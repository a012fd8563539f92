// Names and their addresses for as long as their records say, the least recently used given up
// first. A pure value, owned by the names of a client; reads no clock.

package import FetchTime

/// What is known of a name.
package struct CachedName: Equatable, Sendable {
    package var ipv6: [SocketAddress.Host]
    package var ipv4: [SocketAddress.Host]
    /// Why there are none, if there are none.
    package var fact: NameError.Fact?

    package init(
        ipv6: [SocketAddress.Host] = [], ipv4: [SocketAddress.Host] = [],
        fact: NameError.Fact? = nil
    ) {
        self.ipv6 = ipv6
        self.ipv4 = ipv4
        self.fact = fact
    }
}

/// A bounded table with a list through it, in order of use. All operations are O(1).
package struct NameCache: Sendable {
    private struct Slot: Sendable {
        var name: String
        var known: CachedName
        var expiry: Instant
        /// How often it was asked for: whose turn it is among the addresses.
        var uses = 0
        var newer = -1
        var older = -1
    }

    private var slots: [Slot] = []
    private var places: [String: Int] = [:]
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1
    private let most: Int

    /// A cache of at most so many names; none at all for 0.
    package init(most: Int) {
        self.most = most
    }

    package var count: Int { places.count }

    /// What is known of a name, and how often that was asked before; nil when nothing is, or no
    /// longer.
    package mutating func find(
        _ name: String, now: Instant
    ) -> (known: CachedName, uses: Int)? {
        guard let place = places[name] else { return nil }
        guard now < slots[place].expiry else {
            remove(place)
            return nil
        }
        unlink(place)
        link(place)
        defer { slots[place].uses &+= 1 }
        return (slots[place].known, slots[place].uses)
    }

    /// Keeps what was learned of a name; nothing if it has expired already. `uses` counts those who
    /// have been told already.
    package mutating func keep(
        _ known: CachedName, of name: String, until expiry: Instant, uses: Int, now: Instant
    ) {
        if let place = places[name] { remove(place) }
        guard now < expiry, most > 0 else { return }
        if places.count >= most { remove(oldest) }
        let slot = Slot(name: name, known: known, expiry: expiry, uses: uses)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            slots[place] = slot
        } else {
            place = slots.count
            slots.append(slot)
        }
        places[name] = place
        link(place)
    }

    /// Forgets every name.
    package mutating func removeAll() {
        self = NameCache(most: most)
    }

    private mutating func remove(_ place: Int) {
        unlink(place)
        places[slots[place].name] = nil
        slots[place].known = CachedName()
        free.append(place)
    }

    private mutating func link(_ place: Int) {
        slots[place].newer = -1
        slots[place].older = newest
        if newest >= 0 { slots[newest].newer = place }
        newest = place
        if oldest < 0 { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (slots[place].newer, slots[place].older)
        if newer >= 0 { slots[newer].older = older } else { newest = older }
        if older >= 0 { slots[older].newer = newer } else { oldest = newer }
    }
}
