// Asks name servers: each name through its search list, both families at once, so many queries at a
// time and no more. Owned by the names of a client; reactor thread.
//
// Whom to ask and under which names is resolv.conf's matter. When it has changed, a new channel
// takes over and the old one ends with its last query.

internal import FetchReactor
internal import FetchTime
internal import Glibc

final class DNSClient: NameSource, AresAnswers {
    private struct Lookup {
        let name: String
        let isAbsolute: Bool
        /// Nil while it waits in line.
        var search: SearchedLookup?
    }

    private let settings: NameSettings
    private let reactor: Reactor
    /// A cycle with the names, until `close`.
    private var asker: (any NameAsker)?
    private var watched: WatchedFile?
    private var conf = ResolvConf()
    private var channel: AresChannel?
    /// Channels of an earlier resolv.conf that still wait for answers.
    private var retired: [AresChannel] = []
    private var lookups: [Int: Lookup] = [:]
    /// Those that have not begun, the oldest first. Forgotten ones stand there until their turn.
    private var line: ArraySlice<Int> = []
    private var waiting = 0
    private var queriesInFlight = 0

    init(_ settings: NameSettings, on reactor: Reactor, asker: any NameAsker) {
        self.settings = settings
        self.reactor = reactor
        self.asker = asker
        watched = settings.resolvConfPath.map {
            WatchedFile($0, most: settings.resolvConfBytes, interval: settings.fileCheckInterval)
        }
        conf = parse(watched?.bytesIfChanged(now: reactor.now.nanoseconds) ?? [])
    }

    func ask(_ id: Int, _ name: String, isAbsolute: Bool) {
        guard waiting < settings.waitingLookups else {
            let limit = settings.waitingLookups
            return failLater(id, .tooManyLookups(limit: limit))
        }
        lookups[id] = Lookup(name: name, isAbsolute: isAbsolute)
        line.append(id)
        waiting += 1
        serveLine()
    }

    func forget(_ id: Int) -> Bool {
        // What is on its way can't be called back, and its answer is worth keeping.
        guard let lookup = lookups[id], lookup.search == nil else { return false }
        lookups[id] = nil
        waiting -= 1
        // Gaps are closed before they are most of the line.
        if line.count > 64, line.count > 2 * waiting {
            line = ArraySlice(line.filter { lookups[$0] != nil })
        }
        return true
    }

    func close() {
        asker = nil
        lookups = [:]
        line = []
        for channel in retired { channel.close() }
        retired = []
        channel?.close()
        channel = nil
    }

    // MARK: resolv.conf

    func hasChanged(now: Int64) -> Bool {
        guard let bytes = watched?.bytesIfChanged(now: now) else { return false }
        let changed = parse(bytes)
        guard changed != conf else { return false }
        conf = changed
        if let channel {
            if channel.queries == 0 { channel.close() } else { retired.append(channel) }
        }
        channel = nil
        return true
    }

    private func parse(_ bytes: [UInt8]) -> ResolvConf {
        var conf = ResolvConf(
            parsing: bytes, hostName: Self.hostName,
            localDomain: Self.environment("LOCALDOMAIN"),
            options: Self.environment("RES_OPTIONS"))
        if let servers = settings.nameServers { conf.servers = servers }
        if let domains = settings.searchDomains { conf.search = domains }
        // As resolver(5): without a server, this machine is asked.
        if conf.servers.isEmpty { conf.servers = [.loopback(port: 53)] }
        return conf
    }

    private static func environment(_ name: String) -> String? {
        // The environment's string is copied at once.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        // gethostname writes at most the length it is given; the last byte stays zero.
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func openChannel() throws(AresFailure) -> AresChannel {
        if let channel { return channel }
        let seconds = conf.timeoutSeconds.map { Int64($0) * 1_000_000_000 }
        let timeout = settings.queryTimeout ?? seconds ?? 2_000_000_000
        let opened = try AresChannel(
            AresChannel.Settings(
                servers: conf.servers, milliseconds: max(1, timeout / 1_000_000),
                rounds: max(1, settings.queryRounds ?? conf.attempts ?? 3),
                rotates: conf.rotate, usesEDNS: conf.edns, usesTCP: conf.usesTCP,
                addresses: settings.addressesPerFamily),
            on: reactor, answers: self)
        channel = opened
        return opened
    }

    // MARK: The line

    /// Begins with those who wait, as long as there is room for both of their queries.
    private func serveLine() {
        while queriesInFlight + 2 <= max(2, settings.queriesInFlight), let id = line.popFirst() {
            guard var lookup = lookups[id] else { continue }
            waiting -= 1
            let search = SearchedLookup(
                conf.candidates(for: lookup.name, isAbsolute: lookup.isAbsolute))
            lookup.search = search
            lookups[id] = lookup
            ask(id, candidate: search.candidate)
        }
        // A slice keeps what was taken from its front.
        if line.isEmpty { line = [] }
    }

    private func ask(_ id: Int, candidate: String) {
        do throws(AresFailure) {
            let channel = try openChannel()
            queriesInFlight += 2
            channel.ask(id, candidate, .ipv6)
            channel.ask(id, candidate, .ipv4)
        } catch {
            lookups[id] = nil
            failLater(id, .outOfResources)
        }
    }

    private func failLater(_ id: Int, _ fact: NameError.Fact) {
        reactor.enqueue { [self] in
            for family in AddressFamily.allCases {
                asker?.answered(id, family, .failed(fact, []))
            }
        }
    }

    // MARK: Answers

    func queryAnswered(_ id: Int, _ family: AddressFamily, _ answer: FamilyAnswer) {
        queriesInFlight -= 1
        if let actions = lookups[id]?.search?.answered(family, answer) {
            if lookups[id]?.search?.state == .ended { lookups[id] = nil }
            for action in actions {
                switch action {
                case .ask(let candidate): ask(id, candidate: candidate)
                case .tell(let family, let answer): asker?.answered(id, family, answer)
                }
            }
        }
        serveLine()
    }

    func channelIsIdle(_ idle: AresChannel) {
        guard let place = retired.firstIndex(where: { $0 === idle }) else { return }
        retired.remove(at: place).close()
    }
}
