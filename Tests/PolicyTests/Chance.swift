// What the tests of this room share: points in time, and chance under a seed.

import FetchTime

extension Instant {
    static func at(_ seconds: Double) -> Instant {
        Instant(nanoseconds: Int64((seconds * 1e9).rounded()))
    }

    var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension Sequence64 {
    init(_ seed: UInt64) { self.init(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1) }

    /// Each number of the range alike, nearly.
    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int((next() >> 8) % width)
    }

    mutating func chance(_ percent: Int) -> Bool { pick(0...99) < percent }
}
