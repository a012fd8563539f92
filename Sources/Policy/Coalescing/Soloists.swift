// Who asks what nobody else asks at the moment: most callers, most of the time. They need no flight
// of the coalescer's, only a place where somebody who asks the same would find them; then a flight
// begins. A value in an origin's record, on the reactor thread.
//
// A question has four places side by side, named by its digest. Where others stand in all of them
// already, the newcomer begins a flight: so the places may be few.

package import FetchBytes

package struct Soloists: Sendable {
    /// What comes of a question.
    package enum Asking: Equatable, Sendable {
        /// Nobody asks the same: the call has a place, under this mark.
        case alone(UInt16)
        /// This call asks the same.
        case asked(by: UInt64)
        /// Others stand wherever it could.
        case crowded
    }

    private struct Place: Sendable {
        var digest = Digest(low: 0, high: 0)
        /// One more than the call's number; 0 where nobody stands.
        var call: UInt64 = 0
    }

    /// Where one question may stand, with others.
    private struct Side: Sendable {
        /// The first ones are taken.
        var places = InlineArray<4, Place>(repeating: Place())

        /// What comes of the question; nil where the call has a place now.
        @inline(__always)
        mutating func ask(_ digest: Digest, _ call: UInt64) -> Asking? {
            for index in places.indices {
                let standing = places[index].call
                if standing == 0 {
                    places[index] = Place(digest: digest, call: call &+ 1)
                    return nil
                }
                if places[index].digest == digest { return .asked(by: standing &- 1) }
            }
            return .crowded
        }

        @inline(__always)
        mutating func replace(_ call: UInt64, by other: UInt64) {
            for index in places.indices where places[index].call == call &+ 1 {
                places[index].call = other &+ 1
            }
        }

        /// Whoever stands last steps up; false where the call doesn't stand here.
        @inline(__always)
        mutating func leave(_ call: UInt64) -> Bool {
            // Nearly everybody stands alone.
            if places[0].call == call &+ 1, places[1].call == 0 {
                places[0].call = 0
                return true
            }
            return leaveOthers(call)
        }

        private mutating func leaveOthers(_ call: UInt64) -> Bool {
            var (place, last) = (-1, -1)
            for index in places.indices where places[index].call != 0 {
                if places[index].call == call &+ 1 { place = index }
                last = index
            }
            guard place >= 0 else { return false }
            places[place] = places[last]
            places[last].call = 0
            return true
        }
    }

    /// Sides at most: 24 KiB.
    package static var most: Int { 256 }
    private static var fewest: Int { 4 }

    /// As many as a power of two; none before the first.
    private var sides: ContiguousArray<Side> = []
    private var count = 0

    package init() {}

    /// The call takes a place of its question's, unless somebody asks the same.
    package mutating func ask(_ digest: Digest, call: UInt64) -> Asking {
        // Nearly everybody finds a side of his own.
        if count &* 2 >= sides.count, sides.count < Self.most { grow() }
        let mark = Self.mark(of: digest)
        if let asking = sides[side(of: mark)].ask(digest, call) { return asking }
        count &+= 1
        return .alone(mark)
    }

    /// The call takes the place of the one who has asked the same, and whom nobody may follow any
    /// more.
    package mutating func replace(_ digest: Digest, _ other: UInt64, call: UInt64) -> UInt16 {
        let mark = Self.mark(of: digest)
        if !sides.isEmpty { sides[side(of: mark)].replace(other, by: call) }
        return mark
    }

    /// The call asks no more, or in a flight; nothing happens where another has its place.
    package mutating func leave(_ mark: UInt16, call: UInt64) {
        guard !sides.isEmpty, sides[side(of: mark)].leave(call) else { return }
        count &-= 1
        // A quiet origin holds next to no memory.
        if count == 0, sides.count > 16 { sides = [] }
    }

    /// What is to be remembered of a digest in order to leave.
    private static func mark(of digest: Digest) -> UInt16 {
        UInt16(truncatingIfNeeded: digest.low)
    }

    private func side(of mark: UInt16) -> Int { Int(mark) & (sides.count &- 1) }

    private mutating func grow() {
        let old = sides
        sides = ContiguousArray(
            repeating: Side(), count: old.isEmpty ? Self.fewest : old.count * 2)
        // Twice the sides: whoever stood together stands together, or apart.
        for side in old {
            for index in side.places.indices where side.places[index].call > 0 {
                let place = side.places[index]
                _ = sides[self.side(of: Self.mark(of: place.digest))]
                    .ask(place.digest, place.call &- 1)
            }
        }
    }
}
