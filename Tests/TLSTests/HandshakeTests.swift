// Handshakes that succeed, and what is known afterwards.

import FetchBytes
import FetchTLS
import TestSupport
import Testing

@Suite struct HandshakeTests {
    @Test(arguments: [12, 13])
    func `a good server is let in, and bytes go both ways`(version: Int) throws {
        var settings = TestTLSServer.Settings(Given.good)
        settings.newestVersion = version
        let stage = try Stage(Given.configuration, settings)
        #expect(stage.shakeHands() == .done)
        #expect(stage.client.versionName == (version == 12 ? "TLSv1.2" : "TLSv1.3"))
        #expect(stage.client.cipherName != nil)
        #expect(!stage.client.isResumed)
        #expect(stage.write(Array("there".utf8)) == .taken(5))
        #expect(stage.peer.takeReceived() == Array("there".utf8))
        stage.peer.send(Array("and back".utf8))
        #expect(stage.readAll() == (.needsInput, Array("and back".utf8)))
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `a handshake in small pieces is the same`(piece: Int) throws {
        let stage = try Stage()
        #expect(stage.shakeHands(piece: piece) == .done)
        stage.peer.send([1, 2, 3])
        for byte in stage.peer.takeOutput() {
            stage.input.append(byte)
            let step = stage.client.read(
                from: stage.input, into: stage.plaintext, atMost: 10, answeringIn: stage.output)
            #expect(step == .needsInput || step == .bytes(3))
        }
        #expect(stage.plaintext.readableCount == 3)
    }

    @Test(arguments: [
        ("good.test", "good.test"), ("GOOD.test", "GOOD.test"), ("good.test.", "good.test"),
        ("a.wild.test", "a.wild.test"), ("127.0.0.1", nil), ("::1", nil),
    ])
    func `a name is sent and an address is not, and both are verified`(
        host: String, sent: String?
    ) throws {
        let stage = try Stage(host: host)
        #expect(stage.shakeHands() == .done)
        #expect(stage.peer.sentServerName == sent)
    }

    @Test func `another name can be sent and verified, or none sent`() throws {
        var configuration = Given.configuration
        configuration.serverName = "good.test"
        let other = try Stage(configuration, host: "192.0.2.1")
        #expect(other.shakeHands() == .done)
        #expect(other.peer.sentServerName == "good.test")
        configuration.serverName = nil
        configuration.sendsServerName = false
        let silent = try Stage(configuration)
        #expect(silent.shakeHands() == .done)
        #expect(silent.peer.sentServerName == nil)
    }

    @Test func `the server's choice of protocol is known, and its silence`() throws {
        var settings = TestTLSServer.Settings(Given.good)
        settings.applicationProtocols = ["http/1.1"]
        let chosen = try Stage(Given.configuration, settings)
        chosen.shakeHands()
        #expect(chosen.client.applicationProtocol == "http/1.1")
        let silent = try Stage()
        silent.shakeHands()
        #expect(silent.client.applicationProtocol == nil)
        settings.applicationProtocols = ["h2"]
        let refused = try Stage(Given.configuration, settings)
        #expect(refused.shakeHands() == .failed(.alertReceived(TLSAlert(number: 120))))
    }

    @Test func `the certificate's facts are read`() throws {
        let stage = try Stage()
        stage.shakeHands()
        let facts = try #require(stage.client.peerCertificate)
        #expect(facts.subject == "CN=good.test")
        #expect(facts.issuer == "CN=Test Authority")
        #expect(facts.hosts == ["good.test", "*.wild.test", "127.0.0.1", "::1"])
        #expect(facts.pin == Given.good.pin)
        #expect(facts.notAfter - facts.notBefore == 86_400 + 3_600)
    }

    @Test func `versions and ciphers are those that were asked for`() throws {
        var configuration = Given.configuration
        configuration.maximumVersion = .tls12
        configuration.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"
        let old = try Stage(configuration)
        #expect(old.shakeHands() == .done)
        #expect(old.client.versionName == "TLSv1.2")
        #expect(old.client.cipherName == "ECDHE-ECDSA-CHACHA20-POLY1305")
        configuration = Given.configuration
        configuration.minimumVersion = .tls13
        configuration.cipherSuites = "TLS_AES_128_GCM_SHA256"
        let new = try Stage(configuration)
        #expect(new.shakeHands() == .done)
        #expect(new.client.cipherName == "TLS_AES_128_GCM_SHA256")
    }

    @Test(arguments: [12, 13])
    func `a client certificate is shown to who asks for it`(version: Int) throws {
        var settings = TestTLSServer.Settings(Given.good)
        settings.clientAuthority = Given.authority
        settings.newestVersion = version
        var configuration = Given.configuration
        configuration.identity = .init(
            certificate: .bytes(Bytes(Given.client.certificatePEM)),
            key: .bytes(Bytes(Given.client.keyPEM)))
        let stage = try Stage(configuration, settings)
        #expect(stage.shakeHands() == .done)
        #expect(stage.peer.isDone)
        #expect(stage.peer.failure == nil)
    }

    @Test func `the key log is the server's own`() throws {
        let directory = try Files.makeTemporaryDirectory("keylog")
        defer { Files.remove(directory) }
        var configuration = Given.configuration
        configuration.keyLog = .file(directory + "/keys")
        var settings = TestTLSServer.Settings(Given.good)
        settings.keepsKeyLog = true
        let stage = try Stage(configuration, settings)
        #expect(stage.shakeHands() == .done)
        let lines = (Files.text(directory + "/keys") ?? "").split(separator: "\n")
        #expect(lines.count >= 4)
        #expect(Set(lines.map { String($0) }) == Set(stage.server.keyLog))
        #expect(Files.mode(directory + "/keys") == 0o600)
    }
}
