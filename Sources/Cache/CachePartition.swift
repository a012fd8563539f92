// CachePartition: who asks, as far as it may decide what is answered. A value; any thread.
//
// One client may speak for many users. RFC 9111 leaves it to the origin to say `Vary: Cookie` or
// `private`; many don't. So what is stored for one set of credentials is found with the same
// credentials only. They are digested under a secret key: the cache then holds no password, and
// nobody can choose a cookie that collides with another's.

package import FetchBytes
package import FetchHTTP

/// A digest of the credentials that a request shows; alike for equal ones.
package struct CachePartition: Hashable, Sendable {
    package let digest: Digest

    /// Whoever shows no credentials.
    package static var open: CachePartition { CachePartition(Digest(low: 0, high: 0)) }

    package init(_ digest: Digest) {
        self.digest = digest
    }

    /// Whether no credentials are shown.
    package var isOpen: Bool { digest.low == 0 && digest.high == 0 }

    /// The partition of a request.
    ///
    /// - Parameters:
    ///   - headers: the caller's fields.
    ///   - defaults: fields that are sent where the caller gives none of that name: Cookie from a
    ///     jar, Authorization from a provider.
    ///   - transport: what the connection shows, in any form that is alike for the same: the
    ///     client's certificate, the proxy and what it is told. Empty for nothing.
    package init(
        _ headers: Headers, defaults: Headers, transport: [UInt8] = [], under key: DigestKey
    ) {
        let fields = headers.cachingFields.union(defaults.cachingFields)
        guard !transport.isEmpty || !fields.isDisjoint(with: .credentials) else {
            self = .open
            return
        }
        var digest = KeyedDigest(key)
        digest.append(part: transport.span)
        // Host is no secret, but it changes what is meant as much as the URL does.
        for name in ["authorization", "cookie", "host", "proxy-authorization"] {
            Self.append(name, headers, defaults, to: &digest)
        }
        self.init(digest.finish())
    }

    private static func append(
        _ name: String, _ headers: Headers, _ defaults: Headers, to digest: inout KeyedDigest
    ) {
        let source = headers.contains(name) ? headers : defaults
        let utf8 = name.utf8
        digest.append(part: utf8.span)
        for index in 0..<source.count where source.hasName(name, at: index) {
            let value = source.value(at: index)
            digest.append(part: value.span)
        }
    }
}

extension KeyedDigest {
    /// The length goes first, so that no two rows of parts digest alike.
    fileprivate mutating func append(part bytes: Span<UInt8>) {
        append(UInt64(truncatingIfNeeded: bytes.count))
        append(bytes)
    }
}

/// Names what is stored for one URI and one set of credentials (RFC 9111 section 2). The method is
/// no part of it: a response to GET answers HEAD, and an unsafe method invalidates both.
package struct CacheKey: Equatable, Sendable {
    package let target: Target
    package let partition: CachePartition
    /// Of the target alone.
    package let targetHash: UInt64

    package init(_ target: Target, _ partition: CachePartition) {
        self.target = target
        self.partition = partition
        targetHash = target.resourceHash
    }

    /// Of both.
    package var hash: UInt64 { Self.hash(targetHash, partition) }

    package static func hash(_ targetHash: UInt64, _ partition: CachePartition) -> UInt64 {
        targetHash ^ partition.digest.low
    }

    package static func == (one: CacheKey, other: CacheKey) -> Bool {
        one.targetHash == other.targetHash && one.partition == other.partition
            && one.target == other.target
    }
}
