// A TLS server in memory for tests: ciphertext in, ciphertext out, over OpenSSL's memory BIOs, so
// that the client's own BIO is tried against another. One thread.
//
// Unsafe: the SSL_CTX and the SSLs are freed by their owners' `deinit`; callbacks find the server
// by an unretained pointer, which outlives its connections.

internal import CFetchOpenSSL

/// A server's configuration, shared by its connections.
@safe
package final class TestTLSServer {
    package struct Settings: Sendable {
        package var certificate: TestCertificate
        /// Sent behind the certificate.
        package var chain: [TestCertificate] = []
        /// Asks for a client certificate of this authority, and insists.
        package var clientAuthority: TestCertificate?
        package var newestVersion = 13
        package var oldestVersion = 12
        package var ciphers: String?
        package var applicationProtocols: [String] = []
        /// Tickets after a full handshake of TLS 1.3.
        package var tickets = 2
        /// DER of an OCSP response.
        package var staple: [UInt8] = []
        /// Remembers every secret, of every connection.
        package var keepsKeyLog = false

        package init(_ certificate: TestCertificate) {
            self.certificate = certificate
        }
    }

    package let settings: Settings
    let handle: OpaquePointer
    /// The secrets of its connections, as it tells them.
    package fileprivate(set) var keyLog: [String] = []
    /// Handshakes that took up an earlier session, and all that were done.
    package fileprivate(set) var resumed = 0
    package fileprivate(set) var accepted = 0

    package init(_ settings: Settings) {
        self.settings = settings
        guard let handle = unsafe SSL_CTX_new(TLS_server_method()) else {
            fatalError("no context for a test server")
        }
        unsafe self.handle = unsafe handle
        let own = unsafe settings.certificate.parsed()
        defer { unsafe own.free() }
        unsafe SSL_CTX_use_certificate(handle, own.certificate)
        unsafe SSL_CTX_use_PrivateKey(handle, own.key)
        for link in settings.chain {
            let parsed = unsafe link.parsed()
            _ = unsafe fetch_SSL_CTX_add1_chain_cert(handle, parsed.certificate)
            unsafe parsed.free()
        }
        _ = unsafe fetch_SSL_CTX_set_min_proto_version(handle, CInt(settings.oldestVersion + 0x2F7))
        _ = unsafe fetch_SSL_CTX_set_max_proto_version(handle, CInt(settings.newestVersion + 0x2F7))
        if settings.oldestVersion < 12 { unsafe SSL_CTX_set_security_level(handle, 0) }
        if let ciphers = settings.ciphers { unsafe SSL_CTX_set_cipher_list(handle, ciphers) }
        unsafe SSL_CTX_set_num_tickets(handle, settings.tickets)
        unsafe SSL_CTX_set_ex_data(handle, 0, Unmanaged.passUnretained(self).toOpaque())
        // Tickets alone: nothing is kept here.
        _ = unsafe fetch_SSL_CTX_set_session_cache_mode(handle, CLong(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_session_id_context(handle, [1], 1)
        if settings.keepsKeyLog { unsafe SSL_CTX_set_keylog_callback(handle, noteSecret) }
        unsafe SSL_CTX_set_alpn_select_cb(handle, chooseProtocol, nil)
        unsafe fetch_SSL_CTX_set_tlsext_status_cb(handle, { _, _ in SSL_TLSEXT_ERR_OK })
        if let authority = settings.clientAuthority {
            let parsed = unsafe authority.parsed()
            unsafe X509_STORE_add_cert(SSL_CTX_get_cert_store(handle), parsed.certificate)
            unsafe parsed.free()
            let mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            unsafe SSL_CTX_set_verify(handle, mode, nil)
        }
    }

    deinit {
        unsafe SSL_CTX_free(handle)
    }

    fileprivate static func behind(_ ssl: OpaquePointer?) -> TestTLSServer? {
        guard let pointer = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0) else { return nil }
        return unsafe Unmanaged<TestTLSServer>.fromOpaque(pointer).takeUnretainedValue()
    }
}

/// The server's end of one connection.
@safe
package final class TestTLSConnection {
    private let server: TestTLSServer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    package private(set) var isDone = false
    /// The client has said close_notify.
    package private(set) var hasEnded = false
    /// What OpenSSL said when it failed.
    package private(set) var failure: String?
    /// Plaintext that has come.
    package private(set) var received: [UInt8] = []

    package init(_ server: TestTLSServer) {
        self.server = server
        guard let ssl = unsafe SSL_new(server.handle), let input = unsafe BIO_new(BIO_s_mem()),
            let output = unsafe BIO_new(BIO_s_mem())
        else { fatalError("no connection for a test server") }
        unsafe (self.ssl, self.input, self.output) = unsafe (ssl, input, output)
        unsafe SSL_set_bio(ssl, input, output)
        unsafe SSL_set_accept_state(ssl)
        let staple = server.settings.staple
        if !staple.isEmpty {
            // OpenSSL takes the copy over.
            let copy = unsafe CRYPTO_memdup(staple, staple.count, nil, 0)
            _ = unsafe fetch_SSL_set_tlsext_status_ocsp_resp(
                ssl, copy?.assumingMemoryBound(to: UInt8.self), staple.count)
        }
    }

    deinit {
        unsafe SSL_free(ssl)
    }

    /// Ciphertext from the client.
    package func receive(_ bytes: [UInt8]) {
        unsafe BIO_write(input, bytes, CInt(bytes.count))
        goOn()
    }

    /// Ciphertext for the client, since this was last asked.
    package func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(output))
        guard !bytes.isEmpty else { return [] }
        unsafe BIO_read(output, &bytes, CInt(bytes.count))
        return bytes
    }

    package func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }

    package func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        note(unsafe SSL_write(ssl, bytes, CInt(bytes.count)))
    }

    package func sendCloseNotify() {
        unsafe SSL_shutdown(ssl)
    }

    /// Changes the keys and asks the client to do the same (RFC 8446 §4.6.3).
    package func updateKeys() {
        unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        note(unsafe SSL_do_handshake(ssl))
    }

    /// Sends another ticket (RFC 8446 §4.6.1).
    package func sendTicket() {
        unsafe SSL_new_session_ticket(ssl)
        note(unsafe SSL_do_handshake(ssl))
    }

    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The name that the client sent.
    package var sentServerName: String? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
            return nil
        }
        return unsafe String(cString: name)
    }

    private func goOn() {
        guard failure == nil, !hasEnded else { return }
        if !isDone {
            let result = unsafe SSL_do_handshake(ssl)
            guard result == 1 else { return note(result) }
            isDone = true
            server.accepted += 1
            if isResumed { server.resumed += 1 }
        }
        var block = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe SSL_read(ssl, &block, CInt(block.count))
            guard count > 0 else { return note(count) }
            received += block.prefix(Int(count))
        }
    }

    private func note(_ result: CInt) {
        guard result <= 0 else { return }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            break
        case SSL_ERROR_ZERO_RETURN:
            hasEnded = true
        default:
            let words = unsafe ERR_reason_error_string(ERR_peek_last_error())
            failure = unsafe words.map { unsafe String(cString: $0) } ?? "?"
        }
        ERR_clear_error()
    }
}

private func noteSecret(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line = unsafe line else { return }
    unsafe TestTLSServer.behind(ssl)?.keyLog.append(String(cString: line))
}

/// The first protocol of the server's that the client offers; without one, an alert.
private func chooseProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ count: UnsafeMutablePointer<UInt8>?, _ offer: UnsafePointer<UInt8>?, _ offerCount: UInt32,
    _ unused: UnsafeMutableRawPointer?
) -> CInt {
    let wanted = unsafe TestTLSServer.behind(ssl)?.settings.applicationProtocols ?? []
    guard !wanted.isEmpty, let offer = unsafe offer else { return SSL_TLSEXT_ERR_NOACK }
    var position = 0
    while position < Int(offerCount) {
        let length = unsafe Int(offer[position])
        let name = unsafe UnsafeBufferPointer(start: offer + position + 1, count: length)
        if wanted.contains(unsafe String(decoding: name, as: UTF8.self)) {
            unsafe chosen?.pointee = name.baseAddress
            unsafe count?.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        position += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
