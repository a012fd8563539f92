// SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104), by OpenSSL. Pure; any thread.
//
// Safe: OpenSSL reads the bytes lent to it during the call only, and writes 32 bytes into an array
// that holds 32.

package import FetchBytes
internal import CFetchOpenSSL

/// The digest.
package enum SHA256 {
    /// Bytes of a digest.
    package static let byteCount = 32

    /// The digest of some bytes.
    package static func digest(_ bytes: Span<UInt8>) throws(CryptoError) -> Bytes {
        var digest = [UInt8](repeating: 0, count: byteCount)
        var count = CUnsignedInt(0)
        let done = unsafe bytes.withUnsafeBytes { input in
            unsafe EVP_Digest(
                input.baseAddress, input.count, &digest, &count, EVP_sha256(), nil)
        }
        guard done == 1, Int(count) == byteCount else { throw .refused }
        return Bytes(digest)
    }

    /// The keyed digest of some bytes. A key of any length will do; 32 bytes are best.
    package static func authenticationCode(
        _ bytes: Span<UInt8>, key: Span<UInt8>
    ) throws(CryptoError) -> Bytes {
        var code = [UInt8](repeating: 0, count: byteCount)
        var count = 0
        // An empty key must still be a pointer.
        var none: UInt8 = 0
        let isDone = unsafe key.withUnsafeBytes { key in
            unsafe bytes.withUnsafeBytes { input in
                unsafe withUnsafePointer(to: &none) { none in
                    unsafe EVP_Q_mac(
                        nil, "HMAC", nil, "SHA256", nil,
                        key.baseAddress ?? UnsafeRawPointer(none), key.count,
                        input.baseAddress?.assumingMemoryBound(to: UInt8.self), input.count,
                        &code, byteCount, &count) != nil
                }
            }
        }
        guard isDone, count == byteCount else { throw .refused }
        return Bytes(code)
    }
}
