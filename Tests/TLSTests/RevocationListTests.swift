// Servers whose certificates an authority's list withdraws (RFC 5280 §5), and lists that say
// nothing.

import FetchBytes
import FetchTLS
import Glibc
import TestSupport
import Testing

@Suite struct RevocationListTests {
    private func meet(
        _ lists: [String], _ certificate: TestCertificate = Given.good,
        verification: TLSConfiguration.Verification = .full
    ) throws -> HandshakeStep {
        var configuration = Given.configuration
        configuration.revocationLists = lists.map { .bytes(Bytes($0)) }
        configuration.verification = verification
        return try Stage(configuration, .init(certificate)).shakeHands()
    }

    private func number(of step: HandshakeStep) -> Int32? {
        guard case .failed(.certificateRefused(_, let code, _)) = step else { return nil }
        return code
    }

    @Test func `a listed certificate is revoked, any other one is good`() throws {
        let other = TestCertificate.make(
            .init("other.test", hosts: ["DNS:good.test"]), by: Given.authority)
        let list = TestRevocationList.make(revoking: [other], by: Given.authority)
        #expect(try meet([list]) == .done)
        #expect(
            try meet([list], other) == .failed(.revoked(certificate: "CN=other.test")))
        #expect(try meet([list], other, verification: .none) == .done)
    }

    @Test func `a list that nobody signed, an old one or another authority's covers nobody`() throws
    {
        let stranger = TestCertificate.authority("Stranger")
        let foreign = TestRevocationList.make(by: stranger)
        #expect(number(of: try meet([foreign])) == 3)  // X509_V_ERR_UNABLE_TO_GET_CRL
        let old = TestRevocationList.make(by: Given.authority, age: 50_000)
        #expect(number(of: try meet([old])) == 12)  // X509_V_ERR_CRL_HAS_EXPIRED
        let forger = TestCertificate.authority()
        let forged = TestRevocationList.make(by: forger)
        // The issuer's name is right, its key is not.
        #expect(number(of: try meet([forged])) == 8)  // X509_V_ERR_CRL_SIGNATURE_FAILURE
    }

    @Test func `the lists of several authorities stand side by side`() throws {
        let lists = [
            TestRevocationList.make(by: TestCertificate.authority("Stranger")),
            TestRevocationList.make(by: Given.authority),
        ]
        #expect(try meet(lists) == .done)
        #expect(try meet([lists.joined()]) == .done)
    }

    @Test func `a list that can't be read is told as such`() throws {
        for (pem, source) in [
            (TLSConfiguration.PEM.file("/nonexistent/crl.pem"), "/nonexistent/crl.pem"),
            (.bytes(Bytes(Given.authority.certificatePEM)), "PEM text"),
        ] {
            var configuration = Given.configuration
            configuration.revocationLists = [pem]
            do {
                _ = try TLSContext(configuration)
                Issue.record("it was taken")
            } catch {
                guard case .badTrust(source, _) = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test func `a file is read again with the authorities`() throws {
        let folder = try Files.makeTemporaryDirectory("crl")
        defer { Files.remove(folder) }
        let path = folder + "/crl.pem"
        try Files.write(TestRevocationList.make(by: Given.authority), to: path)
        var configuration = Given.configuration
        configuration.revocationLists = [.file(path)]
        let stage = try Stage(configuration)
        #expect(stage.shakeHands() == .done)
        try Files.write(
            TestRevocationList.make(revoking: [Given.good], by: Given.authority), to: path)
        try stage.context.reloadTrust()
        try stage.reconnect()
        #expect(stage.shakeHands() == .failed(.revoked(certificate: "CN=good.test")))
    }
}
