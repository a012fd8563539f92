// The waiting line against an array that does the same slowly. Pure.

import FetchPolicy
import Testing

struct WaitingLineTests {
    @Test func `the first to join is the first to go`() {
        var line = WaitingLine<Int>()
        for number in 1...5 { _ = line.join(number) }
        #expect(line.count == 5)
        #expect(line.first == 1)
        #expect((1...6).map { _ in line.takeFirst() } == [1, 2, 3, 4, 5, nil])
        #expect(line.isEmpty)
    }

    @Test func `whoever leaves from the middle closes the gap`() {
        var line = WaitingLine<String>()
        _ = line.join("a")
        let b = line.join("b")
        _ = line.join("c")
        #expect(line.leave(b) == "b")
        #expect(line.takeFirst() == "a")
        #expect(line.takeFirst() == "c")
    }

    @Test func `a ticket is good once, and not for whoever gets the place later`() {
        var line = WaitingLine<String>()
        _ = line.join("stays")
        let ticket = line.join("leaves")
        #expect(line.leave(ticket) == "leaves")
        #expect(line.leave(ticket) == nil)
        let later = line.join("takes the place")
        #expect(line.leave(ticket) == nil)
        #expect(line.leave(later) == "takes the place")
        #expect(line.count == 1)
    }

    @Test func `a ticket from before the line was empty is stale`() {
        var line = WaitingLine<Int>()
        let ticket = line.join(1)
        #expect(line.takeFirst() == 1)
        #expect(line.leave(ticket) == nil)
        _ = line.join(2)
        #expect(line.leave(ticket) == nil)
        #expect(line.takeFirst() == 2)
    }

    @Test func `the first who meets a condition is found in order`() {
        var line = WaitingLine<Int>()
        for number in [3, 8, 5, 6] { _ = line.join(number) }
        #expect(line.first { $0 % 2 == 0 } == 8)
        #expect(line.first { $0 > 8 } == nil)
    }

    /// Joins, takes and leaves in random order; the model is an array of (number, ticket).
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `it does what an array does, under random joins and leaves`(seed: UInt64) {
        var generator = Sequence64(state: seed)
        var line = WaitingLine<Int>()
        var model: [(number: Int, ticket: WaitingTicket)] = []
        var left: [WaitingTicket] = []
        for number in 0..<20_000 {
            // Long lines and empty ones both come up.
            let joins = number / 500 % 2 == 0 ? 6 : 3
            switch Int(generator.next() % 10) {
            case ..<joins:
                model.append((number, line.join(number)))
            case ..<8:
                #expect(line.takeFirst() == model.first?.number)
                if !model.isEmpty { left.append(model.removeFirst().ticket) }
            case 8 where !model.isEmpty:
                let index = Int(generator.next() % UInt64(model.count))
                let (expected, ticket) = model.remove(at: index)
                #expect(line.leave(ticket) == expected)
                left.append(ticket)
            default:
                if let stale = left.randomElement(using: &generator) {
                    #expect(line.leave(stale) == nil)
                }
            }
            #expect(line.count == model.count)
            #expect(line.first == model.first?.number)
        }
        var rest: [Int] = []
        while let number = line.takeFirst() { rest.append(number) }
        #expect(rest == model.map(\.number))
    }
}

/// A linear congruential generator (Knuth's MMIX), so that a failing seed fails again.
struct Sequence64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
