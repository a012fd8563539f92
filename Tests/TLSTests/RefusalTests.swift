// Everything that must not pass, each with a fact of its own, and what the server is told.

import FetchBytes
import FetchTLS
import TestSupport
import Testing

/// The end of a handshake with a server that shows `certificate`.
private func meet(
    _ certificate: TestCertificate, chain: [TestCertificate] = [], host: String = "good.test",
    staple: [UInt8] = [], now: Int64 = secondsNow(),
    _ change: (inout TLSConfiguration) -> Void = { _ in }
) throws -> HandshakeStep {
    var configuration = Given.configuration
    change(&configuration)
    var settings = TestTLSServer.Settings(certificate)
    settings.chain = chain
    settings.staple = staple
    let stage = try Stage(configuration, settings, host: host, now: now)
    let step = stage.shakeHands()
    if case .failed(let failure) = step {
        // The server hears of it, nothing flows, and the fact stays.
        #expect(stage.peer.failure != nil)
        #expect(!stage.peer.isDone)
        #expect(stage.write([1]) == .failed(failure))
        #expect(stage.readAll().0 == .failed(failure))
        #expect(stage.client.failure == failure)
    }
    return step
}

private func made(
    by issuer: TestCertificate? = Given.authority, _ change: (inout TestCertificate.Order) -> Void
) -> TestCertificate {
    var order = TestCertificate.Order("good.test", hosts: ["DNS:good.test"])
    change(&order)
    return TestCertificate.make(order, by: issuer)
}

@Suite struct CertificateRefusalTests {
    @Test func `an expired certificate`() throws {
        let old = made { ($0.notBefore, $0.notAfter) = (-7_200, -3_600) }
        guard case .failed(.expired("CN=good.test", let date)) = try meet(old) else {
            Issue.record("not refused")
            return
        }
        #expect(abs(date - (secondsNow() - 3_600)) < 60)
    }

    @Test func `a certificate that is expired by the caller's clock`() throws {
        guard case .failed(.expired) = try meet(Given.good, now: secondsNow() + 200_000) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `a certificate that is not yet valid`() throws {
        let early = made { ($0.notBefore, $0.notAfter) = (3_600, 7_200) }
        guard case .failed(.notYetValid("CN=good.test", let date)) = try meet(early) else {
            Issue.record("not refused")
            return
        }
        #expect(abs(date - (secondsNow() + 3_600)) < 60)
    }

    @Test func `a self-signed certificate`() throws {
        let own = made(by: nil) { _ in }
        #expect(try meet(own) == .failed(.selfSigned(certificate: "CN=good.test")))
    }

    @Test func `a self-signed certificate is good when it is trusted by name`() throws {
        let own = made(by: nil) { _ in }
        #expect(try meet(own) { $0.trust = .pem(Bytes(own.certificatePEM)) } == .done)
    }

    @Test func `an unknown authority, whether it shows itself or not`() throws {
        let stranger = TestCertificate.authority("Stranger")
        let theirs = made(by: stranger) { _ in }
        let refused = HandshakeStep.failed(
            .unknownAuthority(certificate: "CN=good.test", issuer: "CN=Stranger"))
        #expect(try meet(theirs) == refused)
        guard case .failed(.unknownAuthority) = try meet(theirs, chain: [stranger]) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `a certificate that was signed by one that may not sign`() throws {
        let leaf = made { _ in }
        let below = made(by: leaf) { $0.name = "below" }
        let step = try meet(below, chain: [leaf])
        guard case .failed(.certificateRefused(_, let code, _)) = step else {
            Issue.record("\(step)")
            return
        }
        // X509_V_ERR_INVALID_CA.
        #expect(code == 24 || code == 79)
    }

    @Test func `an intermediate authority is followed to the trusted one`() throws {
        var order = TestCertificate.Order("Between")
        order.isAuthority = true
        let between = TestCertificate.make(order, by: Given.authority)
        let leaf = made(by: between) { _ in }
        #expect(try meet(leaf, chain: [between]) == .done)
        guard case .failed(.unknownAuthority) = try meet(leaf) else {
            Issue.record("not refused")
            return
        }
    }

    @Test(arguments: [
        ("good.test", ["DNS:other.test"]), ("good.test", ["DNS:good.test.evil.test"]),
        ("good.test", ["DNS:*.test.good.test"]), ("a.b.wild.test", ["DNS:*.wild.test"]),
        ("wild.test", ["DNS:*.wild.test"]), ("foo.wild.test", ["DNS:f*.wild.test"]),
        ("127.0.0.1", ["IP:127.0.0.2"]), ("127.0.0.1", ["DNS:127.0.0.1"]),
        ("::1", ["IP:::2"]), ("good.test", ["IP:127.0.0.1"]),
    ])
    func `a certificate for other hosts`(host: String, hosts: [String]) throws {
        let certificate = made { $0.hosts = hosts }
        let names = hosts.map { String($0.drop { $0 != ":" }.dropFirst()) }
        #expect(
            try meet(certificate, host: host) == .failed(.wrongHost(expected: host, names: names)))
    }

    @Test func `a certificate that names the host in its subject alone`() throws {
        let certificate = made { $0.hosts = [] }
        #expect(
            try meet(certificate) == .failed(.wrongHost(expected: "good.test", names: [])))
    }

    @Test(arguments: ["", "a b", "good.test\0.evil.test", ".", String(repeating: "a", count: 300)])
    func `a host that no certificate can name is refused before a byte is sent`(host: String) {
        #expect(throws: TLSFailure.wrongHost(expected: host, names: [])) {
            _ = try Stage(host: host)
        }
    }

    @Test func `without verification all of these pass`() throws {
        for certificate in [
            made { ($0.notBefore, $0.notAfter) = (-7_200, -3_600) }, made(by: nil) { _ in },
            made { $0.hosts = [] }, made(by: TestCertificate.authority("Stranger")) { _ in },
        ] {
            #expect(try meet(certificate) { $0.verification = .none } == .done)
        }
    }

    @Test func `pins hold beside the verification`() throws {
        #expect(try meet(Given.good) { $0.pins = [Given.good.pin] } == .done)
        #expect(try meet(Given.good) { $0.pins = [Given.authority.pin] } == .done)
        let mismatch = HandshakeStep.failed(
            .pinMismatch(presented: [Given.good.pin, Given.authority.pin]))
        #expect(try meet(Given.good) { $0.pins = [Given.client.pin] } == mismatch)
        let expired = made { ($0.notBefore, $0.notAfter) = (-7_200, -3_600) }
        guard case .failed(.expired) = try meet(expired, { $0.pins = [expired.pin] }) else {
            Issue.record("a pin is no pardon")
            return
        }
    }

    @Test func `pins hold without verification, for the server's own key alone`() throws {
        let change: (String) -> (inout TLSConfiguration) -> Void = { pin in
            { ($0.verification, $0.pins) = (.none, [pin]) }
        }
        let own = made(by: nil) { _ in }
        #expect(try meet(own, change(own.pin)) == .done)
        // Anybody can send the certificate of somebody else behind his own.
        #expect(
            try meet(own, chain: [Given.good], change(Given.good.pin))
                == .failed(.pinMismatch(presented: [own.pin])))
    }
}

@Suite struct StapleTests {
    private let plain = made { _ in }
    private let demanding = made { $0.demandsStaple = true }
    private let revoked = HandshakeStep.failed(.revoked(certificate: "CN=good.test"))
    private let missing = HandshakeStep.failed(.stapleMissing(certificate: "CN=good.test"))

    @Test func `a revoked certificate, however old the response is`() throws {
        let fresh = TestStaple.make(.revoked, for: plain, by: Given.authority)
        #expect(try meet(plain, staple: fresh) == revoked)
        let old = TestStaple.make(
            .revoked, for: plain, by: Given.authority, age: 50_000, life: 3_600)
        #expect(try meet(plain, staple: old) == revoked)
    }

    @Test func `a good response is good, also where one is demanded`() throws {
        let staple = TestStaple.make(.good, for: plain, by: Given.authority)
        #expect(try meet(plain, staple: staple) == .done)
        let demanded = TestStaple.make(.good, for: demanding, by: Given.authority)
        #expect(try meet(demanding, staple: demanded) == .done)
    }

    @Test func `a demanded response that is missing, stale, another's or unsigned`() throws {
        #expect(try meet(demanding) == missing)
        let stale = TestStaple.make(
            .good, for: demanding, by: Given.authority, age: 50_000, life: 3_600)
        #expect(try meet(demanding, staple: stale) == missing)
        let another = TestStaple.make(.good, for: plain, by: Given.authority)
        #expect(try meet(demanding, staple: another) == missing)
        let forged = TestStaple.make(
            .good, for: demanding, by: Given.authority,
            signedBy: TestCertificate.authority("Stranger"))
        #expect(try meet(demanding, staple: forged) == missing)
        #expect(try meet(demanding, staple: [0x30, 0x03, 0x0A, 0x01, 0x03]) == missing)
        #expect(try meet(demanding, staple: Array("nonsense".utf8)) == missing)
    }

    @Test func `a response that nobody entitled has signed condemns nobody`() throws {
        let forged = TestStaple.make(
            .revoked, for: plain, by: Given.authority,
            signedBy: TestCertificate.authority("Stranger"))
        #expect(try meet(plain, staple: forged) == .done)
    }
}

@Suite struct ProtocolRefusalTests {
    @Test(arguments: [10, 11])
    func `a server that speaks old versions only`(version: Int) throws {
        var settings = TestTLSServer.Settings(Given.good)
        (settings.oldestVersion, settings.newestVersion) = (version, version)
        settings.ciphers = "ALL:@SECLEVEL=0"
        #expect(try Stage(Given.configuration, settings).shakeHands() == .failed(.protocolVersion))
    }

    @Test func `a server that is older or newer than the configuration allows`() throws {
        var configuration = Given.configuration
        configuration.minimumVersion = .tls13
        var settings = TestTLSServer.Settings(Given.good)
        settings.newestVersion = 12
        #expect(try Stage(configuration, settings).shakeHands() == .failed(.protocolVersion))
        configuration = Given.configuration
        configuration.maximumVersion = .tls12
        settings = TestTLSServer.Settings(Given.good)
        settings.oldestVersion = 13
        #expect(try Stage(configuration, settings).shakeHands() == .failed(.protocolVersion))
    }

    @Test func `no cipher in common is the server's alert`() throws {
        var configuration = Given.configuration
        configuration.maximumVersion = .tls12
        configuration.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"
        var settings = TestTLSServer.Settings(Given.good)
        settings.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"
        let step = try Stage(configuration, settings).shakeHands()
        #expect(step == .failed(.alertReceived(TLSAlert(number: 40))))
        #expect(TLSAlert(number: 40).name == "handshake_failure")
    }

    @Test func `a client certificate that is missing or strange, in TLS 1.2 in the handshake`()
        throws
    {
        var settings = TestTLSServer.Settings(Given.good)
        settings.clientAuthority = Given.authority
        settings.newestVersion = 12
        #expect(
            try Stage(Given.configuration, settings).shakeHands()
                == .failed(.alertReceived(TLSAlert(number: 40))))
    }

    @Test func `a client certificate that is missing, in TLS 1.3 at the first read`() throws {
        var settings = TestTLSServer.Settings(Given.good)
        settings.clientAuthority = Given.authority
        let stage = try Stage(Given.configuration, settings)
        stage.shakeHands()
        // 116, certificate_required (RFC 8446 §6.2).
        #expect(stage.readAll().0 == .failed(.alertReceived(TLSAlert(number: 116))))
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
        String(repeating: "\0", count: 64),
    ])
    func `an answer that is no TLS`(text: String) throws {
        let stage = try Stage()
        #expect(stage.client.handshake(from: stage.input, to: stage.output) == .needsInput)
        stage.input.append(Array(text.utf8))
        #expect(
            stage.client.handshake(from: stage.input, to: stage.output) == .failed(.notTLS))
    }

    @Test func `an end in the handshake, wherever it comes`() throws {
        let whole = try Stage()
        _ = whole.client.handshake(from: whole.input, to: whole.output)
        whole.carryToServer()
        let count = whole.peer.takeOutput().count
        for length in stride(from: 0, to: count, by: 97) {
            let stage = try Stage()
            _ = stage.client.handshake(from: stage.input, to: stage.output)
            stage.carryToServer()
            stage.input.append(Array(stage.peer.takeOutput().prefix(length)))
            #expect(stage.client.handshake(from: stage.input, to: stage.output) == .needsInput)
            stage.client.inputEnded()
            #expect(stage.client.failure == .closedInHandshake)
        }
    }

    @Test func `damage to any byte of the server's first flight is a failure and no trap`() throws {
        for position in stride(from: 0, to: 1_200, by: 13) {
            let stage = try Stage()
            _ = stage.client.handshake(from: stage.input, to: stage.output)
            stage.carryToServer()
            var bytes = stage.peer.takeOutput()
            guard position < bytes.count else { break }
            bytes[position] ^= 0x41
            stage.input.append(bytes)
            let step = stage.client.handshake(from: stage.input, to: stage.output)
            // A length that has grown waits for more; nothing else goes on.
            #expect(step != .done)
        }
    }
}
