// Certificates for tests, made on the spot: authorities, servers, clients, good ones and bad ones.
// Values of PEM text; any thread.
//
// Unsafe: every OpenSSL object is freed by the function that makes it.

internal import CFetchOpenSSL
internal import Glibc

/// A certificate and its private key.
package struct TestCertificate: Sendable {
    package let certificatePEM: String
    package let keyPEM: String

    /// What a certificate is to say.
    package struct Order: Sendable {
        package var name: String
        /// DNS names and addresses it is for, as `DNS:a.test` and `IP:127.0.0.1`.
        package var hosts: [String]
        package var isAuthority = false
        /// In seconds from now.
        package var notBefore = -3_600
        package var notAfter = 86_400
        /// RFC 7633.
        package var demandsStaple = false

        package init(_ name: String, hosts: [String] = []) {
            self.name = name
            self.hosts = hosts
        }
    }

    /// Signed by `issuer`, by itself without one.
    package static func make(_ order: Order, by issuer: TestCertificate? = nil) -> TestCertificate {
        let key = unsafe makeKey()
        defer { unsafe EVP_PKEY_free(key) }
        let certificate = unsafe X509_new()
        defer { unsafe X509_free(certificate) }
        unsafe X509_set_version(certificate, 2)
        var serial = SystemRandomNumberGenerator()
        unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial.next() >> 1)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), order.notBefore)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), order.notAfter)
        let subject = unsafe X509_get_subject_name(certificate)
        unsafe X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_UTF8, order.name, CInt(order.name.utf8.count), -1, 0)
        unsafe X509_set_pubkey(certificate, key)
        let signer = unsafe issuer?.parsed()
        defer { if let signer = unsafe signer { unsafe signer.free() } }
        unsafe X509_set_issuer_name(
            certificate, signer.map { unsafe X509_get_subject_name($0.certificate) } ?? subject)
        unsafe addExtensions(
            order, to: certificate, issuer: signer.map { unsafe $0.certificate } ?? certificate)
        unsafe X509_sign(certificate, signer.map { unsafe $0.key } ?? key, EVP_sha256())
        return unsafe TestCertificate(
            certificatePEM: text { unsafe PEM_write_bio_X509($0, certificate) },
            keyPEM: text { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
    }

    /// The key in PKCS 8, encrypted with a password.
    package func encryptedKeyPEM(password: String) -> String {
        let parsed = unsafe parsed()
        defer { unsafe parsed.free() }
        return unsafe TestCertificate.text { bio in
            unsafe PEM_write_bio_PKCS8PrivateKey(
                bio, parsed.key, EVP_aes_256_cbc(), password, CInt(password.utf8.count), nil, nil)
        }
    }

    /// The pin of its public key, made the long way round: `openssl dgst -sha256 | base64`.
    package var pin: String {
        let parsed = unsafe parsed()
        defer { unsafe parsed.free() }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PUBKEY(parsed.key, &bytes)
        defer { unsafe CRYPTO_free(bytes, nil, 0) }
        var digest = [UInt8](repeating: 0, count: 32)
        _ = unsafe EVP_Digest(bytes, Int(count), &digest, nil, EVP_sha256(), nil)
        var encoded = [UInt8](repeating: 0, count: 45)
        _ = unsafe EVP_EncodeBlock(&encoded, digest, 32)
        return String(decoding: encoded.prefix(44), as: UTF8.self)
    }

    // MARK: OpenSSL's objects

    /// The X509 and the EVP_PKEY, both the holder's to free.
    @unsafe
    package struct Parsed {
        package let certificate: OpaquePointer
        package let key: OpaquePointer

        package func free() {
            unsafe X509_free(certificate)
            unsafe EVP_PKEY_free(key)
        }
    }

    package func parsed() -> Parsed {
        let certificate = unsafe TestCertificate.reading(certificatePEM) { bio in
            unsafe PEM_read_bio_X509(bio, nil, nil, nil)
        }
        let key = unsafe TestCertificate.reading(keyPEM) { bio in
            unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil)
        }
        guard let certificate = unsafe certificate, let key = unsafe key else {
            fatalError("a test certificate can't be read back")
        }
        return unsafe Parsed(certificate: certificate, key: key)
    }

    private static func reading(
        _ text: String, _ body: (OpaquePointer?) -> OpaquePointer?
    ) -> OpaquePointer? {
        let bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeBytes { all in
            let bio = unsafe BIO_new_mem_buf(all.baseAddress, CInt(all.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }

    static func text(_ write: (OpaquePointer?) -> CInt) -> String {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        guard unsafe write(bio) == 1 else { fatalError("a test certificate can't be written") }
        var bytes: UnsafeMutablePointer<CChar>?
        let count = unsafe fetch_BIO_get_mem_data(bio, &bytes)
        return unsafe String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// P-256: quick to make and quick to sign with.
    private static func makeKey() -> OpaquePointer {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key
        else { fatalError("no key for a test certificate") }
        return unsafe key
    }

    private static func addExtensions(
        _ order: Order, to certificate: OpaquePointer?, issuer: OpaquePointer?
    ) {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        var wanted: [(CInt, String)] = [
            (NID_basic_constraints, order.isAuthority ? "critical,CA:TRUE" : "CA:FALSE"),
            (NID_subject_key_identifier, "hash"),
        ]
        if order.isAuthority { wanted.append((NID_key_usage, "keyCertSign,cRLSign")) }
        if !order.hosts.isEmpty {
            wanted.append((NID_subject_alt_name, order.hosts.joined(separator: ",")))
        }
        if order.demandsStaple { wanted.append((NID_tlsfeature, "status_request")) }
        for (number, value) in wanted {
            let made = unsafe X509V3_EXT_conf_nid(nil, &context, number, value)
            guard let made = unsafe made else { fatalError("extension \(value)") }
            unsafe X509_add_ext(certificate, made, -1)
            unsafe X509_EXTENSION_free(made)
        }
    }
}

extension TestCertificate {
    /// An authority of its own.
    package static func authority(_ name: String = "Test Authority") -> TestCertificate {
        var order = Order(name)
        order.isAuthority = true
        return make(order)
    }
}
