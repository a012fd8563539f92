// The whole client on the simulated network: 1,000 seeds a run, each a world of its own.
//
//     FETCH_SEED=17 swift test --filter Simulation      plays one seed, twice, and prints it
//     FETCH_SEEDS=20000 swift test --filter Simulation  plays so many

import Fetch
import Glibc
import TestSupport
import Testing

/// A number in the environment.
private func environment(_ name: String) -> UInt64? {
    // The string is copied at once; no test changes the environment.
    unsafe getenv(name).flatMap { unsafe UInt64(String(cString: $0)) }
}

private let theSeed = environment("FETCH_SEED")
private let seeds: ClosedRange<UInt64> =
    theSeed.map { $0...$0 } ?? 1...max(1, environment("FETCH_SEEDS") ?? 1_000)

@Suite struct SimulationTests {
    @Test func `whatever the network does, every call ends once, rightly, and nothing leaks`()
        async throws
    {
        // Two threads: the seeds know nothing of each other.
        async let odd = play(seeds.filter { $0 % 2 == 1 })
        async let even = play(seeds.filter { $0 % 2 == 0 })
        let (one, two) = try await (odd, even)
        for failure in one.failures + two.failures { Issue.record("\(failure)") }
        let tally = one.tally.merging(two.tally) { $0 + $1 }
        if theSeed != nil { print(tally.sorted { $0.key < $1.key }) }
        guard seeds.count >= 1_000 else { return }
        // The worlds must be worth playing.
        for kind in Kind.allCases where kind.answersRightly {
            #expect(tally["success \(kind.rawValue)", default: 0] > 20, "\(kind)")
        }
        let outcomes = [
            "cancelled", "refused", "reset", "closed-before-response", "truncated-body",
            "malformed-response", "queue-timeout", "connect-timeout", "first-byte-timeout",
            "read-timeout", "total-timeout", "reuses", "reuse races", "retries",
            "coalesced", "circuit-open", "rate-limited", "hedges", "hedges won",
        ]
        for outcome in outcomes { #expect(tally[outcome, default: 0] > 5, "\(outcome)") }
        #expect(tally["success", default: 0] * 2 > tally["calls", default: 0])
    }

    @Test(arguments: theSeed.map { [$0] } ?? Array(stride(from: 3, to: 1_000, by: 97)) as [UInt64])
    func `a seed replays exactly`(seed: UInt64) async throws {
        let one = try await onThreadOfItsOwn { try Scenario(seed: seed).play() }
        let two = try await onThreadOfItsOwn { try Scenario(seed: seed).play() }
        #expect(one.trace == two.trace)
        #expect(one.tally == two.tally)
    }

    @Test func `streams and uploads keep every promise under the same storms`() async throws {
        for seed in seeds.prefix(200) {
            let (findings, _) = try await Scenario(seed: seed).playStreams()
            if findings.isEmpty { continue }
            Issue.record(
                """
                seed \(seed): \(findings.joined(separator: "\n  "))
                replay: FETCH_SEED=\(seed) swift test --filter Simulation
                """)
        }
    }

    private struct Runs {
        var failures: [String] = []
        var tally: [String: Int] = [:]
    }

    private func play(_ seeds: [UInt64]) async throws -> Runs {
        try await onThreadOfItsOwn {
            var all = Runs()
            for seed in seeds {
                let played = try Scenario(seed: seed).play()
                all.tally.merge(played.tally) { $0 + $1 }
                if played.findings.isEmpty { continue }
                all.failures.append(
                    """
                    seed \(seed): \(played.findings.joined(separator: "\n  "))
                    replay: FETCH_SEED=\(seed) swift test --filter Simulation
                    """)
            }
            return all
        }
    }
}
