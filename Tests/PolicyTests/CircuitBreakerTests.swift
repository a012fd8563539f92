// The circuit breaker: CB-01 to CB-06. Pure.

import FetchPolicy
import FetchTime
import Testing

struct CircuitBreakerTests {
    private typealias Stage = BreakerTable.Stage

    @Test func `every state meets every event as docs/states/breaker.txt says`() {
        #expect(BreakerTable.documented() == BreakerTable.text)
    }

    @Test func `whom it would refuse can be known without asking`() {
        var breaker = CircuitBreaker(
            BreakerRules(consecutiveFailures: 1, coolDown: .seconds(60)))
        var transition: CircuitBreaker.Transition?
        #expect(breaker.refusal(now: .at(0)) == nil)
        guard
            case .admitted(let permit) = breaker.requestArrived(
                now: .at(0), transition: &transition)
        else {
            Issue.record("a closed breaker refused")
            return
        }
        _ = breaker.ended(permit, .failure, now: .at(0))
        #expect(breaker.refusal(now: .at(59)) == .at(60))
        #expect(breaker.refusal(now: .at(60)) == nil)
        #expect(breaker.state == .open(until: .at(60)))
        // While the probe is out, others wait for it.
        _ = breaker.requestArrived(now: .at(60), transition: &transition)
        #expect(breaker.refusal(now: .at(61)) == .at(120))
        #expect(breaker.refusal(now: .at(120)) == nil)
    }

    @Test func `CB-01 five failures open it, a minute half opens it, and all four ways are told`() {
        var breaker = CircuitBreaker()
        var seen: [CircuitBreaker.Transition] = []
        func ask(_ seconds: Double) -> CircuitBreaker.Answer {
            var transition: CircuitBreaker.Transition?
            let answer = breaker.requestArrived(now: .at(seconds), transition: &transition)
            if let transition { seen.append(transition) }
            return answer
        }
        func end(_ answer: CircuitBreaker.Answer, _ verdict: BreakerVerdict, _ seconds: Double) {
            guard case .admitted(let permit) = answer else { return }
            if let transition = breaker.ended(permit, verdict, now: .at(seconds)) {
                seen.append(transition)
            }
        }
        for second in 1...5 {
            #expect(breaker.state == .closed)
            end(ask(Double(second)), .failure, Double(second))
        }
        #expect(breaker.state == .open(until: .at(65)))
        #expect(ask(64.9) == .refused(until: .at(65)))
        end(ask(65), .failure, 66)
        #expect(breaker.state == .open(until: .at(126)))
        end(ask(126), .success, 127)
        #expect(breaker.state == .closed)
        #expect(
            seen.map(\.to) == [
                .open(until: .at(65)), .halfOpen, .open(until: .at(126)), .halfOpen, .closed,
            ])
        #expect(seen.dropFirst().map(\.from) == seen.dropLast().map(\.to))
        #expect(seen.map(\.at) == [.at(5), .at(65), .at(66), .at(126), .at(127)])
    }

    @Test func `CB-03 five answers of 404 or 429 leave it closed, five of 503 open it`() {
        let rules = BreakerRules()
        var stage = Stage(breaker: CircuitBreaker(rules))
        for status in [404, 404, 429, 429, 404, 200, 301] {
            _ = stage.arrive()
            stage.end(rules.verdict(.responded(status: status, retryAfter: nil)))
        }
        #expect(stage.breaker.state == .closed)
        for _ in 0..<5 {
            _ = stage.arrive()
            stage.end(rules.verdict(.responded(status: 503, retryAfter: nil)))
        }
        #expect(stage.breaker.state == .open(until: .at(60)))
        for cause in FailureCause.allCases { #expect(rules.verdict(.failed(cause)) == .failure) }
    }

    @Test func `CB-03 the user says what a failure is`() {
        let rules = BreakerRules(consecutiveFailures: 1) { outcome in
            outcome == .responded(status: 404, retryAfter: nil) ? .failure : .ignored
        }
        #expect(rules.verdict(.failed(.reset)) == .ignored)
        var stage = Stage(breaker: CircuitBreaker(rules))
        _ = stage.arrive()
        stage.end(rules.verdict(.responded(status: 404, retryAfter: nil)))
        #expect(stage.breaker.state == .open(until: .at(60)))
    }

    @Test func `a success between failures starts the count anew`() {
        var stage = Stage()
        for _ in 0..<20 {
            for verdict in [BreakerVerdict.failure, .ignored, .success] {
                _ = stage.arrive()
                stage.end(verdict)
            }
        }
        #expect(stage.breaker.state == .closed)
    }

    @Test func `CB-04 of a hundred callers one probes, and a cancelled probe lets the next`() {
        var stage = Stage()
        stage.open()
        stage.now = .at(10)
        var admitted = 0
        for _ in 0..<100 { if case .admitted = stage.arrive() { admitted += 1 } }
        #expect(admitted == 1)
        stage.end(.ignored)
        admitted = 0
        for _ in 0..<100 { if case .admitted = stage.arrive() { admitted += 1 } }
        #expect(admitted == 1)
        stage.end(.success)
        #expect(stage.breaker.state == .closed)
    }

    @Test func `what was sent before it opened decides nothing`() {
        var stage = Stage()
        _ = stage.arrive()
        guard let early = stage.permit else { return }
        stage.open()
        #expect(!stage.breaker.isCurrent(early))
        #expect(stage.breaker.ended(early, .success, now: .at(1)) == nil)
        stage.now = .at(10)
        _ = stage.arrive()
        #expect(stage.breaker.ended(early, .failure, now: .at(10)) == nil)
        #expect(stage.breaker.state == .halfOpen)
        // A permit is good once.
        guard let probe = stage.permit else { return }
        #expect(stage.breaker.ended(probe, .success, now: .at(11)) != nil)
        #expect(stage.breaker.ended(probe, .failure, now: .at(11)) == nil)
        #expect(stage.breaker.state == .closed)
    }

    @Test func `more than one probe may be asked for`() {
        var stage = Stage(
            breaker: CircuitBreaker(
                BreakerRules(consecutiveFailures: 1, coolDown: .seconds(10), probes: 3)))
        _ = stage.arrive()
        stage.end(.failure)
        stage.now = .at(10)
        for probe in 1...3 {
            _ = stage.arrive()
            #expect(stage.breaker.state == .halfOpen)
            stage.end(.success)
            #expect((stage.breaker.state == .closed) == (probe == 3))
        }
    }

    @Test func `a share of failures opens it, but not on a few attempts`() {
        let rate = FailureRate(percent: 50, window: .seconds(10), minimumVolume: 20)
        let rules = BreakerRules(consecutiveFailures: nil, failureRate: rate)
        var stage = Stage(breaker: CircuitBreaker(rules))
        for attempt in 1...19 {
            _ = stage.arrive()
            stage.end(attempt % 4 == 0 ? .success : .failure)
        }
        #expect(stage.breaker.state == .closed)
        _ = stage.arrive()
        stage.end(.failure)
        #expect(stage.breaker.state == .open(until: .at(60)))
    }

    @Test func `failures that have left the window are forgotten`() {
        let rate = FailureRate(percent: 50, window: .seconds(10), minimumVolume: 10)
        let rules = BreakerRules(consecutiveFailures: nil, failureRate: rate)
        var stage = Stage(breaker: CircuitBreaker(rules))
        for _ in 0..<9 {
            _ = stage.arrive()
            stage.end(.failure)
        }
        stage.now = .at(10)
        for _ in 0..<9 {
            _ = stage.arrive()
            stage.end(.failure)
        }
        #expect(stage.breaker.state == .closed)
        _ = stage.arrive()
        stage.end(.failure)
        #expect(stage.breaker.state == .open(until: .at(70)))
    }

    @Test func `CB-02 refusing a thousand calls touches nothing but the breaker`() {
        var stage = Stage()
        stage.open()
        let refused = (0..<1_000).filter { _ in
            stage.arrive() == .refused(until: .at(10)) && stage.transition == nil
        }
        #expect(refused.count == 1_000)
    }

    @Test func `no clock and no setting makes it trap`() {
        let rules = BreakerRules(
            consecutiveFailures: .max,
            failureRate: FailureRate(percent: 1, window: .nanoseconds(1), minimumVolume: 1),
            coolDown: .seconds(Int64.max), probes: .max)
        var stage = Stage(breaker: CircuitBreaker(rules))
        for time in [Int64.min, .max, 0, -1, .max] {
            var fresh = Stage(breaker: CircuitBreaker(rules), now: Instant(nanoseconds: time))
            _ = fresh.arrive()
            fresh.end(.failure)
            let end = Instant(nanoseconds: time) + .seconds(Int64.max)
            #expect(fresh.breaker.state == .open(until: end))
            stage.now = Instant(nanoseconds: time)
            for verdict in [BreakerVerdict.success, .failure, .ignored] {
                _ = stage.arrive()
                stage.end(verdict)
            }
        }
        #expect(stage.breaker.state != .closed)
    }
}
