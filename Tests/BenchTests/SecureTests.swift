// What the commands over TLS read and say: nginx's log, other processes' figures, verdicts.

import Bench
import Testing

struct SecureTests {
    @Test func `connections and resumptions are counted by path from the server's log`() {
        let counts = ResumptionCount.byPath(
            "/new/full .\n/new/resumed .\n/new/resumed r\n/new/resumed r\n/new/resumed")
        #expect(counts["/new/full"]?.share == 0)
        #expect(counts["/new/resumed"]?.connections == 3)
        #expect(counts["/new/resumed"]?.resumed == 2)
        #expect(counts["/new/wrk"] == nil)
        #expect(ResumptionCount().share == nil)
    }

    @Test func `figures come back from their lines in their order`() {
        var figures = FigureLines()
        figures["resident-before"] = 4_096
        figures["resident-after"] = -1
        #expect(figures.text == "resident-before 4096\nresident-after -1")
        #expect(FigureLines(figures.text) == figures)
        #expect(FigureLines("Error: refused\nname many") == FigureLines())
    }

    @Test func `a demand is held up to its bound and on it`() {
        #expect(Demand("ratio", 0.65, .atMost(0.65)).isHeld)
        #expect(!Demand("ratio", 0.66, .atMost(0.65)).isHeld)
        #expect(Demand("share", 0.99, .atLeast(0.99)).isHeld)
        #expect(!Demand("share", 0.98, .atLeast(0.99)).isHeld)
    }

    @Test func `what was not measured is missed`() {
        let demand = Demand("ratio", nil, .atMost(0.65))
        #expect(!demand.isHeld)
        #expect(demand.text == "MISSED: ratio not measured (at most 0.65)")
    }

    @Test func `demands are told as text and as JSON`() {
        let demand = Demand("share", 0.9931, .atLeast(0.99), places: 4)
        #expect(demand.text == "held: share 0.9931 (at least 0.9900)")
        #expect(
            Demand.json([demand]) == #"[{"name":"share","value":0.9931,"held":true}]"#)
    }

    @Test func `a download of another length is no download`() {
        let contender = Contender.downloading("curl", "curl", []) { Int($0) }
        #expect(contender.count("1073741824")?.requests == 1)
        #expect(contender.count("1073741823") == nil)
        #expect(contender.count("nothing") == nil)
    }
}
