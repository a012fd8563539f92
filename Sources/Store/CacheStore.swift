// CacheStore: what a caller's own store of responses has to do. Its calls are asynchronous, and run
// on the reactor's thread until they leave it; their answers come back to the client as events.
//
// The store sees opaque bytes under three names, which fit a table of any kind. In Redis: one hash
// per resource, whose fields are partition and variant; `HGETALL` finds, `HSET` with `EXPIREAT`
// stores, `HDEL` and `DEL` forget, `SCAN` with `MATCH` serves a prefix.

public import FetchBytes

/// A place for stored responses beside the memory: a file format, a server, a dictionary.
///
/// The client asks it only for what isn't in memory, and goes on without it where it throws or
/// takes longer than the configuration allows. Calls about one resource are made one after the
/// other; others may overlap.
public protocol CacheStore: Sendable {
    /// Everything that is stored for a resource in a partition, whatever its variant.
    func find(resource: String, partition: String) async throws -> [CacheStoreEntry]

    /// Stores an entry, in place of one of the same resource, partition and variant.
    func set(_ entry: CacheStoreEntry) async throws

    /// Forgets one entry; nothing where it isn't there.
    func delete(resource: String, partition: String, variant: String) async throws

    /// Forgets what a purge names, in all partitions.
    func purge(_ purge: CacheStorePurge) async throws

    /// The key of the digests that partitions are: 16 bytes at least that nobody can guess, the
    /// same wherever the store is used. Asked for once, when a client is made.
    ///
    /// Nil, the default, lets each client draw one. What is stored for somebody, as
    /// ``CacheStoreEntry/partition`` says, is then found by the client that stored it, and by no
    /// later one. Keep a key apart from the entries: whoever has both can try whether a guessed
    /// password is somebody's. ``SealedCacheStore`` has one.
    var partitionKey: Bytes? { get }
}

extension CacheStore {
    /// None: each client draws one.
    public var partitionKey: Bytes? { nil }
}

/// One stored response, as a store sees it.
public struct CacheStoreEntry: Sendable, Equatable {
    /// The URI of the request, without fragment; its digest in a ``SealedCacheStore``.
    public var resource: String
    /// Who may be given it: `-` for everybody, else a digest of credentials in 32 hexadecimal
    /// digits.
    public var partition: String
    /// Which of several under one resource and partition: a digest of the request fields that
    /// `Vary` names, in hexadecimal digits.
    public var variant: String
    /// The response, in a form that is the client's business.
    public var value: Bytes
    /// Seconds since 1970 after which the entry is of no use to anybody: it is stale then, and has
    /// nothing to be validated by. Nil where that can't be said.
    public var expiry: Int64?

    /// An entry from its parts.
    public init(
        resource: String, partition: String, variant: String, value: Bytes, expiry: Int64? = nil
    ) {
        self.resource = resource
        self.partition = partition
        self.variant = variant
        self.value = value
        self.expiry = expiry
    }
}

/// What is to be forgotten.
public enum CacheStorePurge: Sendable, Equatable {
    /// Everything for one resource.
    case resource(String)
    /// Everything whose resource begins like this.
    case prefix(String)
    /// Everything that this client's cache has stored.
    case everything
}
