// The hash of a public key, as pins are written (RFC 7469 §2.4). A pure value.
//
// Unsafe: OpenSSL reads and writes arrays of the sizes it documents, during the calls.

internal import CFetchOpenSSL

/// SHA-256 of a certificate's subject public key info.
struct SPKIPin: Hashable, Sendable {
    private let digest: [UInt8]

    /// From 44 characters of base64; nil for anything else.
    init?(base64: String) {
        guard base64.utf8.count == 44, base64.hasSuffix("="), !base64.hasSuffix("==") else {
            return nil
        }
        var decoded = [UInt8](repeating: 0, count: 33)
        guard unsafe EVP_DecodeBlock(&decoded, Array(base64.utf8), 44) == 33 else { return nil }
        digest = Array(decoded.prefix(32))
    }

    /// Of an X509; nil if its key can't be written, which no parsed certificate does.
    init?(of certificate: OpaquePointer) {
        let key = unsafe X509_get_X509_PUBKEY(certificate)
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_PUBKEY(key, &bytes)
        guard count > 0, let start = unsafe bytes else { return nil }
        defer { unsafe CRYPTO_free(start, nil, 0) }
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_Digest(start, Int(count), &digest, nil, EVP_sha256(), nil) == 1 else {
            return nil
        }
        self.digest = digest
    }

    var base64: String {
        // 44 characters and a NUL.
        var encoded = [UInt8](repeating: 0, count: 45)
        _ = unsafe EVP_EncodeBlock(&encoded, digest, 32)
        return String(decoding: encoded.prefix(44), as: UTF8.self)
    }
}
