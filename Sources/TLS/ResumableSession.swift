// A session that can be taken up (SSL_SESSION), owned by the cache or by who is about to offer it.
//
// Unsafe: the object holds one reference to the SSL_SESSION, which it frees; what is read out of
// the session is copied.

internal import CFetchOpenSSL

@safe
final class ResumableSession {
    let handle: OpaquePointer

    /// Takes a reference over.
    init(takingOver handle: OpaquePointer) {
        unsafe self.handle = unsafe handle
    }

    deinit {
        unsafe SSL_SESSION_free(handle)
    }

    /// TLS 1.3's tickets are for one use (RFC 8446 §C.4); TLS 1.2's sessions are not.
    var isSingleUse: Bool {
        unsafe SSL_SESSION_get_protocol_version(handle) >= TLS1_3_VERSION
    }

    /// When its ticket or the server's certificate is over, whichever comes first: no certificate
    /// is looked at when a session is taken up. In seconds since 1970.
    var expires: Int64 {
        let hint = unsafe Int64(clamping: SSL_SESSION_get_ticket_lifetime_hint(handle))
        let timeout = unsafe Int64(SSL_SESSION_get_timeout(handle))
        let begin = unsafe Int64(SSL_SESSION_get_time(handle))
        // RFC 8446 §4.6.1: seven days at most, whatever a server says.
        let end = begin + min(hint > 0 ? hint : timeout, 604_800)
        guard let certificate = unsafe SSL_SESSION_get0_peer(handle) else { return end }
        let notAfter = unsafe PeerCertificate.seconds(X509_get0_notAfter(certificate))
        return min(end, notAfter ?? end)
    }
}
