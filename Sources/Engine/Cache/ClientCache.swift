// A client's cache as the road uses it: the store, whose credentials go where, and what is
// validated for nobody. Made when the engine is tied to its reactor; reactor thread.

internal import FetchBytes
internal import FetchCache
internal import FetchHTTP
internal import FetchHTTP1
internal import FetchReactor
internal import FetchStore
internal import FetchTLS
internal import FetchTime

final class ClientCache {
    let store: ResponseStore
    let settings: CacheSettings
    var rules: CacheRules { store.rules }
    /// Bytes of a body at most, where the request says nothing. Here, because a look at the calls'
    /// defaults would count a reference.
    let bodyLimit: Int
    /// Fields that are sent where the caller gives none of that name.
    let defaults: Headers
    let defaultKinds: CachingFields
    /// Of credentials' digests. The store's own, a file's as soon as that is open: else what is
    /// stored for somebody would not be found by the next process.
    private var partitionKey: DigestKey
    /// How https origins are secured where the request doesn't say: what of it keeps responses
    /// apart.
    private let transport: Transport
    private let transportOfHosts: [String: Transport]
    /// What streamed bodies that may be stored take meanwhile.
    let collecting: CollectingBudget
    /// Keys that are being validated in the background, by hash: two that share one only wait for
    /// each other.
    private(set) var validating: Set<UInt64> = []
    /// Such calls, which are nobody's, by how they ended.
    private(set) var background = Counters()
    /// Hits since somebody else had his turn; see `Engine.glance`.
    var hitsInARow = 0
    /// Calls that were answered without being opened.
    var answeredAtOnce = 0
    private var isEnded = false
    private var hasLetGo = false
    private var waitingForEnd: [() -> Void] = []

    init(_ settings: CacheSettings, _ engine: EngineSettings, on reactor: Reactor) {
        self.settings = settings
        bodyLimit = engine.calls.bodyLimit
        defaults = engine.encoder.defaultFields
        defaultKinds = defaults.cachingFields
        transport = Transport(engine.tls)
        transportOfHosts = engine.tlsOfHosts.mapValues { Transport($0) }
        collecting = CollectingBudget(
            bytes: settings.limits.entries > 0 ? settings.limits.bytes : 0)
        let second = Second(settings, on: reactor)
        var system = SystemRandomNumberGenerator()
        partitionKey = second.partitionKey ?? DigestKey(system.next(), system.next())
        store = ResponseStore(settings.limits, settings.rules, behind: second.tier)
        if let observer = settings.observer {
            let tell: (StoreEvent) -> Void = { [unowned reactor] event in
                reactor.enqueue { observer(event) }
            }
            store.onEvent = tell
            if let failure = second.failure { tell(failure) }
        }
        second.open? { [weak self] key in
            if let key { self?.partitionKey = key }
        }
    }

    /// What stands behind the memory.
    private struct Second {
        var tier: (any SecondTier)?
        /// The key that it brings; a file has to be opened first.
        var partitionKey: DigestKey?
        /// Opens a file and tells its key.
        var open: ((@escaping (DigestKey?) -> Void) -> Void)?
        var failure: StoreEvent?

        init(_ settings: CacheSettings, on reactor: Reactor) {
            switch settings.behind {
            case .nothing: break
            case .store(let store, let foreign):
                tier = ForeignTier(store, foreign, settings.rules, on: reactor)
                partitionKey = store.digestKey
            case .disk(let disk): open(disk, settings.rules, reactor)
            }
        }

        private mutating func open(
            _ disk: DiskSettings, _ rules: CacheRules, _ reactor: Reactor
        ) {
            #if SQLite
                do {
                    let disk = try DiskTier(disk, rules, on: reactor)
                    tier = disk
                    open = disk.open
                } catch {
                    failure = .fileBypassed(path: disk.directory, reason: "\(error)")
                }
            #else
                failure = .fileBypassed(path: disk.directory, reason: "built without SQLite")
            #endif
        }
    }

    // MARK: Who asks

    /// Whose answers may be given to a request.
    @inline(never)
    func partition(
        _ target: Target, _ headers: Headers, _ tls: TLSChoice?
    ) -> CachePartition {
        let transport = transport(target, tls)
        if rules.sharesCredentials {
            // Between users, and not between those who verify a server and those who don't.
            return CachePartition(
                Headers(), defaults: Headers(), transport: transport?.trust ?? [],
                under: partitionKey)
        }
        return CachePartition(
            headers, defaults: defaults, transport: transport?.all ?? [], under: partitionKey)
    }

    /// Whether a certificate says who asks.
    func isIdentified(_ target: Target, _ tls: TLSChoice?) -> Bool {
        transport(target, tls)?.isIdentified ?? false
    }

    /// What of the connection keeps responses apart; nil for a plain one.
    private func transport(_ target: Target, _ tls: TLSChoice?) -> Transport? {
        guard target.isSecure else { return nil }
        if let tls { return Transport(tls.configuration) }
        return transportOfHosts.isEmpty ? transport : transportOfHosts[target.host] ?? transport
    }

    /// Which servers are believed, and what they are shown of the caller.
    private struct Transport {
        let trust: [UInt8]
        let all: [UInt8]
        let isIdentified: Bool

        init(_ tls: TLSConfiguration) {
            let identity = tls.identityMark
            trust = tls.trustMark
            all = trust + identity
            isIdentified = !identity.isEmpty
        }
    }

    // MARK: In the background

    /// Whether a key may be validated now; it is then noted.
    func beginsValidating(_ key: UInt64) -> Bool {
        guard !isEnded, validating.count < settings.mostValidations else { return false }
        guard validating.insert(key).inserted else { return false }
        background.callsStarted += 1
        return true
    }

    func validated(_ key: UInt64, _ failure: CallFailure?) {
        validating.remove(key)
        background.callEnded(failure)
    }

    /// Nothing is stored any more; what waits to be written is.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        store.end { [weak self] in self?.storeEnded() }
    }

    private func storeEnded() {
        hasLetGo = true
        let waiting = waitingForEnd
        waitingForEnd = []
        for action in waiting { action() }
    }

    /// Whether the store that has ended still has a file open, on a thread of its own.
    var isLettingGo: Bool { isEnded && !hasLetGo }

    /// Runs the action when it hasn't any more.
    func whenLetGo(_ action: @escaping () -> Void) { waitingForEnd.append(action) }
}
