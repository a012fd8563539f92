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
    /// Fields that are sent where the caller gives none of that name.
    let defaults: Headers
    let defaultKinds: CachingFields
    /// Of credentials' digests. The file's own as soon as that is open, or what is stored for
    /// somebody would not be found by the next process.
    private var partitionKey: DigestKey
    /// How https origins are secured where the request doesn't say: what of it keeps responses
    /// apart.
    private let transport: [UInt8]
    private let transportOfHosts: [String: [UInt8]]
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

    init(_ settings: CacheSettings, _ engine: EngineSettings, on reactor: Reactor) {
        self.settings = settings
        defaults = engine.encoder.defaultFields
        defaultKinds = defaults.cachingFields
        transport = Self.transport(of: engine.tls)
        transportOfHosts = engine.tlsOfHosts.mapValues(Self.transport(of:))
        var system = SystemRandomNumberGenerator()
        partitionKey = DigestKey(system.next(), system.next())
        let second = Second(settings, on: reactor)
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
        /// Opens a file and tells its key.
        var open: ((@escaping (DigestKey?) -> Void) -> Void)?
        var failure: StoreEvent?

        init(_ settings: CacheSettings, on reactor: Reactor) {
            switch settings.behind {
            case .nothing: break
            case .store(let store, let foreign):
                tier = ForeignTier(store, foreign, settings.rules, on: reactor)
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
    func partition(
        _ target: Target, _ headers: Headers, _ tls: TLSChoice?
    ) -> CachePartition {
        if rules.sharesCredentials { return .open }
        let transport = target.isSecure ? transport(target, tls) : []
        return CachePartition(
            headers, defaults: defaults, transport: transport, under: partitionKey)
    }

    /// What a connection shows of its caller, and whether its server was verified at all: what came
    /// from anybody must not answer who wants to know from whom.
    private func transport(_ target: Target, _ tls: TLSChoice?) -> [UInt8] {
        if let tls { return Self.transport(of: tls.configuration) }
        return transportOfHosts.isEmpty ? transport : transportOfHosts[target.host] ?? transport
    }

    private static func transport(of tls: TLSConfiguration) -> [UInt8] {
        var bytes: [UInt8] = []
        if tls.verification == .none { bytes += Array("unverified;".utf8) }
        switch tls.identity?.certificate {
        case nil: break
        case .file(let path): bytes += Array("file:".utf8) + Array(path.utf8)
        case .bytes(let text): bytes += Array("text:".utf8) + text
        }
        if let name = tls.serverName { bytes += Array(";name:".utf8) + Array(name.utf8) }
        return bytes
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
        guard let failure else {
            background.callsSucceeded += 1
            return
        }
        if failure.isCancellation {
            background.callsCancelled += 1
        } else {
            background.callsFailed += 1
        }
    }

    /// Nothing is stored any more; what waits to be written is.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        store.end()
    }
}
