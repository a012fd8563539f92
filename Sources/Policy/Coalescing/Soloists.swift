// Who asks what nobody else asks at the moment: most callers, most of the time. They need no flight
// of the coalescer's, only a place where somebody who asks the same would find them; then a flight
// begins. A value in an origin's record, on the reactor thread.
//
// A question has one place, named by its digest. Where somebody with another question stands there
// already, the newcomer begins a flight: so the places may be few.

package import FetchBytes

package struct Soloists: Sendable {
    private struct Place: Sendable {
        var digest = Digest(low: 0, high: 0)
        /// One more than the call's number; 0 where nobody stands.
        var call: UInt64 = 0
    }

    /// Places at most: 24 KiB.
    package static var most: Int { 1_024 }
    private static var fewest: Int { 8 }

    /// As many as a power of two; none before the first.
    private var places: ContiguousArray<Place> = []
    private var count = 0

    package init() {}

    /// The call takes the place of its question; false where somebody stands there.
    package mutating func lead(_ digest: Digest, call: UInt64) -> Bool {
        if places.isEmpty { grow() }
        let place = place(of: Self.mark(of: digest))
        guard places[place].call == 0 else { return false }
        places[place] = Place(digest: digest, call: call &+ 1)
        count &+= 1
        return true
    }

    /// Who has asked the same. In place, as asking must not copy what is asked.
    package mutating func asker(_ digest: Digest) -> UInt64? {
        guard !places.isEmpty else { return nil }
        let found = places[place(of: Self.mark(of: digest))]
        return found.call > 0 && found.digest == digest ? found.call &- 1 : nil
    }

    /// The call takes the place of the one who has asked the same, and whom nobody may follow any
    /// more.
    package mutating func replace(_ digest: Digest, call: UInt64) {
        places[place(of: Self.mark(of: digest))].call = call &+ 1
    }

    /// More places, where they are few for those who stand there.
    package mutating func growIfCrowded() {
        if count &* 8 > places.count, places.count < Self.most { grow() }
    }

    /// The call asks no more, or in a flight; nothing happens where another has its place.
    package mutating func leave(_ mark: UInt16, call: UInt64) {
        guard !places.isEmpty else { return }
        let place = place(of: mark)
        guard places[place].call == call &+ 1 else { return }
        places[place].call = 0
        count &-= 1
        // A quiet origin holds next to no memory.
        if count == 0, places.count > 64 { places = [] }
    }

    /// What is to be remembered of a digest in order to leave.
    package static func mark(of digest: Digest) -> UInt16 {
        UInt16(truncatingIfNeeded: digest.low)
    }

    private func place(of mark: UInt16) -> Int { Int(mark) & (places.count &- 1) }

    private mutating func grow() {
        let old = places
        places = ContiguousArray(
            repeating: Place(), count: old.isEmpty ? Self.fewest : old.count * 2)
        // Twice the places: nobody meets anybody whom he didn't meet before.
        for standing in old where standing.call > 0 {
            places[place(of: Self.mark(of: standing.digest))] = standing
        }
    }
}
