// Bytes that nobody can guess, from OpenSSL's generator, which the kernel seeds. Any thread.

package import FetchBytes
internal import CFetchOpenSSL

package enum RandomBytes {
    /// So many of them.
    package static func make(_ count: Int) throws(CryptoError) -> Bytes {
        guard count >= 0, let size = CInt(exactly: count) else { throw .tooLarge }
        guard count > 0 else { return Bytes() }
        var bytes = [UInt8](repeating: 0, count: count)
        // The pointer is written to during the call only, and the array has that size.
        guard unsafe RAND_bytes(&bytes, size) == 1 else { throw .refused }
        return Bytes(bytes)
    }
}
