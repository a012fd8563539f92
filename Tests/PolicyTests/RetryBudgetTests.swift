// The budget of an origin: 20 % of the last 10 s' requests, and never under 10 retries. Pure.

import FetchPolicy
import FetchTime
import Testing

struct RetryBudgetTests {
    @Test func `a lone caller has ten retries in ten seconds, and ten more later`() {
        var budget = RetryBudget()
        budget.requestStarted(now: .at(0))
        let spent = (0..<15).map { _ in budget.spend(RetryAllowance(), now: .at(1)) }
        #expect(spent == Array(repeating: true, count: 10) + Array(repeating: false, count: 5))
        #expect(budget.spend(RetryAllowance(), now: .at(10)) == false)
        let later = (0..<15).filter { _ in budget.spend(RetryAllowance(), now: .at(11)) }
        #expect(later.count == 10)
    }

    @Test func `a storm of failures adds 20 % to a load above 100 requests a second`() {
        var budget = RetryBudget()
        var random = Sequence64(1)
        var (requests, retries) = (0, 0)
        // Half of all answers are 503, those to retries too; 200 requests a second for a minute.
        for tick in 0..<12_000 {
            let now = Instant.at(Double(tick) / 200)
            budget.requestStarted(now: now)
            requests += 1
            var fails = random.chance(50)
            while fails, budget.spend(RetryAllowance(), now: now) {
                retries += 1
                fails = random.chance(50)
            }
        }
        let share = Double(retries) / Double(requests)
        #expect(share <= 0.2)
        #expect(share > 0.18)
    }

    @Test func `in no ten seconds are there more than the share of that time's requests`() {
        var budget = RetryBudget()
        var random = Sequence64(2)
        var requests: [Double] = []
        var retries: [Double] = []
        var seconds = 0.0
        for _ in 0..<4_000 {
            seconds += Double(random.pick(0...20)) / 1_000
            if random.chance(60) {
                budget.requestStarted(now: .at(seconds))
                requests.append(seconds)
            } else if budget.spend(RetryAllowance(), now: .at(seconds)) {
                retries.append(seconds)
                // A twentieth of the window has no certain edge.
                let spent = retries.count { $0 > seconds - 9.5 }
                let borne = requests.count { $0 > seconds - 10 }
                #expect(spent <= max(10, borne / 5))
            }
        }
        #expect(retries.count > 100)
    }

    @Test func `a retry that was not made is refunded`() {
        var budget = RetryBudget()
        for _ in 0..<10 { #expect(budget.spend(RetryAllowance(), now: .at(0)) == true) }
        #expect(budget.spend(RetryAllowance(), now: .at(0)) == false)
        budget.refund(now: .at(0.1))
        #expect(budget.spend(RetryAllowance(), now: .at(0.1)) == true)
        #expect(budget.recent(now: .at(0.1)).retries == 10)
    }

    @Test func `an allowance may be wide or nothing`() {
        var budget = RetryBudget()
        #expect(budget.spend(RetryAllowance(percent: 0, floor: 0), now: .at(0)) == false)
        for _ in 0..<1_000 { #expect(budget.spend(.unlimited, now: .at(0)) == true) }
        for _ in 0..<10 { budget.requestStarted(now: .at(0)) }
        #expect(budget.spend(RetryAllowance(percent: .max, floor: 0), now: .at(0)) == true)
    }

    @Test func `clocks that jump or go back do no harm`() {
        var budget = RetryBudget()
        for seconds in [5, 1, 1e9, 0, 9e9, -5] {
            budget.requestStarted(now: .at(seconds))
            #expect(budget.recent(now: .at(seconds)).requests >= 1)
        }
        budget.requestStarted(now: .distantFuture)
        budget.requestStarted(now: Instant(nanoseconds: .min))
        #expect(budget.recent(now: .distantFuture).requests == 2)
    }

    @Test func `a budget is at most 200 bytes`() {
        #expect(MemoryLayout<RetryBudget>.stride <= 200)
    }
}
