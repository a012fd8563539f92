// One limit for all hosts of a registrable domain (RATE-11), on virtual time.

import Fetch
import FetchPublicSuffix
import TestSupport
import Testing

struct DomainLimitTests {
    /// When each host's request went out, in seconds from the start.
    private func seconds(_ hosts: [String], _ key: RateKey) throws -> [Int] {
        let world = try LocalWorld { configuration in
            configuration.rate.perDomain = .tokenBucket(Rate(1, per: .seconds(1)))
            configuration.rate.key = key
            for host in hosts { configuration.hostOverrides[host] = ["10.0.0.1"] }
        }
        let calls = hosts.map { world.get("http://\($0)/") }
        var sent: [Int] = []
        for second in 0..<hosts.count {
            let open = world.network.streams.count
            sent += [Int](repeating: second, count: open - sent.count)
            // A wheel's tick more than a second, so that nobody just misses it.
            world.pass(.milliseconds(1_001))
        }
        for call in calls { if let handle = call.handle { world.fetcher.cancel(handle) } }
        return sent
    }

    @Test func `RATE-11 sub-domains share their domain's limit, and other domains do not`() throws {
        let hosts = ["a1.example.test", "a2.example.test", "b.example.co.uk", "c.example.co.uk"]
        #expect(try seconds(hosts, .host) == [0, 0, 0, 0])
        let shared = PublicSuffix.isSupported ? [0, 0, 1, 1] : [0, 0, 0, 0]
        #expect(try seconds(hosts, .registrableDomain) == shared)
    }
}
