// OCSP responses for tests (RFC 6960), as an authority would sign them. Any thread.
//
// Unsafe: every OpenSSL object is freed by the function that makes it.

internal import CFetchOpenSSL

package enum TestStaple {
    package enum Status: Sendable {
        case good
        case revoked
    }

    /// DER of a response about `certificate` by `issuer`, signed by `signer`. `age` and `life` in
    /// seconds: made so long ago, valid for so long from then.
    package static func make(
        _ status: Status, for certificate: TestCertificate, by issuer: TestCertificate,
        signedBy signer: TestCertificate? = nil, age: Int = 60, life: Int = 3_600
    ) -> [UInt8] {
        let subject = unsafe certificate.parsed()
        let authority = unsafe issuer.parsed()
        let hand = unsafe (signer ?? issuer).parsed()
        defer { unsafe [subject, authority, hand].forEach { unsafe $0.free() } }
        let basic = unsafe OCSP_BASICRESP_new()
        defer { unsafe OCSP_BASICRESP_free(basic) }
        let id = unsafe OCSP_cert_to_id(EVP_sha256(), subject.certificate, authority.certificate)
        defer { unsafe OCSP_CERTID_free(id) }
        let made = unsafe X509_gmtime_adj(nil, -age)
        let next = unsafe X509_gmtime_adj(nil, life - age)
        defer { unsafe [made, next].forEach { unsafe ASN1_STRING_free($0) } }
        let isRevoked = status == .revoked
        unsafe OCSP_basic_add1_status(
            basic, id, isRevoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
            isRevoked ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : 0, isRevoked ? made : nil, made, next)
        let signed = unsafe OCSP_basic_sign(
            basic, hand.certificate, hand.key, EVP_sha256(), nil, 0)
        let response = unsafe OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        defer { unsafe OCSP_RESPONSE_free(response) }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_OCSP_RESPONSE(response, &bytes)
        guard signed == 1, count > 0 else { fatalError("no OCSP response for a test") }
        defer { unsafe CRYPTO_free(bytes, nil, 0) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}
