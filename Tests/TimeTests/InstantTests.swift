// Arithmetic on time never traps.

import FetchTime
import Testing

@Suite struct InstantTests {
    @Test func `sums saturate at both ends of time`() {
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant(nanoseconds: 5) + .seconds(Int64.max) == .distantFuture)
        #expect(Instant(nanoseconds: .min) - .seconds(1) == Instant(nanoseconds: .min))
        #expect(Instant(nanoseconds: 5) - .seconds(Int64.min) == .distantFuture)
        #expect(Instant(nanoseconds: -5) + .seconds(Int64.min) == Instant(nanoseconds: .min))
    }

    @Test func `differences saturate`() {
        #expect(Instant.distantFuture.nanoseconds(since: Instant(nanoseconds: -1)) == .max)
        #expect(Instant(nanoseconds: .min).nanoseconds(since: Instant(nanoseconds: 1)) == .min)
        #expect(Instant(nanoseconds: 7) - Instant(nanoseconds: 2) == .nanoseconds(5))
    }

    @Test func `a duration shorter than a nanosecond still makes a timer later`() {
        let attosecond = Duration(secondsComponent: 0, attosecondsComponent: 1)
        #expect(Instant(nanoseconds: 0) + attosecond == Instant(nanoseconds: 1))
        #expect(Instant(nanoseconds: 0) + .nanoseconds(-3) == Instant(nanoseconds: -3))
    }

    @Test func `wall time carries nanoseconds into seconds both ways`() {
        let wall = Timestamp(seconds: 10, nanoseconds: 900_000_000)
        #expect(
            wall.adding(nanoseconds: 200_000_000)
                == Timestamp(seconds: 11, nanoseconds: 100_000_000))
        #expect(
            wall.adding(nanoseconds: -1_900_000_001)
                == Timestamp(seconds: 8, nanoseconds: 999_999_999))
        #expect(Timestamp(seconds: .max).adding(nanoseconds: .max).seconds == .max)
    }
}
