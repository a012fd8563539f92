// What tests of https stand on: an authority, certificates of it, and a client that trusts it.

import Fetch
import TestSupport
import Testing

enum Secured {
    static let authority = TestCertificate.authority()
    static let certificate = certificate { _ in }

    /// A certificate for good.test, localhost and 127.0.0.1, changed.
    static func certificate(
        by issuer: TestCertificate? = authority,
        _ change: (inout TestCertificate.Order) -> Void
    ) -> TestCertificate {
        var order = TestCertificate.Order(
            "good.test", hosts: ["DNS:good.test", "DNS:localhost", "IP:127.0.0.1"])
        change(&order)
        return TestCertificate.make(order, by: issuer)
    }

    static var tls: TLSConfiguration {
        var tls = TLSConfiguration()
        tls.trust = .pem(Bytes(authority.certificatePEM))
        return tls
    }

    /// Trusts the authority; good.test and other.test are this machine.
    static func configured(
        _ change: (inout FetcherConfiguration) -> Void = { _ in }
    ) -> FetcherConfiguration {
        var configuration = FetcherConfiguration.patient
        configuration.tls = tls
        configuration.hostOverrides = ["good.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]]
        change(&configuration)
        return configuration
    }
}

/// Runs the body with a client on a reactor of its own.
func withSecureClient<R: Sendable>(
    _ configuration: FetcherConfiguration = Secured.configured(),
    _ body: @escaping @Sendable (Fetcher) async throws -> R
) async throws -> R {
    try await onReactor { _ in try await body(Fetcher(configuration)) }
}
