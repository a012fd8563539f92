// Every state of an attempt meets every event; what comes of it is compared with
// docs/states/attempt.txt, line by line. Pure.

import FetchRoad
import Testing

struct AttemptTests {
    @Test func `every state meets every event as docs/states/attempt.txt says`() throws {
        let documented = try AttemptTable.documented()
        #expect(AttemptTable.text == documented)
    }

    @Test func `a dispatch outside the line is the road's own mistake and traps`() async {
        await #expect(processExitsWith: .failure) {
            var attempt = Attempt(isIdempotent: true, isReplayable: true, retriesReuseRace: true)
            attempt.dispatched()
            attempt.dispatched()
        }
    }

    @Test func `the reuse race is retried once only`() {
        var attempt = Attempt(isIdempotent: true, isReplayable: true, retriesReuseRace: true)
        let race = Loss(onReusedConnection: true, nothingWritten: true, nothingReceived: true)
        attempt.dispatched()
        let isRetried = attempt.lost(race)
        #expect(isRetried)
        #expect(attempt.next() == .wait(fresh: true))
        #expect(attempt.reuseRaceLost)
        attempt.dispatched()
        let isRetriedAgain = attempt.lost(race)
        #expect(!isRetriedAgain)
        #expect(attempt.next() == .proceed)
        #expect(attempt.dispatches == 2)
        #expect(attempt.count == 1)
    }

    /// All 64 combinations against the sentence of behaviour 1.
    @Test func `a loss is retried exactly when behaviour 1 allows it`() {
        for bits in 0..<64 {
            let facts = (0..<6).map { bits >> $0 & 1 == 1 }
            let (isIdempotent, isReplayable, isOn) = (facts[0], facts[1], facts[2])
            let loss = Loss(
                onReusedConnection: facts[3], nothingWritten: facts[4], nothingReceived: facts[5])
            var attempt = Attempt(
                isIdempotent: isIdempotent, isReplayable: isReplayable, retriesReuseRace: isOn)
            attempt.dispatched()
            let isRetried = attempt.lost(loss)
            let allowed =
                isOn && loss.onReusedConnection && loss.nothingReceived
                && (loss.nothingWritten || (isIdempotent && isReplayable))
            #expect(isRetried == allowed, "\(facts)")
            #expect(attempt.next() == (allowed ? .wait(fresh: true) : .proceed), "\(facts)")
        }
    }
}
