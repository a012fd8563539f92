// Who asks alone: found by whoever asks the same, and by nobody else.

import FetchBytes
import FetchPolicy
import Testing

struct SoloistsTests {
    private func digest(_ low: UInt64, _ high: UInt64 = 0) -> Digest {
        Digest(low: low, high: high)
    }

    /// The mark under which the call asks alone.
    private func mark(_ asking: Soloists.Asking) throws -> UInt16 {
        guard case .alone(let mark) = asking else {
            throw Unexpected(asking: asking)
        }
        return mark
    }

    private struct Unexpected: Error { let asking: Soloists.Asking }

    @Test func `who asks the same is told who asked first, until that one leaves`() throws {
        var soloists = Soloists()
        let mark = try mark(soloists.ask(digest(1), call: 10))
        #expect(soloists.ask(digest(1), call: 11) == .asked(by: 10))
        soloists.leave(mark, call: 10)
        #expect(soloists.ask(digest(1), call: 11) == .alone(mark))
    }

    @Test func `questions with the same mark stand side by side, four of them`() throws {
        var soloists = Soloists()
        // They differ in what no mark holds.
        let digests = (0..<5).map { digest(7, $0) }
        for (number, digest) in digests.prefix(4).enumerated() {
            _ = try mark(soloists.ask(digest, call: UInt64(number)))
        }
        #expect(soloists.ask(digests[4], call: 4) == .crowded)
        for (number, digest) in digests.prefix(4).enumerated() {
            #expect(soloists.ask(digest, call: 9) == .asked(by: UInt64(number)))
        }
        // In the middle comes a place free; who stands behind it is still found.
        soloists.leave(7, call: 1)
        #expect(soloists.ask(digests[0], call: 9) == .asked(by: 0))
        #expect(soloists.ask(digests[3], call: 9) == .asked(by: 3))
        #expect(soloists.ask(digests[4], call: 4) == .alone(7))
    }

    @Test func `nobody leaves another's place`() throws {
        var soloists = Soloists()
        let mark = try mark(soloists.ask(digest(3), call: 1))
        soloists.leave(mark, call: 2)
        soloists.leave(mark &+ 1, call: 1)
        #expect(soloists.ask(digest(3), call: 3) == .asked(by: 1))
    }

    @Test func `a place is taken over from who may be followed no more`() throws {
        var soloists = Soloists()
        let mark = try mark(soloists.ask(digest(3), call: 1))
        #expect(soloists.replace(digest(3), 1, call: 2) == mark)
        soloists.leave(mark, call: 1)
        #expect(soloists.ask(digest(3), call: 3) == .asked(by: 2))
    }

    @Test func `more places lose nobody`() throws {
        var soloists = Soloists()
        var standing: [UInt64: (digest: Digest, mark: UInt16)] = [:]
        var chance = Sequence64(1)
        for call in 0..<400 as Range<UInt64> {
            let digest = digest(chance.next(), chance.next())
            switch soloists.ask(digest, call: call) {
            case .alone(let mark): standing[call] = (digest, mark)
            case .crowded: break
            case .asked(let other): Issue.record("call \(other) asked something else")
            }
        }
        #expect(standing.count > 300)
        for (call, place) in standing {
            #expect(soloists.ask(place.digest, call: 1_000) == .asked(by: call))
            soloists.leave(place.mark, call: call)
            #expect(soloists.ask(place.digest, call: 1_000) == .alone(place.mark))
        }
    }
}
