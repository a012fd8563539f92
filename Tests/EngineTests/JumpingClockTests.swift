// Clocks that jump while the policies wait: the monotonic one by days, the wall clock in either
// direction. Virtual time, a network in memory.

import FetchEngine
import FetchPolicy
import FetchReactor
import FetchTime
import TestSupport
import Testing

/// Ten seconds after 1,700,000,000 s.
private let busyUntilADate =
    "HTTP/1.1 503 X\r\nRetry-After: Tue, 14 Nov 2023 22:13:30 GMT\r\nContent-Length: 0\r\n\r\n"

struct JumpingClockTests {
    private let forEver: (inout Clocks) -> Void = {
        $0.total = Clocks.never
        $0.firstByte = Clocks.never
    }

    @Test func `days that pass at once end every wait, in order, and no rate is made good`() throws
    {
        let world = try World {
            $0.policies.clientLimit = .tokenBucket(.perSecond(1), burst: 3)
            $0.policies.breaker = BreakerRules(consecutiveFailures: 1, coolDown: .seconds(60))
        }
        let calls = try (0..<10).map {
            try world.call("http://10.0.0.\($0 + 1)/", clocks: forEver)
        }
        #expect(world.network.open.count == 3)
        world.pass(.seconds(3 * 86_400))
        // All have gone meanwhile, one a second.
        #expect(world.network.open.count == 10)
        for call in calls { world.cancel(call) }
        // After days the bucket holds its burst, and no more.
        let later = try (0..<10).map {
            try world.call("http://10.0.1.\($0 + 1)/", clocks: forEver)
        }
        #expect(world.network.open.count == 3)
        for call in later { world.cancel(call) }
        world.expectBaseline()
    }

    @Test func `a reactor that wakes a week late serves what is due, once`() throws {
        let world = try World {
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 2, backoff: Backoff(base: .seconds(5), jitter: .none)))
        }
        let call = try world.call(clocks: forEver)
        world.streams[0].send("HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        world.run()
        #expect(world.statistics.onHold == 1)
        world.pass(.seconds(7 * 86_400))
        #expect(world.statistics.retries == 1)
        #expect(world.streams.count == 2)
        world.streams[1].send(ok)
        world.run()
        #expect(call.status == 200)
        world.expectBaseline()
    }

    /// Dates are read against the wall clock of that moment; what was understood then is a wait on
    /// the monotonic clock, which nobody sets.
    @Test(arguments: [-86_400, -3_600, 0, 3_600, 86_400])
    func `a wall clock that is set while a call waits changes nothing of the wait`(seconds: Int64)
        throws
    {
        let world = try World {
            $0.policies.retries = .policy(
                RetryPolicy(maxAttempts: 2, backoff: Backoff(base: .seconds(1), jitter: .none)))
        }
        let clock = try #require(world.reactor.virtualClock)
        clock.setWall(Timestamp(seconds: 1_700_000_000, nanoseconds: 0))
        world.run()
        let call = try world.call()
        // 10 s from then on.
        world.streams[0].send(busyUntilADate)
        world.run()
        _ = world.streams[0].takeWritten()
        clock.setWall(Timestamp(seconds: 1_700_000_000 + seconds, nanoseconds: 0))
        world.pass(.milliseconds(9_999))
        #expect(world.streams[0].written.isEmpty)
        world.pass(.milliseconds(1))
        #expect(world.network.open.contains { !$0.written.isEmpty })
        world.network.open.last?.send(ok)
        world.run()
        #expect(call.status == 200)
        world.expectBaseline()
    }

    /// A clock that was set back makes of a near date a far one: longer than is waited for.
    @Test func `a date far ahead of a clock that was set back is not waited for`() throws {
        let world = try World { $0.policies.retries = .policy(.standard) }
        let clock = try #require(world.reactor.virtualClock)
        clock.setWall(Timestamp(seconds: 1_600_000_000, nanoseconds: 0))
        world.run()
        let call = try world.call()
        world.streams[0].send(busyUntilADate)
        world.run()
        guard case .retryAfterTooLong? = call.failure?.refusal else {
            Issue.record("\(String(describing: call.failure?.refusal))")
            return
        }
        // And the domain is not parked for years.
        let next = try world.call("http://10.0.0.1/next")
        world.pass(.seconds(60))
        #expect(!world.streams[0].takeWritten().isEmpty)
        world.cancel(next)
    }
}
