// Configurations that can't work say which value is wrong; trust and identity from everywhere.

import FetchBytes
import FetchTLS
import Glibc
import TestSupport
import Testing

private func context(
    _ change: (inout TLSConfiguration) -> Void
) throws(TLSFailure) -> TLSContext {
    var configuration = Given.configuration
    change(&configuration)
    return try TLSContext(configuration)
}

private func failure(_ change: (inout TLSConfiguration) -> Void) -> TLSFailure? {
    do throws(TLSFailure) {
        _ = try context(change)
        return nil
    } catch {
        return error
    }
}

@Suite struct ConfigurationTests {
    @Test func `every value that is not possible is named`() throws {
        let wrong: [(String, (inout TLSConfiguration) -> Void)] = [
            ("tls.minimumVersion", { ($0.minimumVersion, $0.maximumVersion) = (.tls13, .tls12) }),
            ("tls.keptSessions", { $0.keptSessions = -1 }),
            ("tls.pins", { $0.pins = ["AAAA"] }),
            ("tls.pins", { $0.pins = [String(repeating: "!", count: 43) + "="] }),
            ("tls.serverName", { $0.serverName = "a b" }),
            ("tls.serverName", { $0.serverName = "" }),
            ("tls.applicationProtocols", { $0.applicationProtocols = [""] }),
            (
                "tls.applicationProtocols",
                { $0.applicationProtocols = [String(repeating: "a", count: 256)] }
            ),
            (
                "tls.applicationProtocols",
                {
                    $0.applicationProtocols = Array(
                        repeating: String(repeating: "a", count: 255), count: 300)
                }
            ),
            ("tls.ciphers", { $0.ciphers = "NO-SUCH-CIPHER" }),
            ("tls.cipherSuites", { $0.cipherSuites = "TLS_NO_SUCH_SUITE" }),
            ("tls.keyLog", { $0.keyLog = .file("/no/such/directory/keys") }),
        ]
        for (key, change) in wrong {
            guard case .invalidConfiguration(key, _) = failure(change) else {
                Issue.record("\(key): \(String(describing: failure(change)))")
                continue
            }
        }
        #expect(failure { _ in } == nil)
    }

    @Test func `equal configurations are one key, and a password is equal to its copies`() {
        var one = Given.configuration
        var other = Given.configuration
        #expect(one == other && one.hashValue == other.hashValue)
        let password = TLSConfiguration.Password { "secret" }
        let pem = TLSConfiguration.PEM.file("x")
        one.identity = .init(certificate: pem, key: pem, password: password)
        other.identity = .init(certificate: pem, key: pem, password: password)
        #expect(one == other && one.hashValue == other.hashValue)
        other.identity?.password = .init { "secret" }
        #expect(one != other)
    }

    @Test func `an identity that can't be used says which half of it, and why`() {
        let good = TLSConfiguration.PEM.bytes(Bytes(Given.client.certificatePEM))
        let key = TLSConfiguration.PEM.bytes(Bytes(Given.client.keyPEM))
        let locked = TLSConfiguration.PEM.bytes(
            Bytes(Given.client.encryptedKeyPEM(password: "secret")))
        func identity(
            _ certificate: TLSConfiguration.PEM, _ key: TLSConfiguration.PEM,
            _ password: TLSConfiguration.Password? = nil
        ) -> TLSFailure? {
            failure {
                $0.identity = .init(certificate: certificate, key: key, password: password)
            }
        }
        #expect(identity(good, key) == nil)
        #expect(identity(good, locked, .init { "secret" }) == nil)
        #expect(
            identity(good, locked, .init { "other" })
                == .badClientKey(source: "PEM text", .wrongPassword))
        #expect(identity(good, locked) == .badClientKey(source: "PEM text", .passwordMissing))
        #expect(
            identity(good, locked, .init { nil })
                == .badClientKey(source: "PEM text", .passwordMissing))
        #expect(
            identity(good, .bytes(Bytes(Given.good.keyPEM)))
                == .badClientKey(source: "PEM text", .notTheCertificates))
        for text in ["", "nonsense", Given.client.certificatePEM] {
            #expect(
                identity(good, .bytes(Bytes(text)))
                    == .badClientKey(
                        source: "PEM text", .unreadable(reason: "no private key in it")))
        }
        let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        guard
            case .badClientKey("PEM text", .unreadable(let reason)) =
                identity(good, .bytes(Bytes(broken))), reason != "no private key in it",
            case .badClientKey("/no/key", .unreadable) = identity(good, .file("/no/key")),
            case .badClientCertificate("PEM text", _) = identity(.bytes(Bytes("x")), key),
            case .badClientCertificate("/no/certificate", _) =
                identity(.file("/no/certificate"), key)
        else {
            Issue.record("not as expected")
            return
        }
    }

    @Test func `trust that can't be read says where it was looked for`() throws {
        let directory = try Files.makeTemporaryDirectory("trust")
        defer { Files.remove(directory) }
        let empty = directory + "/empty.pem"
        try Files.write("no certificate", to: empty)
        for trust in [
            TLSConfiguration.Trust.file("/no/file"), .file(empty), .directory("/no/directory"),
            .directory(directory), .pem(Bytes("no certificate")),
        ] {
            guard case .badTrust = failure({ $0.trust = trust }) else {
                Issue.record("\(trust)")
                continue
            }
        }
    }

    @Test func `authorities come from a file, a directory of any names, or several places`() throws
    {
        let directory = try Files.makeTemporaryDirectory("trust")
        defer { Files.remove(directory) }
        let file = directory + "/authority.pem"
        try Files.write(Given.authority.certificatePEM, to: file)
        let stranger = TLSConfiguration.Trust.pem(
            Bytes(TestCertificate.authority("Stranger").certificatePEM))
        for trust in [
            TLSConfiguration.Trust.file(file), .directory(directory), stranger + .file(file),
        ] {
            var configuration = TLSConfiguration()
            configuration.trust = trust
            #expect(try Stage(configuration).shakeHands() == .done)
        }
        var configuration = TLSConfiguration()
        configuration.trust = stranger
        #expect(try Stage(configuration).shakeHands() != .done)
    }
}

@Suite struct EnvironmentTests {
    private func meet(
        _ environment: TLSEnvironment, _ configuration: TLSConfiguration = TLSConfiguration()
    ) throws -> HandshakeStep {
        try Stage(configuration, environment: environment).shakeHands()
    }

    private func environment(file: String? = nil, directories: String? = nil) -> TLSEnvironment {
        var environment = TLSEnvironment()
        environment.certificateFile = file
        environment.certificateDirectories = directories
        return environment
    }

    @Test func `what the environment names takes the place of the machine's store`() throws {
        let directory = try Files.makeTemporaryDirectory("trust")
        defer { Files.remove(directory) }
        let file = directory + "/authority.pem"
        try Files.write(Given.authority.certificatePEM, to: file)
        #expect(try meet(environment(file: file)) == .done)
        #expect(try meet(environment(directories: directory)) == .done)
        #expect(try meet(environment(directories: "/no/directory:" + directory)) == .done)
        #expect(try meet(environment(file: "/no/file", directories: directory)) == .done)
    }

    @Test func `no authority anywhere is an error of its own`() {
        let both = environment(file: "/no/file", directories: "/no/directory:/nor/here")
        #expect(throws: TLSFailure.noTrustStore(tried: ["/no/directory", "/nor/here", "/no/file"]))
        {
            _ = try TLSContext(TLSConfiguration(), environment: both)
        }
        #expect(throws: TLSFailure.noTrustStore(tried: ["/no/file"])) {
            _ = try TLSContext(TLSConfiguration(), environment: environment(file: "/no/file"))
        }
        // Nobody is asked for, so nobody is missed.
        var configuration = TLSConfiguration()
        configuration.verification = .none
        #expect(throws: Never.self) { _ = try TLSContext(configuration, environment: both) }
    }

    @Test func `SSLKEYLOGFILE counts only for those who ask`() throws {
        let directory = try Files.makeTemporaryDirectory("keylog")
        defer { Files.remove(directory) }
        let path = directory + "/keys"
        var environment = TLSEnvironment()
        environment.keyLogFile = path
        #expect(try meet(environment, Given.configuration) == .done)
        #expect(Files.text(path) == nil)
        var configuration = Given.configuration
        configuration.keyLog = .environment
        #expect(try meet(environment, configuration) == .done)
        #expect((Files.text(path) ?? "").contains("CLIENT_TRAFFIC_SECRET_0 "))
        #expect(try meet(TLSEnvironment(), configuration) == .done)
    }
}
