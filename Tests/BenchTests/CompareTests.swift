// What `bench compare` reads: other tools' output, and the URL it may speak to.

import Bench
import Testing

struct CompareTests {
    @Test func `wrk's requests and errors are read from its summary`() throws {
        let text = """
            Running 3s test @ http://127.0.0.1:8080/
              1 threads and 64 connections
              192315 requests in 3.04s, 28.24MB read
              Socket errors: connect 0, read 3, write 0, timeout 2
            Requests/sec:  63354.43
            """
        let counted = try #require(Contender.countWrk(text))
        #expect(counted.requests == 192_315)
        #expect(counted.errors == 5)
        #expect(Contender.countWrk("unable to connect") == nil)
    }

    @Test func `h2load's done and failed requests are read from its summary`() throws {
        let text = """
            finished in 2.00s, 94000.50 req/s, 14.08MB/s
            requests: 188001 total, 188065 started, 188001 done, 188001 succeeded, 4 failed
            """
        let counted = try #require(Contender.countH2load(text))
        #expect(counted.requests == 188_001)
        #expect(counted.errors == 4)
    }

    @Test func `a ratio is that of one round, and the median of all rounds'`() {
        // The machine was half as fast in the second round: the ratio is still a quarter.
        let own = [2.0, 4.0, 2.5]
        let floor = [8.0, 16.0, 8.0]
        #expect(Rounds.ratios(of: own, to: floor) == [0.25, 0.25, 0.3125])
        #expect(Rounds.ratios(of: own, to: floor).median == 0.25)
    }

    @Test func `rounds without a counterpart make no ratio`() {
        #expect(Rounds.ratios(of: [1, 2, 3], to: [2, 0]) == [0.5])
        #expect(Rounds.ratios(of: [], to: [1]).median == nil)
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080/a?b", UInt32(0x7F00_0001), UInt16(8_080), "/a?b"),
        ("http://127.9.8.7", 0x7F09_0807, 80, "/"), ("http://localhost:1/", 0x7F00_0001, 1, "/"),
    ])
    func `a loopback URL has an address and a path`(
        text: String, host: UInt32, port: UInt16, path: String
    ) throws {
        let url = try #require(LoopbackURL(text))
        #expect(url.address.host == host)
        #expect(url.address.port == port)
        #expect(url.path == path)
    }

    @Test(arguments: [
        "https://127.0.0.1/", "http://10.0.0.1/", "http://example.com/", "http://127.0.0.1:x/",
        "http://127.0.0.256/", "http://127.0.0.1:1:2/", "127.0.0.1",
    ])
    func `nothing but plain loopback is compared`(text: String) {
        #expect(LoopbackURL(text) == nil)
    }
}
