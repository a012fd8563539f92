// The probe of https to names: how many threads the whole client needs.

import Fetch
import FetchTransport
import TestSupport

/// Many requests to twenty names behind one nginx, a new connection for every tenth: the most
/// threads ever seen.
func probeSecureThreads(_ count: Int) throws {
    let authority = TestCertificate.authority()
    let certificate = TestCertificate.make(
        .init("*.load.test", hosts: ["DNS:*.load.test"]), by: authority)
    let (nginx, address) = try Nginx.startTLS(certificate)
    defer { nginx.stop() }
    try Reactor.run {
        guard let reactor = Reactor.current else { fatalError("run has a reactor") }
        let server = try ScriptedNameServer(on: reactor) { question in
            .reply(.addresses(["127.0.0.1"], to: question))
        }
        let bound = ReactorBound(here: server, on: reactor)
        var configuration = FetcherConfiguration.patient
        configuration.tls.trust = .pem(Bytes(authority.certificatePEM))
        configuration.names.servers = ["\(bound.value.address)"]
        configuration.pool.usesPerConnection = 10
        let fetcher = try Fetcher(configuration)
        var (good, most) = (0, 0)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for name in 0..<20 {
                group.addTask {
                    var good = 0
                    for _ in 0..<count / 20 {
                        let url = "https://n\(name).load.test:\(address.port)/"
                        good += try await fetcher.get(url).ok ? 1 : 0
                    }
                    return good
                }
            }
            for try await part in group {
                good += part
                most = max(most, ProcessFacts.threads)
            }
        }
        let statistics = try await fetcher.statistics
        let isMost = statistics.tlsResumptions > statistics.tlsHandshakes * 8 / 10
        print("\(good) good, Threads: \(most)")
        print("resumed most: \(isMost), queries \(bound.value.questions.count { $0.isA })")
        bound.value.close()
    }
}
