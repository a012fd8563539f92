// Why TLS said no: a closed set of facts, wrapped once by who uses it. Values of any thread.

/// One fact about a connection that could not be secured, or not as securely as was asked.
public enum TLSFailure: Error, Hashable, Sendable {
    // The server's certificate. Each names the certificate by its subject.

    /// Its time is over; in seconds since 1970.
    case expired(certificate: String, notAfter: Int64)
    /// Its time has not come, or this machine's clock is slow; in seconds since 1970.
    case notYetValid(certificate: String, notBefore: Int64)
    /// It vouches for itself and is not among the trusted ones.
    case selfSigned(certificate: String)
    /// Nobody who is trusted vouches for it; who did.
    case unknownAuthority(certificate: String, issuer: String)
    /// It is for other hosts; for which.
    case wrongHost(expected: String, names: [String])
    /// Its authority has withdrawn it, by the OCSP response that the server stapled (RFC 6960) or
    /// by a revocation list of the configuration (RFC 5280 §5).
    case revoked(certificate: String)
    /// It demands a valid stapled OCSP response (RFC 7633), and there was none.
    case stapleMissing(certificate: String)
    /// No public key of its chain is among the pins; the keys, as pins are written.
    case pinMismatch(presented: [String])
    /// OpenSSL refused it for another reason: X509_verify_cert_error_string(3)'s number and words.
    case certificateRefused(certificate: String, code: Int32, reason: String)

    // The protocol.

    /// Client and server have no version in common.
    case protocolVersion
    /// What answers does not speak TLS, as a port for plain HTTP does not.
    case notTLS
    /// The server gave up, and said why.
    case alertReceived(TLSAlert)
    /// The connection ended before the handshake did.
    case closedInHandshake
    /// The connection ended without close_notify: somebody may have cut it.
    case truncated
    /// Anything else, in OpenSSL's words.
    case other(String)

    // The configuration.

    /// No certificate of an authority was found on this machine; where it was looked for. On
    /// Debian, install `ca-certificates`.
    case noTrustStore(tried: [String])
    /// Authorities that were named can't be used.
    case badTrust(source: String, reason: String)
    /// The client's certificate can't be used.
    case badClientCertificate(source: String, reason: String)
    /// The client's key can't be used.
    case badClientKey(source: String, KeyFault)
    /// A value of the configuration is not possible.
    case invalidConfiguration(key: String, reason: String)

    /// What is the matter with a private key.
    public enum KeyFault: Error, Hashable, Sendable {
        /// It is not there, not PEM, or of an unknown kind.
        case unreadable(reason: String)
        /// It is encrypted, and nobody gave a password.
        case passwordMissing
        /// It is encrypted, and not with the password that was given.
        case wrongPassword
        /// It is another certificate's.
        case notTheCertificates
    }
}

/// An alert by which a peer ended a connection (RFC 8446 §6).
public struct TLSAlert: Hashable, Sendable, CustomStringConvertible {
    /// Its number on the wire.
    public let number: UInt8

    /// An alert by its number.
    public init(number: UInt8) {
        self.number = number
    }

    /// The name in the RFCs' tables, such as `handshake_failure`.
    public var name: String { TLSAlert.names[number] ?? "alert \(number)" }

    /// Name and number.
    public var description: String { "\(name) (\(number))" }

    private static let names: [UInt8: String] = [
        0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac",
        21: "decryption_failed", 22: "record_overflow", 30: "decompression_failure",
        40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
        43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
        46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
        49: "access_denied", 50: "decode_error", 51: "decrypt_error",
        60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
        80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
        100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension",
        111: "certificate_unobtainable", 112: "unrecognized_name",
        113: "bad_certificate_status_response", 114: "bad_certificate_hash_value",
        115: "unknown_psk_identity", 116: "certificate_required",
        120: "no_application_protocol",
    ]
}

extension TLSFailure: CustomStringConvertible {
    /// One sentence.
    public var description: String {
        switch self {
        case .expired(let certificate, let date):
            "the certificate of \(certificate) expired \(CivilTime(seconds: date))"
        case .notYetValid(let certificate, let date):
            "the certificate of \(certificate) is valid from \(CivilTime(seconds: date))"
        case .selfSigned(let certificate):
            "the certificate of \(certificate) is self-signed and not trusted"
        case .unknownAuthority(let certificate, let issuer):
            "the certificate of \(certificate) was issued by \(issuer), who is not trusted"
        case .wrongHost(let expected, let names):
            "the certificate is not for \(expected) but for "
                + (names.isEmpty ? "no host" : names.joined(separator: ", "))
        case .revoked(let certificate):
            "the certificate of \(certificate) is revoked"
        case .stapleMissing(let certificate):
            "the certificate of \(certificate) demands a stapled OCSP response"
        case .pinMismatch(let presented):
            "no pin matches the server's keys: \(presented.joined(separator: ", "))"
        case .certificateRefused(let certificate, let code, let reason):
            "the certificate of \(certificate) is refused: \(reason) (\(code))"
        case .protocolVersion:
            "no TLS version in common with the server"
        case .notTLS:
            "the server does not speak TLS on this port"
        case .alertReceived(let alert):
            "the server ended the connection: \(alert)"
        case .closedInHandshake:
            "the server closed the connection during the TLS handshake"
        case .truncated:
            "the connection ended without close_notify"
        case .other(let words):
            "TLS: \(words)"
        case .noTrustStore(let tried):
            "no certificate authorities on this machine (looked in "
                + "\(tried.joined(separator: ", "))); on Debian, install ca-certificates"
        case .badTrust(let source, let reason):
            "certificate authorities from \(source): \(reason)"
        case .badClientCertificate(let source, let reason):
            "client certificate from \(source): \(reason)"
        case .badClientKey(let source, let fault):
            "client key from \(source): \(fault)"
        case .invalidConfiguration(let key, let reason):
            "\(key): \(reason)"
        }
    }
}

extension TLSFailure.KeyFault: CustomStringConvertible {
    /// A phrase.
    public var description: String {
        switch self {
        case .unreadable(let reason): reason
        case .passwordMissing: "it is encrypted, and there is no password"
        case .wrongPassword: "the password is wrong"
        case .notTheCertificates: "it does not belong to the certificate"
        }
    }
}
