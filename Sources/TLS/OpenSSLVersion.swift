// Which OpenSSL is loaded. Any thread.
//
// Unsafe: the text is a constant of the library's.

internal import CFetchOpenSSL

package enum OpenSSLVersion {
    /// The loaded library's own words: `OpenSSL 3.0.19 27 Jan 2026`.
    package static var current: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION) else { return "OpenSSL" }
        return unsafe String(cString: text)
    }
}
