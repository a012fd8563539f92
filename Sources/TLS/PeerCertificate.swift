// What a server's certificate says, read out of OpenSSL's object into a value of any thread.
//
// Unsafe: the certificate is the session's and outlives the reading; strings are copied.

internal import CFetchOpenSSL
internal import Glibc

/// Facts of a certificate (RFC 5280).
public struct PeerCertificate: Hashable, Sendable {
    /// Its subject, as RFC 2253 writes names: `CN=example.com,O=Example`.
    public let subject: String
    /// Who vouches for it.
    public let issuer: String
    /// The DNS names and IP addresses that it is for.
    public let hosts: [String]
    /// The first second of its validity, in seconds since 1970.
    public let notBefore: Int64
    /// The last second of its validity, in seconds since 1970.
    public let notAfter: Int64
    /// The hash of its public key, as ``TLSConfiguration/pins`` are written.
    public let pin: String
}

extension PeerCertificate {
    init(_ certificate: OpaquePointer) {
        subject = unsafe PeerCertificate.text(X509_get_subject_name(certificate))
        issuer = unsafe PeerCertificate.text(X509_get_issuer_name(certificate))
        hosts = unsafe PeerCertificate.hosts(of: certificate)
        notBefore = unsafe PeerCertificate.seconds(X509_get0_notBefore(certificate)) ?? .min
        notAfter = unsafe PeerCertificate.seconds(X509_get0_notAfter(certificate)) ?? .max
        pin = unsafe SPKIPin(of: certificate)?.base64 ?? ""
    }

    /// A name in one line of UTF-8, its control characters escaped.
    static func text(_ name: OpaquePointer?) -> String {
        guard let name = unsafe name, let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        let flags = fetch_XN_FLAG_RFC2253() & ~fetch_ASN1_STRFLGS_ESC_MSB()
        guard unsafe X509_NAME_print_ex(bio, name, 0, flags) >= 0 else { return "" }
        var bytes: UnsafeMutablePointer<CChar>?
        let count = unsafe fetch_BIO_get_mem_data(bio, &bytes)
        guard count > 0, let start = unsafe bytes else { return "" }
        return unsafe String(
            decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Seconds since 1970; nil for what is no date.
    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = unsafe tm()
        guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return unsafe Int64(timegm(&parts))
    }

    /// RFC 5280 §4.2.1.6's DNS names and addresses.
    private static func hosts(of certificate: OpaquePointer) -> [String] {
        let found = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil)
        guard let found = unsafe found else { return [] }
        let names = OpaquePointer(found)
        defer { unsafe GENERAL_NAMES_free(names) }
        var hosts: [String] = []
        for index in 0..<(unsafe fetch_sk_GENERAL_NAME_num(names)) {
            let name = unsafe fetch_sk_GENERAL_NAME_value(names, index)
            guard let string = unsafe fetch_GENERAL_NAME_string(name),
                let start = unsafe ASN1_STRING_get0_data(string)
            else { continue }
            let bytes = unsafe Array(
                UnsafeRawBufferPointer(start: start, count: Int(ASN1_STRING_length(string))))
            let isAddress = unsafe fetch_GENERAL_NAME_type(name) == GEN_IPADD
            hosts.append(isAddress ? address(bytes) : String(decoding: bytes, as: UTF8.self))
        }
        return hosts
    }

    private static func address(_ bytes: [UInt8]) -> String {
        guard bytes.count == 4 || bytes.count == 16 else { return "?" }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        _ = unsafe inet_ntop(family, bytes, &text, socklen_t(INET6_ADDRSTRLEN))
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
