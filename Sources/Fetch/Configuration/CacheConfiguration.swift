// How a client keeps responses: what users may say about it. A value; any thread.

internal import FetchCache
internal import FetchEngine
public import FetchStore

/// How a client stores responses and uses them again (RFC 9111): a private cache in memory, on by
/// default, with a file or a store of the caller's own behind it on request.
///
/// A client may speak for many users: what is stored for one `Authorization`, `Cookie`, `Host` or
/// client certificate is found with the same ones only.
///
/// ```swift
/// configuration.cache = .disabled
/// configuration.cache = .forced(ttl: .seconds(60))
/// configuration.cache.disk = CacheConfiguration.Disk()
/// ```
public struct CacheConfiguration: Sendable {
    /// What decides how long a response is fresh.
    public enum Mode: Sendable, Hashable {
        /// What the response says, as RFC 9111 has it. The default.
        case rfc9111
        /// So long from its arrival, whatever max-age, Expires, no-cache and must-revalidate say:
        /// only `no-store`, `private` in a shared cache, and `Vary` are obeyed. For origins that
        /// are known to say the wrong thing.
        case forced(ttl: Duration)
    }

    /// Freshness of responses that say nothing of it (RFC 9111 §4.2.2).
    public struct Heuristics: Sendable, Hashable {
        /// The part of the time since Last-Modified for which one is fresh, 0 to 1. Default 0.1.
        public var fraction = 0.1
        /// No response is fresh for longer. Default one day.
        public var most: Duration = .seconds(86_400)

        /// The defaults.
        public init() {}
    }

    /// What is done with responses that carry somebody's secrets: to a request with Authorization
    /// or Cookie, or with Set-Cookie.
    public enum Sensitive: Sendable, Hashable {
        /// Kept in memory; never written to a file or another store. The default.
        case inMemory
        /// Not stored at all.
        case skip
        /// Stored like any other.
        case store
    }

    /// A file of responses behind the memory (SQLite), which other processes may share.
    public struct Disk: Sendable, Hashable {
        /// Who reads and writes.
        public enum Offload: Sendable, Hashable {
            /// The reactor's thread, a tenth of a millisecond in each turn.
            case none
            /// One thread of its own.
            case thread
        }

        /// Made with mode 0700 where it isn't there; the one above it must be. Default
        /// `.fetch_cache`.
        public var directory = ".fetch_cache"
        /// Of all files in the directory together, in bytes; less than two mebibytes are two.
        /// Default 1 GiB.
        public var mostBytes = 1 << 30
        /// Nothing is kept for longer. Default 30 days.
        public var mostAge: Duration = .seconds(30 * 86_400)
        /// 32 bytes that nobody can guess: with them everything is sealed by AES-256-GCM, URIs
        /// included, in a file of its own. Default nil: nothing is.
        public var sealingKey: Bytes?
        /// Who reads and writes. Default ``Offload/none``.
        public var offload = Offload.none
        /// Bodies that wait to be written, in bytes: what comes faster than the file takes it, and
        /// beyond this, isn't stored in it. Default 64 MiB.
        public var mostQueuedBytes = 64 << 20

        /// A file in this directory.
        public init(directory: String = ".fetch_cache") {
            self.directory = directory
        }
    }

    /// What a warning is about: requests go on without what it names.
    public enum Warning: Sendable, Hashable {
        /// The file couldn't be read and was replaced by an empty one.
        case fileReplaced(path: String, reason: String)
        /// The file can't be used at present.
        case fileBypassed(path: String, reason: String)
        /// A call of the caller's own store failed.
        case storeFailed(reason: String)
    }

    /// Whether responses are stored at all. Default true; ``disabled`` says no.
    public var isEnabled = true
    /// What decides how long a response is fresh. Default ``Mode/rfc9111``.
    public var mode = Mode.rfc9111
    /// Whether it is a cache for many users: `private` and Authorization are then obeyed as RFC
    /// 9111 asks of a shared cache, and s-maxage counts. Default false.
    public var isShared = false
    /// Freshness of responses that say nothing of it; nil, the default, for none: they are
    /// validated before each use.
    public var heuristics: Heuristics?
    /// Whether all users are given what was stored for any of them. Default false.
    public var sharesCredentials = false
    /// What is done with responses that carry secrets. Default ``Sensitive/inMemory``.
    public var sensitive = Sensitive.inMemory
    /// For how long a stale response stands in for an error of the origin where nothing says
    /// otherwise (RFC 5861 §4). Default zero: not at all.
    public var staleIfError: Duration = .zero
    /// Of everything in memory, in bytes as the allocator counts them. Default 100 MiB.
    public var mostBytes = 100 << 20
    /// Responses in memory. Default 1,024.
    public var mostEntries = 1_024
    /// The largest body stored, in bytes. Default 5 MiB.
    public var mostBodyBytes = 5 << 20
    /// Responses for one URL that differ by what `Vary` names. Default 16.
    public var mostVariants = 16
    /// Stale responses validated in the background at a time (RFC 5861 §3). Default 100.
    public var mostValidations = 100
    /// A file behind the memory; nil, the default, for none. Excludes ``store``.
    public var disk: Disk?
    /// A store of the caller's own behind the memory; nil, the default, for none. One that outlives
    /// the process and is to hold what belongs to credentials brings a
    /// ``CacheStore/partitionKey``, and ``sensitive`` says ``Sensitive/store``.
    public var store: (any CacheStore)?
    /// How long a look-up in ``store`` may take; then the request goes on without it. Default half
    /// a second.
    public var storePatience: Duration = .milliseconds(500)
    /// Told of warnings, on the reactor's thread: it must not block.
    public var onWarning: (@Sendable (Warning) -> Void)?

    /// The defaults.
    public init() {}

    /// No response is stored, and none is looked for.
    public static var disabled: CacheConfiguration {
        var cache = CacheConfiguration()
        cache.isEnabled = false
        return cache
    }

    /// Every response that may be stored is fresh for so long; see ``Mode/forced(ttl:)``.
    public static func forced(ttl: Duration) -> CacheConfiguration {
        var cache = CacheConfiguration()
        cache.mode = .forced(ttl: ttl)
        return cache
    }
}

extension CacheConfiguration {
    func validate() throws {
        let notNegative = [
            ("mostBytes", mostBytes), ("mostEntries", mostEntries),
            ("mostBodyBytes", mostBodyBytes), ("mostVariants", mostVariants),
            ("mostValidations", mostValidations),
        ]
        for (key, value) in notNegative where value < 0 {
            throw invalid(key, "must not be negative")
        }
        if mostEntries > 1 << 24 { throw invalid("mostEntries", "must be 16,777,216 or less") }
        if staleIfError < .zero { throw invalid("staleIfError", "must not be negative") }
        if case .forced(let ttl) = mode, ttl < .zero {
            throw invalid("mode", "a lifetime must not be negative")
        }
        if let heuristics {
            guard (0...1).contains(heuristics.fraction) else {
                throw invalid("heuristics.fraction", "must be between 0 and 1")
            }
            if heuristics.most < .zero { throw invalid("heuristics.most", "must not be negative") }
        }
        if storePatience <= .zero { throw invalid("storePatience", "must be more than zero") }
        if let key = store?.partitionKey, key.count < 16 {
            throw invalid("store", "its partitionKey must have 16 bytes or more, not \(key.count)")
        }
        if let disk { try validate(disk) }
    }

    private func validate(_ disk: Disk) throws {
        if store != nil { throw invalid("store", "a cache has a file or a store, not both") }
        if disk.directory.isEmpty { throw invalid("disk.directory", "must not be empty") }
        if FilePath.hasNUL(disk.directory) { throw invalid("disk.directory", "has a NUL in it") }
        if disk.mostBytes < 0 { throw invalid("disk.mostBytes", "must not be negative") }
        if disk.mostQueuedBytes < 0 {
            throw invalid("disk.mostQueuedBytes", "must not be negative")
        }
        if disk.mostAge <= .zero { throw invalid("disk.mostAge", "must be more than zero") }
        if let key = disk.sealingKey, key.count != 32 {
            throw invalid("disk.sealingKey", "must have 32 bytes, not \(key.count)")
        }
        #if !SQLite
            throw invalid("disk", "this build is without the trait SQLite")
        #endif
    }

    private func invalid(_ key: String, _ reason: String) -> FetchError {
        FetchError(.invalidConfiguration, reason: "cache.\(key): \(reason)")
    }

    /// What the engine is told; nil for no cache.
    var settings: CacheSettings? {
        guard isEnabled else { return nil }
        var settings = CacheSettings()
        settings.limits.bytes = mostBytes
        settings.limits.entries = mostEntries
        settings.limits.variants = mostVariants
        settings.mostValidations = mostValidations
        settings.rules = rules
        if let store {
            var foreign = ForeignSettings()
            foreign.patience = Timeouts.nanoseconds(storePatience)
            settings.behind = .store(store, foreign)
        } else if let disk {
            settings.behind = .disk(disk.settings)
        }
        if let onWarning { settings.observer = { onWarning(Warning($0)) } }
        return settings
    }

    private var rules: CacheRules {
        var rules = CacheRules()
        rules.isShared = isShared
        rules.heuristics = heuristics.map {
            CacheRules.Heuristics(fraction: $0.fraction, most: $0.most.components.seconds)
        }
        if case .forced(let ttl) = mode { rules.forcedLifetime = ttl.components.seconds }
        rules.sharesCredentials = sharesCredentials
        switch sensitive {
        case .inMemory: rules.sensitive = .inMemory
        case .skip: rules.sensitive = .skip
        case .store: rules.sensitive = .store
        }
        rules.staleIfError = staleIfError.components.seconds
        rules.mostBodyBytes = mostBodyBytes
        return rules
    }
}

extension CacheConfiguration.Disk {
    var settings: DiskSettings {
        var settings = DiskSettings()
        settings.directory = directory
        settings.mostBytes = mostBytes
        settings.mostAge = mostAge.components.seconds
        settings.sealingKey = sealingKey
        settings.offload = offload == .thread ? .thread : .none
        settings.mostQueuedBytes = mostQueuedBytes
        return settings
    }
}

extension CacheConfiguration.Warning {
    init(_ event: StoreEvent) {
        switch event {
        case .fileReplaced(let path, let reason): self = .fileReplaced(path: path, reason: reason)
        case .fileBypassed(let path, let reason): self = .fileBypassed(path: path, reason: reason)
        case .storeFailed(let reason): self = .storeFailed(reason: reason)
        }
    }
}
