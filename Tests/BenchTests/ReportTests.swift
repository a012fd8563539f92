// What bench prints and what its processes tell each other.

import Bench
import Testing

struct ReportTests {
    private var report: Report {
        var report = Report()
        report.requests = 300_000
        report.errors = 2
        report.wallSeconds = 2.5
        report.userSeconds = 0.25
        report.latency.p999 = 1_234
        report.connectionsOpened = 64
        report.threads = 1
        report.statuses = [200: 299_998, 503: 1]
        report.errorsByCode = ["read-timeout": 2]
        report.notes = ["at most 100 origins tracked"]
        return report
    }

    @Test func `the JSON has the documented keys in their order`() {
        let expected = """
            {"requests":300000,"errors":2,"wall_s":2.500000,"user_s":0.250000,"sys_s":0.000000,\
            "requests_per_s":120000.0,\
            "latency_us":{"p50":0,"p90":0,"p99":0,"p999":1234,"max":0},\
            "bytes":0,"connections_opened":64,"threads":1,"max_rss_kb":0,\
            "statuses":{"200":299998,"503":1},"errors_by_code":{"read-timeout":2},"late":0}
            """
        #expect(report.json == expected)
    }

    @Test func `a report comes back from its lines as it was`() {
        #expect(Report(lines: report.lines) == report)
    }

    @Test func `other text is no report`() {
        #expect(Report(lines: "Error: refused") == nil)
        #expect(Report(lines: "") == nil)
    }

    @Test(arguments: [
        (1.25, 1, "1.3"), (0.0000012, 6, "0.000001"), (-0.5, 2, "-0.50"), (1e30, 2, "0"),
        (.nan, 2, "0"), (12, 0, "12"), (-0.001, 2, "0.00"),
    ])
    func `a decimal never has an exponent`(value: Double, places: Int, text: String) {
        #expect(decimal(value, places) == text)
    }

    @Test func `a table is as wide as what it holds`() {
        var table = Table(["name", "n"])
        table.append(["a longer name", grouped(1_234_567)])
        #expect(
            table.text == """
                name                   n
                -------------  ---------
                a longer name  1,234,567
                """)
    }
}
