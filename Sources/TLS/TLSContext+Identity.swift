// The client's certificate and key, put into a context.
//
// Unsafe: what PEMReader hands out is freed here, after OpenSSL has taken references of its own.

internal import CFetchOpenSSL
internal import FetchBytes

extension TLSContext {
    func setUpIdentity() throws(TLSFailure) {
        guard let identity = configuration.identity else { return }
        try setUpCertificates(identity.certificate)
        let source = identity.key.source
        let bytes: Bytes
        switch PEMReader.bytes(of: identity.key) {
        case .success(let read): bytes = read
        case .failure(let failure):
            throw .badClientKey(source: source, .unreadable(reason: failure.description))
        }
        do throws(TLSFailure.KeyFault) {
            let key = try unsafe PEMReader.key(in: bytes, identity.password)
            defer { unsafe EVP_PKEY_free(key) }
            guard unsafe X509_check_private_key(SSL_CTX_get0_certificate(handle), key) == 1,
                unsafe SSL_CTX_use_PrivateKey(handle, key) == 1
            else {
                OpenSSLErrors.clear()
                throw .notTheCertificates
            }
        } catch {
            throw .badClientKey(source: source, error)
        }
    }

    /// The first is the client's own, the others lead to its authority.
    private func setUpCertificates(_ pem: TLSConfiguration.PEM) throws(TLSFailure) {
        let bytes: Bytes
        switch PEMReader.bytes(of: pem) {
        case .success(let read): bytes = read
        case .failure(let failure):
            throw .badClientCertificate(source: pem.source, reason: failure.description)
        }
        let certificates = unsafe PEMReader.certificates(in: bytes)
        defer { unsafe certificates.forEach { unsafe X509_free($0) } }
        guard let own = unsafe certificates.first else {
            throw .badClientCertificate(source: pem.source, reason: "no certificate in it")
        }
        guard unsafe SSL_CTX_use_certificate(handle, own) == 1 else {
            throw .badClientCertificate(source: pem.source, reason: OpenSSLErrors.takeWords())
        }
        for index in unsafe certificates.indices.dropFirst() {
            guard unsafe fetch_SSL_CTX_add1_chain_cert(handle, certificates[index]) == 1 else {
                throw .badClientCertificate(source: pem.source, reason: OpenSSLErrors.takeWords())
            }
        }
    }
}

extension TLSConfiguration.PEM {
    /// What it is called in errors; never its text.
    var source: String {
        switch self {
        case .file(let path): path
        case .bytes: "PEM text"
        }
    }
}
