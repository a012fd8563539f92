// The OCSP response that a server may staple to its certificate (RFC 6066 §8, RFC 6960), and the
// demand for one that a certificate may hold (RFC 7633).
//
// Only a signed "revoked" ends the handshake: it stays true however old it is. A response that is
// missing, stale or unreadable says nothing, unless the certificate demands a good one.
//
// Unsafe: as in CertificateVerdict.swift; what is parsed here is freed here.

internal import CFetchOpenSSL

/// SSL_CTX_set_tlsext_status_cb(3): 1 to go on, 0 to end the handshake.
func judgeStaple(_ ssl: OpaquePointer?, _ unused: UnsafeMutableRawPointer?) -> CInt {
    guard let session = unsafe TLSSession.behind(ssl),
        let certificate = unsafe SSL_get0_peer_certificate(ssl)
    else { return 0 }
    // A session that is taken up shows no certificate: it was judged when it was made.
    if unsafe SSL_session_reused(ssl) == 1 { return 1 }
    let status = unsafe OCSPStaple.status(of: certificate, on: ssl)
    OpenSSLErrors.clear()
    let subject = unsafe PeerCertificate.text(X509_get_subject_name(certificate))
    switch status {
    case .good:
        return 1
    case .revoked:
        session.verdict = .revoked(certificate: subject)
        return 0
    case .nothing:
        guard unsafe OCSPStaple.isDemanded(by: certificate) else { return 1 }
        session.verdict = .stapleMissing(certificate: subject)
        return 0
    }
}

enum OCSPStaple {
    enum Status {
        /// Signed, of now, and good.
        case good
        /// Signed, and withdrawn.
        case revoked
        /// No response, or none that says anything.
        case nothing
    }

    static func status(of certificate: OpaquePointer, on ssl: OpaquePointer?) -> Status {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe fetch_SSL_get_tlsext_status_ocsp_resp(ssl, &bytes)
        guard count > 0, unsafe bytes != nil,
            let response = unsafe d2i_OCSP_RESPONSE(nil, &bytes, count)
        else { return .nothing }
        defer { unsafe OCSP_RESPONSE_free(response) }
        guard unsafe OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL,
            let basic = unsafe OCSP_response_get1_basic(response)
        else { return .nothing }
        defer { unsafe OCSP_BASICRESP_free(basic) }
        // The issuer, or one whom the issuer has named for it, must have signed it.
        let chain = unsafe SSL_get0_verified_chain(ssl)
        let store = unsafe SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl))
        guard unsafe fetch_sk_X509_num(chain) > 1,
            let issuer = unsafe fetch_sk_X509_value(chain, 1),
            unsafe OCSP_basic_verify(basic, chain, store, 0) == 1
        else { return .nothing }
        return unsafe status(of: certificate, from: issuer, in: basic)
    }

    /// What the response says of this certificate, among those that it speaks of. One bad word
    /// outweighs any number of good ones.
    private static func status(
        of certificate: OpaquePointer, from issuer: OpaquePointer, in basic: OpaquePointer
    ) -> Status {
        var isGood = false
        for index in 0..<(unsafe OCSP_resp_count(basic)) {
            guard let single = unsafe OCSP_resp_get0(basic, index),
                unsafe isAbout(certificate, from: issuer, single)
            else { continue }
            var thisUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
            var nextUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
            let status = unsafe OCSP_single_get0_status(
                single, nil, nil, &thisUpdate, &nextUpdate)
            if status == V_OCSP_CERTSTATUS_REVOKED { return .revoked }
            // Five minutes for clocks that differ.
            let isOfNow = unsafe OCSP_check_validity(thisUpdate, nextUpdate, 300, -1) == 1
            if status == V_OCSP_CERTSTATUS_GOOD, isOfNow { isGood = true }
        }
        return isGood ? .good : .nothing
    }

    /// The response names a certificate by hashes, of a kind that its maker chose.
    private static func isAbout(
        _ certificate: OpaquePointer, from issuer: OpaquePointer, _ single: OpaquePointer
    ) -> Bool {
        guard let named = unsafe OCSP_SINGLERESP_get0_id(single) else { return false }
        var algorithm: OpaquePointer?
        guard unsafe OCSP_id_get0_info(nil, &algorithm, nil, nil, named) == 1,
            let digest = unsafe fetch_EVP_get_digestbyobj(algorithm),
            let wanted = unsafe OCSP_cert_to_id(digest, certificate, issuer)
        else { return false }
        defer { unsafe OCSP_CERTID_free(wanted) }
        return unsafe OCSP_id_cmp(wanted, named) == 0
    }

    /// TLS feature 5, status_request: "OCSP must staple".
    static func isDemanded(by certificate: OpaquePointer) -> Bool {
        let found = unsafe X509_get_ext_d2i(certificate, NID_tlsfeature, nil, nil)
        guard let found = unsafe found else { return false }
        let features = OpaquePointer(found)
        defer { unsafe TLS_FEATURE_free(features) }
        for index in 0..<(unsafe fetch_sk_ASN1_INTEGER_num(features)) {
            let feature = unsafe fetch_sk_ASN1_INTEGER_value(features, index)
            if unsafe ASN1_INTEGER_get(feature) == 5 { return true }
        }
        return false
    }
}
