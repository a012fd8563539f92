// The benches of the policies, small: their counts, and that nothing they demand of counts is
// missed. Times are theirs alone: they are read by people, in a release build.

import TestSupport
import Testing

@Suite struct PolicyBenchTests {
    @Test func `retry-storm: retries add a fifth to the load, and no more`() async throws {
        let report = try await bench(["retry-storm", "--rate", "200", "--seconds", "3"])
        let calls = try #require(number("calls", in: report))
        let requests = try #require(number("requests", in: report))
        #expect(calls == 600)
        #expect(requests <= calls * 1.2)
        #expect(requests > calls * 1.1)
        #expect(number("retries", in: report) == requests - calls)
        #expect(number("others", in: report) == 0)
        let ended =
            (number("succeeded", in: report) ?? 0) + (number("unavailable", in: report) ?? 0)
        #expect(ended == calls)
    }

    @Test func `breaker: an open one lets nothing through, and then one probe`() async throws {
        let report = try await bench(["breaker", "--calls", "500", "--checks", "1000"])
        #expect(number("refused", in: report) == 500)
        #expect(number("requests_while_open", in: report) == 0)
        #expect(number("probes", in: report) == 1)
        #expect(number("passed", in: report) == 100)
        #expect(!report.contains("\"held\":false"))
    }

    @Test func `priority: nobody is out of turn, and nobody starves`() async throws {
        let report = try await bench(["priority", "--calls", "100"])
        #expect(number("failed", in: report) == 0)
        #expect(number("aged", in: report) == 10)
        #expect(!report.contains("\"held\":false"))
    }

    @Test func `coalesce: a request a round`() async throws {
        let report = try await bench(["coalesce", "--callers", "20", "--rounds", "10"])
        #expect(number("calls", in: report) == 200)
        #expect(number("requests", in: report) == 10)
        #expect(number("requests_alone", in: report) == 200)
        #expect(number("coalesced", in: report) == 190)
        #expect(!report.contains("\"held\":false"))
    }

    @Test func `backoff: every call backs off, and no entry costs a system call`() async throws {
        let report = try await bench(["backoff", "--calls", "500"])
        #expect(number("calls", in: report) == 500)
        #expect(number("entries", in: report) == 500)
        #expect(try #require(number("entry_bytes", in: report)) <= 64)
        #expect(report.contains("\"name\":\"callback, calls in back-off:\",\"value\":500.0000"))
        #expect(report.contains("\"name\":\"async, calls in back-off:\",\"value\":500.0000"))
    }

    @Test func `limiter: no window holds more than its limit`() async throws {
        let report = try await bench([
            "limiter", "--rate", "1000", "--seconds", "0.2", "--grants", "100",
        ])
        #expect(report.contains("{\"targets\":[{\"rate\":1000,\"achieved\":"))
        #expect(report.contains("\"windows\":[{\"limit\":1000,\"most\":"))
        #expect(try #require(number("most", in: report)) <= 1_000)
    }

    @Test func `CORE-13 a long stream of URLs has one thread, and memory of a few`() async throws {
        let report = try await bench([
            "batch", "--urls", "20000", "--origins", "2000", "--concurrency", "100",
        ])
        #expect(number("succeeded", in: report) == 20_000)
        #expect(number("threads", in: report) == 1)
        #expect(try #require(number("origins_tracked_most", in: report)) <= 1_000)
        let first = try #require(number("rss_first_tenth_kb", in: report))
        #expect(try #require(number("rss_most_kb", in: report)) <= first + 16_384)
    }
}
