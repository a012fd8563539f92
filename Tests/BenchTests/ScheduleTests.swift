// When a load tester's next request starts: the pure schedule, at instants of the test's own.

import Bench
import Testing

struct ScheduleTests {
    private func started(_ step: Schedule.Step) -> Start? {
        if case .start(let start) = step { start } else { nil }
    }

    @Test func `a closed loop starts at once and counts from then`() {
        var schedule = Schedule(Amount(requests: 2), startingAt: 100)
        #expect(started(schedule.next(now: 150))?.intended == 150)
        #expect(started(schedule.next(now: 900))?.number == 1)
        #expect(schedule.next(now: 900) == .finished)
    }

    @Test func `an open loop has its requests fall due at fixed intervals`() {
        var schedule = Schedule(Amount(requests: 3), rate: 1_000, startingAt: 5_000_000)
        #expect(started(schedule.next(now: 5_000_000))?.intended == 5_000_000)
        #expect(schedule.next(now: 5_000_001) == .wait(until: 6_000_000))
        #expect(started(schedule.next(now: 6_000_000))?.intended == 6_000_000)
    }

    @Test func `after a stall the delayed requests count from when they were due`() {
        var schedule = Schedule(Amount(requests: 3), rate: 1_000, startingAt: 0)
        _ = schedule.next(now: 0)
        let first = started(schedule.next(now: 50_000_000))
        let second = started(schedule.next(now: 50_000_000))
        #expect(first?.intended == 1_000_000)
        #expect(second?.intended == 2_000_000)
        #expect(first?.isLate == true)
    }

    @Test func `a start within a millisecond of its due time is not late`() {
        var schedule = Schedule(Amount(requests: 3), rate: 1_000, startingAt: 0)
        #expect(started(schedule.next(now: 1_000_000))?.isLate == false)
        #expect(started(schedule.next(now: 2_000_001))?.isLate == true)
    }

    @Test func `time ends a closed loop when it is over, an open one when nothing more falls due`()
    {
        var closed = Schedule(Amount(nanoseconds: 10), startingAt: 0)
        #expect(started(closed.next(now: 9)) != nil)
        #expect(closed.next(now: 10) == .finished)
        var open = Schedule(Amount(nanoseconds: 2_000_000), rate: 1_000, startingAt: 0)
        #expect(started(open.next(now: 90_000_000)) != nil)
        #expect(started(open.next(now: 90_000_000)) != nil)
        #expect(open.next(now: 90_000_000) == .finished)
    }

    @Test func `a stopped schedule starts nothing more`() {
        var schedule = Schedule(Amount(requests: 3), startingAt: 0)
        schedule.stop()
        #expect(schedule.next(now: 0) == .finished)
    }
}
