// SealingKey: AES-256-GCM (NIST SP 800-38D) by OpenSSL: bytes that only the key's owner can read,
// and that nobody can change unnoticed. A value; any thread.
//
// What is sealed is laid out as nonce (12 bytes), ciphertext (as long as the plain bytes), tag (16
// bytes). The nonce is drawn at random: one key may seal 2³² pieces before the chance that two
// share a nonce reaches 2⁻³² (section 8.3), which is more than a cache of ours writes in years.
//
// Safe: every pointer is used during the call that is lent it; the output's size is computed from
// the input's, and GCM writes as many bytes as it reads.

package import FetchBytes
internal import CFetchOpenSSL

/// A key of AES-256-GCM.
package struct SealingKey: Sendable {
    /// Bytes of a key.
    package static let byteCount = 32
    /// By how many bytes what is sealed is longer than what was.
    package static let overhead = nonceBytes + tagBytes

    static let nonceBytes = 12
    static let tagBytes = 16

    private let key: Bytes

    /// Takes a key of 32 bytes.
    package init(_ key: Bytes) throws(CryptoError) {
        guard key.count == Self.byteCount else { throw .keySize(key.count) }
        self.key = key
    }

    /// Seals bytes. `associated` is not hidden, and not kept: opening needs the same again.
    package func seal(
        _ plain: Span<UInt8>, associated: Span<UInt8>
    ) throws(CryptoError) -> Bytes {
        let nonce = try RandomBytes.make(Self.nonceBytes)
        return try seal(plain, associated: associated, nonce: nonce)
    }

    /// The same with a nonce of the caller's, which must never seal anything else under this key.
    package func seal(
        _ plain: Span<UInt8>, associated: Span<UInt8>, nonce: Bytes
    ) throws(CryptoError) -> Bytes {
        guard nonce.count == Self.nonceBytes else { throw .nonceSize(nonce.count) }
        let size = try Self.size(plain)
        let cipher = try Cipher()
        try cipher.begin(isSealing: true, key, nonce.span)
        try cipher.authenticate(associated)
        var sealed = [UInt8](repeating: 0, count: plain.count + Self.overhead)
        let isDone = unsafe sealed.withUnsafeMutableBufferPointer { output in
            for index in 0..<nonce.count { unsafe output[index] = nonce[index] }
            guard let start = output.baseAddress else { return false }
            let text = unsafe start + Self.nonceBytes
            return unsafe cipher.update(plain, size, into: text)
                && cipher.finish(text + plain.count)
                && cipher.getTag(text + plain.count)
        }
        guard isDone else { throw .refused }
        return Bytes(sealed)
    }

    /// Opens what was sealed with this key and the same associated bytes.
    package func open(
        _ sealed: Span<UInt8>, associated: Span<UInt8>
    ) throws(CryptoError) -> Bytes {
        let count = sealed.count - Self.overhead
        guard count >= 0 else { throw .notAuthentic }
        let text = sealed.extracting(Self.nonceBytes..<Self.nonceBytes + count)
        let size = try Self.size(text)
        let cipher = try Cipher()
        try cipher.begin(isSealing: false, key, sealed.extracting(0..<Self.nonceBytes))
        try cipher.authenticate(associated)
        // Room for one byte more, so that there is a pointer even to nothing.
        var plain = [UInt8](repeating: 0, count: count + 1)
        let isRead = unsafe plain.withUnsafeMutableBufferPointer { output in
            guard let start = output.baseAddress else { return false }
            return unsafe cipher.update(text, size, into: start)
        }
        guard isRead, cipher.setTag(sealed.extracting(sealed.count - Self.tagBytes..<sealed.count))
        else { throw .refused }
        let isAuthentic = unsafe plain.withUnsafeMutableBufferPointer { output in
            guard let start = output.baseAddress else { return false }
            return unsafe cipher.finish(start + count)
        }
        guard isAuthentic else { throw .notAuthentic }
        return Bytes(storage: plain, range: 0..<count)
    }

    private static func size(_ bytes: Span<UInt8>) throws(CryptoError) -> CInt {
        guard let size = CInt(exactly: bytes.count) else { throw .tooLarge }
        return size
    }
}

/// One use of the cipher. Owns OpenSSL's context from `init` to `deinit`.
@safe
private struct Cipher: ~Copyable {
    private let context: OpaquePointer

    init() throws(CryptoError) {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .refused }
        unsafe self.context = context
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    func begin(
        isSealing: Bool, _ key: borrowing Bytes, _ nonce: Span<UInt8>
    ) throws(CryptoError) {
        let done = unsafe key.withUnsafeBytes { key in
            unsafe nonce.withUnsafeBytes { nonce in
                // GCM's nonce has 12 bytes unless told otherwise, and the key 32.
                unsafe EVP_CipherInit_ex(
                    context, EVP_aes_256_gcm(), nil,
                    key.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    nonce.baseAddress?.assumingMemoryBound(to: UInt8.self), isSealing ? 1 : 0)
            }
        }
        guard done == 1 else { throw .refused }
    }

    func authenticate(_ bytes: Span<UInt8>) throws(CryptoError) {
        guard bytes.count > 0 else { return }
        guard let size = CInt(exactly: bytes.count) else { throw .tooLarge }
        var written = CInt(0)
        let done = unsafe bytes.withUnsafeBytes { input in
            // Without output the bytes are authenticated and not hidden.
            unsafe EVP_CipherUpdate(
                context, nil, &written,
                input.baseAddress?.assumingMemoryBound(to: UInt8.self), size)
        }
        guard done == 1 else { throw .refused }
    }

    /// Reads the bytes and writes as many.
    @unsafe
    func update(
        _ bytes: Span<UInt8>, _ size: CInt, into output: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard size > 0 else { return true }
        var written = CInt(0)
        let done = unsafe bytes.withUnsafeBytes { input in
            unsafe EVP_CipherUpdate(
                context, output, &written,
                input.baseAddress?.assumingMemoryBound(to: UInt8.self), size)
        }
        return done == 1 && written == size
    }

    /// Writes nothing: GCM fills no block up. False where the tag is wrong.
    @unsafe
    func finish(_ output: UnsafeMutablePointer<UInt8>) -> Bool {
        var written = CInt(0)
        return unsafe EVP_CipherFinal_ex(context, output, &written) == 1 && written == 0
    }

    @unsafe
    func getTag(_ tag: UnsafeMutablePointer<UInt8>) -> Bool {
        unsafe EVP_CIPHER_CTX_ctrl(
            context, EVP_CTRL_AEAD_GET_TAG, CInt(SealingKey.tagBytes), tag) == 1
    }

    func setTag(_ tag: Span<UInt8>) -> Bool {
        unsafe tag.withUnsafeBytes { tag in
            // Read only, whatever the function's type says.
            unsafe EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_SET_TAG, CInt(SealingKey.tagBytes),
                UnsafeMutableRawPointer(mutating: tag.baseAddress)) == 1
        }
    }
}
