// What a user asks of TLS: whom to trust, who we are, which versions and ciphers, what is kept.
// A plain value of any thread. A context is made of it once (`TLSContext`), and two connections of
// different configurations never share a connection, a session or a store.

public import FetchBytes

/// How https connections are secured. `TLSConfiguration()` verifies chain and host name against
/// the machine's authorities, over TLS 1.2 or 1.3.
public struct TLSConfiguration: Sendable, Hashable {
    /// What is checked of a server's certificate.
    public enum Verification: Sendable, Hashable {
        /// Its chain up to a trusted authority, its dates, and that it names the host: a DNS name
        /// or an IP address among its subject alternative names (RFC 9525).
        case full
        /// Nothing but the pins, if there are any. Anybody on the way can read and change all.
        case none
    }

    /// A version of the protocol. Older ones are broken and not spoken (RFC 8996).
    public enum Version: Sendable, Hashable, Comparable {
        /// RFC 5246.
        case tls12
        /// RFC 8446.
        case tls13
    }

    /// Where the secrets of connections are written, in NSS's key log format, for Wireshark.
    public enum KeyLog: Sendable, Hashable {
        /// Nowhere, whatever the environment says.
        case off
        /// Appended to this file, which is made with mode 0600.
        case file(String)
        /// Appended to the file that SSLKEYLOGFILE names; nowhere if it names none.
        case environment
    }

    /// The authorities that may vouch for a server. Default ``Trust/system``.
    public var trust = Trust.system
    /// Lists of certificates that were withdrawn (RFC 5280 §5), in PEM. When there is one or more,
    /// every certificate of a server's chain must be covered by a list of its issuer that is
    /// signed and not out of date; one that is not covered is refused, and a listed one fails as
    /// ``TLSFailure/revoked(certificate:)``. Read with the authorities, and again by `reloadTrust`.
    /// Nothing with ``Verification/none``. Default none.
    public var revocationLists: [PEM] = []
    /// What is checked of a server's certificate. Default ``Verification/full``.
    public var verification = Verification.full
    /// Shown to servers that ask for a client certificate. Default none.
    public var identity: Identity?
    /// Base64 of SHA-256 over a subject public key info (RFC 7469 §2.4). When there is one or more,
    /// a certificate of the verified chain must match one; with ``Verification/none`` the server's
    /// own. Default none.
    public var pins: Set<String> = []
    /// The name that is sent and verified instead of the URL's host. Default none.
    public var serverName: String?
    /// Sends the host's name in the handshake (RFC 6066 §3); never for IP addresses. Default true.
    public var sendsServerName = true
    /// The protocols to offer, best first (RFC 7301); none offers nothing. Default `http/1.1`.
    public var applicationProtocols = ["http/1.1"]
    /// The oldest version to speak. Default TLS 1.2.
    public var minimumVersion = Version.tls12
    /// The newest version to speak. Default TLS 1.3.
    public var maximumVersion = Version.tls13
    /// Ciphers for TLS 1.2, in OpenSSL's words (ciphers(1)). Default OpenSSL's own.
    public var ciphers: String?
    /// Cipher suites for TLS 1.3, separated by colons. Default OpenSSL's own.
    public var cipherSuites: String?
    /// Where secrets are written. Default ``KeyLog/off``.
    public var keyLog = KeyLog.off
    /// Takes up earlier sessions, which saves the key exchange and the certificates. Default true.
    public var resumesSessions = true
    /// Sessions that are kept to be taken up, all origins together. A TLS 1.3 session is used
    /// once, so an origin needs as many as it opens connections at once. Default 1,000.
    public var keptSessions = 1_000

    /// The defaults.
    public init() {}

    /// Checks every value; reads no file.
    ///
    /// - Throws: ``TLSFailure/invalidConfiguration(key:reason:)``.
    public func validate() throws(TLSFailure) {
        guard minimumVersion <= maximumVersion else {
            throw invalid("minimumVersion", "is newer than tls.maximumVersion")
        }
        guard keptSessions >= 0 else { throw invalid("keptSessions", "must be 0 or more") }
        for pin in pins where SPKIPin(base64: pin) == nil {
            throw invalid("pins", "\(pin) is not base64 of 32 bytes")
        }
        if let serverName {
            guard ServerName(serverName).isUsable else {
                throw invalid("serverName", "\(serverName) is no host")
            }
        }
        for name in applicationProtocols where !(1...255).contains(name.utf8.count) {
            throw invalid("applicationProtocols", "a name has 1 to 255 bytes")
        }
        guard applicationProtocols.reduce(0, { $0 + 1 + $1.utf8.count }) <= 65_535 else {
            throw invalid("applicationProtocols", "too many to offer")
        }
        if trust.sources.isEmpty, verification == .full {
            throw invalid("trust", "no authority at all: every server would be refused")
        }
        for (key, path) in paths where FilePath.hasNUL(path) {
            throw invalid(key, "the path has a NUL in it")
        }
    }

    /// Every file and directory that is named, with the key of the value that names it.
    private var paths: [(key: String, path: String)] {
        var paths = trust.sources.compactMap(\.path).map { ("trust", $0) }
        paths += revocationLists.compactMap(\.path).map { ("revocationLists", $0) }
        if let path = identity?.certificate.path { paths.append(("identity.certificate", path)) }
        if let path = identity?.key.path { paths.append(("identity.key", path)) }
        if case .file(let path) = keyLog { paths.append(("keyLog", path)) }
        return paths
    }

    private func invalid(_ key: String, _ reason: String) -> TLSFailure {
        .invalidConfiguration(key: "tls." + key, reason: reason)
    }
}

extension TLSConfiguration {
    /// Authorities from one place or several: `.file("ca.pem")`, `.system + .file("own.pem")`.
    public struct Trust: Sendable, Hashable {
        enum Source: Sendable, Hashable {
            case system
            case file(String)
            case directory(String)
            case pem(Bytes)

            /// The file or directory that it names.
            var path: String? {
                switch self {
                case .file(let path), .directory(let path): path
                case .system, .pem: nil
                }
            }
        }

        let sources: [Source]

        /// What SSL_CERT_FILE and SSL_CERT_DIR name, if either is set; else the machine's own
        /// store, where OpenSSL or the distribution keeps it.
        public static let system = Trust(sources: [.system])

        /// The certificates of a PEM file.
        public static func file(_ path: String) -> Trust { Trust(sources: [.file(path)]) }

        /// The certificates of a directory: found when they are needed, if the files are named by
        /// hash (openssl-rehash(1)), else all read at once.
        public static func directory(_ path: String) -> Trust {
            Trust(sources: [.directory(path)])
        }

        /// The certificates of a PEM text.
        public static func pem(_ bytes: Bytes) -> Trust { Trust(sources: [.pem(bytes)]) }

        /// The authorities of both.
        public static func + (one: Trust, other: Trust) -> Trust {
            Trust(sources: one.sources + other.sources.filter { !one.sources.contains($0) })
        }
    }

    /// A PEM text or the file that holds one.
    public enum PEM: Sendable, Hashable {
        /// The file is read when a connection is first made.
        case file(String)
        /// The text itself.
        case bytes(Bytes)

        /// The file that it names.
        var path: String? {
            if case .file(let path) = self { path } else { nil }
        }
    }

    /// A client's certificate and private key.
    public struct Identity: Sendable, Hashable {
        /// The certificate, then the intermediate ones.
        public var certificate: PEM
        /// The private key, encrypted or not.
        public var key: PEM
        /// Asked for an encrypted key's password.
        public var password: Password?

        /// A certificate and its key; they may stand in the same file.
        public init(certificate: PEM, key: PEM, password: Password? = nil) {
            self.certificate = certificate
            self.key = key
            self.password = password
        }
    }

    /// Where a key's password comes from. Equal to its own copies and to nothing else, because two
    /// closures can't be compared: keep one, and its configurations share their connections.
    public struct Password: Sendable, Hashable {
        private final class Source: Sendable {
            let ask: @Sendable () -> String?
            init(_ ask: @escaping @Sendable () -> String?) { self.ask = ask }
        }

        private let source: Source

        /// Asked on the reactor's thread when a connection is first made, and again after a
        /// wrong answer; nil gives up. At most 1,023 bytes of UTF-8 are used.
        public init(_ ask: @escaping @Sendable () -> String?) {
            source = Source(ask)
        }

        /// Whether both are copies of one.
        public static func == (one: Password, other: Password) -> Bool {
            one.source === other.source
        }

        /// By identity, as equality is.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(ObjectIdentifier(source))
        }

        func answer() -> String? { source.ask() }
    }
}
