// What goes wrong in this room. Values; any thread.

/// Why something could not be digested, sealed or opened.
package enum CryptoError: Error, Equatable, Sendable {
    /// A key of AES-256 has 32 bytes.
    case keySize(Int)
    /// A nonce of GCM has 12 bytes here.
    case nonceSize(Int)
    /// More bytes than one call takes (2³¹ − 1).
    case tooLarge
    /// What is to be opened was sealed with another key, for something else, or was changed.
    case notAuthentic
    /// OpenSSL refused: it has no memory, or no such algorithm (a provider was not loaded).
    case refused
}
