// The keys that digests of credentials are made with, from secrets that last. Pure; any thread.

package import FetchBytes
internal import FetchCrypto

extension CacheStore {
    /// The key for partitions that comes of the store's; nil where it has none.
    package var digestKey: DigestKey? {
        guard let partitionKey else { return nil }
        do throws(CryptoError) {
            return try DigestKey(forPartitionsFrom: partitionKey.span)
        } catch {
            return nil
        }
    }
}

extension DigestKey {
    /// The key for partitions that comes of a secret: alike in every process that has it.
    init(forPartitionsFrom secret: Span<UInt8>) throws(CryptoError) {
        let label = Bytes("partition")
        self.init(try SHA256.authenticationCode(label.span, key: secret))
    }

    /// The first 16 bytes of at least as many.
    init(_ bytes: Bytes) {
        self.init(Scan.word(bytes.span, at: 0), Scan.word(bytes.span, at: 8))
    }
}
