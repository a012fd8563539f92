// Delays between attempts: RETRY-01 to RETRY-05. Pure.

import FetchPolicy
import FetchTime
import Testing

struct BackoffTests {
    private func delays(_ backoff: Backoff, _ count: Int) -> [Duration] {
        (1...count).map { backoff.delay(afterFailures: $0) }
    }

    @Test func `RETRY-01 each delay is the one before times the factor, up to the cap`() {
        let backoff = Backoff(base: .seconds(1), factor: 3, cap: .seconds(20), jitter: .none)
        #expect(delays(backoff, 5) == [1, 3, 9, 20, 20].map { .seconds($0) })
    }

    @Test func `RETRY-02 200 ms doubled is 200, 400, 800, 1600 and then the cap of 2 s`() {
        let backoff = ResiliencePreset.originFetcher.retry.backoff
        #expect(delays(backoff, 6) == [200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) })
    }

    @Test func `RETRY-04 a cap of 4 s makes 1, 2, 4, 4, 4`() {
        let backoff = Backoff(base: .seconds(1), factor: 2, cap: .seconds(4), jitter: .none)
        #expect(delays(backoff, 5) == [1, 2, 4, 4, 4].map { .seconds($0) })
    }

    @Test func `a factor of 1 makes equal delays, and no base none`() {
        #expect(
            delays(Backoff(base: .seconds(5), factor: 1, jitter: .none), 3)
                == [.seconds(5), .seconds(5), .seconds(5)])
        #expect(delays(Backoff(base: .zero, jitter: .none), 3) == [.zero, .zero, .zero])
    }

    @Test func `RETRY-05 a tenth of jitter stays within a tenth and spreads over it`() {
        let backoff = Backoff(base: .seconds(1), jitter: .proportional(0.1))
        var random = Sequence64(5)
        let samples = (0..<1_000).map { _ in
            backoff.delay(afterFailures: 1, random: random.next())
        }
        #expect(samples.allSatisfy { $0 >= .milliseconds(900) && $0 <= .milliseconds(1_100) })
        #expect(samples.contains { $0 < .milliseconds(920) })
        #expect(samples.contains { $0 > .milliseconds(1_080) })
        let mean = samples.reduce(Duration.zero, +) / 1_000
        #expect(mean > .milliseconds(990) && mean < .milliseconds(1_010))
    }

    @Test func `full jitter is anything up to the delay`() {
        let backoff = Backoff(base: .seconds(1), jitter: .full)
        var random = Sequence64(6)
        let samples = (0..<1_000).map { _ in
            backoff.delay(afterFailures: 2, random: random.next())
        }
        #expect(samples.allSatisfy { $0 >= .zero && $0 <= .seconds(2) })
        #expect(samples.contains { $0 < .milliseconds(40) })
        #expect(samples.contains { $0 > .milliseconds(1_960) })
        #expect(backoff.delay(afterFailures: 1, random: 0) == .zero)
    }

    @Test func `the same chance makes the same delay`() {
        let backoff = Backoff()
        var (one, other) = (Sequence64(7), Sequence64(7))
        for failures in 1...20 {
            let delay = backoff.delay(afterFailures: failures, random: one.next())
            #expect(delay == backoff.delay(afterFailures: failures, random: other.next()))
        }
    }

    @Test(arguments: [1, 2, 63, 64, 1_000, Int.max])
    func `no number of failures and no setting makes a delay trap`(failures: Int) {
        for cap in [Duration.zero, .seconds(60), .seconds(Int64.max), .seconds(-1)] {
            for factor in [2.0, 1.000_001, 0, -1, .nan, .infinity] {
                for base in [Duration.zero, .nanoseconds(1), .seconds(Int64.max), .seconds(-5)] {
                    let backoff = Backoff(base: base, factor: factor, cap: cap, jitter: .full)
                    // A slow factor meets no more failures than attempts are allowed.
                    let count = factor > 1.1 ? failures : min(failures, RetryContext.mostAttempts)
                    let delay = backoff.delay(afterFailures: count, random: .max)
                    #expect(delay >= .zero)
                    #expect(delay <= max(.zero, cap))
                }
            }
        }
    }
}
