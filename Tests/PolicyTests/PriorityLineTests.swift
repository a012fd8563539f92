// A line with priorities: LB-02, CONC-05, RATE-08. Pure.

import FetchPolicy
import FetchTime
import Testing

struct PriorityLineTests {
    @Test func `LB-02 a high one goes before a hundred low ones, and each priority in order`() {
        var line = PriorityLine<Int>()
        for number in 0..<100 { _ = line.join(number, .low, now: .at(0)) }
        _ = line.join(200, .normal, now: .at(1))
        _ = line.join(201, .normal, now: .at(1))
        _ = line.join(300, .high, now: .at(2))
        #expect(line.first == 300)
        var gone: [Int] = []
        while let number = line.takeFirst() { gone.append(number) }
        #expect(gone == [300, 200, 201] + Array(0..<100))
        #expect(line.isEmpty)
    }

    @Test func `LB-02 under high ones without end a low one goes after twice the ageing`() {
        var line = PriorityLine<Int>(ageingNanoseconds: 5_000_000_000)
        _ = line.join(-1, .low, now: .at(0))
        _ = line.join(-2, .normal, now: .at(0))
        var gone: [Int: Double] = [:]
        var number = 0
        // Two high ones come for each that goes.
        for step in 0..<400 {
            let now = Instant.at(Double(step) / 10)
            for _ in 0..<2 {
                _ = line.join(number, .high, now: now)
                number += 1
            }
            if let taken = line.takeFirst() { gone[taken] = now.seconds }
        }
        // Those who came within its handicap are let go first: half as many as come, so twice
        // as long.
        #expect(gone[-2] == 10.2)
        #expect(gone[-1] == 20.3)
    }

    /// Against a model that sorts, with three priorities, leaving and joining at random.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `it does what sorting by time and handicap does`(seed: UInt64) {
        var random = Sequence64(seed)
        var line = PriorityLine<Int>(ageingNanoseconds: 100)
        var model: [(rank: Int64, level: Int, number: Int, ticket: PriorityTicket)] = []
        var now: Int64 = 0
        for number in 0..<600 {
            now += Int64(random.pick(0...20))
            let instant = Instant(nanoseconds: now)
            switch random.pick(0...9) {
            case 0...5:
                let level = random.pick(0...2)
                let ticket = line.join(
                    number, [.high, .normal, .low][level], now: instant)
                model.append((now + Int64(level) * 100, level, number, ticket))
                model.sort { ($0.rank, $0.level, $0.number) < ($1.rank, $1.level, $1.number) }
            case 6...7:
                let expected = model.isEmpty ? nil : model.removeFirst().number
                #expect(line.takeFirst() == expected)
            case 8:
                let even = line.first { $0 % 2 == 0 }
                #expect(even == model.first { $0.number % 2 == 0 }?.number)
            default:
                guard !model.isEmpty else { continue }
                let index = random.pick(0...model.count - 1)
                let gone = model.remove(at: index)
                #expect(line.leave(gone.ticket) == gone.number)
                #expect(line.leave(gone.ticket) == nil)
            }
            #expect(line.count == model.count)
            #expect(line.first == model.first?.number)
        }
    }

    @Test func `CONC-05 a full line is a fact of its own`() {
        var line = PriorityLine<Int>()
        var joined = 0
        for number in 0..<1_000 {
            let answer = line.join(
                number, .normal, standing: line.count, limit: 100, earliest: .at(0),
                deadline: .distantFuture, now: .at(0))
            switch answer {
            case .joined: joined += 1
            case .overloaded(let limit): #expect(limit == 100)
            case .tooLate: Issue.record("nobody is late")
            }
        }
        #expect(joined == 100)
        #expect(line.count == 100)
    }

    @Test func `RATE-08 who could only go after the deadline is refused at once`() {
        var line = PriorityLine<Int>()
        let answer = line.join(
            1, .high, standing: 0, limit: 10, earliest: .at(5), deadline: .at(1), now: .at(0))
        #expect(answer == .tooLate(notBefore: .at(5)))
        #expect(line.isEmpty)
        let other = line.join(
            1, .high, standing: 0, limit: 10, earliest: .at(5), deadline: .at(5), now: .at(0))
        #expect(other != answer)
        #expect(line.count == 1)
    }

    @Test func `priorities are ordered`() {
        #expect(RequestPriority.allCases.sorted() == [.low, .normal, .high])
    }
}
