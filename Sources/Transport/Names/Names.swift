// The names of one client: from a host to its addresses. Owned by the engine; reactor thread.
//
// A name is looked for in this order, and each step that knows it ends the search:
//
//  1. overrides, literals and `localhost` (`HostTable`): never asked for;
//  2. names that exist nowhere (`HostName.isNeverAsked`), and text that is no name;
//  3. the hosts file, looked at again when it has changed;
//  4. the cache, which also remembers for a short while that there is nothing;
//  5. a lookup of that name that is under way: one more waits for it;
//  6. the source: c-ares, or the caller's own resolver.
//
// Who waits may leave at any time. The lookup goes on for the others, and for the cache.

package import FetchReactor
internal import FetchTime

/// Hears what a lookup found. Reactor thread; never told before `lookUp` returns.
package protocol NameHandler: AnyObject {
    /// The addresses of one family, none if it has none; each family is told of once.
    func addressesFound(_ family: AddressFamily, _ hosts: [SocketAddress.Host])
    /// Both families were told of; why there is no address in either, if there is none.
    func lookupEnded(_ error: NameError?)
}

/// What is known of a name when it is asked for.
package enum LookupStart {
    /// Everything, in the order in which the addresses are to be used.
    case known(ipv6: [SocketAddress.Host], ipv4: [SocketAddress.Host])
    case failed(NameError)
    /// What comes is told to the handler; the family that is known already is not told again.
    case asked(LookupTicket, known: (family: AddressFamily, hosts: [SocketAddress.Host])?)
}

/// A place among those who wait for a name.
package struct LookupTicket {
    fileprivate let lookup: OpenLookup
    fileprivate let place: Int
}

/// A name that is being asked for, and who waits for it.
private final class OpenLookup {
    let id: Int
    let key: String
    let name: String
    var answers = FamilyAnswers()
    /// Nil for those who have left.
    var waiters: [(any NameHandler)?] = []
    var waiting = 0
    /// Waiters are being told, place by place.
    var isTelling = false

    init(_ id: Int, key: String, name: String) {
        self.id = id
        self.key = key
        self.name = name
    }
}

package final class Names: NameAsker {
    private let settings: NameSettings
    private let hosts: HostTable
    private let reactor: Reactor
    private var cache: NameCache
    private var hostsFile = HostsFile()
    private var watchedHosts: WatchedFile?
    private var open: [Int: OpenLookup] = [:]
    private var openByKey: [String: OpenLookup] = [:]
    private var lookupsMade = 0
    private var isClosed = false
    /// Made when the first name has to be asked for.
    private var source: (any NameSource)?

    package init(_ settings: NameSettings, hosts: HostTable, reactor: Reactor) {
        self.settings = settings
        self.hosts = hosts
        self.reactor = reactor
        cache = NameCache(most: settings.cachedNames)
        // A caller's resolver stands for the machine's: hosts file and name servers.
        if settings.resolver == nil, let path = settings.hostsPath {
            watchedHosts = WatchedFile(
                path, most: settings.hostsFileBytes, interval: settings.fileCheckInterval)
        }
    }

    /// Names in the cache, expired ones included.
    package var cachedNames: Int { cache.count }

    /// Names that are being asked for.
    package var openLookups: Int { open.count }

    /// Where a host is if that never changes: literals, overrides and `localhost`.
    package func fixedAddresses(of host: String, port: UInt16) -> [SocketAddress]? {
        hosts.addresses(of: host, port: port)
    }

    /// Finds the addresses of a name (lower case, no trailing dot) or begins to.
    package func lookUp(
        _ name: String, isAbsolute: Bool, for handler: any NameHandler
    ) -> LookupStart {
        guard !isClosed else { return .failed(NameError(.closed, of: name)) }
        if let fixed = hosts.addresses(of: name, port: 0) { return known(fixed.map(\.host)) }
        guard HostName.isValid(name) else { return .failed(NameError(.badName, of: name)) }
        guard !HostName.isNeverAsked(name) else {
            return .failed(NameError(.noSuchName, of: name))
        }
        if let listed = inHostsFile(name) { return known(listed) }
        forgetIfChanged()
        let key = isAbsolute ? name + "." : name
        if let (known, uses) = cache.find(key, now: reactor.now) {
            if let fact = known.fact { return .failed(NameError(fact, of: name)) }
            return .known(ipv6: rotated(known.ipv6, uses), ipv4: rotated(known.ipv4, uses))
        }
        if let lookup = openByKey[key] { return join(lookup, handler) }
        return begin(key, name, isAbsolute, handler)
    }

    /// Stops waiting. The lookup goes on.
    package func leave(_ ticket: LookupTicket) {
        let lookup = ticket.lookup
        guard lookup.waiters.indices.contains(ticket.place),
            lookup.waiters[ticket.place] != nil
        else { return }
        lookup.waiters[ticket.place] = nil
        lookup.waiting -= 1
        if !lookup.isTelling, ticket.place == lookup.waiters.count - 1 {
            // Those who come and go while a server is silent must not add up.
            while let last = lookup.waiters.last, last == nil { lookup.waiters.removeLast() }
        }
        if lookup.waiting == 0, let source, source.forget(lookup.id) { drop(lookup) }
    }

    /// Ends; nobody is told anything any more.
    package func close() {
        isClosed = true
        source?.close()
        source = nil
        open = [:]
        openByKey = [:]
        cache.removeAll()
    }

    // MARK: On this machine

    private func known(_ hosts: [SocketAddress.Host]) -> LookupStart {
        .known(
            ipv6: hosts.filter { AddressFamily($0) == .ipv6 },
            ipv4: hosts.filter { AddressFamily($0) == .ipv4 })
    }

    private func inHostsFile(_ name: String) -> [SocketAddress.Host]? {
        if let bytes = watchedHosts?.bytesIfChanged(now: reactor.now.nanoseconds) {
            hostsFile = HostsFile(parsing: bytes)
        }
        return hostsFile.addresses(of: name)
    }

    /// Other name servers may give other answers.
    private func forgetIfChanged() {
        if source?.hasChanged(now: reactor.now.nanoseconds) == true { cache.removeAll() }
    }

    // MARK: Asking

    private func begin(
        _ key: String, _ name: String, _ isAbsolute: Bool, _ handler: any NameHandler
    ) -> LookupStart {
        let source = self.source ?? makeSource()
        self.source = source
        lookupsMade += 1
        let lookup = OpenLookup(lookupsMade, key: key, name: name)
        open[lookup.id] = lookup
        openByKey[key] = lookup
        let start = join(lookup, handler)
        source.ask(lookup.id, name, isAbsolute: isAbsolute)
        return start
    }

    private func makeSource() -> any NameSource {
        if let resolver = settings.resolver {
            return ForeignSource(
                resolver, on: reactor, most: settings.addressesPerFamily, asker: self)
        }
        return DNSClient(settings, on: reactor, asker: self)
    }

    private func join(_ lookup: OpenLookup, _ handler: any NameHandler) -> LookupStart {
        let place = lookup.waiters.count
        lookup.waiters.append(handler)
        lookup.waiting += 1
        let ticket = LookupTicket(lookup: lookup, place: place)
        let family = AddressFamily.allCases.first { lookup.answers[$0] != nil }
        return .asked(
            ticket, known: family.map { ($0, rotated(lookup.answers.addresses($0), place)) })
    }

    package func answered(_ id: Int, _ family: AddressFamily, _ answer: FamilyAnswer) {
        guard let lookup = open[id],
            lookup.answers.take(family, answer, now: reactor.now, settings)
        else { return }
        let isOver = lookup.answers.areComplete
        if isOver { conclude(lookup) }
        // Whoever joins while others are told has got this answer already.
        let hosts = lookup.answers.addresses(family)
        let error = isOver ? lookup.answers.error(of: lookup.name) : nil
        lookup.isTelling = true
        defer { lookup.isTelling = false }
        for place in lookup.waiters.indices {
            guard let waiter = lookup.waiters[place] else { continue }
            waiter.addressesFound(family, rotated(hosts, place))
            if isOver, lookup.waiters[place] != nil {
                lookup.waiters[place] = nil
                lookup.waiting -= 1
                waiter.lookupEnded(error)
            }
        }
    }

    /// The lookup is over: the next one asks the cache.
    private func conclude(_ lookup: OpenLookup) {
        drop(lookup)
        if let (known, until) = lookup.answers.memory(now: reactor.now, settings) {
            cache.keep(
                known, of: lookup.key, until: until, uses: lookup.waiters.count, now: reactor.now)
        }
    }

    private func drop(_ lookup: OpenLookup) {
        open[lookup.id] = nil
        if openByKey[lookup.key] === lookup { openByKey[lookup.key] = nil }
    }

    /// Each who asks begins with another address, so that the load is shared.
    private func rotated(_ hosts: [SocketAddress.Host], _ turn: Int) -> [SocketAddress.Host] {
        guard hosts.count > 1 else { return hosts }
        let first = turn % hosts.count
        return Array(hosts[first...] + hosts[..<first])
    }
}
