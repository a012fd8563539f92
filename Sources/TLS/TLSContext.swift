// One configuration made ready (SSL_CTX): its authorities, its identity, its versions and ciphers,
// and the sessions that were made under it. Made once, shared by all connections of the
// configuration; the reactor's thread.
//
// Unsafe: the SSL_CTX and the BIO_METHOD are made in `init`, freed in `deinit`, and outlive every
// session, because sessions keep their context. Strings live during the calls.

internal import CFetchOpenSSL
internal import FetchBytes

/// A configuration, ready for connections.
@safe
package final class TLSContext {
    package let configuration: TLSConfiguration
    let handle: OpaquePointer
    let bioMethod: OpaquePointer
    let pins: Set<SPKIPin>
    private let keyLog: KeyLogFile?
    // Private storage behind a method or two: accesses to it need no exclusivity check.
    private var sessions: ResumptionCache<ResumableSession>
    /// How often the authorities were read.
    private(set) var trustGeneration = 0

    private let environment: TLSEnvironment

    /// Reads the files that the configuration names.
    package init(
        _ configuration: TLSConfiguration, environment: TLSEnvironment = .ofProcess
    ) throws(TLSFailure) {
        try configuration.validate()
        self.configuration = configuration
        self.environment = environment
        pins = Set(configuration.pins.compactMap { SPKIPin(base64: $0) })
        sessions = ResumptionCache(
            limit: configuration.resumesSessions ? configuration.keptSessions : 0)
        keyLog = try KeyLogFile(configuration.keyLog, environment)
        guard let handle = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw .other(OpenSSLErrors.takeWords())
        }
        guard let method = unsafe CiphertextBIO.makeMethod() else {
            unsafe SSL_CTX_free(handle)
            throw .other(OpenSSLErrors.takeWords())
        }
        unsafe self.handle = unsafe handle
        unsafe bioMethod = unsafe method
        // From here on `deinit` frees both, whatever is thrown.
        try setUpProtocol()
        try setUpTrust()
        try setUpIdentity()
        setUpSessions()
        setUpKeyLog()
    }

    deinit {
        unsafe SSL_CTX_free(handle)
        unsafe BIO_meth_free(bioMethod)
    }

    // MARK: Setting up

    private func setUpProtocol() throws(TLSFailure) {
        // Buffers go when they are empty, so that an idle connection is small.
        let mode =
            CLong(SSL_MODE_ENABLE_PARTIAL_WRITE) | CLong(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
            | CLong(SSL_MODE_RELEASE_BUFFERS) | CLong(SSL_MODE_AUTO_RETRY)
        _ = unsafe fetch_SSL_CTX_set_mode(handle, mode)
        _ = unsafe SSL_CTX_set_options(
            handle, fetch_SSL_OP_NO_RENEGOTIATION() | fetch_SSL_OP_NO_COMPRESSION())
        let oldest = TLSContext.number(of: configuration.minimumVersion)
        let newest = TLSContext.number(of: configuration.maximumVersion)
        guard unsafe fetch_SSL_CTX_set_min_proto_version(handle, oldest) == 1,
            unsafe fetch_SSL_CTX_set_max_proto_version(handle, newest) == 1
        else { throw invalid("minimumVersion", OpenSSLErrors.takeWords()) }
        OpenSSLErrors.clear()
        if let list = configuration.ciphers {
            guard unsafe SSL_CTX_set_cipher_list(handle, list) == 1 else {
                throw invalid("ciphers", OpenSSLErrors.takeWords())
            }
        }
        if let list = configuration.cipherSuites {
            guard unsafe SSL_CTX_set_ciphersuites(handle, list) == 1 else {
                throw invalid("cipherSuites", OpenSSLErrors.takeWords(orElse: "unknown suite"))
            }
        }
        var offer: [UInt8] = []
        for name in configuration.applicationProtocols {
            offer.append(UInt8(name.utf8.count))
            offer += Array(name.utf8)
        }
        // Zero is success here. The bytes are copied.
        if !offer.isEmpty {
            guard unsafe SSL_CTX_set_alpn_protos(handle, offer, UInt32(offer.count)) == 0 else {
                throw invalid("applicationProtocols", OpenSSLErrors.takeWords())
            }
        }
    }

    private static func number(of version: TLSConfiguration.Version) -> CInt {
        switch version {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }

    private func invalid(_ key: String, _ reason: String) -> TLSFailure {
        .invalidConfiguration(key: "tls." + key, reason: reason)
    }

    private func setUpTrust() throws(TLSFailure) {
        // Our own verdict is asked for in any case: pins hold without verification too.
        let asks = configuration.verification == .full || !pins.isEmpty
        unsafe SSL_CTX_set_verify(handle, asks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        unsafe SSL_CTX_set_cert_verify_callback(handle, judgeCertificate, nil)
        guard configuration.verification == .full else { return }
        unsafe fetch_SSL_CTX_set_tlsext_status_cb(handle, judgeStaple)
        try reloadTrust()
    }

    /// Reads the authorities anew: connections from now on are verified against what the files
    /// hold now, and no session is taken up that was made before, or on a connection that was.
    /// After a failure the old ones stay.
    package func reloadTrust() throws(TLSFailure) {
        guard configuration.verification == .full else { return }
        // The context takes the store over and frees the old one.
        let store = try unsafe TrustStore.make(
            configuration.trust, revokedBy: configuration.revocationLists, environment)
        unsafe SSL_CTX_set_cert_store(handle, store)
        sessions.removeAll()
        trustGeneration += 1
    }

    private func setUpSessions() {
        guard configuration.resumesSessions, configuration.keptSessions > 0 else {
            _ = unsafe fetch_SSL_CTX_set_session_cache_mode(handle, CLong(SSL_SESS_CACHE_OFF))
            _ = unsafe SSL_CTX_set_options(handle, fetch_SSL_OP_NO_TICKET())
            return
        }
        let mode = CLong(SSL_SESS_CACHE_CLIENT) | CLong(SSL_SESS_CACHE_NO_INTERNAL)
        _ = unsafe fetch_SSL_CTX_set_session_cache_mode(handle, mode)
        unsafe SSL_CTX_sess_set_new_cb(handle, keepSession)
    }

    private func setUpKeyLog() {
        guard keyLog != nil else { return }
        unsafe SSL_CTX_set_keylog_callback(handle, logSecret)
    }

    // MARK: While connections live

    func log(_ line: String) {
        keyLog?.append(line)
    }

    /// Sessions kept now.
    package var keptSessions: Int { sessions.count }

    /// `generation` is the trust's when the session's connection was begun.
    func keep(_ session: ResumableSession, for key: ResumptionKey, generation: Int) {
        guard generation == trustGeneration else { return }
        sessions.store(
            .init(
                session: session, isSingleUse: session.isSingleUse, expires: session.expires),
            for: key)
    }

    func takeSession(for key: ResumptionKey, now seconds: Int64) -> ResumableSession? {
        sessions.take(key, now: seconds)
    }
}

/// SSL_CTX_keylog_cb_func: one line of the key log, without its end.
private func logSecret(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line = unsafe line, let session = unsafe TLSSession.behind(ssl) else { return }
    session.context.log(unsafe String(cString: line))
}

/// SSL_CTX's callback for a session that can be taken up later; 1 says that its reference is taken
/// over.
private func keepSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> CInt {
    guard let session = unsafe session, let owner = unsafe TLSSession.behind(ssl) else { return 0 }
    guard unsafe SSL_SESSION_is_resumable(session) == 1 else { return 0 }
    owner.sessionArrived(unsafe ResumableSession(takingOver: session))
    return 1
}
