// Every way in which TLS says no, from real servers, through the public API: a code of its own.

import Fetch
import FetchTransport
import TestSupport
import Testing

@Suite struct SecureFailureTests {
    /// What a GET of the server ends with.
    private func outcome(
        _ address: SocketAddress, host: String = "good.test",
        _ change: (inout FetcherConfiguration) -> Void = { _ in }
    ) async throws -> String {
        try await withSecureClient(Secured.configured(change)) { fetcher in
            await failureAndPhase { try await fetcher.get("https://\(host):\(address.port)/") }
        }
    }

    private func outcome(
        _ certificate: TestCertificate, _ arguments: [String] = [],
        files: [String: String] = [:], bytes: [String: [UInt8]] = [:],
        _ change: (inout FetcherConfiguration) -> Void = { _ in }
    ) async throws -> String {
        let server = try await onThreadOfItsOwn {
            try OpenSSLServer.start(certificate, arguments, files: files, bytes: bytes)
        }
        defer { server.stop() }
        return try await outcome(server.address, change)
    }

    @Test func `each bad certificate has its own code`() async throws {
        let good = Secured.certificate
        let expired = Secured.certificate { ($0.notBefore, $0.notAfter) = (-7_200, -3_600) }
        let early = Secured.certificate { ($0.notBefore, $0.notAfter) = (3_600, 7_200) }
        let own = Secured.certificate(by: nil) { _ in }
        let strange = Secured.certificate(by: TestCertificate.authority("Stranger")) { _ in }
        let other = Secured.certificate { $0.hosts = ["DNS:other.test"] }
        let demanding = Secured.certificate { $0.demandsStaple = true }
        let staple = TestStaple.make(.revoked, for: good, by: Secured.authority)
        let revoked = try await outcome(
            good, ["-status_file", "$DIRECTORY/staple"], bytes: ["staple": staple])
        #expect(try await outcome(good) == "none")
        #expect(try await outcome(expired) == "certificate-expired in tls")
        #expect(try await outcome(early) == "certificate-not-yet-valid in tls")
        #expect(try await outcome(own) == "self-signed-certificate in tls")
        #expect(try await outcome(strange) == "unknown-authority in tls")
        #expect(try await outcome(other) == "wrong-host in tls")
        #expect(revoked == "certificate-revoked in tls")
        #expect(try await outcome(demanding) == "certificate-refused in tls")
        let pinned = try await outcome(good) { $0.tls.pins = [expired.pin] }
        #expect(pinned == "pin-mismatch in tls")
        #expect(try await outcome(good) { $0.tls.pins = [good.pin] } == "none")
        #expect(try await outcome(strange) { $0.tls.verification = .none } == "none")
    }

    @Test func `versions, alerts, ends and other protocols have theirs`() async throws {
        let good = Secured.certificate
        let old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
        #expect(try await outcome(good, old) == "tls-version in tls")
        #expect(
            try await outcome(good, ["-tls1_2"]) { $0.tls.minimumVersion = .tls13 }
                == "tls-version in tls")
        #expect(
            try await outcome(good, ["-tls1_2", "-cipher", "AES128-SHA256"]) {
                $0.tls.ciphers = "ECDHE+AESGCM"
            } == "tls-alert in tls")
        // The certificate is missed when TLS 1.3's handshake is over on this side.
        let missed = try await outcome(
            good,
            ["-Verify", "2", "-verify_return_error", "-CAfile", "$DIRECTORY/authority.pem"],
            files: ["authority.pem": Secured.authority.certificatePEM])
        #expect(missed.hasPrefix("tls-alert in "))
        let nginx = try await onThreadOfItsOwn { try Nginx.start() }
        defer { nginx.stop() }
        #expect(try await outcome(nginx.address) == "tls-failed in tls")
        let leaving = try await node("net.createServer(s => s.once('data', () => s.end()))")
        defer { leaving.stop() }
        #expect(try await outcome(leaving.address) == "tls-closed in tls")
        let resetting = try await node(
            "net.createServer(s => s.once('data', () => s.resetAndDestroy()))")
        defer { resetting.stop() }
        #expect(try await outcome(resetting.address) == "reset in tls")
    }

    private func node(_ server: String) async throws -> NodeServer {
        try await onThreadOfItsOwn {
            try NodeServer.start(
                Secured.certificate, script: server + ".listen(port, '127.0.0.1');")
        }
    }

    @Test func `what the client lacks itself is told before a byte is sent`() async throws {
        let server = try await onThreadOfItsOwn { try OpenSSLServer.start(Secured.certificate) }
        defer { server.stop() }
        let address = server.address
        let noKey = try await outcome(address) {
            $0.tls.identity = .init(
                certificate: .bytes(Bytes(Secured.certificate.certificatePEM)),
                key: .file("/nonexistent/key"))
        }
        #expect(noKey.hasPrefix("client-certificate in "))
        let noTrust = try await outcome(address) { $0.tls.trust = .file("/nonexistent/ca") }
        #expect(noTrust.hasPrefix("invalid-configuration in "))
        // Plain requests have nothing to do with any of it.
        let nginx = try await onThreadOfItsOwn { try Nginx.start() }
        defer { nginx.stop() }
        let configuration = Secured.configured { $0.tls.trust = .file("/nonexistent/ca") }
        let isFine = try await withSecureClient(configuration) { fetcher in
            try await fetcher.get(nginx.url()).ok
        }
        #expect(isFine)
    }

    @Test func `a host's own TLS holds for it alone`() async throws {
        let server = try await onThreadOfItsOwn { try OpenSSLServer.start(Secured.certificate) }
        defer { server.stop() }
        let port = server.address.port
        let configuration = Secured.configured {
            $0.origins["good.test"] = OriginConfiguration(tls: $0.tls)
            $0.tls.trust = .pem(Bytes(TestCertificate.authority("Else").certificatePEM))
        }
        try await withSecureClient(configuration) { fetcher in
            let own = try await fetcher.get("https://good.test:\(port)/")
            #expect(own.ok)
            let elsewhere = await failureAndPhase {
                try await fetcher.get("https://localhost:\(port)/")
            }
            #expect(elsewhere == "unknown-authority in tls")
            var request = Request("https://localhost:\(port)/")
            request.tls = Secured.tls
            let asked = try await fetcher.execute(request)
            #expect(asked.ok)
        }
    }
}
