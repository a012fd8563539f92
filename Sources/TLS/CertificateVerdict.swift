// The verdict on a server's certificate, given by callbacks while the handshake runs: before
// anything of ours but the ClientHello has been sent. A bad verdict becomes the session's failure
// and an alert to the server.
//
// Unsafe: whatever the callbacks are handed belongs to the SSL whose call they interrupt, and lives
// as long as that call.

internal import CFetchOpenSSL

/// SSL_CTX_set_cert_verify_callback(3): 1 to go on, 0 to end the handshake.
func judgeCertificate(_ store: OpaquePointer?, _ unused: UnsafeMutableRawPointer?) -> CInt {
    let index = SSL_get_ex_data_X509_STORE_CTX_idx()
    guard let store = unsafe store,
        let ssl = unsafe X509_STORE_CTX_get_ex_data(store, index),
        let session = unsafe TLSSession.behind(OpaquePointer(ssl))
    else { return 0 }
    let configuration = session.context.configuration
    if configuration.verification == .full, unsafe X509_verify_cert(store) != 1 {
        let error = unsafe X509_STORE_CTX_get_error(store)
        session.verdict = unsafe failure(
            error, at: X509_STORE_CTX_get_current_cert(store) ?? X509_STORE_CTX_get0_cert(store),
            expecting: session.serverName)
        // Never a good word behind a bad verdict.
        if error == X509_V_OK {
            unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED)
        }
        return 0
    }
    guard unsafe pinsHold(session.context.pins, store, session) else {
        unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
        return 0
    }
    return 1
}

private func failure(
    _ error: CInt, at certificate: OpaquePointer?, expecting host: ServerName
) -> TLSFailure {
    guard let certificate = unsafe certificate else {
        return .certificateRefused(certificate: "", code: error, reason: words(for: error))
    }
    let facts = unsafe PeerCertificate(certificate)
    switch error {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return .expired(certificate: facts.subject, notAfter: facts.notAfter)
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return .notYetValid(certificate: facts.subject, notBefore: facts.notBefore)
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return .selfSigned(certificate: facts.subject)
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_CERT_UNTRUSTED,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return .unknownAuthority(certificate: facts.subject, issuer: facts.issuer)
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
        return .wrongHost(expected: host.text, names: facts.hosts)
    case X509_V_ERR_CERT_REVOKED:
        return .revoked(certificate: facts.subject)
    default:
        return .certificateRefused(
            certificate: facts.subject, code: error, reason: words(for: error))
    }
}

private func words(for error: CInt) -> String {
    unsafe String(cString: X509_verify_cert_error_string(CLong(error)))
}

/// Whether a key of the chain that was verified is pinned; of the server's own certificate when
/// nothing was verified, because then anybody may have put the others there.
private func pinsHold(_ pins: Set<SPKIPin>, _ store: OpaquePointer, _ session: TLSSession) -> Bool {
    guard !pins.isEmpty else { return true }
    var presented: [SPKIPin] = []
    if session.context.configuration.verification == .full {
        let chain = unsafe X509_STORE_CTX_get0_chain(store)
        for index in 0..<(unsafe fetch_sk_X509_num(chain)) {
            guard let certificate = unsafe fetch_sk_X509_value(chain, index) else { continue }
            if let pin = unsafe SPKIPin(of: certificate) { presented.append(pin) }
        }
    } else if let certificate = unsafe X509_STORE_CTX_get0_cert(store) {
        if let pin = unsafe SPKIPin(of: certificate) { presented.append(pin) }
    }
    if presented.contains(where: { pins.contains($0) }) { return true }
    session.verdict = .pinMismatch(presented: presented.map { $0.base64 })
    return false
}
