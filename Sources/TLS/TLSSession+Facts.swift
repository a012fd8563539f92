// What can be asked of a session, and what the session tells the cache.
//
// Unsafe: strings and certificates are the SSL's, which lives as long as its session; they are
// copied out.

internal import CFetchOpenSSL

extension TLSSession {
    /// Why it failed, if it did.
    package var failure: TLSFailure? {
        if case .failed(let failure) = state { return failure }
        return nil
    }

    /// The protocol that the server chose (RFC 7301): nil when it chose none.
    package var applicationProtocol: String? {
        unsafe withSSL { ssl in
            var bytes: UnsafePointer<UInt8>?
            var count: UInt32 = 0
            unsafe SSL_get0_alpn_selected(ssl, &bytes, &count)
            guard let start = unsafe bytes, count > 0 else { return nil }
            return unsafe String(
                decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
        }
    }

    /// Whether an earlier session was taken up.
    package var isResumed: Bool { unsafe withSSL { unsafe SSL_session_reused($0) == 1 } }

    /// `TLSv1.3`, `TLSv1.2`.
    package var versionName: String {
        unsafe withSSL { unsafe String(cString: SSL_get_version($0)) }
    }

    /// OpenSSL's name of the cipher; nil before one was agreed on.
    package var cipherName: String? {
        unsafe withSSL { ssl in
            guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return nil }
            return unsafe String(cString: SSL_CIPHER_get_name(cipher))
        }
    }

    /// The server's certificate: of a session that is taken up, the one that was shown then.
    package var peerCertificate: PeerCertificate? {
        unsafe withSSL { ssl in
            guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
            return unsafe PeerCertificate(certificate)
        }
    }

    /// Whether a read would find something without more ciphertext: decrypted bytes, or the end.
    package var hasPlaintext: Bool {
        guard case .open = state else { return true }
        return unsafe withSSL { unsafe SSL_pending($0) > 0 }
    }

    /// Whether the ciphertext so far ends within a record: the rest of it is on its way, and
    /// nobody knows what it holds.
    package var holdsPartOfRecord: Bool {
        unsafe withSSL { ssl in
            if unsafe SSL_has_pending(ssl) == 1 { return true }
            // "RB": the header was read, the body was not.
            return unsafe String(cString: SSL_rstate_string(ssl)) == "RB"
        }
    }

    /// A session to take up later has come from the server.
    func sessionArrived(_ session: ResumableSession) {
        holdsSpareBuffers = true
        context.keep(session, for: key, generation: trustGeneration)
    }
}
