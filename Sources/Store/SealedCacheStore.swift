// SealedCacheStore: any store, made to hold nothing that its keeper can read: values are sealed by
// AES-256-GCM (NIST SP 800-38D), URIs, partitions and variants are digests under the caller's key.
// A value; any thread.
//
// A value is bound to its names: one that was moved to another name, or brought back from an older
// backup under another name, doesn't open. An older value of the same name does; it is as fresh as
// it says. What doesn't open is as if it weren't there.

public import FetchBytes
internal import FetchCrypto

/// Seals what goes into another store.
public struct SealedCacheStore<Base: CacheStore>: CacheStore {
    private let base: Base
    private let key: SealingKey
    /// Names are digested with another key than values are sealed with.
    private let nameKey: Bytes
    /// Of credentials, made of the caller's key: alike wherever that is used.
    public let partitionKey: Bytes?

    /// Wraps a store.
    ///
    /// - Parameter key: 32 bytes that nobody can guess, from where secrets are kept.
    /// - Throws: ``SealingKeyError`` where it has another length.
    public init(_ base: Base, key: Bytes) throws {
        self.base = base
        do throws(CryptoError) {
            self.key = try SealingKey(key)
            let label = Bytes("names")
            nameKey = try SHA256.authenticationCode(label.span, key: key.span)
            let partitions = Bytes("partitions")
            partitionKey = try SHA256.authenticationCode(partitions.span, key: key.span)
        } catch {
            throw SealingKeyError(byteCount: key.count)
        }
    }

    /// Finds entries and opens them.
    public func find(resource: String, partition: String) async throws -> [CacheStoreEntry] {
        let found = try await base.find(
            resource: name(resource), partition: name(partition))
        return found.compactMap { entry in
            let place = Self.place(entry)
            do throws(CryptoError) {
                let plain = try key.open(entry.value.span, associated: place.span)
                guard let count = plain.first.map(Int.init), plain.count > count else { return nil }
                return CacheStoreEntry(
                    resource: resource, partition: partition,
                    variant: String(plain.slice(1..<1 + count)),
                    value: plain.slice(1 + count..<plain.count), expiry: entry.expiry)
            } catch {
                return nil
            }
        }
    }

    /// Seals an entry and stores it. A variant has 255 bytes at most.
    public func set(_ entry: CacheStoreEntry) async throws {
        guard let count = UInt8(exactly: entry.variant.utf8.count) else { return }
        var sealed = entry
        sealed.resource = try name(entry.resource)
        sealed.partition = try name(entry.partition)
        sealed.variant = try name(entry.variant)
        let place = Self.place(sealed)
        // Its name can't be had back from a digest.
        var plain = [count] + entry.variant.utf8
        plain.reserveCapacity(plain.count + entry.value.count)
        plain.append(copying: entry.value.span)
        sealed.value = try key.seal(plain.span, associated: place.span)
        try await base.set(sealed)
    }

    /// Forgets an entry.
    public func delete(resource: String, partition: String, variant: String) async throws {
        try await base.delete(
            resource: name(resource), partition: name(partition), variant: name(variant))
    }

    /// Forgets what a purge names. Digests have no prefix in common: of a prefix everything is
    /// forgotten, which is more than was asked for and never less.
    public func purge(_ purge: CacheStorePurge) async throws {
        switch purge {
        case .resource(let resource): try await base.purge(.resource(name(resource)))
        case .prefix, .everything: try await base.purge(.everything)
        }
    }

    private func name(_ plain: String) throws -> String {
        let bytes = Bytes(plain)
        return Hexadecimal.text(try SHA256.authenticationCode(bytes.span, key: nameKey.span))
    }

    /// What a value is bound to. No name holds a line feed: they are digests and digits.
    private static func place(_ entry: CacheStoreEntry) -> Bytes {
        Bytes(entry.resource + "\n" + entry.partition + "\n" + entry.variant)
    }
}

/// A key for sealing that doesn't have 32 bytes.
public struct SealingKeyError: Error, Equatable {
    /// How many it has.
    public let byteCount: Int
}

/// Bytes and numbers in hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        for byte in bytes {
            for half in [byte >> 4, byte & 15] {
                digits.append(half < 10 ? 0x30 + half : 0x57 + half)
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }

    static func text(_ word: UInt64) -> String {
        text((0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) })
    }
}
