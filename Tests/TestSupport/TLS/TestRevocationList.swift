// Certificate revocation lists for tests (RFC 5280 §5), as an authority would sign them. Any
// thread.
//
// Unsafe: every OpenSSL object is freed by the function that makes it, or handed to the list.

internal import CFetchOpenSSL
internal import Glibc

package enum TestRevocationList {
    /// PEM of a list by `issuer` that withdraws `certificates`. `age` and `life` in seconds: made
    /// so long ago, valid for so long from then.
    package static func make(
        revoking certificates: [TestCertificate] = [], by issuer: TestCertificate,
        age: Int = 60, life: Int = 3_600
    ) -> String {
        let authority = unsafe issuer.parsed()
        defer { unsafe authority.free() }
        let list = unsafe X509_CRL_new()
        defer { unsafe X509_CRL_free(list) }
        unsafe X509_CRL_set_version(list, 1)
        unsafe X509_CRL_set_issuer_name(list, X509_get_subject_name(authority.certificate))
        let made = unsafe X509_gmtime_adj(nil, -age)
        let next = unsafe X509_gmtime_adj(nil, life - age)
        defer { unsafe [made, next].forEach { unsafe ASN1_STRING_free($0) } }
        unsafe X509_CRL_set1_lastUpdate(list, made)
        unsafe X509_CRL_set1_nextUpdate(list, next)
        for certificate in certificates {
            let subject = unsafe certificate.parsed()
            defer { unsafe subject.free() }
            let entry = unsafe X509_REVOKED_new()
            unsafe X509_REVOKED_set_serialNumber(
                entry, X509_get_serialNumber(subject.certificate))
            unsafe X509_REVOKED_set_revocationDate(entry, made)
            // The list takes it over.
            unsafe X509_CRL_add0_revoked(list, entry)
        }
        unsafe X509_CRL_sort(list)
        unsafe X509_CRL_sign(list, authority.key, EVP_sha256())
        return unsafe TestCertificate.text { unsafe PEM_write_bio_X509_CRL($0, list) }
    }
}
